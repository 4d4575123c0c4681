"""Rows of text into shifts. Every fault of every row is named; no row is guessed at."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, time
from typing import NamedTuple

from cti.commands.roster import ShiftPlan
from cti.roster.cells import LONGEST_CELL, BadFile, Sheet

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "number": ("工号", "number", "agent"),
    "date": ("日期", "date"),
    "shift": ("班次", "shift"),
    "from": ("上班", "from"),
    "to": ("下班", "to"),
    "crew": ("班组", "crew"),
    "seat": ("席位", "seat"),
    "extra": ("加班", "extra"),
    "state": ("状态", "state"),
    "name": ("姓名", "name"),  # for people's eyes; the number says who it is
}
TITLES = {alias: column for column, aliases in COLUMNS.items() for alias in aliases}
SHIFTS = {"白班": "day", "夜班": "night"}  # whether the hotline has them is for the engine to say
YES, NO = ("是", "yes", "true", "1"), ("否", "no", "false", "0", "")
ON_DUTY = ("在岗", "on", "")
LONGEST_CODE = 16
_NUMBER = re.compile(r"[0-9]{2,8}")
_DATE = re.compile(r"(20[0-9]{2})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?", re.ASCII)
_TIME = re.compile(r"([0-9]{1,2})[:：]([0-9]{2})(?:[:：]([0-9]{2}))?", re.ASCII)
_FORMULA = tuple("=+-@")


class Fault(NamedTuple):
    """What is wrong with one cell, or with a row (``column`` empty). ``row`` as the file's program counts it."""

    row: int
    column: str
    zh: str
    en: str


class Table(NamedTuple):
    """The file's shifts, with the row that each stands in, and everything that is wrong."""

    plans: tuple[tuple[int, ShiftPlan], ...]
    faults: tuple[Fault, ...]


class _CellError(Exception):
    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


def read_table(sheet: Sheet) -> Table:
    """The shifts in *sheet*, whose first row names the columns.

    Raises:
        BadFile: there is no row, a column is unknown or twice, or one that is needed is missing.
    """
    if not sheet:
        raise BadFile("the file is empty (文件为空)")
    columns = _columns(sheet[0][1])
    plans: list[tuple[int, ShiftPlan]] = []
    faults: list[Fault] = []
    for row, cells in sheet[1:]:
        reading = _Row(row, {name: cells[i] if i < len(cells) else "" for i, name in columns.items()})
        plan = reading.plan()
        if any(cells[i] for i in range(len(cells)) if i not in columns):
            reading.faults.append(Fault(row, "", "表头之外的列中有内容", "a cell outside the columns that are named"))
        faults += reading.faults
        if plan is not None and not reading.faults:
            plans.append((row, plan))
    return Table(tuple(plans), tuple(faults))


def _columns(titles: Sequence[str]) -> dict[int, str]:
    found: dict[int, str] = {}
    for place, title in enumerate(titles):
        if not title:
            continue
        name = TITLES.get(title.lower())
        if name is None:
            known = "、".join(aliases[0] for aliases in COLUMNS.values())
            raise BadFile(f"column {place + 1} has no known title (第{place + 1}列的列名无效，可用：{known})")
        if name in found.values():
            raise BadFile(f"column {COLUMNS[name][0]} is there twice (列名重复)")
        found[place] = name
    have = set(found.values())
    if not ({"number", "date"} <= have and ("shift" in have or {"from", "to"} <= have)):
        raise BadFile("needed: 工号 number, 日期 date, and 班次 shift or 上班 from with 下班 to (缺少必需的列)")
    return found


class _Row:
    """One row being read; its faults gather."""

    def __init__(self, row: int, cells: Mapping[str, str]) -> None:
        self.row = row
        self.faults: list[Fault] = []
        self.cells = {name: text for name, text in cells.items() if self._harmless(name, text)}

    def _harmless(self, column: str, text: str) -> bool:
        if text.startswith(_FORMULA):
            self._fault(column, "不接受公式或以 = + - @ 开头的内容", "a formula, or a cell beginning with = + - @")
        elif len(text) > LONGEST_CELL:
            self._fault(column, f"超过{LONGEST_CELL}个字符", f"longer than {LONGEST_CELL} characters")
        elif not text.isprintable():
            self._fault(column, "含有控制字符", "control characters")
        else:
            return True
        return False

    def _fault(self, column: str, zh: str, en: str) -> None:
        self.faults.append(Fault(self.row, COLUMNS[column][0], zh, en))

    def plan(self) -> ShiftPlan | None:
        """The shift of this row; None when its who or when cannot be read."""
        cells = self.cells
        number = self._number(cells.get("number", ""))
        day = self._day(cells.get("date", ""))
        begins, ends = self._time("from"), self._time("to")
        if (begins is None) != (ends is None) and not self.faults:
            self._fault("to" if ends is None else "from", "上班与下班须同时填写", "from and to belong together")
        code = self._code(cells.get("shift", ""), timed=begins is not None)
        extra = self._extra(cells.get("extra", "").lower())
        if cells.get("state", "").lower() not in ON_DUTY:
            self._fault("state", "请假、换班须在页面申请，不能导入", "leave and swaps are asked for, not imported")
        if len(cells.get("crew", "")) > LONGEST_CODE:
            self._fault("crew", f"超过{LONGEST_CODE}个字符", f"longer than {LONGEST_CODE} characters")
        if day is None:
            return None
        return ShiftPlan(number, day, code, begins, ends, cells.get("crew", ""), cells.get("seat", "") or None, extra)

    def _number(self, text: str) -> str:
        if "number" in self.cells and not _NUMBER.fullmatch(text):
            self._fault("number", "工号为2至8位数字", "2 to 8 digits are needed")
        return text

    def _day(self, text: str) -> date | None:
        if "date" not in self.cells:
            return None
        found = _DATE.fullmatch(text)
        if found is None:
            self._fault("date", "日期格式应为 2026-11-21", "a date such as 2026-11-21 is needed")
            return None
        try:
            return date(int(found[1]), int(found[2]), int(found[3]))
        except ValueError:
            self._fault("date", "没有这一天", "there is no such day")
            return None

    def _time(self, column: str) -> time | None:
        text = self.cells.get(column, "")
        if not text:
            return None
        found = _TIME.fullmatch(text)
        if found is not None and int(found[1]) < 24 and int(found[2]) < 60 and int(found[3] or 0) < 60:
            return time(int(found[1]), int(found[2]), int(found[3] or 0))
        self._fault(column, "时间格式应为 08:00", "a time such as 08:00 is needed")
        return None

    def _code(self, text: str, *, timed: bool) -> str:
        if not text and not timed and not self.faults:
            self._fault("shift", "班次与上下班时间至少填写一项", "a shift, or from and to, is needed")
        if len(text) > LONGEST_CODE:
            self._fault("shift", f"超过{LONGEST_CODE}个字符", f"longer than {LONGEST_CODE} characters")
        return SHIFTS.get(text, text)

    def _extra(self, text: str) -> bool:
        if text not in (*YES, *NO):
            self._fault("extra", "应为 是 或 否", "yes or no is needed")
        return text in YES

"""Roster files: encodings, what Excel makes of cells, hostile content, and out again without a formula."""

from __future__ import annotations

import io
import random
import zipfile
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from openpyxl import Workbook, load_workbook

from agents.shifts import Shift, ShiftState
from cti.commands.roster import ShiftPlan
from cti.roster import XLSX, BadFile, Table, read_sheet, read_table, to_csv, to_xlsx
from cti.roster.cells import MOST_ROWS, MOST_UNPACKED

ZONE = ZoneInfo("Asia/Shanghai")
DAY = date(2026, 12, 31)
HEAD = "工号,日期,班次,班组,席位,加班"


def csv(*rows: str, head: str = HEAD, encoding: str = "utf-8") -> Table:
    """The table of a CSV file."""
    return read_table(read_sheet("\r\n".join((head, *rows)).encode(encoding), "text/csv"))


def xlsx(*rows: tuple[Any, ...]) -> bytes:
    """A workbook."""
    book = Workbook()
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def faults(table: Table) -> list[tuple[int, str]]:
    """Row and column of each fault; every fault speaks both languages."""
    assert all(fault.zh and fault.en for fault in table.faults)
    return [(fault.row, fault.column) for fault in table.faults]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_in_the_encodings_that_excel_writes(encoding: str) -> None:
    """UTF-8 with and without BOM, and GB18030; blank lines are no rows, and rows keep the numbers of the file."""
    table = csv("1001,2026-12-31,白班,甲班,8001,是", "", "1002,2026-12-31,night,,,", encoding=encoding)
    assert table == Table(
        (
            (2, ShiftPlan("1001", DAY, "day", crew="甲班", seat="8001", extra=True)),
            (4, ShiftPlan("1002", DAY, "night")),
        ),
        (),
    )


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_english_titles_times_and_other_delimiters(delimiter: str) -> None:
    """Titles in any case; 7:30 and a full-width colon are times."""
    text = delimiter.join(("Number", "DATE", "from", "to", "姓名")) + "\n"
    text += delimiter.join(("1001", "2026年12月31日", "7:30", "16：00", "测试话务员甲"))
    table = read_table(read_sheet(text.encode(), "text/csv"))
    assert table.plans == ((2, ShiftPlan("1001", DAY, "", time(7, 30), time(16))),)


@pytest.mark.parametrize("text", ["2026-12-31", "2026/12/31", "2026.12.31"])
def test_dates_as_people_write_them(text: str) -> None:
    """Year, month, day; nothing shorter, for 12/11 is two days."""
    assert csv(f"1001,{text},白班").plans[0][1].day == DAY


def test_every_fault_of_every_row_is_named() -> None:
    """Each bad cell with its row and column; good rows beside them are read."""
    rows = (
        "1,2026-12-31,白班", "1001,31.12.2026,白班", "1001,2026-02-30,白班", "1001,2026-12-31,", "abc,x,白班,,,maybe",
        f"1001,2026-12-31,白班,{'x' * 17}", f"1001,2026-12-31,白班,{'x' * 65}", "1001,2026-12-31,白班,a\x07b",
        "1001,2026-12-31,白班,\u202eabc", "1001,2026-12-31,白班,,,,out of the table", "1001,2026-12-31,白班",
    )  # fmt: skip
    table = csv(*rows)
    assert faults(table) == [
        (2, "工号"), (3, "日期"), (4, "日期"), (5, "班次"), (6, "工号"), (6, "日期"), (6, "加班"), (7, "班组"),
        (8, "班组"), (9, "班组"), (10, "班组"), (11, ""),
    ]  # fmt: skip
    assert [row for row, _ in table.plans] == [12]
    times = csv("1001,2026-12-31,8:00,", "1001,2026-12-31,25:00,26:00", head="工号,日期,上班,下班")
    assert faults(times) == [(2, "下班"), (3, "上班"), (3, "下班")]
    leave = csv("1001,2026-12-31,白班,请假", "1001,2026-12-31,白班,在岗", head="工号,日期,班次,状态")
    assert faults(leave) == [(2, "状态")]


@pytest.mark.parametrize("cell", ["=cmd|'/c calc'!A1", "+1", "-1", "@SUM(A1)", "=1+1"])
def test_formulas_are_refused_in_both_kinds_of_file(cell: str) -> None:
    """As values, not evaluated; the fault does not repeat them."""
    for table in (
        csv(f'1001,2026-12-31,白班,"{cell}"'),
        read_table(read_sheet(xlsx(HEAD.split(",")[:4], ("1001", "2026-12-31", "白班", cell)), XLSX)),
    ):
        assert faults(table) == [(2, "班组")]
        assert cell not in str(table.faults)


@pytest.mark.parametrize(
    "head",
    [
        "工号,日期", "工号,班次", "日期,班次", "工号,日期,上班", "工号,日期,班次,什么", "工号,工号,日期,班次",
        "工号,number,日期,班次",
    ],
)  # fmt: skip
def test_a_file_without_its_columns_is_refused_as_a_whole(head: str) -> None:
    """Missing, unknown or doubled titles."""
    with pytest.raises(BadFile):
        csv("1001,2026-12-31,白班", head=head)


def test_excel_keeps_numbers_dates_and_times_as_values() -> None:
    """They are read as they would be typed: 1001 without a point, dates and times as such."""
    rows = (
        ("工号", "日期", "上班", "下班", "席位", "加班"),
        (1001, datetime(2026, 12, 31, tzinfo=None), time(19), time(8), 8001.0, True),  # noqa: DTZ001
        ("1002", date(2026, 12, 31), timedelta(hours=8), "19:00", None, "否"), (None, None, None, None, None, None),
        (1003, datetime(2026, 12, 31, 8, tzinfo=None), "8:00", "19:00", "", ""),  # noqa: DTZ001
    )  # fmt: skip
    table = read_table(read_sheet(xlsx(*rows), XLSX))
    assert [plan for _, plan in table.plans] == [
        ShiftPlan("1001", DAY, "", time(19), time(8), seat="8001", extra=True),
        ShiftPlan("1002", DAY, "", time(8), time(19)),
    ]
    assert faults(table) == [(5, "日期")]


def test_sizes_are_bounded() -> None:
    """Rows, columns, cells, and what a packed file unpacks to."""
    with pytest.raises(BadFile, match="rows"):
        csv(*["1001,2026-12-31,白班"] * (MOST_ROWS + 1))
    assert len(csv(*["1001,2026-12-31,白班"] * MOST_ROWS).plans) == MOST_ROWS
    with pytest.raises(BadFile, match="CSV"):
        csv('1001,2026-12-31,"' + "x" * 200_000)
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b" " * (MOST_UNPACKED + 1))
    assert len(bomb.getvalue()) < 100_000
    with pytest.raises(BadFile, match="too large"):
        read_sheet(bomb.getvalue(), XLSX)
    many = io.BytesIO()
    with zipfile.ZipFile(many, "w") as packed:
        for n in range(101):
            packed.writestr(f"{n}", b"")
    with pytest.raises(BadFile, match="too large"):
        read_sheet(many.getvalue(), XLSX)


def test_a_cell_far_out_costs_nothing() -> None:
    """The last column, the last row of a sheet: the row limit ends the reading, columns beyond ours are not read."""
    book = Workbook()
    book.active.cell(1, 1, "工号")
    book.active.cell(1, 16_384, "x")
    book.active.cell(1_048_576, 1, "x")
    file = io.BytesIO()
    book.save(file)
    with pytest.raises(BadFile, match="rows"):
        read_sheet(file.getvalue(), XLSX)


def test_entities_of_xml_are_not_expanded() -> None:
    """A workbook whose sheet declares entities (billion laughs) is refused."""
    whole = xlsx(("工号", "日期", "班次"))
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(changed, "w") as new:
        for part in old.infolist():
            content = old.read(part)
            if part.filename == "xl/worksheets/sheet1.xml":
                content = b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + content
            new.writestr(part.filename, content)
    with pytest.raises(BadFile, match="XLSX"):
        read_sheet(changed.getvalue(), XLSX)


def test_damaged_files_are_refused_never_worse() -> None:
    """Any byte changed, any length cut: a sheet or BadFile, no other error."""
    rng = random.Random(7)
    whole = xlsx(("工号", "日期", "班次"), ("1001", date(2026, 12, 31), "白班"))
    for _ in range(150):
        damaged = bytearray(whole[: rng.randrange(len(whole))] if rng.random() < 0.3 else whole)
        for _ in range(rng.randrange(1, 6)):
            if damaged:
                damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        for kind in (XLSX, "text/csv"):
            try:
                read_table(read_sheet(bytes(damaged), kind))
            except BadFile:
                continue


SHIFTS = [
    Shift("a", "1001", datetime(2026, 12, 31, 0, tzinfo=UTC), datetime(2026, 12, 31, 11, tzinfo=UTC), "day", "甲班"),
    Shift(
        "b", "1002", datetime(2026, 12, 31, 11, tzinfo=UTC), datetime(2027, 1, 1, 0, tzinfo=UTC), "night", seat="8001",
        extra=True,
    ),
    Shift("c", "1001", datetime(2027, 1, 1, 11, 0, 30, tzinfo=UTC), datetime(2027, 1, 1, 12, tzinfo=UTC), "own"),
]  # fmt: skip


def test_what_goes_out_comes_in_again() -> None:
    """Both kinds of file; a night at the year end keeps its day."""
    for content, kind in ((to_csv(SHIFTS, {}, ZONE), "text/csv"), (to_xlsx(SHIFTS, {}, ZONE), XLSX)):
        table = read_table(read_sheet(content, kind))
        assert table.faults == ()
        assert [plan for _, plan in table.plans] == [
            ShiftPlan("1001", DAY, "day", time(8), time(19), "甲班"),
            ShiftPlan("1002", DAY, "night", time(19), time(8), seat="8001", extra=True),
            ShiftPlan("1001", date(2027, 1, 1), "own", time(19, 0, 30), time(20)),
        ]


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@x", "\t=1", "\r=1"])
def test_no_cell_that_goes_out_begins_a_formula(name: str) -> None:
    """Names and crews are people's text: quoted in CSV, and in XLSX text besides."""
    shift = Shift("a", "1001", SHIFTS[0].starts_at, SHIFTS[0].ends_at, "day", name, state=ShiftState.LEAVE)
    text = to_csv([shift], {"1001": name}, ZONE).decode("utf-8-sig")
    assert text.count(f"'{name}") == 2
    cells = load_workbook(io.BytesIO(to_xlsx([shift], {"1001": name}, ZONE))).active[2]
    assert [cell.data_type for cell in cells if cell.value is not None and cell.value.startswith("'")] == ["s", "s"]
    assert all(cell.data_type != "f" for cell in cells)

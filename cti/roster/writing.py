"""The roster as CSV and XLSX, with the columns that the import takes. No cell can begin a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from zoneinfo import ZoneInfo

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from agents.shifts import Shift, ShiftState
from cti.roster.table import COLUMNS, SHIFTS

ORDER = ("number", "name", "date", "shift", "from", "to", "crew", "seat", "extra", "state")
STATES = {ShiftState.ON: "在岗", ShiftState.LEAVE: "请假", ShiftState.SWAPPED: "换班"}
_NAMES = {code: name for name, code in SHIFTS.items()}
_STARTS_FORMULA = tuple("=+-@\t\r")


def to_csv(shifts: Iterable[Shift], names: Mapping[str, str], zone: ZoneInfo) -> bytes:
    """UTF-8 with BOM: without it Excel shows Chinese as other letters."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(_rows(shifts, names, zone))
    return text.getvalue().encode("utf-8-sig")


def to_xlsx(shifts: Iterable[Shift], names: Mapping[str, str], zone: ZoneInfo) -> bytes:
    """One sheet; every cell is text."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("排班")
    for row in _rows(shifts, names, zone):
        cells = [WriteOnlyCell(sheet, value=value) for value in row]
        for cell in cells:
            cell.data_type = "s"
        sheet.append(cells)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _rows(shifts: Iterable[Shift], names: Mapping[str, str], zone: ZoneInfo) -> Iterable[list[str]]:
    yield [COLUMNS[column][0] for column in ORDER]
    for shift in shifts:
        start, end = shift.starts_at.astimezone(zone), shift.ends_at.astimezone(zone)
        cells = [
            shift.agent, names.get(shift.agent, ""), start.date().isoformat(), _NAMES.get(shift.code, shift.code),
            f"{start:%H:%M:%S}".removesuffix(":00"), f"{end:%H:%M:%S}".removesuffix(":00"), shift.crew,
            shift.seat or "", "是" if shift.extra else "否", STATES[shift.state],
        ]  # fmt: skip
        yield [_quoted(cell) for cell in cells]


def _quoted(cell: str) -> str:
    """A name such as ``=cmd|...`` is run by a spreadsheet that opens the file; after an apostrophe it is text."""
    return f"'{cell}" if cell.startswith(_STARTS_FORMULA) else cell

"""The roster as CSV and XLSX, with the columns that the import takes. No cell can begin a formula."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from zoneinfo import ZoneInfo

from agents.shifts import Shift, ShiftState
from cti.roster.table import COLUMNS, SHIFTS
from cti.sheets import CsvFile, XlsxFile

ORDER = ("number", "name", "date", "shift", "from", "to", "crew", "seat", "extra", "state")
STATES = {ShiftState.ON: "在岗", ShiftState.LEAVE: "请假", ShiftState.SWAPPED: "换班"}
_NAMES = {code: name for name, code in SHIFTS.items()}


def to_csv(shifts: Iterable[Shift], names: Mapping[str, str], zone: ZoneInfo) -> bytes:
    """As CSV."""
    file = CsvFile()
    file.add(_rows(shifts, names, zone))
    return file.finish()


def to_xlsx(shifts: Iterable[Shift], names: Mapping[str, str], zone: ZoneInfo) -> bytes:
    """As XLSX."""
    file = XlsxFile("排班")
    file.add(_rows(shifts, names, zone))
    return file.finish()


def _rows(shifts: Iterable[Shift], names: Mapping[str, str], zone: ZoneInfo) -> Iterable[list[str]]:
    yield [COLUMNS[column][0] for column in ORDER]
    for shift in shifts:
        start, end = shift.starts_at.astimezone(zone), shift.ends_at.astimezone(zone)
        yield [
            shift.agent, names.get(shift.agent, ""), start.date().isoformat(), _NAMES.get(shift.code, shift.code),
            f"{start:%H:%M:%S}".removesuffix(":00"), f"{end:%H:%M:%S}".removesuffix(":00"), shift.crew,
            shift.seat or "", "是" if shift.extra else "否", STATES[shift.state],
        ]  # fmt: skip

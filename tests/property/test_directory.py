"""Whatever the directory holds, only its numbers are ever tried, and each once."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from queues.directory import Number, OnCall, Unit, UnitRole, route

ZONE = ZoneInfo("Asia/Shanghai")
BASE = datetime(2026, 11, 23, tzinfo=UTC)
DIGITS = st.sampled_from([f"0530555000{n}" for n in range(10)])
HOURS = st.one_of(st.none(), st.tuples(st.times(), st.times()))
SOME = st.frozensets(st.sampled_from(["report", "repair", "east", "west"]), max_size=2)
NUMBERS = st.lists(st.builds(Number, DIGITS, HOURS), min_size=1, max_size=4).map(tuple)
UNITS = st.lists(
    st.builds(
        Unit, st.sampled_from("abcdef"), st.just("单位"), st.just("Unit"), st.sampled_from(UnitRole), SOME, SOME,
        NUMBERS,
    ),
    max_size=6, unique_by=lambda unit: unit.code,
)  # fmt: skip
MOMENTS = st.integers(0, 72 * 3600).map(lambda s: BASE + timedelta(seconds=s))
ENTRIES = st.lists(
    st.builds(
        lambda unit, digits, at, long: OnCall("d", unit, digits, "甲", at, at + timedelta(seconds=long)),
        st.sampled_from("abcdef"), DIGITS, MOMENTS, st.integers(1, 40000),
    ),
    max_size=6,
)  # fmt: skip


@given(UNITS, ENTRIES, st.sampled_from([None, "report", "repair"]), st.sampled_from([None, "east"]), MOMENTS)
def test_only_the_directory_is_dialled_and_each_number_once(
    units: list[Unit], entries: list[OnCall], kind: str | None, area: str | None, at: datetime
) -> None:
    """Every target is a fitting emergency unit's own number or on its duty list now; if one fits, somebody is rung."""
    found = route(units, entries, kind, area, at, ZONE)
    assert len({target.digits for target in found}) == len(found)
    fitting = {u.code: u for u in units if u.role is UnitRole.EMERGENCY and u.fits(kind, area)}
    for target in found:
        own = {number.digits for number in fitting[target.unit].numbers}
        listed = {e.digits for e in entries if e.unit == target.unit and e.starts <= at < e.ends}
        assert target.digits in own | listed
    assert bool(found) == bool(fitting)


@given(st.times(), st.times(), st.times())
def test_hours_and_their_complement_cover_the_day(start: time, end: time, at: time) -> None:
    """A day number and a night number with the same edges: exactly one of them is staffed at any moment."""
    day, night = Number("1", (start, end)), Number("2", (end, start))
    assert start == end or day.staffed(at) != night.staffed(at)

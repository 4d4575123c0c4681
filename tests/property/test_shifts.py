"""Shifts and rotations under any zone, on any day: what the wall clock shows, what has elapsed, nobody missing."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.roster import Roster, rotation
from agents.shifts import Shift, ShiftState, Template, bounds, length, moment, shift_at

ZONES = (
    "Asia/Shanghai", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kathmandu",
    "Africa/Casablanca", "Pacific/Apia", "Pacific/Chatham", "America/St_Johns", "UTC",
)  # fmt: skip
DAYS = st.dates(date(1970, 1, 2), date(2037, 12, 30))
TIMES = st.times().map(lambda t: t.replace(microsecond=0))
ZONED = st.sampled_from(ZONES).map(ZoneInfo)
DAY, NIGHT = Template("day", time(8), time(19)), Template("night", time(19), time(8))


def shown(at: datetime, zone: ZoneInfo) -> datetime:
    """The wall clock."""
    return at.astimezone(zone).replace(tzinfo=None)


JUMPS = st.sampled_from(
    (
        ("Europe/Berlin", date(2026, 3, 29)), ("Europe/Berlin", date(2026, 10, 25)),
        ("America/Sao_Paulo", date(2018, 11, 4)), ("Australia/Lord_Howe", date(2026, 10, 4)),
        ("Pacific/Apia", date(2011, 12, 30)), ("America/New_York", date(2026, 3, 8)),
    )
)  # fmt: skip
EARLY = st.times(time(0), time(4)).map(lambda t: t.replace(microsecond=0))


@given(st.tuples(ZONED, DAYS, TIMES) | st.tuples(JUMPS, EARLY).map(lambda d: (ZoneInfo(d[0][0]), d[0][1], d[1])))
def test_a_moment_is_when_the_clock_shows_it_or_jumps_over_it(drawn: tuple[ZoneInfo, date, time]) -> None:
    """Nothing earlier shows it; a second before, the clock shows less."""
    zone, day, at = drawn
    wall, found = datetime.combine(day, at), moment(day, at, zone)
    assert shown(found, zone) >= wall
    assert shown(found - timedelta(seconds=1), zone) < wall
    if shown(found, zone) > wall:  # jumped over: nothing in two days around shows it
        assert shown(found - timedelta(microseconds=1), zone) < wall
        assert wall.replace(tzinfo=zone, fold=0).utcoffset() != wall.replace(tzinfo=zone, fold=1).utcoffset()


@given(DAYS, TIMES, TIMES, ZONED)
def test_length_is_what_has_elapsed(day: date, begins: time, ends: time, zone: ZoneInfo) -> None:
    """The clock's difference, less what the clock was put forward, more what it was put back."""
    template = Template("x", begins, ends)
    start, end = bounds(day, template, zone)
    assert end - start == length(day, template, zone) >= timedelta(0)
    start_offset, end_offset = start.astimezone(zone).utcoffset(), end.astimezone(zone).utcoffset()
    assert start_offset is not None
    assert end_offset is not None
    assert end - start == shown(end, zone) - shown(start, zone) - (end_offset - start_offset)


@given(st.integers(1970, 2036), st.sampled_from((DAY, NIGHT)))
def test_eleven_and_thirteen_hours_over_a_year_end(year: int, template: Template) -> None:
    """In Heze each is 11 h or 13 h on 31 December and 1 January of every year."""
    hours = 11 if template is DAY else 13
    for day in (date(year, 12, 31), date(year + 1, 1, 1)):
        assert length(day, template, ZoneInfo("Asia/Shanghai")) == timedelta(hours=hours)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("year", [2011, 2026])
def test_every_moment_of_a_year_has_exactly_one_crew(zone: str, year: int) -> None:
    """No hole and no overlap between shifts of 400 days, over year end and clock changes; each crew works its share.

    2011 is the year in which Apia left out a day: its shifts are of no length, and the crews before and after meet.
    """
    start = date(year, 1, 1)
    turns = list(rotation(start, 400, start, 4, (DAY, NIGHT)))
    spans = [(*bounds(turn.day, turn.template, ZoneInfo(zone)), turn.crew) for turn in turns]
    assert all(before[1] == after[0] for before, after in pairwise(spans))
    worked = [sum((end - begin for begin, end, crew in spans if crew == n), timedelta(0)) for n in range(4)]
    assert max(worked) - min(worked) <= timedelta(hours=26)
    per_day = [{turn.crew for turn in turns[i : i + 2]} for i in range(0, len(turns), 2)]
    assert all(len(crews) == 2 for crews in per_day)


HOURS = st.integers(0, 26).map(lambda hours: hours * 60)  # coarse, so that ends and starts meet
SHIFTS = st.tuples(
    st.sampled_from(("1001", "1002")), HOURS, st.sampled_from((1, 2, 11, 13, 25)).map(lambda hours: hours * 60),
    st.sampled_from((ShiftState.ON, *ShiftState)),
)  # fmt: skip
T0 = datetime(2026, 11, 21, tzinfo=UTC)


@given(st.lists(SHIFTS, max_size=12), HOURS | st.integers(-100, 5000))
def test_the_index_says_what_a_look_at_every_shift_says(drawn: list[tuple[str, int, int, ShiftState]], at: int) -> None:
    """Any shifts, overlapping or not, any state, any moment."""
    shifts = [
        Shift(f"s{n}", agent, T0 + timedelta(minutes=start), T0 + timedelta(minutes=start + minutes), state=state)
        for n, (agent, start, minutes, state) in enumerate(drawn)
    ]
    roster, now = Roster(), T0 + timedelta(minutes=at)
    roster.put(shifts)
    kept = [s for s in shifts if s.state is not ShiftState.OFF]
    mine = [s for s in kept if s.agent == "1001"]
    on = [s for s in mine if s.state is ShiftState.ON]
    found, wanted = roster.at("1001", now), shift_at(mine, now)
    assert (found and found.starts_at) == (wanted and wanted.starts_at)
    after = roster.after("1001", now)
    assert (after and after.starts_at) == min((s.starts_at for s in on if s.starts_at > now), default=None)
    before = roster.before("1001", now)
    assert (before and before.ends_at) == max((s.ends_at for s in on if s.ends_at <= now), default=None)
    assert roster.covers(now) == any(s.covers(now) for s in kept)
    span = (now, now + timedelta(hours=9))
    touching = [s for s in kept if s.starts_at < span[1] and s.ends_at > span[0]]
    assert roster.between(*span) == sorted(touching, key=lambda s: (s.starts_at, s.agent, s.shift_id))


@given(st.lists(SHIFTS, max_size=10), st.lists(SHIFTS, max_size=10))
def test_a_clash_is_found_exactly_when_two_meet(
    old: list[tuple[str, int, int, ShiftState]], new: list[tuple[str, int, int, ShiftState]]
) -> None:
    """Whatever is put piece by piece without a clash, nobody is in two shifts; and what is refused does meet."""
    roster = Roster()
    for n, (agent, start, minutes, state) in enumerate((*old, *new)):
        shift = Shift(
            f"s{n}", agent, T0 + timedelta(minutes=start), T0 + timedelta(minutes=start + minutes), state=state
        )
        met = state is ShiftState.ON and any(
            s.state is ShiftState.ON and s.agent == agent and s.meets(shift) for s in roster.by_id.values()
        )
        assert bool(roster.clashes([shift])) == met
        if not met:
            roster.put([shift])


@given(st.lists(SHIFTS, max_size=6))
def test_many_at_once_clash_exactly_when_two_of_them_meet(new: list[tuple[str, int, int, ShiftState]]) -> None:
    """One that begins as another ends does not; and there are never more clashes than shifts."""
    shifts = [
        Shift(f"s{n}", agent, T0 + timedelta(minutes=start), T0 + timedelta(minutes=start + minutes), state=state)
        for n, (agent, start, minutes, state) in enumerate(new)
    ]
    on = [s for s in shifts if s.state is ShiftState.ON]
    met = any(a.agent == b.agent and a.meets(b) for n, a in enumerate(on) for b in on[n + 1 :])
    clashes = Roster().clashes(shifts)
    assert bool(clashes) == met
    assert len(clashes) < max(len(on), 1)

"""Shifts by the local clock, at the turns of the year and of the clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from agents.shifts import Shift, ShiftState, Template, bounds, length, moment, shift_at

DAY = Template("day", time(8), time(19))
NIGHT = Template("night", time(19), time(8))
H = timedelta(hours=1)
T0 = datetime(2026, 11, 21, 0, 0, tzinfo=UTC)


def test_the_night_of_the_year_end_has_thirteen_hours() -> None:
    """It begins in one year and ends in the next, and is as long as any other night in Heze."""
    start, end = bounds(date(2026, 12, 31), NIGHT, ZoneInfo("Asia/Shanghai"))
    assert (start, end) == (datetime(2026, 12, 31, 11, tzinfo=UTC), datetime(2027, 1, 1, 0, tzinfo=UTC))
    assert end - start == 13 * H
    assert length(date(2027, 1, 1), DAY, ZoneInfo("Asia/Shanghai")) == 11 * H


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 28), 12), ("Europe/Berlin", date(2026, 10, 24), 14),
        ("America/New_York", date(2026, 3, 7), 12), ("America/New_York", date(2026, 10, 31), 14),
        ("Australia/Lord_Howe", date(2026, 4, 4), 13.5), ("Asia/Shanghai", date(2026, 3, 28), 13),
        ("Asia/Shanghai", date(1988, 4, 16), 12), ("Pacific/Apia", date(2011, 12, 29), 5),
    ],
)  # fmt: skip
def test_a_night_in_which_the_clock_is_put_is_as_long_as_it_was(zone: str, day: date, hours: float) -> None:
    """An hour less in spring, an hour more in autumn, half an hour on Lord Howe; Apia once left out a whole day."""
    assert length(day, NIGHT, ZoneInfo(zone)) == hours * H


def test_a_time_that_the_clock_jumps_over_is_the_moment_of_the_jump() -> None:
    """02:30 on 29 March 2026 in Berlin is 03:00 there, 01:00 UTC, and so are all times of that hour."""
    for minute in (0, 1, 30, 59):
        assert moment(date(2026, 3, 29), time(2, minute), ZoneInfo("Europe/Berlin")) == datetime(
            2026, 3, 29, 1, tzinfo=UTC
        )
    start, end = bounds(date(2026, 3, 29), Template("x", time(2, 10), time(2, 50)), ZoneInfo("Europe/Berlin"))
    assert start == end


def test_a_time_that_the_clock_shows_twice_is_the_first() -> None:
    """02:30 on 25 October 2026 in Berlin is first 00:30 UTC."""
    assert moment(date(2026, 10, 25), time(2, 30), ZoneInfo("Europe/Berlin")) == datetime(
        2026, 10, 25, 0, 30, tzinfo=UTC
    )


def test_a_shift_from_and_to_the_same_time_lasts_a_day() -> None:
    """``to`` not later than ``from`` is the next day's."""
    whole = Template("whole", time(8), time(8))
    assert whole.crosses_midnight
    assert not DAY.crosses_midnight
    assert length(date(2026, 11, 21), whole, ZoneInfo("Asia/Shanghai")) == 24 * H


def test_of_two_shifts_the_one_that_began_last_counts_and_leave_does_not() -> None:
    """The start is in the shift, the end is not."""
    first, second = Shift("a", "1001", T0, T0 + 11 * H), Shift("b", "1001", T0 + H, T0 + 2 * H)
    away = Shift("c", "1001", T0 + H, T0 + 2 * H, state=ShiftState.LEAVE)
    assert shift_at([first, second, away], T0 + H) == second
    assert shift_at([first, second], T0 + 2 * H) == first
    assert shift_at([first], T0 + 11 * H) is None
    assert first.meets(second)
    assert not first.meets(Shift("d", "1001", T0 + 11 * H, T0 + 12 * H))

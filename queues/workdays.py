"""Working days: holidays (放假) and the weekend days that are worked in their stead (调休上班) are facts, given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

SATURDAY = 5
MOST_DAYS_OFF = 60
"""In a row; a calendar with more is a mistake, and nobody waits for ever."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """What differs from Monday to Friday. ``off``: no work although a weekday; ``on``: work although a weekend."""

    off: frozenset[date] = frozenset()
    on: frozenset[date] = frozenset()

    def works(self, day: date) -> bool:
        """Whether *day* is a working day; ``on`` speaks before ``off``."""
        return day in self.on or (day.weekday() < SATURDAY and day not in self.off)

    def knows(self, year: int) -> bool:
        """Whether the make-up days of *year* are in it: they are proclaimed late in the year before."""
        return any(day.year == year for day in self.on)


WEEKENDS = Calendar()
"""Saturdays and Sundays alone."""


def working_days_after(start: datetime, days: int, calendar: Calendar, zone: tzinfo) -> datetime:
    """The same local time of day, *days* working days later (KL 「1个工作日内」, WD 「7个工作日内」).

    Args:
        start: aware; the answer is in its zone.
        days: 0 gives *start*, whatever day it is.

    Raises:
        ValueError: the calendar has no working day for two months.
    """
    local = start.astimezone(zone)
    for _ in range(days):
        local = _next(local, calendar)
    return local.astimezone(start.tzinfo)


def _next(local: datetime, calendar: Calendar) -> datetime:
    for ahead in range(1, MOST_DAYS_OFF + 1):
        day = local + timedelta(days=ahead)
        if calendar.works(day.date()):
            return day
    raise ValueError(f"no working day within {MOST_DAYS_OFF} days of {local.date()}")

"""The parts of a day in which people are found elsewhere: at work (morning and afternoon), at noon, in the evening.

No rule says these hours; they are where most people's day turns. Only the order in which hours are tried rests on them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo

NOON_FROM, NOON_TO, EVENING_FROM = 12, 14, 18
AN_HOUR = timedelta(hours=1)
HOURS_AHEAD = 26
"""How far a spread looks: a day, and what a change of the zone's offset may add."""


def hour_of(at: datetime, zone: tzinfo) -> int:
    """The local hour of the day, 0 to 23."""
    return at.astimezone(zone).hour


def part_of(hour: int) -> int:
    """The part of the day that a local *hour* lies in: 0 working hours, 1 noon, 2 evening."""
    if NOON_FROM <= hour < NOON_TO:
        return 1
    return 2 if hour >= EVENING_FROM else 0


def hour_starts(after: datetime, zone: tzinfo) -> Iterator[datetime]:
    """The starts of the local hours after *after*, for a day; in order."""
    local = after.astimezone(zone)
    at = after - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    for _ in range(HOURS_AHEAD):
        at += AN_HOUR
        yield at

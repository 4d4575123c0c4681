"""The open day: the hours that quiet hours leave for callbacks, and its three parts (morning, noon, evening)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta, tzinfo

from queues.callbacks import CallbackLimits

PARTS = 3
DAY_S = 86_400
AN_HOUR = timedelta(hours=1)
HOURS_AHEAD = 26
"""How far a spread looks: a day, and the hours that a change of the zone's offset may add."""


def hour_of(at: datetime, zone: tzinfo) -> int:
    """The local hour of the day, 0 to 23."""
    return at.astimezone(zone).hour


def part_of(at: datetime, limits: CallbackLimits) -> int:
    """Which third of the open day *at* lies in, 0 to 2; what lies outside of it belongs to the nearest end."""
    opens, closes = _seconds(limits.quiet_to), _seconds(limits.quiet_from) or DAY_S
    length = (closes - opens) % DAY_S or DAY_S
    local = at.astimezone(limits.zone).time()
    since = (_seconds(local) - opens) % DAY_S
    return min(since * PARTS // length, PARTS - 1)


def hour_starts(after: datetime, limits: CallbackLimits) -> Iterator[datetime]:
    """The starts of the local hours and of the parts of the open day after *after*, for a day; in order."""
    opens, closes = _seconds(limits.quiet_to), _seconds(limits.quiet_from) or DAY_S
    third = ((closes - opens) % DAY_S or DAY_S) // PARTS
    local = after.astimezone(limits.zone)
    into = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    at = after - into
    for _ in range(HOURS_AHEAD):
        begins = _seconds(at.astimezone(limits.zone).time())
        for n in range(1, PARTS):
            edge = (opens + n * third) % DAY_S - begins
            if 0 < edge < AN_HOUR.seconds and at + timedelta(seconds=edge) > after:
                yield at + timedelta(seconds=edge)
        at += AN_HOUR
        yield at


def _seconds(of_day: time | None) -> int:
    return 0 if of_day is None else of_day.hour * 3600 + of_day.minute * 60 + of_day.second

"""The second reckoning of ``bench.schedules``: what the caller's line saw, counted without a function of the rules."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

FAULTS = ("in_quiet_hours", "gap_under_2h", "fourth_attempt", "double_dial", "closed_before_three")
OPENS, CLOSES = 8 * 3600, 21 * 3600
SPACING = timedelta(hours=2)
MOST = 3
CALLERS_SIDE = ("no_answer", "busy", "not_convenient")
SPOKEN = ("reached", "refused", "wrong_number")


class Dial(NamedTuple):
    """One dial in true time: from its start until the ring ended, and until it was over."""

    start: datetime
    rung_until: datetime
    end: datetime
    rang: bool
    outcome: str
    leave: bool
    """A lead let it be made in quiet hours."""


def faults(dials: list[Dial], zone: str, closed: str, by_lead: bool, committed: int) -> Counter[str]:
    """How often each rule was broken. *committed*: attempts in the books, also those that were never sent."""
    found: Counter[str] = Counter()
    where = ZoneInfo(zone)
    ringing = sorted(dial for dial in dials if dial.rang)
    for dial in ringing:
        if not dial.leave and not (
            _of_day(dial.start, where) >= OPENS and 0 < _of_day(dial.rung_until, where) <= CLOSES
        ):
            found["in_quiet_hours"] += 1
    found["gap_under_2h"] += sum(after.start - before.end < SPACING for before, after in pairwise(ringing))
    every = sorted(dials)
    found["double_dial"] += sum(after.start < before.end for before, after in pairwise(every))
    found["fourth_attempt"] += max(len(ringing) - MOST, 0)
    proved = sum(dial.outcome in CALLERS_SIDE for dial in ringing)
    if closed and proved < MOST and not any(dial.outcome in SPOKEN for dial in ringing):
        found["closed_before_three"] += not (by_lead and committed >= MOST)
    return found


def _of_day(at: datetime, zone: ZoneInfo) -> float:
    """Seconds since local midnight, from the offset of that moment."""
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None
    return (at.timestamp() + offset.total_seconds()) % 86_400

"""Was the agent there as the roster says: early presence, lateness, time to ready, early leaving.

Sign-in is what lateness is measured by (签到); being there early (到岗) is told by the agent or shown by a sign-in. A
seat that is still held by the outgoing agent cannot be signed in to: until he signs out nobody is late for it, and then
the incoming agent has as long as a handover may take (HZ 第二十八条).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from agents.shifts import Shift

MS = timedelta(milliseconds=1)
AHEAD = timedelta(hours=2)
"""A sign-in or arrival this long before a shift belongs to that shift; earlier ones to none."""


@dataclass(frozen=True, slots=True)
class Attendance:
    """What was seen of one agent in one shift. Times are aware UTC.

    Attributes:
        arrived_at: when he said that he is there.
        signed_in_at: the first sign-in that lasted into the shift; may lie before its start.
        ready_at: when he could first take calls in it.
        signed_out_at: the last sign-out; None while signed in.
        out_allowed: whether the lead had agreed to that sign-out.
    """

    shift: Shift
    arrived_at: datetime | None = None
    signed_in_at: datetime | None = None
    ready_at: datetime | None = None
    signed_out_at: datetime | None = None
    out_allowed: bool = False

    @property
    def here_since(self) -> datetime | None:
        """When the agent was first there, whichever way it was told."""
        return min((t for t in (self.arrived_at, self.signed_in_at) if t is not None), default=None)


class Measures(NamedTuple):
    """Whole milliseconds; None where it cannot be said (yet).

    ``early``: there before the start. ``late``: signed in after the start, or not yet. ``to_ready``: start to ready.
    ``left_early``: signed out before the end and, by the end, not back.
    """

    early_ms: int | None
    late_ms: int | None
    to_ready_ms: int | None
    left_early_ms: int | None


def arrived(a: Attendance, at: datetime) -> Attendance:
    """到岗; the first word counts."""
    return a if a.arrived_at is not None else replace(a, arrived_at=at)


def signed_in(a: Attendance, at: datetime, ready: bool = True) -> Attendance:
    """签入. ``ready``: whether calls may come at once."""
    ready_at = a.ready_at or (at if ready else None)
    return replace(a, signed_in_at=a.signed_in_at or at, ready_at=ready_at, signed_out_at=None, out_allowed=False)


def busy(a: Attendance, at: datetime) -> Attendance:
    """示忙. Before the start it undoes being ready: he was not when the shift began."""
    return replace(a, ready_at=None) if at < a.shift.starts_at else a


def ready(a: Attendance, at: datetime) -> Attendance:
    """就绪."""
    return a if a.ready_at is not None else replace(a, ready_at=at)


def signed_out(a: Attendance, at: datetime, permitted: bool) -> Attendance:
    """签出. Before the start it undoes the sign-in: it did not last into the shift."""
    if at < a.shift.starts_at:
        return replace(a, arrived_at=a.here_since, signed_in_at=None, ready_at=None)
    return replace(a, signed_out_at=at, out_allowed=permitted)


def judged_from(shift: Shift, held: bool, left_at: datetime | None, gap: timedelta | None) -> datetime | None:
    """From when a missing sign-in is lateness; None while that cannot be said.

    Args:
        shift: whose start it is about.
        held: whether another agent is signed in at the seat.
        left_at: when another agent last signed out there, if one did.
        gap: how long a handover may leave the seat empty (handover.gap); None where no rule says so.
    """
    if held:
        return None
    if left_at is None or gap is None:
        return shift.starts_at
    return max(shift.starts_at, left_at + gap)


def measures(a: Attendance, now: datetime) -> Measures:
    """The figures of one shift as they stand at *now*."""
    start, end = a.shift.starts_at, a.shift.ends_at
    here, came, left = a.here_since, a.signed_in_at, a.signed_out_at
    late_until = came if came is not None else min(max(now, start), end)
    return Measures(
        None if here is None else max((start - here) // MS, 0),
        max((late_until - start) // MS, 0),
        None if a.ready_at is None else max((a.ready_at - start) // MS, 0),
        None if left is None or now < end else max((end - left) // MS, 0),
    )

"""Can the wall clock be trusted to say when a caller may be rung? A step of it stops dialling: fail closed.

The wall clock and the monotonic one run side by side; within one boot of the machine their difference stays. When it
changes by more than ``TOLERANCE``, one of them was moved, and nothing here can know which reading was right: it is
trusted again when the difference is what it was, or when a lead has looked at the clock and says that it is right.
Calls that come in go on meanwhile. Steps below the tolerance add up: the difference is held against the first one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from regulations import Ruling, allowed, refused

TOLERANCE = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class ClockTrust:
    """What is known of the clocks. Kept over restarts of the service.

    Attributes:
        boot: the boot of the machine (Clock.boot); readings of the monotonic clock compare within one.
        base: the wall time at which the monotonic clock showed nought, when it was last trusted; None when this boot
            has no such reading, and only a lead can give one.
        stepped_at: the newest step's moment, as the wall clock showed it after; None while there was none.
        trusted: whether callers may be dialled.
    """

    boot: str
    base: datetime | None
    stepped_at: datetime | None = None
    trusted: bool = True


def first_seen(boot: str, wall: datetime, mono: float, latest: datetime | None) -> ClockTrust:
    """The clocks of a fresh boot. *latest* is the newest moment in our books: a clock before it has been set back."""
    if latest is None or wall >= latest - TOLERANCE:
        return ClockTrust(boot, wall - timedelta(seconds=mono))
    return ClockTrust(boot, None, wall, trusted=False)


def seen(
    trust: ClockTrust | None, boot: str, wall: datetime, mono: float, latest: datetime | None = None
) -> ClockTrust:
    """The trust after one more look at both clocks; the same object when nothing changed.

    Args:
        wall: the wall clock, aware.
        mono: the monotonic clock, seconds.
        latest: the newest moment in our books, as far as it is known; asked at a fresh boot alone.
    """
    if trust is None or trust.boot != boot:
        if trust is not None and not trust.trusted:
            return ClockTrust(boot, None, wall, trusted=False)  # a restart of the machine proves nothing
        return first_seen(boot, wall, mono, latest)
    moved = trust.base is None or abs(wall - timedelta(seconds=mono) - trust.base) > TOLERANCE
    if moved != trust.trusted:
        return trust
    return replace(trust, stepped_at=wall, trusted=not moved)


def confirmed(trust: ClockTrust, wall: datetime, mono: float) -> ClockTrust:
    """A lead has looked: the clock is right as it is. Attempts made before are spaced from now on."""
    return replace(trust, base=wall - timedelta(seconds=mono), stepped_at=wall, trusted=True)


def may_dial(trust: ClockTrust) -> Ruling:
    """Whether the clock lets anybody be dialled at all."""
    if trust.trusted:
        return allowed()
    return refused(
        "clock_stepped", "系统时钟发生跳变，回访暂停，请值班长核对时钟后确认",
        "The system clock was stepped: callbacks wait until a lead has checked and confirmed it", override="lead",
    )  # fmt: skip

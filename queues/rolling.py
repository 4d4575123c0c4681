"""呼叫接通率 over any 24 hours in a row (GB/T 33358-2016): kept as calls are decided and as they grow old.

Between two of these moments the window holds the same calls, so looking at each of them looks at every window there is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from heapq import heappop, heappush

from queues.calls import Call
from queues.facts import Ending

DAY = timedelta(hours=24)


class Rolling:
    """Decided calls that entered less than *span* ago. A heap, not a queue: calls are decided, and read back, late."""

    def __init__(self, span: timedelta = DAY) -> None:
        self.span = span
        self.connected = 0
        self.lost: set[str] = set()
        self._kept: dict[str, tuple[datetime, bool]] = {}
        self._by_age: list[tuple[datetime, str]] = []

    @property
    def decided(self) -> int:
        """Calls in the window that were answered, or are over without an answer."""
        return len(self._kept)

    @property
    def rate(self) -> float | None:
        """Share from 0 to 1 of the decided calls that were answered; None without any."""
        return self.connected / self.decided if self.decided else None

    def put(self, call: Call) -> None:
        """Take *call* as it stands; what was known of it before is forgotten. An open call is not in the window."""
        connected = call.answered_at is not None
        if connected and self._kept.get(call.call_id) == (call.entered_at, True):
            return  # an answered call steps on: nothing in the window changes
        self._drop(call.call_id)
        if not connected and call.ending is None:
            return
        self._kept[call.call_id] = call.entered_at, connected
        self.connected += connected
        if not connected and call.ending is Ending.LOST:
            self.lost.add(call.call_id)
        heappush(self._by_age, (call.entered_at, call.call_id))

    def expire(self, now: datetime) -> None:
        """Drop what entered at *now* - span or before."""
        while self._by_age and self._by_age[0][0] <= now - self.span:
            at, call_id = heappop(self._by_age)
            if call_id in self._kept and self._kept[call_id][0] == at:
                self._drop(call_id)

    def next_expiry(self) -> datetime | None:
        """When the oldest call grows too old, or None for an empty window."""
        return self._by_age[0][0] + self.span if self._by_age else None

    def _drop(self, call_id: str) -> None:
        known = self._kept.pop(call_id, None)
        if known is not None:
            self.connected -= known[1]
            self.lost.discard(call_id)


class Level(StrEnum):
    """How the rate stands against what is asked."""

    KEPT = "kept"
    NEAR = "near"
    MISSED = "missed"


_ORDER = tuple(Level)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Whole percentages. ``least`` is kept when it is met exactly (不低于); below ``near`` it nears, None: never.

    ``back`` are the points by which the rate must rise above a bound before the level is better again; ``calls`` the
    decided calls below which nothing is said of the rate.
    """

    least: int
    near: int | None = None
    back: int = 0
    calls: int = 1


def level_after(was: Level, connected: int, decided: int, bounds: Bounds) -> Level:
    """The level now: worse at once, better only past the margin, unchanged while there are too few calls to say."""
    if decided == 0:
        return Level.KEPT
    if decided < bounds.calls:
        return was
    worst = _against(connected, decided, bounds, 0)
    if _ORDER.index(worst) >= _ORDER.index(was):
        return worst
    return min(was, _against(connected, decided, bounds, bounds.back), key=_ORDER.index)


def _against(connected: int, decided: int, bounds: Bounds, margin: int) -> Level:
    def below(percent: int) -> bool:
        return connected * 100 < decided * min(percent + margin, 100)

    if below(bounds.least):
        return Level.MISSED
    return Level.NEAR if bounds.near is not None and below(bounds.near) else Level.KEPT

"""Look again at T. Due times live in our own rows; this only wakes the engine, which decides anew with a fresh now."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from datetime import datetime

from cti.clock import Clock, sleep_or

# Due times are wall times: after a step of the wall clock the longest oversleep is this, in seconds.
LONGEST_SLEEP_S = 30.0


class Deadlines:
    """Keys with the wall time at which ``on_due(key)`` is wanted. A later time for a key replaces the earlier."""

    def __init__(self, clock: Clock, on_due: Callable[[str], None]) -> None:
        self._clock = clock
        self._on_due = on_due
        self._due: dict[str, datetime] = {}
        self._timers: dict[str, float] = {}
        self._order: list[tuple[datetime, str]] = []  # a heap; entries that no longer match _due are passed over
        self._sooner = asyncio.Event()

    def at(self, key: str, moment: datetime) -> None:
        """Wake for *key* at *moment* (aware); a moment in the past wakes at once."""
        if self._due.get(key) == moment:
            return
        self._due[key] = moment
        heapq.heappush(self._order, (moment, key))
        if self._order[0] == (moment, key):
            self._sooner.set()

    def after(self, key: str, mono: float) -> None:
        """Wake for *key* when the monotonic clock shows *mono* seconds; a later call for a key replaces the earlier.

        Few at a time (a seat that stands empty): they are looked through, not sorted.
        """
        self._timers[key] = mono
        self._sooner.set()

    def _ring_timers(self) -> float | None:
        """Wake for the timers that are due; seconds to the next, or None."""
        mono = self._clock.monotonic()
        for key in [key for key, at in self._timers.items() if at <= mono]:
            del self._timers[key]
            self._on_due(key)
        return min(self._timers.values()) - mono if self._timers else None

    async def run(self) -> None:
        """Wake until cancelled."""
        while True:
            timer = self._ring_timers()
            now = self._clock.now()
            while self._order and (self._order[0][0] <= now or self._due.get(self._order[0][1]) != self._order[0][0]):
                moment, key = heapq.heappop(self._order)
                if self._due.get(key) == moment:
                    del self._due[key]
                    self._on_due(key)
            self._sooner.clear()
            waits = [] if timer is None else [timer]
            if self._order:
                waits.append(min((self._order[0][0] - now).total_seconds(), LONGEST_SLEEP_S))
            if waits:
                await sleep_or(self._clock, min(waits), self._sooner)
            else:
                await self._sooner.wait()

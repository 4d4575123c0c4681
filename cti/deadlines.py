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

    async def run(self) -> None:
        """Wake until cancelled."""
        while True:
            now = self._clock.now()
            while self._order and (self._order[0][0] <= now or self._due.get(self._order[0][1]) != self._order[0][0]):
                moment, key = heapq.heappop(self._order)
                if self._due.get(key) == moment:
                    del self._due[key]
                    self._on_due(key)
            self._sooner.clear()
            if not self._order:
                await self._sooner.wait()
                continue
            seconds = (self._order[0][0] - now).total_seconds()
            await sleep_or(self._clock, min(seconds, LONGEST_SLEEP_S), self._sooner)

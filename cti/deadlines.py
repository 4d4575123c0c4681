"""Look again at T. Due times live in our own rows; this only wakes the engine, which decides anew with a fresh now."""

from __future__ import annotations

import asyncio
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
        self._changed = asyncio.Event()

    def at(self, key: str, moment: datetime) -> None:
        """Wake for *key* at *moment* (aware); a moment in the past wakes at once."""
        self._due[key] = moment
        self._changed.set()

    async def run(self) -> None:
        """Wake until cancelled."""
        while True:
            now = self._clock.now()
            for key in [key for key, moment in self._due.items() if moment <= now]:
                del self._due[key]
                self._on_due(key)
            self._changed.clear()
            if not self._due:
                await self._changed.wait()
                continue
            seconds = (min(self._due.values()) - now).total_seconds()
            await sleep_or(self._clock, min(seconds, LONGEST_SLEEP_S), self._changed)

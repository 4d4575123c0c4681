"""Wall and monotonic time behind one port. Rules read the wall clock; waits and durations the monotonic one.

A wall clock that is stepped must neither lengthen nor shorten a wait, and a suspend must not move 21:00; so the two
are never derived from each other. Everything else in the project takes a ``Clock``; nothing else reads the time.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import os
import time
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Protocol

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Clock(Protocol):
    """What the service knows of time."""

    def now(self) -> datetime:
        """The wall clock, aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds that never go back, from an arbitrary start."""

    @property
    def boot(self) -> str:
        """Within one boot two readings of the monotonic clock can be compared, also of two processes."""

    async def sleep(self, seconds: float) -> None:
        """Wait *seconds* of monotonic time; zero or less only yields."""


async def sleep_or(clock: Clock, seconds: float, wake: asyncio.Event) -> None:
    """Wait *seconds*, or until *wake* is set, whichever comes first."""
    timer = asyncio.ensure_future(clock.sleep(seconds))
    woken = asyncio.ensure_future(wake.wait())
    try:
        await asyncio.wait((timer, woken), return_when=asyncio.FIRST_COMPLETED)
    finally:
        timer.cancel()
        woken.cancel()


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    @cached_property
    def boot(self) -> str:
        try:
            return BOOT_ID.read_text().strip()
        except OSError:  # no Linux: then only this process can compare its readings
            return f"process-{os.getpid()}-{time.time_ns()}"

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(seconds, 0.0))


class VirtualClock:
    """A clock that moves only when told: ``advance`` lets time pass, ``step`` moves the wall clock alone.

    A new ``boot`` stands for a restart of the machine.
    """

    def __init__(self, start: datetime, boot: str = "boot-1") -> None:
        if start.tzinfo is None:
            raise ValueError("start: an aware datetime is needed")
        self.boot = boot
        self._wall = start.astimezone(UTC)
        self._mono = 0.0
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self._wall

    def monotonic(self) -> float:
        return self._mono

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._mono + seconds, next(self._order), waiter))
        await waiter

    def step(self, by: timedelta) -> None:
        """Move the wall clock alone, as an operator or a bad NTP server would."""
        self._wall += by

    async def advance(self, seconds: float, settle: int = 20) -> None:
        """Let *seconds* pass, waking each sleeper at its own moment; *settle* loop turns after each waking."""
        end = self._mono + seconds
        while True:
            for _ in range(settle):
                await asyncio.sleep(0)
            if not self._sleepers or self._sleepers[0][0] > end:
                break
            due, _, waiter = heapq.heappop(self._sleepers)
            self._move_to(due)
            if not waiter.done():
                waiter.set_result(None)
        self._move_to(end)
        for _ in range(settle):
            await asyncio.sleep(0)

    def _move_to(self, mono: float) -> None:
        self._wall += timedelta(seconds=mono - self._mono)
        self._mono = mono

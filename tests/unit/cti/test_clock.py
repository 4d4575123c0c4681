"""The virtual clock: time passes only when told, and the two clocks are never derived from each other."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from cti.clock import SystemClock, VirtualClock, sleep_or

START = datetime(2026, 11, 21, 1, tzinfo=UTC)


async def test_sleepers_wake_at_their_own_moments_in_order() -> None:
    """One advance over several sleepers: each sees the clock as it is at its own end."""
    clock, woken = VirtualClock(START), list[tuple[float, datetime]]()

    async def sleeper(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((clock.monotonic(), clock.now()))

    tasks = [asyncio.create_task(sleeper(seconds)) for seconds in (3.0, 1.0, 2.0)]
    await clock.advance(10)
    assert [mono for mono, _ in woken] == [1.0, 2.0, 3.0]
    assert woken[2][1] == START + timedelta(seconds=3)
    assert all(task.done() for task in tasks)


async def test_a_step_moves_the_wall_alone() -> None:
    """Nobody sleeps longer or shorter for it."""
    clock = VirtualClock(START)
    sleeping = asyncio.create_task(clock.sleep(10))
    await clock.advance(5)
    clock.step(timedelta(hours=1))
    assert (clock.monotonic(), clock.now()) == (5.0, START + timedelta(hours=1, seconds=5))
    assert not sleeping.done()
    await clock.advance(5)
    assert sleeping.done()


async def test_sleep_or_ends_with_whichever_comes_first() -> None:
    """Woken early by the event, late by the clock; the other waiter is not left behind."""
    clock, wake = VirtualClock(START), asyncio.Event()
    waiting = asyncio.create_task(sleep_or(clock, 30, wake))
    await clock.advance(29)
    assert not waiting.done()
    await clock.advance(1)
    assert waiting.done()
    waiting = asyncio.create_task(sleep_or(clock, 30, wake))
    await clock.advance(1)
    wake.set()
    await clock.advance(0)
    assert waiting.done()
    assert len(asyncio.all_tasks()) == 1


def test_a_naive_start_is_refused() -> None:
    """A wall time without a zone is a mistake waiting for the night."""
    with pytest.raises(ValueError, match="aware"):
        VirtualClock(datetime(2026, 11, 21))  # noqa: DTZ001 - what is refused


def test_two_processes_of_one_boot_know_that_they_can_compare_their_clocks() -> None:
    """A gap that began before a restart of the service is measured on: same boot id, same monotonic clock."""
    asked = "from cti.clock import SystemClock as C; print(C().boot, C().monotonic())"
    said = [
        subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout.split()
        for _ in "12"
    ]
    assert said[0][0] == said[1][0] == SystemClock().boot
    assert float(said[0][1]) < float(said[1][1]) < SystemClock().monotonic()

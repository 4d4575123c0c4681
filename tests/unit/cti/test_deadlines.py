"""Keys are woken at their wall time, once, and the latest wish counts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from cti.clock import VirtualClock
from cti.deadlines import LONGEST_SLEEP_S, Deadlines

START = datetime(2026, 11, 21, 1, tzinfo=UTC)


class Alarm:
    """Deadlines on a virtual clock, and what they woke."""

    def __init__(self) -> None:
        self.clock = VirtualClock(START)
        self.woken: list[tuple[str, datetime]] = []
        self.deadlines = Deadlines(self.clock, lambda key: self.woken.append((key, self.clock.now())))

    def set(self, key: str, seconds: float) -> None:
        self.deadlines.at(key, START + timedelta(seconds=seconds))


@pytest.fixture
async def alarm() -> AsyncIterator[Alarm]:
    alarm = Alarm()
    running = asyncio.create_task(alarm.deadlines.run())
    yield alarm
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def moment(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


async def test_each_at_its_own_moment_and_once(alarm: Alarm) -> None:
    """To the microsecond, in the order of their times and not of the wishes; hours away too."""
    alarm.set("late", 7200.25)
    alarm.set("early", 10)
    await alarm.clock.advance(9)
    assert alarm.woken == []
    await alarm.clock.advance(10_000)
    assert alarm.woken == [("early", moment(10)), ("late", moment(7200.25))]


async def test_a_later_wish_replaces_the_earlier(alarm: Alarm) -> None:
    """Sooner or later than before, only the last one counts."""
    alarm.set("a", 10)
    alarm.set("b", 100)
    await alarm.clock.advance(5)
    alarm.set("a", 50)
    alarm.set("b", 20)
    await alarm.clock.advance(200)
    assert alarm.woken == [("b", moment(20)), ("a", moment(50))]


async def test_what_is_past_already_wakes_at_once(alarm: Alarm) -> None:
    """A callback that fell due while the service was down."""
    alarm.set("missed", -3600)
    await alarm.clock.advance(0)
    assert alarm.woken == [("missed", START)]


async def test_a_step_of_the_wall_clock_is_noticed(alarm: Alarm) -> None:
    """Set forward over the moment: woken within the longest sleep. Set back: not before the wall clock says so."""
    alarm.set("a", 7200)
    await alarm.clock.advance(60)
    alarm.clock.step(timedelta(hours=3))
    await alarm.clock.advance(LONGEST_SLEEP_S)
    assert [key for key, _ in alarm.woken] == ["a"]
    alarm.woken.clear()
    alarm.deadlines.at("b", alarm.clock.now() + timedelta(seconds=60))
    alarm.clock.step(-timedelta(hours=1))
    await alarm.clock.advance(3600)
    assert alarm.woken == []
    await alarm.clock.advance(61)
    assert [key for key, _ in alarm.woken] == ["b"]

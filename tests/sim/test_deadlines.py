"""Callbacks by the clock: the real deadlines, the engine and the night."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

from cti.commands import RequestCallback
from cti.commands.dialling import ConfirmClock
from cti.deadlines import LONGEST_SLEEP_S, Deadlines
from cti.engine.inputs import Due
from tests.sim.house import ZONE, House

EVENING = datetime(2026, 11, 21, 20, 59, 30, tzinfo=ZONE)  # a ring begun now would last into the night
EIGHT = datetime(2026, 11, 22, 8, 0, 0, tzinfo=ZONE)
CALLBACK = RequestCallback("2001", "1001", "13800000009", None, None, None)


@asynccontextmanager
async def evening(folder: Path) -> AsyncIterator[House]:
    """The service at 20:59:30, woken by its own deadlines."""
    async with House(folder, random.Random(1), EVENING, mangle=False) as house:
        deadlines = Deadlines(house.clock, lambda key: house.engine.put(Due(key)))
        running = asyncio.create_task(deadlines.run())
        try:
            await house.ask(CALLBACK)
            for key, at in house.wakes.items():
                deadlines.at(key, at)
            yield house
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


async def until(house: House, moment: datetime) -> None:
    """Let time pass until *moment*, taking what is due on the way."""
    await house.clock.advance((moment - house.clock.now()).total_seconds(), settle=4)
    await house.quiet()


async def test_a_ring_never_reaches_into_the_night(tmp_path: Path) -> None:
    """Asked for at 20:59:30: not dialled that evening, nor at 07:59:59, but at 08:00:00."""
    async with evening(tmp_path) as house:
        await until(house, EIGHT - timedelta(seconds=1))
        assert house.dialled == []
        await until(house, EIGHT)
        assert len(house.dialled) == 1
        (started,) = house.rows("select started_at from attempts")[0]
        assert started == EIGHT.timestamp() * 1_000_000


async def test_a_clock_set_forward_to_the_morning_dials_only_when_a_lead_has_looked(tmp_path: Path) -> None:
    """Due times are wall times, seen within one longest sleep; but a clock that was stepped is nobody's proof."""
    async with evening(tmp_path) as house:
        house.clock.step(timedelta(hours=11, minutes=10))  # it is 08:09:30 now
        await house.clock.advance(LONGEST_SLEEP_S)
        await house.quiet()
        assert house.dialled == []
        await house.ask(ConfirmClock("2001"))
        await house.wait(90)
        assert len(house.dialled) == 1


async def test_a_clock_set_back_into_the_night_places_nothing(tmp_path: Path) -> None:
    """The monotonic time until 08:00 has passed, but the wall clock says 07:00: no dial, nor at 08:00 unasked."""
    async with evening(tmp_path) as house:
        await until(house, EIGHT - timedelta(minutes=1))
        house.clock.step(-timedelta(hours=1))
        await house.clock.advance(120)
        await house.quiet()
        assert house.dialled == []
        await until(house, EIGHT)
        assert house.dialled == []
        await house.ask(ConfirmClock("2001"))
        await house.wait(90)
        assert len(house.dialled) == 1

"""A network failure never rang the caller: tried again soon, each time later, and counted as nothing (issue D, 4)."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from cti.commands import DialNow, Outcome, RequestCallback
from cti.commands.dialling import ConfirmClock, PreviewOpened
from cti.engine.inputs import Dialled
from cti.engine.records import Callback
from queues.callbacks import AttemptOutcome
from tests.sim.house import ZONE, House
from tests.sim.missing import dialled

NUMBER = "13800000061"
EVENING = datetime(2026, 11, 21, 20, 57, tzinfo=ZONE)
MINUTE = timedelta(minutes=1)
WAITS = (1, 2, 5, 15, 30, 30)  # minutes; queues.callbacks


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Agents ready, at nine; the PBX takes every Originate."""
    async with House(tmp_path, random.Random(5), mangle=False) as made:
        made.rng.random = lambda: 0.5  # type: ignore[method-assign]
        yield made


async def asked(house: House, *, by_key: bool = False, in_hours: float = 0) -> str:
    """A callback of agent 1001 that rings him by itself, or waits for his key."""
    later = house.clock.now() + timedelta(hours=in_hours) if in_hours else None
    outcome = await said(house, RequestCallback("2001", "1001", NUMBER, None, later, None))
    callback_id = str(outcome.data["callback_id"])
    if by_key:
        world = house.engine.world
        world.put_callback(replace(world.callbacks[callback_id], by_key=True))
        await said(house, PreviewOpened("1001", callback_id))
    return callback_id


async def said(house: House, command: object) -> Outcome:
    outcome = await house.ask(command)  # type: ignore[arg-type]
    assert outcome is not None
    return outcome


async def until_dialled(house: House, times: int) -> datetime:
    """Time passes until the next dial; its moment. The agent is ready all the while, but for his wrap-up."""
    for _ in range(800):
        if len(house.dialled) == times:
            return house.pbx.dials[house.dialled[-1].channel_id].at
        await house.wait(10)
    raise AssertionError(f"{len(house.dialled)} dials instead of {times}")


async def ends(house: House, status: str) -> datetime:
    """The newest dial ends with *status*; the moment of its end."""
    dial = house.dialled[-1]
    await dialled(house, dial, status)
    ended = house.pbx.dials[dial.channel_id].ended_at
    assert ended is not None
    return ended


def known(house: House) -> Callback:
    """The only callback."""
    (callback,) = house.engine.world.callbacks.values()
    return callback


@pytest.mark.parametrize("status", ["CONGESTION", "CHANUNAVAIL"])
async def test_it_is_tried_again_soon_and_each_time_later(house: House, status: str) -> None:
    """1, 2, 5, 15, 30 and then 30 minutes from the end of the failure; never closed, however often."""
    await asked(house)
    due = house.clock.now()
    for times, wait in enumerate(WAITS, 1):
        began = await until_dialled(house, times)
        assert due <= began <= due + MINUTE, "soon: the agent's wrap-up may be in between"
        due = await ends(house, status) + wait * MINUTE
        callback = known(house)
        assert (callback.state, callback.attempts[-1].outcome) == ("due", AttemptOutcome.FAILED)
        assert callback.due_at == due
    assert house.rows("select count(*) from attempts where outcome = 'failed'") == [(len(WAITS),)]


async def test_it_counts_as_nothing(house: House) -> None:
    """Between rings that count, it takes none of the three, and the two hours run from the ring before it."""
    await asked(house)
    rings: list[datetime] = []
    times = 0
    for status in ("NOANSWER", "CONGESTION", "BUSY", "CONGESTION", "CONGESTION", "NOANSWER"):
        times += 1
        began = await until_dialled(house, times)
        if rings:
            assert began - rings[-1] >= timedelta(hours=2)
        ended = await ends(house, status)
        if status != "CONGESTION":
            rings.append(ended)
            assert sum(a.counts for a in known(house).attempts) == len(rings)
    assert known(house).state == "exhausted"
    await house.wait(86_400)
    assert len(house.dialled) == times


async def test_it_is_not_tried_again_in_quiet_hours(tmp_path: Path) -> None:
    """A failure shortly before 21:00 is tried again at 08:00, with nothing in between."""
    async with House(tmp_path, random.Random(5), EVENING, mangle=False) as house:
        house.rng.random = lambda: 0.5  # type: ignore[method-assign]
        await asked(house)
        for times in (1, 2):
            await until_dialled(house, times)
            await ends(house, "CONGESTION")
        morning = (EVENING + timedelta(days=1)).replace(hour=8, minute=0)
        assert known(house).due_at == morning
        await house.wait((morning - house.clock.now()).total_seconds() - 1)
        assert len(house.dialled) == 2
        assert (await until_dialled(house, 3)) >= morning


async def test_an_originate_that_asterisk_refuses_is_one(house: House) -> None:
    """It refused to dial at all: the same wait."""
    await asked(house)
    await until_dialled(house, 1)
    now = house.clock.now()
    house.engine.put(Dialled(house.dialled[0].channel_id, False))
    await house.quiet()
    assert known(house).due_at == now + MINUTE


async def test_a_killed_service_keeps_the_wait_and_the_count_of_failures(house: House) -> None:
    """Killed between two failures: not earlier, not forgotten, not begun anew."""
    await asked(house)
    for times, wait in ((1, 1), (2, 2), (3, 5)):
        await until_dialled(house, times)
        ended = await ends(house, "CONGESTION")
        await house.kill()
        await house.boot()
        assert known(house).due_at == ended + wait * MINUTE
    assert sum(a.counts for a in known(house).attempts) == 0


async def test_the_key_waits_too_and_not_for_another_part_of_the_day(house: House) -> None:
    """By key: due after the back-off and not where the planner would spread it; before that the key is refused."""
    callback_id = await asked(house, by_key=True, in_hours=1)
    assert (await said(house, DialNow("1001", callback_id))).ruling.allowed
    await ends(house, "NOANSWER")
    due = known(house).due_at
    assert due is not None
    assert due.astimezone(ZONE).hour >= 11, "another part of the day"
    await house.wait((due - house.clock.now()).total_seconds())
    assert (await said(house, DialNow("1001", callback_id))).ruling.allowed
    ended = await ends(house, "CONGESTION")
    assert known(house).due_at == ended + MINUTE
    early = (await said(house, DialNow("1001", callback_id))).ruling
    assert (early.code, early.allowed_at, early.articles) == ("agreed_later", ended + MINUTE, ())
    await house.kill()
    await house.boot()
    assert (await said(house, DialNow("1001", callback_id))).ruling.code == "agreed_later"
    await house.wait(60)
    assert (await said(house, DialNow("1001", callback_id))).ruling.allowed


async def test_a_clock_set_back_does_not_make_the_wait_a_day(house: House) -> None:
    """Once a lead has confirmed the clock, the wait runs from that moment."""
    callback_id = await asked(house, by_key=True, in_hours=1)
    await said(house, DialNow("1001", callback_id))
    await ends(house, "CONGESTION")
    house.clock.step(timedelta(hours=-1))  # 08:00
    assert "系统时钟发生跳变" in (await said(house, DialNow("1001", callback_id))).ruling.zh
    await said(house, ConfirmClock("2001"))
    now = house.clock.now()
    assert (await said(house, DialNow("1001", callback_id))).ruling.allowed_at == now + MINUTE
    await house.wait(60)
    assert (await said(house, DialNow("1001", callback_id))).ruling.allowed

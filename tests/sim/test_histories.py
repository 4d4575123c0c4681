"""Seeded days of calls, dials and faults: whatever happens, each answered call has one ticket and no rule is broken."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import pytest

from agents.presence import Presence, presence
from cti.commands import GoBusy, GoReady, RequestCallback
from cti.commands.dialling import ConfirmClock
from cti.engine.inputs import Dial, Effect
from queues.trust import TOLERANCE
from tests.sim.house import AGENTS, House, local
from tests.sim.pbx import SimDial

QUIET_FROM, QUIET_TO = timedelta(hours=21), timedelta(hours=8)
SPACING_S = 7200 - TOLERANCE.total_seconds()  # a step below the tolerance is no step
STEPS = 70


class Day(House):
    """A house whose wall clock is stepped now and then; what truly passed between dials is kept by the other clock."""

    def __init__(self, folder: Path, rng: random.Random) -> None:
        super().__init__(folder, rng)
        self.astray = timedelta(0)  # how far the wall clock was moved since somebody said that it is right
        self.began: dict[str, float] = {}
        self.ended: dict[str, float] = {}
        self._ends = self.pbx._end_dial
        self.pbx._end_dial = self._end  # type: ignore[method-assign]

    def step(self, by: timedelta) -> None:
        """Somebody sets the wall clock."""
        self.clock.step(by)
        self.astray += by

    async def confirm(self) -> None:
        """A lead has looked at the clock; asked again when the service died over it."""
        while await self.ask(ConfirmClock("2001")) is None:
            pass
        self.astray = timedelta(0)

    def crash(self) -> None:
        """Asterisk dies, and every dial with it."""
        for dialled in [d for d in self.pbx.dials.values() if d.state != "over"]:
            self.ended[dialled.dial.channel_id] = self.clock.monotonic()
        self.pbx.restart()

    def _end(self, dialled: SimDial) -> None:
        self._ends(dialled)
        self.ended[dialled.dial.channel_id] = self.clock.monotonic()

    def _act(self, effect: Effect) -> None:
        if isinstance(effect, Dial):
            assert abs(self.astray) <= TOLERANCE, "dialled by a clock that nobody has confirmed"
            self.began[effect.channel_id] = self.clock.monotonic()
        super()._act(effect)


async def day(house: Day, rng: random.Random) -> None:
    """One random history, ended so that everything is over and has been looked at."""
    house.lost_replies = 0.2
    dialling = rng.random() < 0.5
    for _ in range(STEPS):
        if rng.random() < 0.1:
            await house.confirm()
        await (something_dialled if dialling and rng.random() < 0.6 else something)(house, rng)
        if rng.random() < 0.6:
            await house.quiet()
    house.store.faults.clear()
    await house.quiet()
    if not house.pbx.link_up:
        await house.connect()
    await house.wait(1000)  # longer than the clock was set back: what began "later" than an audit is left alone by it
    while house.pbx.open_calls() or any(d.state != "over" for d in house.pbx.dials.values()):
        for call in house.pbx.open_calls():
            house.pbx.step(call, ending=True)
        for dialled in [d for d in house.pbx.dials.values() if d.state != "over"]:
            house.pbx.step_dial(dialled)
        await house.wait(1)
    house.pbx.flush()
    await house.look()
    await house.look()


async def something_dialled(house: Day, rng: random.Random) -> None:
    """Something of callbacks happens."""
    running = [d for d in house.pbx.dials.values() if d.state != "over"]
    if running and rng.random() < 0.8:
        house.pbx.step_dial(rng.choice(running))
        await house.wait(rng.uniform(0.05, 12))
    elif rng.random() < 0.5:
        await house.ask(RequestCallback("2001", rng.choice(AGENTS), "13800000009", None, None, f"k{rng.randrange(4)}"))
    elif rng.random() < 0.1:
        house.step(timedelta(seconds=rng.choice((-3, -900, 900, 5400))))
    else:
        await house.wait(rng.uniform(60, 9000))


async def something(house: Day, rng: random.Random) -> None:
    """One random thing happens."""
    pbx, chance = house.pbx, rng.random()
    running = [d for d in pbx.dials.values() if d.state != "over"]
    if chance < 0.15:
        pbx.enter()
    elif chance < 0.55 and pbx.open_calls():
        pbx.step(rng.choice(pbx.open_calls()))
    elif chance < 0.70 and running:
        pbx.step_dial(rng.choice(running))
    elif chance < 0.76:
        agent = rng.choice(AGENTS)
        await house.ask(rng.choice((GoBusy(agent, "meal"), GoReady(agent))))
    elif chance < 0.80:
        await house.ask(RequestCallback("2001", rng.choice(AGENTS), "13800000009", None, None, f"k{rng.randrange(4)}"))
    elif chance < 0.83:
        house.drop() if pbx.link_up else await house.connect()
    elif chance < 0.86:
        house.store.faults[house.store.writes + rng.randint(1, 4)] = rng.choice(("before", "after", "busy"))
    elif chance < 0.87:
        house.crash()
        await house.connect()
    elif chance < 0.89:
        house.step(timedelta(seconds=rng.choice((-3, 2, -900, 900))))
    elif chance < 0.92:
        house.read()
    elif chance < 0.94:
        await house.wait(rng.uniform(600, 14_400))
    else:
        await house.wait(rng.uniform(0.05, 12))


@pytest.mark.parametrize("seed", range(30))
async def test_any_day_ends_right(seed: int, tmp_path: Path) -> None:
    """One ticket and one recording for each answered call, every dial by the rules, every agent as he should be."""
    rng = random.Random(seed)
    house = Day(tmp_path, rng)
    async with house:
        await day(house, rng)
        one_ticket_for_each_answer(house)
        every_dial_by_the_rules(house)
        agents_as_they_should_be(house)
        assert house.rows("select count(*) from calls where ended_at is null") == [(0,)]


def one_ticket_for_each_answer(house: House) -> None:
    """Asterisk's own list of answers against the rows."""
    answered = sorted(house.pbx.answered)
    assert sorted(row[0] for row in house.rows("select call_id from tickets")) == answered
    recorded = house.rows("select call_id, state from recordings where call_id not like 'cticb-%'")
    assert sorted(row[0] for row in recorded) == answered
    assert {state for _, state in recorded} <= {"ok"}
    assert house.rows("select call_id from recordings where state <> 'ok'") == [], "a callback's is judged as well"


def every_dial_by_the_rules(house: Day) -> None:
    """None at night, none twice, none within two hours of the last that rang, none more than three times.

    The night is what the wall clock says, once confirmed; the two hours truly pass, whatever it says.
    """
    callback_of = dict(house.rows("select channel_id, callback_id from attempts"))
    assert len({dial.channel_id for dial in house.dialled}) == len(house.dialled)
    last: dict[str, float] = {}
    rang: dict[str, int] = {}
    for dialled in house.pbx.dials.values():
        callback = callback_of[dialled.dial.channel_id]
        assert QUIET_TO <= local(dialled.at) < QUIET_FROM, f"dialled at {local(dialled.at)}"
        if callback in last:
            assert house.began[dialled.dial.channel_id] - last[callback] >= SPACING_S
        if dialled.rang_at is not None:
            last[callback] = house.ended[dialled.dial.channel_id]
            rang[callback] = rang.get(callback, 0) + 1
    assert max(rang.values(), default=0) <= 3
    assert house.rows("select count(*) from attempts where outcome = 'placing'") == [(0,)]


def agents_as_they_should_be(house: House) -> None:
    """Nobody rings or talks, and Asterisk's members are what was asked for."""
    for number in AGENTS:
        agent = house.engine.agent(number)
        assert agent is not None
        assert presence(agent, house.clock.now())[0] in (Presence.READY, Presence.BUSY, Presence.WRAP_UP)
        assert house.pbx.members[number] == (agent.interface, agent.wants_pause)

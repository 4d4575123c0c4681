"""Emergencies for the tests: callers at the front, a directory of units, and dials that go as the test says."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from cti.ami import events as ami
from cti.commands import PeopleChanged
from cti.commands.directory import PutUnit
from cti.engine.emergency import Emergencies
from cti.engine.inputs import DialUnit, Effect, Lift, Move
from cti.store import tables as t
from queues.emergency import Emergency
from tests.sim.house import MORNING
from tests.sim.pbx import QUEUE, SimCall
from tests.sim.ticketing import LEAD, Tickets

SECOND_LEAD = "2002"
FIRST, SECOND, FALL_BACK = "05305550001", "05305550002", "05305550009"


class Emergent(Tickets):
    """A house with two leads and the units of emergencies."""

    async def __aenter__(self) -> Emergent:
        self.units: list[DialUnit] = []
        self.lifts: list[Lift] = []
        self.moves: list[Move] = []
        await super().__aenter__()
        lead = {"number": SECOND_LEAD, "name": "测试值班长乙", "role": "lead", "pin_hash": "-", "active": True}
        await self.real.write(lambda c: c.execute(insert(t.people), [lead]))
        await self.ask(PeopleChanged(SECOND_LEAD))
        numbers = ((FIRST, "", ""), (SECOND, "", ""))
        await self.ask(PutUnit(LEAD, "gas", "燃气抢修", "Gas repair", "emergency", ("emergency",), ("east",), numbers))
        fall_back = ((FALL_BACK, "", ""),)
        await self.ask(PutUnit(LEAD, "pipes-east", "调度中心", "Dispatch", "emergency", (), (), fall_back))
        return self

    def _act(self, effect: Effect) -> None:
        if isinstance(effect, DialUnit):
            kept = self.rows("select number from unit_calls where channel_id = ? order by ordinal", effect.channel_id)
            assert [number for (number,) in kept] == list(effect.numbers), "dialled before the commit"
            self.units.append(effect)
        elif isinstance(effect, Lift):
            self.lifts.append(effect)
        elif isinstance(effect, Move):
            self.moves.append(effect)
        else:
            super()._act(effect)

    @property
    def part(self) -> Emergencies:
        """The part of the engine that runs now."""
        return next(part for part in self.engine.world.parts if isinstance(part, Emergencies))

    def only(self) -> Emergency:
        """The one emergency."""
        (one,) = self.part.by_id.values()
        return one

    async def front(self, number: str = "13800000061") -> SimCall:
        """A caller whom the dialplan put to the front."""
        call = SimCall(self.pbx._new_id(), self.clock.now())
        self.pbx.calls[call.call_id] = call
        join = ami.QueueCallerJoin(
            call.entered_at, QUEUE, 1, 1, number, call.call_id, call.call_id, "Local/x", "emergency"
        )
        self.pbx.say(call.call_id, join)
        await self.quiet()
        return call

    async def goes(self, *ends: str, talk: float = 30, hang_up: bool = True) -> DialUnit:
        """The agent picks up after 2 s; each number rings 5 s and ends so; an answered one is talked with."""
        dial = self.units[-1]
        await self.wait(2)
        self.tell(ami.OriginateResponse(self.clock.now(), dial.channel_id, True, 4, dial.channel_id))
        for end in ends:
            await self.wait(5)
            ended = (self.clock.now(), dial.channel_id, dial.channel_id, "1.1", dial.channel_id, "PJSIP/t", end)
            self.tell(ami.DialEnd(*ended))
        if hang_up:
            await self.wait(talk if "ANSWER" in ends else 0)
            self.hang_up(dial)
        await self.quiet()
        return dial

    def tell(self, event: Any) -> None:
        """An event arrives, if the link is up."""
        if self.pbx.link_up:
            self.engine.hear(event)

    def hang_up(self, dial: DialUnit) -> None:
        """The agent's leg is gone."""
        self.tell(ami.Hangup(self.clock.now(), dial.channel_id, dial.channel_id, "Local/s", 16))

    def tried(self) -> list[tuple[str, str | None]]:
        """Every number that was to be tried, in order, and how it ended."""
        return self.rows("select number, outcome from unit_calls order by asked_at, ordinal")  # type: ignore[return-value]

    def told(self, code: str) -> list[tuple[int, str]]:
        """Step and lead of each alarm of *code*."""
        query = (
            "select json_extract(data, '$.step'), json_extract(data, '$.lead') from outbox"
            " where kind = 'alarm' and json_extract(data, '$.code') = ? order by seq"
        )
        return self.rows(query, code)  # type: ignore[return-value]


@asynccontextmanager
async def emergent(folder: Path) -> AsyncIterator[Emergent]:
    """Four agents ready, nine on a Saturday."""
    async with Emergent(folder, random.Random(7), MORNING, mangle=False) as made:
        yield made

"""Ticket stubs for the tests: one from an answered call, a unit to hand it to, and what is asked of it."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from sqlalchemy import insert

from cti.commands import Outcome, PeopleChanged
from cti.commands.directory import PutUnit
from cti.commands.tickets import HandOut, SetParticulars, TicketCommand
from cti.store import tables as t
from queues.stubs import Stub
from tests.sim.house import MORNING, House
from tests.sim.missing import NUMBER, answered

UNIT = "pipes-east"
LEAD = "2001"
AREAS = ("east", "west")


class Tickets(House):
    """A house with a directory of one unit, and a shift lead."""

    async def __aenter__(self) -> Tickets:
        self.hotline = {"areas": {code: {"zh": code, "en": code} for code in AREAS}}
        await super().__aenter__()
        lead = {"number": LEAD, "name": "测试值班长", "role": "lead", "pin_hash": "-", "active": True}
        await self.real.write(lambda c: c.execute(insert(t.people), [lead]))
        await self.ask(PeopleChanged(LEAD))
        await self.ask(PutUnit(LEAD, UNIT, "东区管网", "Pipes east", "emergency", (), (), (("05300000001", "", ""),)))
        return self

    async def stub(self, agent: str = "1001", number: str = NUMBER) -> Stub:
        """*number* rings and is answered by *agent*: the stub that this opened."""
        before = set(self.engine.world.stubs)
        await answered(self, agent, number)
        (ticket_id,) = set(self.engine.world.stubs) - before
        return self.now_of(ticket_id)

    def now_of(self, ticket_id: str) -> Stub:
        """The stub as it stands."""
        return self.engine.world.stubs[ticket_id]

    async def yes(self, command: TicketCommand) -> Outcome:
        """A command that is allowed."""
        outcome = await self.ask(command)
        assert outcome is not None
        assert outcome.ruling.allowed, outcome.ruling
        return outcome

    async def no(self, command: TicketCommand) -> tuple[str, list[str]]:
        """A command that is refused: its code, and the articles."""
        outcome = await self.ask(command)
        assert outcome is not None
        assert not outcome.ruling.allowed
        return outcome.ruling.code, [article.article for article in outcome.ruling.articles]

    async def handed_out(self, kind: str = "repair", **more: str) -> Stub:
        """A stub of *kind* in the unit's hands."""
        stub = await self.stub()
        await self.yes(SetParticulars("1001", stub.ticket_id, {"kind": kind, **more}))
        await self.yes(HandOut("1001", stub.ticket_id, UNIT))
        return self.now_of(stub.ticket_id)

    async def restart(self) -> None:
        """The process is killed, and another takes up."""
        await self.kill()
        await self.boot()

    def alarms(self, code: str) -> list[str]:
        """The subjects of alarms, in order."""
        query = "select subject from outbox where kind = 'alarm' and json_extract(data, '$.code') = ? order by seq"
        return [row[0] for row in self.rows(query, code)]


@asynccontextmanager
async def tickets(folder: Path, start: timedelta = timedelta()) -> AsyncIterator[Tickets]:
    """Four agents ready, *start* after nine on a Saturday."""
    async with Tickets(folder, random.Random(5), MORNING + start, mangle=False) as made:
        yield made

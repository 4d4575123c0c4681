"""Owed callbacks for the tests: finished tickets, units' answers, a conversation by the key, what is asked of them."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cti.ami import events as ami
from cti.commands import Command, DialNow
from cti.commands.dialling import PreviewOpened
from cti.commands.handover import FinishTicket
from cti.commands.owed import ClaimCallback
from cti.commands.sinks import ReportReply
from cti.commands.tickets import HandOut, SetParticulars
from cti.engine.owing import Owing
from cti.engine.records import Callback
from queues.stubs import Stub
from tests.sim.house import MORNING
from tests.sim.missing import NUMBER, dialled
from tests.sim.pbx import SimDial, SimPbx
from tests.sim.ticketing import UNIT, Tickets

HOUR = timedelta(hours=1)


def talking(pbx: SimPbx) -> SimDial:
    """Both phones of the only dial are answered."""
    ((channel, running),) = pbx.dials.items()
    now = pbx.clock.now()
    pbx._say_dial(channel, ami.OriginateResponse(now, channel, True, 4, channel))
    running.rang_at, running.status = now, "ANSWER"
    pbx._say_dial(channel, ami.DialEnd(now, channel, channel, "1.1", channel, "PJSIP/t", "ANSWER"))
    running.state, running.answered_at = "talking", now
    return running


class Owed(Tickets):
    """A house whose tickets end; the PBX takes every Originate."""

    async def __aenter__(self) -> Owed:
        await super().__aenter__()
        self.rng.random = lambda: 0.5  # type: ignore[method-assign]
        return self

    @property
    def part(self) -> Owing:
        """The part under test."""
        return next(part for part in self.engine.world.parts if isinstance(part, Owing))

    async def finished(self, kind: str | None, number: str = NUMBER, **more: str) -> Stub:
        """A call of *number* whose ticket is of *kind*, and finished at once (办结)."""
        stub = await self.stub(number=number)
        if kind is not None:
            await self.yes(SetParticulars("1001", stub.ticket_id, {"kind": kind, **more}))  # type: ignore[arg-type]
        await self.did(FinishTicket("1001", stub.ticket_id))
        return stub

    async def handed(self, kind: str = "repair", number: str = NUMBER) -> Stub:
        """A ticket of *kind* in the unit's hands."""
        stub = await self.stub(number=number)
        await self.yes(SetParticulars("1001", stub.ticket_id, {"kind": kind}))
        await self.yes(HandOut("1001", stub.ticket_id, UNIT))
        return stub

    async def replied(self, stub: Stub, key: str = "k1", result: str = "done") -> None:
        """The unit's answer is reported."""
        await self.did(ReportReply("system", "token", key, stub.ticket_id, result, "已修复", self.clock.now()))

    async def did(self, command: Command) -> dict[str, Any]:
        """A command that is allowed; what it answered."""
        outcome = await self.ask(command)
        assert outcome is not None
        assert outcome.ruling.allowed, outcome.ruling
        return dict(outcome.data)

    async def refusal(self, command: Command) -> tuple[str, str]:
        """A command that is refused: its code, and the first article's wording."""
        outcome = await self.ask(command)
        assert outcome is not None
        assert not outcome.ruling.allowed
        articles = outcome.ruling.articles
        return outcome.ruling.code, articles[0].wording if articles else ""

    def callbacks(self) -> list[Callback]:
        """Callbacks in memory, the oldest first."""
        return sorted(self.engine.world.callbacks.values(), key=lambda c: c.callback_id)

    def the_one(self) -> Callback:
        """The only callback."""
        (callback,) = self.callbacks()
        return callback

    async def rings(self, callback_id: str, status: str = "ANSWER", agent: str = "1001") -> None:
        """*agent* claims it, reads, presses the key; the caller's phone ends with *status*."""
        await self.did(ClaimCallback(agent, callback_id))
        await self.did(PreviewOpened(agent, callback_id))
        before = len(self.dialled)
        await self.did(DialNow(agent, callback_id))
        await self.quiet()
        (dial,) = self.dialled[before:]
        await dialled(self, dial, status)

    def verdicts(self) -> list[tuple[Any, ...]]:
        """(verdict, code, first article cited or None) of each ticket, in order."""
        rows = self.rows("select verdict, code, articles from owed_tickets order by at, ticket_id, round")
        return [(verdict, code, (json.loads(cited) or [None])[0]) for verdict, code, cited in rows]

    def told(self, kind: str) -> list[dict[str, Any]]:
        """The data of every message of *kind*, in order."""
        return [json.loads(row[0]) for row in self.rows("select data from outbox where kind = ? order by seq", kind)]

    def without(self, *paths: str) -> None:
        """Rules off, from the next start on."""
        left = {path: limit for path, limit in self.profile.limits.items() if path not in paths}
        self.profile = replace(self.profile, limits=left)


@asynccontextmanager
async def owed(folder: Path, start: datetime = MORNING, *off: str) -> AsyncIterator[Owed]:
    """Four agents ready, on a Saturday at nine unless told; the rules *off* are off."""
    house = Owed(folder, random.Random(5), start, mangle=False)
    house.without(*off)
    async with house as made:
        yield made

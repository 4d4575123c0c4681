"""A house in which one crew is about to relieve another: the roster, the leads, and a look into the handover's rows."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from cti.commands import Outcome, SignIn
from cti.commands.conduct import Arrive
from cti.commands.handover import SignSheet, TakeItem
from cti.commands.roster import PutShifts, ShiftEntry
from cti.engine.duty.handing import Handing
from cti.store import tables as t
from tests.sim.house import MORNING, FaultyStore, House
from tests.stores import open_store

LEADS = ("2001", "2002")
CREW = {"1001": "3001", "1002": "3002"}
RELIEF = {"1003": "3002", "1004": "3001"}  # the roster's own seats: not in order of number
CHANGE = MORNING + timedelta(hours=1)
CALLER = "13800000001"


class Shifts(House):
    """1001 and 1002 sit until ten o'clock; 1004 and 1003 relieve them. It is ``before`` the change when it begins."""

    def __init__(self, folder: Path, before: timedelta = timedelta(minutes=31)) -> None:
        super().__init__(folder, random.Random(7), CHANGE - before, mangle=False)

    async def __aenter__(self) -> Shifts:
        self.real = await open_store(self.path)
        roles = dict.fromkeys((*CREW, *RELIEF), "agent") | dict.fromkeys(LEADS, "lead")
        people = [
            {"number": n, "name": f"测试{n}", "role": r, "pin_hash": "-", "active": True} for n, r in roles.items()
        ]
        await self.real.write(lambda c: c.execute(insert(t.people), people))
        self.store = FaultyStore(self.real)
        await self.boot()
        for number, seat in CREW.items():
            await self.yes(SignIn(number, seat))
        going = [ShiftEntry(n, CHANGE - timedelta(hours=9), CHANGE, "night", seat=s) for n, s in CREW.items()]
        coming = [ShiftEntry(n, CHANGE, CHANGE + timedelta(hours=9), seat=s) for n, s in RELIEF.items()]
        await self.yes(PutShifts(LEADS[0], (*going, *coming), "排班"))
        await self.wait(0)
        return self

    async def yes(self, command: Any) -> Outcome:
        """The command, which the rules allow."""
        outcome = await self.ask(command)
        assert outcome is not None
        assert outcome.ruling.allowed, outcome.ruling
        await self.quiet()
        return outcome

    async def no(self, command: Any) -> tuple[str, list[str]]:
        """The command, which is refused: code and articles."""
        outcome = await self.ask(command)
        assert outcome is not None
        assert not outcome.ruling.allowed
        return outcome.ruling.code, [article.article for article in outcome.ruling.articles]

    async def to(self, moment: datetime) -> None:
        """Until that moment of the wall clock."""
        await self.wait((moment - self.clock.now()).total_seconds())

    @property
    def handing(self) -> Handing:
        return next(part for part in self.engine.world.parts if isinstance(part, Handing))

    @property
    def handover_id(self) -> str:
        return next(iter(self.handing.book.handovers))

    def alarms(self, code: str) -> list[tuple[float, str]]:
        """(seconds since the change, seat or agent) of the alarms with this code."""
        told = self.rows("select at, subject from outbox where json_extract(data, '$.code') = ?", code)
        return [(round(at / 1e6 - CHANGE.timestamp(), 3), subject) for at, subject in told]

    def gaps(self) -> list[tuple[Any, ...]]:
        return self.rows("select seat, ms, within, cause, caused_by, by_wall from handover_gaps order by began_at")

    def items(self, outgoing: str) -> dict[str, tuple[str, str]]:
        """subject or text -> (item id, state)."""
        found = self.rows(
            "select coalesce(subject, text), item_id, state from handover_items where outgoing = ?", outgoing
        )
        return {key: (item_id, state) for key, item_id, state in found}

    async def hand_over(self, going: str, coming: str) -> None:
        """Everything between the two that comes before the sign-out."""
        await self.yes(SignSheet(going, self.handover_id))
        for item_id, state in self.items(going).values():
            if state == "open":
                await self.yes(TakeItem(coming, item_id))
        await self.yes(SignSheet(coming, self.handover_id))

    async def ready_to_go(self) -> None:
        """Both pairs have signed, both reliefs have come, the shift is over."""
        await self.to(CHANGE - timedelta(minutes=5))
        for going, coming in (("1001", "1004"), ("1002", "1003")):
            await self.yes(Arrive(coming))
            await self.hand_over(going, coming)
        await self.to(CHANGE)


async def ticket_of(house: Shifts, agent: str) -> str:
    """A citizen rings, *agent* answers and hangs up; the ticket's id."""
    house.pbx.enter()
    call = house.pbx.open_calls()[-1]
    house.pbx._ring(call, agent)
    house.pbx._connect(call)
    house.pbx._complete(call)
    await house.quiet()
    return str(house.rows("select ticket_id from tickets order by rowid desc limit 1")[0][0])

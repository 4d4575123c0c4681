"""A house whose four agents begin a day shift at nine, with two leads, and a profile that a test may change."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from cti.commands import Command, Outcome, SignIn
from cti.commands.conduct import AskPermit, DecidePermit, OwnDuty
from cti.commands.roster import PutShifts, ShiftEntry
from cti.store import tables as t
from regulations import Article, Basis, Limit, Strength
from tests.sim.house import AGENTS, MORNING, FaultyStore, House
from tests.stores import open_store

LEADS = ("9001", "9002")
LENGTH = timedelta(hours=11)
HALF = timedelta(minutes=30)  # HZ 第三十二条
OF_HOUSE = Article("HOUSE", "本中心约定", "本测试的约定")


class OnDuty(House):
    """Everybody is signed out. It is *before* the start of the day shift, which lasts eleven hours.

    Args:
        values: figures of the profile to set for this house; None takes a rule out.
        rostered: whose shift it is.
    """

    def __init__(
        self,
        folder: Path,
        before: timedelta = timedelta(0),
        values: Mapping[str, Any] | None = None,
        rostered: tuple[str, ...] = AGENTS,
    ) -> None:
        super().__init__(folder, random.Random(5), MORNING - before, mangle=False)
        limits = dict(self.profile.limits)
        for path, value in (values or {}).items():
            limits.pop(path, None)
            if value is not None:
                limits[path] = Limit(path, value, OF_HOUSE, Strength.MUST, Basis.HOUSE)
        self.profile = replace(self.profile, limits=limits)
        self.rostered = rostered

    async def __aenter__(self) -> OnDuty:
        self.real = await open_store(self.path)
        roles = dict.fromkeys(AGENTS, "agent") | dict.fromkeys(LEADS, "lead")
        people = [
            {"number": n, "name": f"测试{n}", "role": r, "pin_hash": "-", "active": True} for n, r in roles.items()
        ]
        await self.real.write(lambda c: c.execute(insert(t.people), people))
        self.store = FaultyStore(self.real)
        await self.boot()
        if self.rostered:
            shifts = tuple(ShiftEntry(n, MORNING, MORNING + LENGTH) for n in self.rostered)
            await self.yes(PutShifts(LEADS[0], shifts, "排班"))
        return self

    async def yes(self, command: Command) -> Mapping[str, Any]:
        """The command, which the rules allow; what it answers."""
        outcome = await self.told(command)
        assert outcome.ruling.allowed, outcome.ruling
        return outcome.data

    async def no(self, command: Command) -> tuple[str, list[str]]:
        """The command, which is refused: its code, and the articles that speak."""
        outcome = await self.told(command)
        assert not outcome.ruling.allowed
        assert outcome.ruling.zh
        assert outcome.ruling.en
        return outcome.ruling.code, [article.cite() for article in outcome.ruling.articles]

    async def told(self, command: Command) -> Outcome:
        """The command and its whole answer, when everything that follows from it has been carried out."""
        outcome = await self.ask(command)
        assert outcome is not None
        await self.quiet()
        return outcome

    async def agreed(self, agent: str, kind: str, minutes: float = 30, by: str = LEADS[0]) -> str:
        """A request of this kind that a lead has agreed to; its id."""
        permit_id = str((await self.yes(AskPermit(agent, kind, "有事")))["permit_id"])
        until = self.clock.now() + timedelta(minutes=minutes)
        await self.yes(DecidePermit(by, permit_id, True, "同意", until))
        return permit_id

    async def own(self, agent: str) -> Mapping[str, Any]:
        """What the agent's page shows of his duty."""
        return await self.yes(OwnDuty(agent))

    async def to(self, moment: datetime) -> None:
        """Until that moment of the wall clock."""
        await self.wait((moment - self.clock.now()).total_seconds())

    async def restart(self) -> None:
        """The service is killed and comes back on the same database."""
        await self.kill()
        await self.boot()
        await self.wait(0)

    def state(self, number: str) -> str:
        """The agent's state on the board."""
        return next(line["state"] for line in self.engine.board()["agents"] if line["number"] == number)

    def alarms(self, code: str) -> list[tuple[datetime, str]]:
        """When this alarm was told, and about whom."""
        told = self.rows("select at, subject from outbox where json_extract(data, '$.code') = ?", code)
        return [(datetime.fromtimestamp(at / 1e6, MORNING.tzinfo), subject) for at, subject in told]


async def seated(house: OnDuty, *numbers: str) -> None:
    """They sign in, and the first half hour passes."""
    for number in numbers:
        await house.yes(SignIn(number, f"3{number[1:]}"))
    await house.to(MORNING + HALF)

"""A year of four crews in two shifts at six seats, from a seed; and a second, simple reckoning of what must come of it.

The reckoning knows nothing of the engine: it takes what each agent did when, and counts gaps, alarms and findings
by the wording of the articles.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from cti.commands import Command, GoBusy, GoReady, Outcome, SignIn, SignOut
from cti.commands.conduct import Arrive, AskPermit, DecidePermit
from cti.commands.handover import AddItem, SignSheet, TakeItem
from cti.commands.roster import PutRotation
from cti.engine.duty.handing import Handing
from cti.engine.duty.handover_book import Book
from cti.engine.part import Part
from cti.engine.world import World
from cti.store import tables as t
from tests.sim.house import ZONE, FaultyStore, House
from tests.stores import open_store

LEAD = "2001"
SEATS = tuple(f"30{n:02}" for n in range(1, 7))
CREWS = tuple((name, tuple(f"1{c}{n:02}" for n in range(1, 7))) for c, name in enumerate(("甲", "乙", "丙", "丁"), 1))
FIRST = date(2026, 3, 1)  # the year end lies within
MS = timedelta(milliseconds=1)
HALF_HOUR = timedelta(minutes=30)
# How long a seat stands empty, seconds: HZ 第二十八条 at its edge to the millisecond, and plainly on either side.
GAPS = (2.0, 4.5, 4.5, 9.0, 9.0, 29.999, 30.0, 30.001, 41.5)
# When the relief says that he has come, before the shift: HZ 第二十七条 at its edge, and plainly on either side.
COMES = (timedelta(minutes=25), timedelta(minutes=15), timedelta(minutes=10), timedelta(minutes=10) - MS, -MS)
LATE = timedelta(minutes=12)


@dataclass(slots=True)
class Reckoning:
    """What a clerk with a watch would have written down."""

    gaps: list[tuple[str, int, str]] = field(default_factory=list)  # seat, milliseconds, whose fault
    no_relief: int = 0
    found: Counter[str] = field(default_factory=Counter)
    acts: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    def stood_empty(self, seat: str, seconds: float, cause: str) -> None:
        """空档期不超过30秒: 30.000 s is within."""
        self.gaps.append((seat, round(seconds * 1000), cause))
        self.found["seat_empty"] += seconds > 30


class Year(House):
    """The house, with its year. ``people`` sit where the last handover left them."""

    def __init__(self, folder: Path, seed: int, days: int) -> None:
        self.start = datetime.combine(FIRST, time(7, 0), ZONE)
        super().__init__(folder, random.Random(seed), self.start, mangle=False)
        self.days, self.dice = days, random.Random(seed)
        self.reckoned = Reckoning()
        self._plan: list[tuple[datetime, int, Any]] = []
        self._order = itertools.count()

    async def __aenter__(self) -> Year:
        self.real = await open_store(self.path)
        agents = [n for _, crew in CREWS for n in crew]
        people = [
            {"number": n, "name": f"测试{n}", "role": role, "pin_hash": "-", "active": True}
            for role, numbers in (("agent", agents), ("lead", [LEAD]))
            for n in numbers
        ]
        await self.real.write(lambda c: c.execute(insert(t.people), people))
        self.store = FaultyStore(self.real)
        await self.boot()
        await self.yes(PutRotation(LEAD, FIRST, self.days, FIRST, CREWS))
        return self

    async def yes(self, *commands: Command) -> list[Outcome]:
        """Commands of one moment, all allowed."""
        outcomes = await asyncio.gather(*(self.engine.submit(command) for command in commands))
        self._carry_out()
        for command, outcome in zip(commands, outcomes, strict=True):
            assert outcome.ruling.allowed, (self.clock.now().astimezone(ZONE), command, outcome.ruling)
        return outcomes

    async def no(self, command: Command, code: str, *articles: str) -> None:
        """A command that must be refused with that code, naming exactly these articles of HZ."""
        outcome = await self.engine.submit(command)
        said = tuple(article.article for article in outcome.ruling.articles)
        assert (outcome.ruling.allowed, outcome.ruling.code, said) == (False, code, articles), (
            self.clock.now().astimezone(ZONE), command, outcome.ruling
        )  # fmt: skip
        self.reckoned.refused[code] += 1

    def at(self, moment: datetime, doing: Any) -> None:
        """Plan something."""
        heapq.heappush(self._plan, (moment, next(self._order), doing))

    async def play(self) -> None:
        """Let the year pass."""
        for crew, begins, ends in self.shifts():
            if begins == self.first_shift:
                self._first_morning(crew, begins)
            self._shift(crew, begins, ends)
        for (going, _, at), (coming, _, _) in itertools.pairwise(self.shifts()):
            self._handover(going, coming, at)
        while self._plan:
            moment, _, doing = heapq.heappop(self._plan)
            await self.wait((moment - self.clock.now()).total_seconds())
            await doing()
        await self.wait(60)
        await self.quiet()

    @property
    def first_shift(self) -> datetime:
        return datetime.combine(FIRST, time(8, 0), ZONE)

    def shifts(self) -> Iterator[tuple[tuple[str, ...], datetime, datetime]]:
        """Crew, start, end of every shift in order: 四班二运转, each crew day, night, rest, rest (QD 第十三条)."""
        for n in range(self.days):
            day = FIRST + timedelta(days=n)
            eight, nineteen = (datetime.combine(day, time(h), ZONE) for h in (8, 19))
            yield CREWS[n % 4][1], eight, nineteen
            yield CREWS[(n - 1) % 4][1], nineteen, datetime.combine(day + timedelta(days=1), time(8), ZONE)

    def _first_morning(self, crew: tuple[str, ...], begins: datetime) -> None:
        async def sit() -> None:
            await self.yes(*(SignIn(n, seat) for n, seat in zip(crew, SEATS, strict=True)))

        self.at(begins - timedelta(minutes=10), sit)
        self.reckoned.acts["signed_in"] += len(crew)

    def _shift(self, crew: tuple[str, ...], begins: datetime, ends: datetime) -> None:
        """One agent of the crew tries the edges of HZ 第三十二条, and takes a break between them."""
        agent = self.dice.choice(crew)
        if begins + HALF_HOUR + LATE > ends or self.dice.random() < 0.3:
            return

        async def refused() -> None:
            await self.no(GoBusy(agent, "break"), "first_minutes", "第三十二条")

        async def takes_a_break() -> None:
            await self.yes(GoBusy(agent, "break"))

        async def comes_back() -> None:
            await self.yes(GoReady(agent))

        async def refused_again() -> None:
            await self.no(GoBusy(agent, "meal"), "last_minutes", "第三十二条")

        self.at(begins + HALF_HOUR - MS, refused)
        self.at(begins + HALF_HOUR, takes_a_break)
        self.at(begins + HALF_HOUR * 2, comes_back)
        self.at(ends - HALF_HOUR - MS, takes_a_break)
        self.at(ends - HALF_HOUR, comes_back)
        self.at(ends - HALF_HOUR, refused_again)
        self.reckoned.acts["busy"] += 2
        self.reckoned.acts["ready"] += 2

    def _handover(self, going: tuple[str, ...], coming: tuple[str, ...], at: datetime) -> None:
        """Six seats change hands; each pair has its own morning."""
        pairs = list(zip(going, coming, SEATS, strict=True))
        in_time = [(c, self.dice.choice(COMES)) for _, c, _ in pairs]
        late = {c for c, _ in in_time if self.dice.random() < 0.02}
        for early in sorted({early for _, early in in_time}):
            crowd = [c for c, e in in_time if e == early and c not in late]
            self.at(at - early, self._arrive(crowd))
            self.reckoned.found["arrived_late"] += len(crowd) * (early < timedelta(minutes=10))
            self.reckoned.no_relief += len(crowd) * (early < timedelta(0))
        self.at(at - timedelta(minutes=20), self._note(self.dice.choice(going)))
        for out, into, seat in pairs:
            gap = self.dice.choice(GAPS)
            leaves = at + timedelta(seconds=self.dice.choice((1, 1, 2, 5)))
            if into in late:
                self._late(out, into, seat, at, gap)
            else:
                self.at(at, self._sheet(out, into))
                self.at(leaves, self._leave(out))
                self.at(leaves + timedelta(seconds=gap), self._sit(into, seat))
                self.reckoned.stood_empty(seat, gap, "incoming")
                self.reckoned.found["late"] += gap > 30
        self.reckoned.acts["arrived"] += 6
        self.reckoned.acts["signed_out"] += 6
        self.reckoned.acts["signed_in"] += 6

    def _late(self, out: str, into: str, seat: str, at: datetime, gap: float) -> None:
        """The relief does not come: refused with HZ 第二十九条 (and 第三十三条). He comes late, or the lead lets go."""
        let_go = self.dice.random() < 0.5

        async def tries() -> None:
            await self.no(SignOut(out), "relief_absent", "第二十九条", "第三十三条")
            if not let_go:
                return
            asked = (await self.yes(AskPermit(out, "sign_out", "家中急事")))[0].data["permit_id"]
            until = self.clock.now() + timedelta(minutes=10)
            await self.yes(DecidePermit(LEAD, asked, True, "同意先行离岗", until))
            await self.yes(SignOut(out))

        async def comes() -> None:
            await self.yes(Arrive(into))

        async def signs_in() -> None:
            await self.yes(SignIn(into, seat))

        self.at(at + timedelta(seconds=30), tries)
        self.at(at + LATE, comes)
        self.reckoned.no_relief += 1
        self.reckoned.found["arrived_late"] += 1
        if let_go:
            self.at(at + LATE, signs_in)
            self.reckoned.stood_empty(seat, LATE.total_seconds() - 30, "lead")
            self.reckoned.found["late"] += 1
        else:
            self.at(at + LATE, self._sheet(out, into))
            self.at(at + LATE, self._leave(out))
            self.at(at + LATE + timedelta(seconds=gap), self._sit(into, seat))
            self.reckoned.stood_empty(seat, gap, "incoming")
            self.reckoned.found["late"] += gap > 30

    def _arrive(self, crowd: list[str]) -> Any:
        async def arrive() -> None:
            await self.yes(*(Arrive(number) for number in crowd))

        return arrive

    def _note(self, number: str) -> Any:
        async def note() -> None:
            await self.yes(AddItem(number, self.handover_id, number, "equipment", "耳机有杂音"))

        return note

    def _sheet(self, out: str, into: str) -> Any:
        async def sheet() -> None:
            await self.yes(SignSheet(out, self.handover_id))
            items = [i for i in self._book.items.values() if i.outgoing == out and i.state == "open"]
            await self.yes(*(TakeItem(into, item.item_id) for item in items))
            await self.yes(SignSheet(into, self.handover_id))

        return sheet

    def _leave(self, number: str) -> Any:
        async def leave() -> None:
            await self.yes(SignOut(number))

        return leave

    def _sit(self, number: str, seat: str) -> Any:
        async def sit() -> None:
            await self.yes(SignIn(number, seat))

        return sit

    @property
    def _book(self) -> Book:
        return next(part for part in self.engine.world.parts if isinstance(part, Handing)).book

    def held(self) -> dict[str, int]:
        """How much every collection of the world and its parts holds."""
        found: dict[str, int] = {}
        _count("world", self.engine.world, found, set())
        for part in self.engine.world.parts:
            _count(type(part).__name__, part, found, set())
        return found

    @property
    def handover_id(self) -> str:
        """The handover that was drafted last."""
        return max(self._book.handovers.values(), key=lambda handover: handover.at).handover_id


def _count(path: str, thing: Any, found: dict[str, int], seen: set[int]) -> None:
    if id(thing) in seen:
        return
    seen.add(id(thing))
    for name, value in vars(thing).items():
        if isinstance(value, dict | list | set | tuple | deque):
            found[f"{path}.{name}"] = len(value)
        elif _of_a_part(value):
            _count(f"{path}.{name}", value, found, seen)


def _of_a_part(thing: Any) -> bool:
    ours = type(thing).__module__.startswith("cti.engine.") and hasattr(thing, "__dict__")
    return ours and not isinstance(thing, Part | World)

"""The real engine behind the pages: simulated PBX, real database, and a clock that can be set and leapt forward."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from argon2 import PasswordHasher

from agents.shifts import Shift
from cti.ami import LinkState
from cti.app import load_profile
from cti.clock import Clock, SystemClock
from cti.commands import Command, Outcome
from cti.commands.conduct import SeatUnproved
from cti.deadlines import Deadlines
from cti.engine import Engine
from cti.engine.duty.rostering import Rostering
from cti.engine.inputs import Align, Aligned, Checked, CheckRecording, Due, Effect, LinkChanged, Synced
from cti.ids import Ids
from cti.settings import Settings, make_settings
from cti.store.db import Store
from cti.store.people import Pins, add_person
from cti.web.app import make_app
from regulations import Profile
from tests.sim.pbx import SimPbx
from tests.stores import open_store
from tests.web.conftest import PIN, Site

ZONE = ZoneInfo("Asia/Shanghai")
NINE = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # a Monday, 09:00 in Heze
DUTY_PEOPLE = {
    "1001": ("测试话务员甲", "agent"), "1002": ("测试话务员乙", "agent"), "1003": ("测试话务员丙", "agent"),
    "1004": ("测试话务员丁", "agent"), "9001": ("测试值班长戊", "lead"), "9002": ("测试值班长己", "lead"),
    "9500": ("测试督查员", "auditor"), "9999": ("管理员", "admin"),
}  # fmt: skip


class SetClock:
    """The machine's clock, set to another wall time. ``leap`` lets time pass at once, on both clocks."""

    def __init__(self, start: datetime, system: Clock | None = None) -> None:
        self._system = system or SystemClock()
        self._ahead = start - self._system.now()
        self.boot = self._system.boot
        self._leapt = 0.0

    def now(self) -> datetime:
        """The wall clock."""
        return self._system.now() + self._ahead

    def monotonic(self) -> float:
        """Seconds, with what was leapt."""
        return self._system.monotonic() + self._leapt

    async def sleep(self, seconds: float) -> None:
        """Real seconds."""
        await self._system.sleep(seconds)

    def leap(self, seconds: float) -> None:
        """Move both clocks; see ``DutySite.leap``, which wakes who waits."""
        self._ahead += timedelta(seconds=seconds)
        self._leapt += seconds


class DutySite(Site):
    """A ``Site`` whose engine is the real one. ``pbx`` plays Asterisk; ``effects`` are those nobody carries out."""

    engine: Engine  # type: ignore[assignment]

    def __init__(self, store: Store, settings: Settings, profile: Profile, clock: SetClock) -> None:
        self.settings, self.profile, self.clock = settings, profile, clock
        self.rng = random.Random(11)
        self.pbx = SimPbx(clock, self.rng, lambda event: self.engine.hear(event), mangle=False)  # type: ignore[arg-type]
        self.pins = Pins(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        self.effects: list[Effect] = []
        self._store = store
        self._running: list[asyncio.Task[None]] = []
        self._make()
        app = make_app(
            self.engine, store, settings, clock, secrets.token_urlsafe, pins=self.pins, zone=ZONE, profile=profile
        )
        super().__init__(app, self.engine, store)  # type: ignore[arg-type]

    def _make(self) -> None:
        self.deadlines = Deadlines(self.clock, lambda key: self.engine.put(Due(key)))
        self.engine = Engine(
            self.settings, self.profile, ZONE, self._store, self.clock, Ids(self.rng), act=self._act,
            wake=self.deadlines.at, time=self.deadlines.after, after_commit=lambda messages: None,
            on_overflow=lambda: None,
        )  # fmt: skip

    async def begin(self) -> None:
        """Load, and see Asterisk."""
        await self.engine.load()
        self._running = [asyncio.create_task(self.engine.run()), asyncio.create_task(self.deadlines.run())]
        self.pbx.link_up = True
        self.engine.put(LinkChanged(LinkState.UP, ""))
        self.engine.put(Synced(self.pbx.snapshot(), self.clock.now(), True, {}))

    async def end(self) -> None:
        """Whatever was not committed is gone."""
        self.pbx.cut()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def restart(self) -> None:
        """The service is killed and comes back; pages reconnect by themselves. The roster of a test is put anew."""
        shifts = list(self.roster.roster.by_id.values())
        await self.stop()
        await self.end()
        self._make()
        self.web.engine = self.web.feed._engine = self.engine
        await self.begin()
        self.roster.put(s for s in shifts if s.shift_id not in self.roster.roster.by_id)
        await self.start()

    def _act(self, effect: Effect) -> None:
        match effect:
            case Align(number):
                agent = self.engine.agent(number)
                if agent is not None and self.pbx.link_up:
                    self.pbx.align(agent)
                self.engine.put(Aligned(number, None))
            case CheckRecording(call_id, expected):
                self.engine.put(Checked(call_id, "ok", expected, 1, "0" * 64, "whole"))
            case _:
                self.effects.append(effect)

    @property
    def roster(self) -> Rostering:
        """The roster's part."""
        return next(part for part in self.engine.world.parts if isinstance(part, Rostering))

    def on_duty(self, agent: str, start: datetime, hours: float = 11, **more: Any) -> Shift:
        """Put a shift of *agent* into the roster, in memory only."""
        shift = Shift(f"s-{agent}-{start:%m%d%H%M}", agent, start, start + timedelta(hours=hours), **more)
        self.roster.put([shift])
        return shift

    async def ask(self, command: Command) -> Outcome:
        """As a page or a phone would, without the browser."""
        return await self.engine.submit(command)

    async def acted(self) -> list[Effect]:
        """The effects of all that was asked so far: a page may show a decision before it is written and acted on."""
        await self.ask(SeatUnproved("none"))  # answered behind them all, and there is no such check
        return self.effects

    def leap(self, seconds: float) -> None:
        """Let *seconds* pass at once; whoever waited for a moment in them is woken."""
        self.clock.leap(seconds)
        self.deadlines.after("queue:", self.clock.monotonic())


@asynccontextmanager
async def duty_site(
    folder: Path,
    start: datetime = NINE,
    *,
    profile: Profile | None = None,
    settings: Mapping[str, Any] | None = None,
) -> AsyncIterator[DutySite]:
    """The site at *start* by its own clock, everybody of ``DUTY_PEOPLE`` with ``PIN``, nobody signed in.

    Args:
        profile: the rules; Heze's when None.
        settings: further settings, by section.
    """
    store = await open_store(folder / "cti.db")
    hotline = {"seat_interface": "Local/{seat}@lab-seats/n", **(settings or {}).get("hotline", {})}
    made = make_settings({"ami": {"secret": "not-used"}, **(settings or {}), "hotline": hotline})
    site = DutySite(store, made, profile or load_profile("hz-12319"), SetClock(start))
    for number, (name, role) in DUTY_PEOPLE.items():
        await add_person(store, site.pins, number, name, role, PIN)
    await site.begin()
    await site.start()
    try:
        yield site
    finally:
        await site.stop()
        await site.end()
        await store.close()

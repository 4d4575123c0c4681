"""The engine on a real database, a virtual clock and the simulated PBX; it can be killed at any write."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Callable, Coroutine
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert
from sqlalchemy.exc import OperationalError

from cti.ami import LinkState
from cti.app import load_profile
from cti.clock import VirtualClock
from cti.commands import Command, Outcome, Popped, SignIn
from cti.engine import Engine
from cti.engine.inputs import (
    Align,
    Aligned,
    Checked,
    CheckRecording,
    Dial,
    Dialled,
    Due,
    Effect,
    LinkChanged,
    Read,
    RingSeat,
    Synced,
    Trace,
)
from cti.errors import Unavailable
from cti.ids import Ids
from cti.settings import make_settings
from cti.store import tables as t
from cti.store.db import Store
from tests.sim.pbx import SimPbx
from tests.stores import open_store

AGENTS = ("1001", "1002", "1003", "1004")
MORNING = datetime(2026, 11, 21, 1, 0, 0, 250_000, ZoneInfo("UTC"))  # 09:00 in Shanghai
ZONE = ZoneInfo("Asia/Shanghai")
Work = Callable[[Any], Coroutine[Any, Any, Any]]


class CrashError(Exception):
    """The process dies here."""


class FaultyStore:
    """The store, with a fault at chosen writes: ``before``, ``after`` (crash around the commit), ``busy``."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.writes = 0
        self.faults: dict[int, str] = {}
        self.reached: dict[int, asyncio.Event] = {}

    async def write(self, work: Work) -> Any:
        self.writes += 1
        if self.writes in self.reached:
            self.reached[self.writes].set()
        fault = self.faults.pop(self.writes, "")
        if fault == "before":
            raise CrashError
        if fault == "busy":
            await self.store.write(self._undone(work))
        done = await self.store.write(work)
        if fault == "after":
            raise CrashError
        return done

    @staticmethod
    def _undone(work: Work) -> Work:
        async def tried(connection: Any) -> Any:
            await work(connection)
            raise OperationalError("COMMIT", None, sqlite3.OperationalError("disk I/O error"))

        return tried

    def read(self) -> Any:
        return self.store.read()


class House:
    """One service and one PBX. ``async with House(...)``; the agents are signed in."""

    def __init__(self, folder: Path, rng: random.Random, start: datetime = MORNING, mangle: bool = True) -> None:
        self.path, self.rng = folder / "cti.db", rng
        self.clock = VirtualClock(start)
        self.pbx = SimPbx(self.clock, rng, lambda event: self.engine.hear(event), mangle)
        self.wakes: dict[str, datetime] = {}
        self.timers: dict[str, float] = {}
        self.effects: list[Effect] = []
        self.seen: list[Effect] = []  # every effect, for a test to look at and clear
        self.lost_replies = 0.0
        self.dialled: list[Dial] = []
        self.rung: list[RingSeat] = []
        self.profile = load_profile("hz-12319")
        self.hotline: dict[str, Any] = {}  # settings of the hotline that a test adds

    async def __aenter__(self) -> House:
        self.real = await open_store(self.path)
        people = [{"number": n, "name": f"测试{n}", "role": "agent", "pin_hash": "-", "active": True} for n in AGENTS]
        await self.real.write(lambda c: c.execute(insert(t.people), people))
        self.store = FaultyStore(self.real)
        await self.boot()
        for number in AGENTS:
            await self.ask(SignIn(number, f"3{number[1:]}"))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()
        await self.real.close()

    async def boot(self) -> None:
        """A new process on the same database, and its first look at Asterisk."""
        hotline = {"seat_interface": "Local/{seat}@lab-seats/n", **self.hotline}
        settings = make_settings({"ami": {"secret": "x"}, "hotline": hotline})
        self.effects.clear()
        self.wakes.clear()
        self.timers.clear()
        self.engine = Engine(
            settings, self.profile, ZONE, self.store, self.clock,  # type: ignore[arg-type]
            Ids(self.rng), act=self._act, wake=self.wakes.__setitem__, time=self.timers.__setitem__,
             after_commit=lambda messages: None,
            on_overflow=lambda: None,
        )  # fmt: skip
        await self.engine.load()
        self.running = asyncio.create_task(self.engine.run())
        await self.connect()

    async def kill(self) -> None:
        """The process is gone at once, and with it what it had not committed."""
        self.pbx.cut()
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)

    async def connect(self) -> None:
        """The link is up: the snapshot and what Asterisk's files tell."""
        self.pbx.link_up = True
        self.engine.put(LinkChanged(LinkState.UP, ""))
        await self.look(fresh=True)

    def drop(self) -> None:
        """The link is lost."""
        self.pbx.cut()
        self.engine.put(LinkChanged(LinkState.DOWN, "lost"))

    def read(self) -> None:
        """What queue_log tells since the cursor that was committed last."""
        kept = self.rows("select position from cursors where name = 'queue_log'")
        start = int(kept[0][0]) if kept else 0
        if len(self.pbx.log) > start:
            self.engine.put(Read(tuple(self.pbx.log[start:]), {"queue_log": str(len(self.pbx.log))}))

    async def look(self, fresh: bool = False) -> None:
        """A resync or an audit."""
        self.read()
        self.engine.put(Synced(self.pbx.snapshot(), self.clock.now(), fresh, dict(self.pbx.ends)))
        await self.quiet()

    async def ask(self, command: Command) -> Outcome | None:
        """A command and its answer; None when the process died over it."""
        answer = asyncio.ensure_future(self.engine.submit(command))
        await asyncio.wait((answer, self.running), return_when=asyncio.FIRST_COMPLETED)
        if not self.running.done():
            outcome = await answer
            self._carry_out()
            return outcome
        answer.cancel()
        await asyncio.gather(answer, return_exceptions=True)
        died = self.running.exception()
        if not isinstance(died, CrashError | Unavailable):
            raise died or AssertionError("the engine ended")
        self.pbx.cut()
        self.effects.clear()
        await self.boot()
        return None

    async def quiet(self) -> None:
        """Until everything that was put has been taken and carried out, however often the process dies over it."""
        while True:
            answer = await self.ask(Popped("1001", "none"))
            if answer is not None and not self.engine._inbox:
                return

    def _act(self, effect: Effect) -> None:
        """An effect begins: what decided it must be on disk by now."""
        if isinstance(effect, Dial):
            committed = self.rows("select outcome from attempts where channel_id = ?", effect.channel_id)
            assert committed == [("placing",)], "dialled before the commit"
        self.effects.append(effect)
        self.seen.append(effect)

    def _carry_out(self) -> None:
        for effect in self.effects:
            match effect:
                case Align(number):
                    agent = self.engine.agent(number)
                    if agent is not None and self.pbx.link_up:
                        self.pbx.align(agent)
                    self.engine.put(Aligned(number, None))
                case CheckRecording(call_id, expected):
                    self.engine.put(Checked(call_id, "ok", expected, 1, "0" * 64, "whole"))
                case Dial():
                    self._dial(effect)
                case RingSeat():
                    self.rung.append(effect)
                case Trace(channel_id, gone):
                    if (found := self.pbx.trace(channel_id, gone)) is not None:
                        self.engine.put(found)
        self.effects.clear()

    def _dial(self, dial: Dial) -> None:
        self.dialled.append(dial)
        chance = self.rng.random()
        if chance < 0.1:
            self.engine.put(Dialled(dial.channel_id, False))
        elif chance < 0.1 + self.lost_replies / 2 or not self.pbx.link_up:
            self.engine.put(Dialled(dial.channel_id, None))  # never read
        else:
            self.pbx.place(dial)
            lost = self.rng.random() < self.lost_replies
            self.engine.put(Dialled(dial.channel_id, None if lost else True))

    async def wait(self, seconds: float) -> None:
        """Let time pass; every wish to be woken is met at its moment."""
        end = self.clock.monotonic() + seconds
        while True:
            now = self.clock.now()
            due = [key for key, at in self.wakes.items() if at <= now]
            for key in due:
                del self.wakes[key]
                self.engine.put(Due(key))
            mono = self.clock.monotonic()
            for key in [key for key, at in self.timers.items() if at <= mono]:
                del self.timers[key]
                self.engine.put(Due(key))
                due.append(key)
            if due:
                await self.quiet()
                continue
            left = end - self.clock.monotonic()
            if left <= 0:
                return
            first = min(((at - now).total_seconds() for at in self.wakes.values()), default=left)
            timer = min((at - mono for at in self.timers.values()), default=left)
            await self.clock.advance(min(first, timer, left), settle=0)

    def rows(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        """Committed rows, seen from outside."""
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as database:
            return database.execute(query, values).fetchall()


def local(moment: datetime) -> timedelta:
    """The local time of day."""
    here = moment.astimezone(ZONE)
    return timedelta(hours=here.hour, minutes=here.minute, seconds=here.second, microseconds=here.microsecond)

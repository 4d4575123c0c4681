"""The event stream: whose pops, what a page that comes back gets, and what ends it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from cti.bus.local import MOST_WAITING
from cti.bus.outbox import Message
from cti.clock import VirtualClock
from cti.store.db import Store
from cti.store.people import Person, Role, set_active
from cti.store.tables import sessions
from cti.web.context import Web, Who, session_of
from cti.web.stream import counted
from tests.unit.cti.web.conftest import Login, WatchedStore
from tests.unit.cti.web.test_api import CALLER, one_call
from tests.web.fake import FakeEngine


class Reader:
    """Reads a stream as a browser would, with the clock moved on while nothing comes."""

    def __init__(self, web: Web, who: Who, clock: VirtualClock, after: int | None = None) -> None:
        self._bytes: AsyncGenerator[bytes] = counted(web, who, after)
        self._clock = clock
        assert isinstance(web.store, WatchedStore)
        self._store = web.store

    async def next(self) -> tuple[str, Any, str | None]:
        """(event, data, id) of the next event; comments are ("", None, None)."""
        reading = asyncio.ensure_future(anext(self._bytes))
        while True:
            for _ in range(20):
                await asyncio.sleep(0)
            if reading.done():
                break
            if not self._store.reading:
                await self._clock.advance(0.1)
        lines = dict(
            line.split(": ", 1) for line in reading.result().decode().splitlines() if line[:1] not in ("", ":")
        )
        return lines.get("event", ""), json.loads(lines.get("data", "null")), lines.get("id")

    async def next_pop(self) -> tuple[dict[str, Any], str | None]:
        """The next pop and its id, over whatever lies before it."""
        while True:
            event, data, event_id = await self.next()
            if event == "pop":
                return data, event_id

    async def none_for(self, seconds: float) -> list[str]:
        """The events of the next *seconds*."""
        events, end = [], self._clock.monotonic() + seconds
        while self._clock.monotonic() < end:
            events.append((await self.next())[0])
        return events

    async def read_to_the_end(self) -> None:
        """Until the service ends the stream."""
        while True:
            await self.next()

    async def close(self) -> None:
        await self._bytes.aclose()


@pytest.fixture
def web(app: FastAPI) -> Web:
    """The parts behind the routes."""
    parts: Web = app.state.web
    return parts


@pytest.fixture
async def who(login: Login, web: Web, store: Store) -> Who:
    """Agent 1001 with a session."""
    await login("1001")
    async with store.read() as connection:
        token_hash = str(await connection.scalar(select(sessions.c.token_hash)))
    found = await session_of(web, token_hash)
    assert found is not None
    return Who(found[0], token_hash)


async def test_opens_with_hello_then_the_board(web: Web, who: Who, clock: VirtualClock) -> None:
    """hello carries build, number, the service's time and an id to resume from; the board follows at once."""
    reader = Reader(web, who, clock)
    event, hello, event_id = await reader.next()
    assert (event, hello["number"], hello["now"], event_id) == ("hello", "1001", "2026-11-21T02:00:00+00:00", "0")
    assert (await reader.next())[0] == "board"
    await reader.close()


async def test_pop_comes_to_its_agent_alone(web: Web, who: Who, clock: VirtualClock, engine: FakeEngine) -> None:
    """With the outbox id, the caller's number and history; another agent's pop never comes, nor to a lead."""
    mine = Reader(web, who, clock)
    lead = Reader(web, Who(Person("9001", "测试值班长丙", Role.LEAD, True), who.token_hash), clock)
    for reader in (mine, lead):
        await reader.next()
    await one_call(engine, "c0", "1002")
    await engine.hang_up("c0", "1002")
    await clock.advance(60)
    await one_call(engine, "c1", "1001")
    pop, event_id = await mine.next_pop()
    assert (pop["ticket_id"], pop["caller"], event_id) == ("t-c1", CALLER, "3")
    assert [h["ticket_id"] for h in pop["history"]] == ["t-c0"]
    assert "pop" not in await lead.none_for(6)
    for reader in (mine, lead):
        await reader.close()


async def test_resume_brings_missed_pops_once_and_in_order(
    web: Web, who: Who, clock: VirtualClock, engine: FakeEngine
) -> None:
    """Those after the id, of this agent, not older than 12 h; nothing that the page has seen."""
    await one_call(engine, "old")
    await engine.hang_up("old", "1001")
    await clock.advance(12 * 3600 + 1)
    for n in range(3):
        await one_call(engine, f"c{n}")
        await engine.hang_up(f"c{n}", "1001")
        await one_call(engine, f"x{n}", "1002")
        await engine.hang_up(f"x{n}", "1002")
    first = Reader(web, who, clock, after=0)
    got = [await first.next_pop() for _ in range(3)]
    assert [pop["ticket_id"] for pop, _ in got] == ["t-c0", "t-c1", "t-c2"]
    assert "pop" not in await first.none_for(6)
    await first.close()
    second = Reader(web, who, clock, after=int(got[1][1] or 0))
    assert (await second.next())[2] is None  # hello must not move the browser's id past pops that follow
    assert (await second.next_pop())[0]["ticket_id"] == "t-c2"
    await second.close()


async def test_new_page_shows_the_conversation_that_runs(
    web: Web, who: Who, clock: VirtualClock, engine: FakeEngine
) -> None:
    """And nothing once it is over."""
    await one_call(engine)
    reader = Reader(web, who, clock)
    await reader.next()
    assert (await reader.next_pop())[0]["ticket_id"] == "t-c1"
    await reader.close()
    await engine.hang_up("c1", "1001")
    reader = Reader(web, who, clock)
    assert "pop" not in await reader.none_for(6)
    await reader.close()


async def test_board_comes_when_it_changes_and_at_most_five_times_a_second(
    web: Web, who: Who, clock: VirtualClock, engine: FakeEngine
) -> None:
    """Fifty changes in one second are at most five boards and the last one is the newest; calm ones come every 5 s."""
    reader = Reader(web, who, clock)
    await reader.next(), await reader.next()
    start = clock.monotonic()
    boards = []
    for n in range(10):
        for m in range(5):
            engine.enter(f"c{n}.{m}", CALLER)
            await engine.tell("call.queued", f"c{n}.{m}", "all")
        if n % 2:
            boards.append((await reader.next())[1])
    assert boards[-1]["queue"]["waiting"] == 50
    assert len(boards) <= 5 * (clock.monotonic() - start) + 1
    quiet = clock.monotonic()
    assert (await reader.next())[0] == "board"
    assert clock.monotonic() - quiet >= 4.5
    await reader.close()


async def test_stream_ends_soon_after_its_session(web: Web, who: Who, clock: VirtualClock, store: Store) -> None:
    """Within 5 s of being shut out; the subscription ends with it."""
    reader = Reader(web, who, clock)
    await reader.next(), await reader.next()
    await set_active(store, "1001", False)
    start = clock.monotonic()
    with pytest.raises(StopAsyncIteration):
        await reader.read_to_the_end()
    assert clock.monotonic() - start <= 5
    assert web.streams["1001"] == 0


async def test_stream_that_falls_behind_ends(web: Web, who: Who, clock: VirtualClock, engine: FakeEngine) -> None:
    """The bus cuts it; the browser comes back with its last id and misses nothing."""
    reader = Reader(web, who, clock)
    await reader.next(), await reader.next()
    engine.bus.publish(_noise(seq, clock) for seq in range(1, MOST_WAITING + 3))
    with pytest.raises(StopAsyncIteration):
        await reader.read_to_the_end()
    assert engine.bus._listeners == set()


def _noise(seq: int, clock: VirtualClock) -> Message:
    return Message(seq, clock.now(), "call.queued", "c", "all", {})


async def test_closing_the_stream_ends_the_subscription(
    web: Web, who: Who, clock: VirtualClock, engine: FakeEngine
) -> None:
    """A browser that goes leaves no listener behind."""
    reader = Reader(web, who, clock)
    await reader.next()
    assert len(engine.bus._listeners) == 1
    await reader.close()
    assert engine.bus._listeners == set()


async def test_one_person_has_at_most_sixteen_streams(login: Login, web: Web) -> None:
    """The seventeenth is told to come later."""
    client = await login("1001")
    web.streams["1001"] = 16
    answer = await client.get("/api/v1/stream")
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_streams")

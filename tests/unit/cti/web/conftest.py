"""The application over a store in a temporary folder, a fake engine and a virtual clock; no socket."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.clock import VirtualClock
from cti.settings import Settings, make_settings
from cti.store.db import Store
from cti.store.people import Pins, add_person
from cti.web.app import make_app
from tests.stores import open_store
from tests.web.fake import FakeEngine

HEADERS = {"X-CTI-Request": "test"}
PINS = {"1001": "240101", "1002": "240102", "9001": "249001", "9999": "249999"}
ROLES = {"1001": "agent", "1002": "agent", "9001": "lead", "9999": "admin"}
NAMES = {"1001": "测试话务员甲", "1002": "测试话务员乙", "9001": "测试值班长丙", "9999": "管理员"}


class WatchedStore(Store):
    """Knows whether a query is running, so that a test moves the virtual clock only while nothing else happens."""

    reading = 0

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """As ``Store.read``, counted."""
        self.reading += 1
        try:
            async with super().read() as connection:
                yield connection
        finally:
            self.reading -= 1


Login = Callable[[str], Awaitable[httpx.AsyncClient]]


@pytest.fixture
def clock() -> VirtualClock:
    """10:00 in Heze."""
    return VirtualClock(datetime(2026, 11, 21, 2, 0, tzinfo=UTC))


@pytest.fixture
def settings() -> Settings:
    """The defaults."""
    return make_settings({"ami": {"secret": "not-used"}})


@pytest.fixture
def pins() -> Pins:
    """The cheapest argon2: these tests measure no strength."""
    return Pins(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
async def store(tmp_path: Path, pins: Pins) -> AsyncIterator[WatchedStore]:
    """An empty store with one person of each role, and a second agent."""
    opened = await open_store(tmp_path / "cti.db", WatchedStore)
    assert isinstance(opened, WatchedStore)
    for number, pin in PINS.items():
        await add_person(opened, pins, number, NAMES[number], ROLES[number], pin)
    yield opened
    await opened.close()


@pytest.fixture
def engine(store: Store, clock: VirtualClock) -> FakeEngine:
    """Two agents, signed out."""
    return FakeEngine(store, clock, {number: NAMES[number] for number in ("1001", "1002")})


@pytest.fixture
def app(engine: FakeEngine, store: Store, settings: Settings, clock: VirtualClock, pins: Pins) -> FastAPI:
    """The application under test; its tokens count up."""
    count = itertools.count(1)
    return make_app(engine, store, settings, clock, lambda: f"token-{next(count)}", pins=pins)


@pytest.fixture
async def visitor(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who is not logged in."""
    async with browser(app) as client:
        yield client


def browser(app: FastAPI, source: str = "10.0.0.5") -> httpx.AsyncClient:
    """A client with cookies of its own, at the address *source*."""
    transport = httpx.ASGITransport(app, client=(source, 40000))
    return httpx.AsyncClient(transport=transport, base_url="https://cti.test", headers=HEADERS)


@pytest.fixture
async def login(app: FastAPI) -> AsyncIterator[Login]:
    """Log somebody in and hand out their client."""
    opened: list[httpx.AsyncClient] = []

    async def do(number: str) -> httpx.AsyncClient:
        client = browser(app)
        opened.append(client)
        answer = await client.post("/api/v1/session", json={"number": number, "pin": PINS[number]})
        assert answer.status_code == 201, answer.text
        return client

    yield do
    for client in opened:
        await client.aclose()

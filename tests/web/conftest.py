"""The pages on a free port with the fake engine, and a real Chromium in front of them; all in one event loop."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright

from cti.clock import SystemClock
from cti.settings import make_settings
from cti.store.db import Store
from cti.store.people import Pins, add_person
from cti.web.app import listen, make_app, serve
from cti.web.context import Web
from tests.stores import open_store
from tests.web.chromium import FLAGS, chromium
from tests.web.fake import FakeEngine

PIN = "240101"
PEOPLE = {"1001": ("测试话务员甲", "agent"), "1002": ("测试话务员乙", "agent"), "9001": ("测试值班长丙", "lead")}


class Site:
    """The running service: stop it, start it again on the same port, look at what the engine heard."""

    def __init__(self, app: FastAPI, engine: FakeEngine, store: Store) -> None:
        self.app = app
        self.engine = engine
        self.store = store
        self._settings = make_settings({"ami": {"secret": "not-used"}}).web
        self._serving: asyncio.Task[None] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def web(self) -> Web:
        parts: Web = self.app.state.web
        return parts

    async def start(self) -> None:
        """Listen on the port of last time, a free one at first."""
        listener = listen(self._settings, self.port)
        self.port = listener.getsockname()[1]
        self._serving = asyncio.ensure_future(serve(self.app, self._settings, listener))

    async def stop(self) -> None:
        """As a restart of the service would."""
        assert self._serving is not None
        self._serving.cancel()
        with suppress(asyncio.CancelledError):
            await self._serving


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """Two agents and a lead, nobody signed in."""
    store = await open_store(tmp_path / "cti.db")
    pins = Pins(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    for number, (name, role) in PEOPLE.items():
        await add_person(store, pins, number, name, role, PIN)
    clock = SystemClock()
    engine = FakeEngine(store, clock, {number: PEOPLE[number][0] for number in ("1001", "1002")})
    settings = make_settings({"ami": {"secret": "not-used"}})
    running = Site(make_app(engine, store, settings, clock, secrets.token_urlsafe, pins=pins), engine, store)
    await running.start()
    yield running
    await running.stop()
    await store.close()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Chromium."""
    async with async_playwright() as playwright:
        playwright.selectors.set_test_id_attribute("data-test")
        launched = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield launched
        await launched.close()


class Complaints(list[str]):
    """What the console of a page complained of: errors, exceptions, violations of the policy."""

    def watch(self, page: Page) -> None:
        """Listen to *page*."""
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.append(str(error)))
        page.on("dialog", lambda dialog: self.append(f"dialog {dialog.message}"))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.append(message.text)


@pytest.fixture
async def complaints() -> Complaints:
    """Empty."""
    return Complaints()


async def log_in(
    browser: Browser, site: Site, number: str, complaints: Complaints, path: str = "/agent"
) -> tuple[BrowserContext, Page]:
    """A browser of its own for this person, at *path*."""
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    page = await context.new_page()
    complaints.watch(page)
    await page.goto(f"{site.url}/login")
    await page.get_by_test_id("number").fill(number)
    await page.get_by_test_id("pin").fill(PIN)
    await page.get_by_test_id("login").click()
    await page.get_by_test_id("link").wait_for()
    if not page.url.endswith(path):
        await page.goto(site.url + path)
    return context, page

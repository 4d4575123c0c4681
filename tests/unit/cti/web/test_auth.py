"""Sessions: who is let in, how guessing is slowed, and what ends a session."""

from __future__ import annotations

import asyncio

import httpx
from fastapi import FastAPI
from sqlalchemy import select

from cti.clock import VirtualClock
from cti.store.db import Store
from cti.store.people import Pins, set_active
from cti.store.tables import sessions
from cti.web.context import hash_token
from tests.unit.cti.web.conftest import PINS, Login, browser


async def try_pin(client: httpx.AsyncClient, number: str, pin: str) -> httpx.Response:
    return await client.post("/api/v1/session", json={"number": number, "pin": pin})


async def test_cookie_is_closed_to_scripts_and_other_sites_and_only_its_hash_is_kept(
    visitor: httpx.AsyncClient, store: Store
) -> None:
    """HttpOnly, SameSite=Strict, Secure on https; the store holds sha256 of the token."""
    answer = await try_pin(visitor, "1001", PINS["1001"])
    cookie = answer.headers["set-cookie"]
    assert answer.json() == {
        "number": "1001", "name": "测试话务员甲", "role": "agent", "expires_at": "2026-11-21T15:00:00Z"
    }  # fmt: skip
    assert all(part in cookie for part in ("HttpOnly", "SameSite=strict", "Secure", "Path=/", "Max-Age=46800"))
    async with store.read() as connection:
        kept = (await connection.execute(select(sessions.c.token_hash))).scalars().all()
    assert kept == [hash_token(visitor.cookies["cti_session"])]


async def test_wrong_pin_and_unknown_number_look_the_same(visitor: httpx.AsyncClient) -> None:
    """Status and body tell nothing of which was wrong."""
    wrong, unknown = await try_pin(visitor, "1001", "000001"), await try_pin(visitor, "7777", "000001")
    assert (wrong.status_code, wrong.content) == (unknown.status_code, unknown.content)
    assert (wrong.status_code, wrong.json()["code"]) == (401, "bad_login")


async def test_unknown_number_costs_one_hash_check_too(pins: Pins) -> None:
    """Equal time: argon2 runs once for a person and once for nobody, and nobody never matches."""
    runs = []
    verify = pins._verify
    pins._verify = lambda kept, pin: (runs.append(kept), verify(kept, pin))[1]  # type: ignore[method-assign]
    kept = await pins.hash("240101")
    assert [await pins.matches(kept, "240101"), await pins.matches(None, "240101")] == [True, False]
    assert not await pins.matches(None, "no such person")
    assert len(runs) == 3


async def test_guessing_is_slowed_and_the_account_is_never_locked(app: FastAPI, clock: VirtualClock) -> None:
    """After three free tries the delay doubles up to 30 s; after a pause the right PIN is taken at once."""
    async with browser(app) as client:
        waits = []
        for _ in range(8):
            while (answer := await try_pin(client, "1001", "000001")).status_code == 429:
                waits.append(int(answer.headers["Retry-After"]))
                await clock.advance(waits[-1])
            assert answer.status_code == 401
        assert waits == [1, 2, 4, 8, 16]
        assert (await try_pin(client, "1001", PINS["1001"])).status_code == 429
        await clock.advance(30)
        assert (await try_pin(client, "1001", PINS["1001"])).status_code == 201


async def test_many_tries_at_once_gain_nothing(app: FastAPI) -> None:
    """A try counts before it is checked."""
    async with browser(app) as client:
        answers = await asyncio.gather(*(try_pin(client, "1001", "000001") for _ in range(40)))
    assert [a.status_code for a in answers].count(401) == 3


async def test_strangers_cannot_keep_an_agent_out(app: FastAPI, clock: VirtualClock) -> None:
    """Guesses from many addresses slow that number down, but not from where its owner logs in."""
    async with browser(app, "10.0.0.8") as owner:
        assert (await try_pin(owner, "1001", PINS["1001"])).status_code == 201
        for last in range(1, 30):
            async with browser(app, f"10.0.1.{last}") as stranger:
                await try_pin(stranger, "1001", "000001")
        async with browser(app, "10.0.2.1") as stranger:
            assert (await try_pin(stranger, "1001", "000001")).status_code == 429
        assert (await try_pin(owner, "1001", PINS["1001"])).status_code == 201


async def test_one_pin_on_many_numbers_is_slowed_by_source(visitor: httpx.AsyncClient) -> None:
    """Spraying one PIN over the work numbers from one address meets the source's own limit."""
    answers = [await try_pin(visitor, str(2000 + n), "123123") for n in range(40)]
    assert [a.status_code for a in answers].count(401) == 20


async def test_session_ends_with_logout(login: Login) -> None:
    """The cookie's token is worthless afterwards, even when it was copied."""
    client = await login("1001")
    token = client.cookies["cti_session"]
    assert (await client.delete("/api/v1/session")).status_code == 204
    client.cookies.set("cti_session", token, domain="cti.test")
    answer = await client.get("/api/v1/me")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_logged_in")


async def test_session_ends_after_its_hours(login: Login, clock: VirtualClock) -> None:
    """13 h: good until just before, over at the hour."""
    client = await login("1001")
    await clock.advance(13 * 3600 - 1)
    assert (await client.get("/api/v1/me")).status_code == 200
    await clock.advance(1)
    assert (await client.get("/api/v1/me")).status_code == 401


async def test_shut_out_person_loses_the_session_at_once(login: Login, store: Store) -> None:
    """And cannot log in again until let in; then the old session stays dead."""
    client = await login("1001")
    await set_active(store, "1001", False)
    assert (await client.get("/api/v1/me")).status_code == 401
    assert (await try_pin(client, "1001", PINS["1001"])).status_code == 401
    await set_active(store, "1001", True)
    assert (await client.get("/api/v1/me")).status_code == 401


async def test_login_makes_a_new_token_and_ends_the_browsers_former_session(login: Login, store: Store) -> None:
    """No session fixation: a token from before the login is not the one after it."""
    client = await login("1001")
    first = client.cookies["cti_session"]
    await try_pin(client, "1002", PINS["1002"])
    assert client.cookies["cti_session"] != first
    async with store.read() as connection:
        assert len((await connection.execute(select(sessions))).all()) == 1


async def test_planted_token_is_not_taken_over(visitor: httpx.AsyncClient) -> None:
    """A cookie that somebody planted before the login opens nothing after it."""
    visitor.cookies.set("cti_session", "planted", domain="cti.test")
    await try_pin(visitor, "1001", PINS["1001"])
    assert "planted" not in visitor.cookies.values()

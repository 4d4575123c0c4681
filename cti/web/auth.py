"""Log in and out. Sessions are rows: a lead or an admin can end one at once, and only a hash of the token is kept."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import delete, insert, or_

from cti.store.db import Statements
from cti.store.people import Person, check_pin
from cti.store.tables import sessions
from cti.web.context import COOKIE, AnyoneDep, Web, WebDep, hash_token
from cti.web.problems import Problem

router = APIRouter(tags=["session"])


class Login(BaseModel):
    """Work number (工号) and PIN; the PIN is the same as on the phone."""

    model_config = ConfigDict(extra="forbid")

    number: Annotated[str, Field(pattern=r"^[0-9]{1,16}$")]
    pin: Annotated[str, Field(min_length=1, max_length=64)]


class SessionView(BaseModel):
    """Who has logged in, and until when."""

    number: str
    name: str
    role: str
    expires_at: datetime


@router.post("/session", status_code=201)
async def log_in(login: Login, request: Request, response: Response, web: WebDep) -> SessionView:
    """Log in. Too many wrong tries are answered 429 with Retry-After; no account is ever locked."""
    source = request.client.host if request.client else "unknown"
    wait_s = web.throttle.wait_s(login.number, source)
    if wait_s:
        raise Problem("throttled", headers={"Retry-After": str(wait_s)})
    web.throttle.begin(login.number, source)
    person = await check_pin(web.store, web.pins, login.number, login.pin)
    if person is None:
        raise Problem("bad_login")
    web.throttle.succeeded(login.number, source)
    token = web.tokens()
    expires_at = await _begin_session(web, person, token, request.cookies.get(COOKIE, ""))
    response.set_cookie(
        COOKIE, token, max_age=int(web.settings.web.session_hours * 3600), path="/", httponly=True, samesite="strict",
        secure=request.url.scheme == "https",
    )  # fmt: skip
    return SessionView(number=person.number, name=person.name, role=person.role, expires_at=expires_at)


async def _begin_session(web: Web, person: Person, token: str, former: str) -> datetime:
    """A new row for a new token; the browser's former session ends, as do those that have run out."""
    now = web.clock.now()
    expires_at = now + timedelta(hours=web.settings.web.session_hours)
    row = {
        "token_hash": hash_token(token), "number": person.number, "created_at": now, "expires_at": expires_at
    }  # fmt: skip

    async def work(connection: Statements) -> None:
        over = or_(sessions.c.expires_at <= now, sessions.c.token_hash == hash_token(former))
        await connection.execute(delete(sessions).where(over))
        await connection.execute(insert(sessions).values(row))

    await web.store.write(work)
    return expires_at


@router.delete("/session", status_code=204)
async def log_out(who: AnyoneDep, response: Response, web: WebDep) -> None:
    """Log out. This is not 签出: the seat stays signed in, and the phone rings on."""

    async def work(connection: Statements) -> None:
        await connection.execute(delete(sessions).where(sessions.c.token_hash == who.token_hash))

    await web.store.write(work)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")

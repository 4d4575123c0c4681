"""Tokens of other systems: made and ended by an administrator, shown once, kept as a hash; each use leaves a line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import insert, select, update

from cti.store.db import Statements
from cti.store.sinks_tables import api_tokens, api_uses
from cti.web.context import AdminDep, Web, WebDep, hash_token
from cti.web.problems import Problem

router = APIRouter(prefix="/tokens", tags=["tokens"])
PREFIX = "cti_"
NAME = r"^[A-Za-z][A-Za-z0-9_.-]{0,15}$"
"""What other systems are called: never the number of a person, and as short as one."""
MOST_USES = 100


class Scope(StrEnum):
    """What a token may do."""

    OPEN = "stub:open"
    REPLY = "reply:report"
    CALLBACK = "callback:ask"


@dataclass(frozen=True, slots=True)
class Bearer:
    """The other system behind a request."""

    token_id: str
    name: str


class NeedsToken:
    """A dependency that lets in a token with *scope*, and nobody else: no cookie is looked at.

    Raises:
        Problem: ``bad_token``, ``scope``, or ``throttled`` with Retry-After.
    """

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    async def __call__(self, request: Request, web: WebDep) -> Bearer:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        found = await _found(web, token) if kind == "Bearer" and token.startswith(PREFIX) else None
        wait_s = web.token_rate.wait_s(found.token_id if found else "")
        if wait_s:
            raise Problem("throttled", headers={"Retry-After": str(wait_s)})
        if found is None:
            raise Problem("bad_token", headers={"WWW-Authenticate": "Bearer"})
        if self.scope not in found.scopes:
            await used(web, Bearer(found.token_id, found.name), self.scope, "scope")
            raise Problem("scope")
        return Bearer(found.token_id, found.name)


async def _found(web: Web, token: str) -> Any:
    query = select(api_tokens).where(api_tokens.c.token_hash == hash_token(token), api_tokens.c.ended_at.is_(None))
    async with web.store.read() as connection:
        return (await connection.execute(query)).one_or_none()


async def used(web: Web, who: Bearer, action: str, outcome: str, subject: str = "") -> None:
    """Write that *who* asked for *action*, and what came of it."""
    now = web.clock.now()
    row = {"token_id": who.token_id, "at": now, "action": action, "outcome": outcome[:40], "subject": subject[:80]}

    async def work(connection: Statements) -> None:
        await connection.execute(insert(api_uses), [row])
        mine = update(api_tokens).where(api_tokens.c.token_id == who.token_id)
        await connection.execute(mine.values(last_used_at=now))

    await web.store.write(work)


class NewToken(BaseModel):
    """Whom a token is for, and what it may do."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(pattern=NAME)]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=3)]


class TokenView(BaseModel):
    """A token without what it is made of. Times are aware UTC."""

    token_id: str
    name: str
    scopes: list[str]
    created_at: datetime
    created_by: str
    ended_at: datetime | None
    ended_by: str | None
    last_used_at: datetime | None


class TokenMade(TokenView):
    """A new token, the only time that it is shown."""

    token: str


class UseView(BaseModel):
    """One use: what was asked, and ``ok`` or the code of the refusal."""

    at: datetime
    action: str
    outcome: str
    subject: str


@router.get("")
async def listed(_who: AdminDep, web: WebDep) -> list[TokenView]:
    """Every token, also those that have ended."""
    async with web.store.read() as connection:
        query = select(api_tokens).order_by(api_tokens.c.created_at.desc())
        return [_view(row) for row in (await connection.execute(query)).mappings()]


@router.post("", status_code=201)
async def add(body: NewToken, who: AdminDep, web: WebDep) -> TokenMade:
    """Make one. What it answers is shown this once: only a hash is kept."""
    now, token = web.clock.now(), PREFIX + web.tokens()
    row: dict[str, Any] = {
        "token_id": new_id(web, "k"), "name": body.name, "token_hash": hash_token(token),
        "scopes": sorted(set(body.scopes)), "created_at": now, "created_by": who.number, "ended_at": None,
        "ended_by": None, "last_used_at": None,
    }  # fmt: skip
    await web.store.write(lambda connection: connection.execute(insert(api_tokens), [row]))
    return TokenMade(token=token, **_view(row).model_dump())


@router.delete("/{token_id}", status_code=204)
async def end(token_id: str, who: AdminDep, web: WebDep) -> None:
    """End one, at once; it cannot be brought back."""
    one = update(api_tokens).where(api_tokens.c.token_id == token_id, api_tokens.c.ended_at.is_(None))
    over = one.values(ended_at=web.clock.now(), ended_by=who.number)
    if not (await web.store.write(lambda connection: connection.execute(over))).rowcount:
        raise Problem("not_found")


@router.get("/{token_id}/uses")
async def uses(token_id: str, _who: AdminDep, web: WebDep) -> list[UseView]:
    """Its newest uses."""
    query = select(api_uses).where(api_uses.c.token_id == token_id).order_by(api_uses.c.use_id.desc()).limit(MOST_USES)
    async with web.store.read() as connection:
        rows = (await connection.execute(query)).mappings()
        return [UseView(**{name: row[name] for name in UseView.model_fields}) for row in rows]


def new_id(web: Web, prefix: str) -> str:
    """An id that nobody can guess: 100 random bits."""
    return f"{prefix}-{web.tokens()[:20]}"


def _view(row: Mapping[Any, Any]) -> TokenView:
    return TokenView(**{name: row[name] for name in TokenView.model_fields})

"""Administration of sinks: who hears what happens, how well that goes, and webhooks made, changed, rotated, ended.

Subscriptions are rows and not settings: a sink may end its own (410), a secret is rotated while calls run, and neither
can wait for somebody with a shell. Zammad is in the settings: there is one, and its address is a secret.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from cti.bus import webhooks
from cti.store import sinks as rows
from cti.store.db import Statements
from cti.store.sinks import Sink
from cti.store.sinks_tables import sinks
from cti.web.context import AdminDep, Web, WebDep
from cti.web.problems import Problem
from cti.web.tokens import NAME, new_id

router = APIRouter(prefix="/sinks", tags=["sinks"])
SHOWN_TRIES = 50


class NewWebhook(BaseModel):
    """Where to tell, and what. ``with_numbers`` grants callers' numbers to it."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(pattern=NAME)]
    url: Annotated[str, Field(min_length=1, max_length=webhooks.LONGEST_URL)]
    kinds: Annotated[list[str], Field(min_length=1, max_length=40)]
    with_numbers: bool = False


class WebhookChange(BaseModel):
    """What is to be different."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, Field(min_length=1, max_length=webhooks.LONGEST_URL)] | None = None
    kinds: Annotated[list[str], Field(min_length=1, max_length=40)] | None = None
    with_numbers: bool | None = None


class TryView(BaseModel):
    """One try: an HTTP status, or a word for why there was none."""

    at: datetime
    seq: int
    kind: str
    status: str
    took_ms: int


class SinkView(BaseModel):
    """A sink. Times are aware UTC.

    ``state``: ``up``, ``failing`` or ``ended``; ``owed``: messages that it has yet to take; ``given_up``: those that it
    would not have, which can be told again.
    """

    sink_id: str
    kind: str
    name: str
    url: str | None
    kinds: list[str]
    with_numbers: bool
    state: str
    created_at: datetime
    created_by: str | None
    ended_at: datetime | None
    end_reason: str | None
    failing_since: datetime | None
    last_success_at: datetime | None
    last_status: str | None
    owed: int
    given_up: int
    tries: list[TryView]


class SecretMade(BaseModel):
    """A new signing secret, the only time that it is shown."""

    sink_id: str
    secret: str


@router.get("")
async def listed(_who: AdminDep, web: WebDep) -> list[SinkView]:
    """Every sink with its newest tries, also those that have ended. No secret, and not Zammad's address."""
    async with web.store.read() as connection:
        query = select(sinks).order_by(sinks.c.ended_at.is_not(None), sinks.c.created_at.desc())
        found = [rows.sink_of(row) for row in (await connection.execute(query)).mappings()]
        owed = await rows.counts(connection)
        tries = await rows.tries_of(connection, [sink.sink_id for sink in found], SHOWN_TRIES)
    return [_view(sink, owed.get(sink.sink_id, (0, 0)), tries[sink.sink_id]) for sink in found]


@router.post("", status_code=201)
async def add(body: NewWebhook, who: AdminDep, web: WebDep) -> SecretMade:
    """Subscribe. It hears what happens from now on; the answer's secret is shown this once."""
    url = webhooks.taken_url(body.url, web.settings.webhooks.hosts)
    kinds, secret, now = tuple(webhooks.taken_kinds(body.kinds)), _secret(web), web.clock.now()
    sink_id = new_id(web, "w")

    async def work(connection: Statements) -> None:
        seq = await rows.last_seq(connection)
        sink = Sink(
            sink_id, "webhook", body.name, url, kinds, body.with_numbers, secret, None, None, seq, now, who.number
        )
        await rows.put_sink(connection, sink)

    await web.store.write(work)
    web.sinks_changed()
    return SecretMade(sink_id=sink_id, secret=secret)


@router.put("/{sink_id}", status_code=204)
async def change(sink_id: str, body: WebhookChange, _who: AdminDep, web: WebDep) -> None:
    """Another address, other kinds, numbers granted or taken back."""
    sink = await _webhook(web, sink_id)
    url = sink.url if body.url is None else webhooks.taken_url(body.url, web.settings.webhooks.hosts)
    kinds = sink.kinds if body.kinds is None else tuple(webhooks.taken_kinds(body.kinds))
    numbers = sink.with_numbers if body.with_numbers is None else body.with_numbers
    await _put(web, replace(sink, url=url, kinds=kinds, with_numbers=numbers))


@router.post("/{sink_id}/secret", status_code=201)
async def rotate(sink_id: str, _who: AdminDep, web: WebDep) -> SecretMade:
    """A new secret. For a day the former one signs too, so that the other side can change over."""
    sink, now = await _webhook(web, sink_id), web.clock.now()
    until = now + webhooks.BOTH_SIGN_FOR
    made = replace(sink, secret=_secret(web), former_secret=sink.secret, former_until=until)
    await _put(web, made)
    return SecretMade(sink_id=sink_id, secret=str(made.secret))


@router.post("/{sink_id}/again")
async def again(sink_id: str, _who: AdminDep, web: WebDep) -> dict[str, int]:
    """Tell anew what was given up; answers how many messages that are."""
    count = await web.store.write(lambda connection: rows.again(connection, sink_id, web.clock.now()))
    web.sinks_changed()
    return {"owed": count}


@router.delete("/{sink_id}", status_code=204)
async def end(sink_id: str, _who: AdminDep, web: WebDep) -> None:
    """End a subscription; what it was owed is dropped."""
    await _webhook(web, sink_id)
    await web.store.write(lambda connection: rows.end_sink(connection, sink_id, web.clock.now(), "admin"))
    web.sinks_changed()


async def _webhook(web: Web, sink_id: str) -> Sink:
    """The open subscription. Raises Problem ``not_found``."""
    async with web.store.read() as connection:
        found = {sink.sink_id: sink for sink in await rows.open_sinks(connection) if sink.kind == "webhook"}
    if sink_id not in found:
        raise Problem("not_found")
    return found[sink_id]


async def _put(web: Web, sink: Sink) -> None:
    await web.store.write(lambda connection: rows.put_sink(connection, sink))
    web.sinks_changed()


def _secret(web: Web) -> str:
    return webhooks.new_secret(hashlib.sha256((web.tokens() + web.tokens()).encode()).digest())


def _view(sink: Sink, owed: tuple[int, int], tries: list[dict[str, Any]]) -> SinkView:
    state = "ended" if sink.ended_at else "failing" if sink.failing_since else "up"
    kept = {name: getattr(sink, name) for name in SinkView.model_fields if name in Sink.__slots__}
    shown = [TryView(**{name: one[name] for name in TryView.model_fields}) for one in tries]
    return SinkView(**{**kept, "kinds": list(sink.kinds)}, state=state, owed=owed[0], given_up=owed[1], tries=shown)

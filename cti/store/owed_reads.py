"""What is owed, drawn, said and listed, as the pages read it. Every function takes a connection, changes nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

from pydantic import AwareDatetime, BaseModel
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.store.owed_tables import callback_results, callback_steps, draws, owed_tickets, supervised_tickets
from cti.store.tables import attempts, callbacks, recordings
from queues.sampling import commitment, list_hash, replayed

MOST = 500
View = TypeVar("View", bound=BaseModel)


class Stands(BaseModel):
    """How a callback stands; no number, no words. Times are aware UTC."""

    callback_id: str
    ticket_id: str | None
    joined: list[str]
    source: str
    kind: str | None
    mandatory: bool
    state: str
    agent: str
    due_at: AwareDatetime | None
    deadline: AwareDatetime | None
    appointment_at: AwareDatetime | None
    result: str | None
    closed_at: AwareDatetime | None


class Step(BaseModel):
    """One step about a callback. ``detail`` may be people's words."""

    at: AwareDatetime
    by: str
    act: str
    detail: str


class Verdict(BaseModel):
    """What came of one ticket: mandatory, pool, refused or nothing; ``articles`` as they are cited."""

    ticket_id: str
    round: int
    at: AwareDatetime
    kind: str | None
    verdict: str
    code: str
    articles: list[str]
    draw_id: str | None
    callback_id: str | None


class DrawView(BaseModel):
    """One list and its draw. While it is open: who was drawn already and the commitment, never the secret.

    ``checked``: whether the draw, made anew from what stands here, is the one that was carried out; None while open.
    """

    draw_id: str
    pool: str
    percent: int
    at_once: bool
    opened_at: AwareDatetime
    closes_at: AwareDatetime
    closed_at: AwareDatetime | None
    commitment: str
    list_hash: str | None
    secret: str | None
    listed: list[str]
    drawn: list[str]
    checked: bool | None


class Supervised(BaseModel):
    """A ticket under listed supervision (挂牌督办)."""

    ticket_id: str
    since: AwareDatetime
    times: int
    callback_id: str
    lifted_at: AwareDatetime | None
    lifted_by: str | None
    lift_reason: str


class Dissatisfied(BaseModel):
    """One dissatisfied answer, with its recording and every step (HZ 第三十五条, 第三十六条)."""

    callback_id: str
    ticket_id: str | None
    channel_id: str
    at: AwareDatetime
    by: str
    cause: str
    text: str
    ordinal: int | None
    """Which attempt of the callback it was."""
    recording: str | None
    """How the recording of the conversation stands: ok, repaired, expected, short, missing."""
    steps: list[Step]


async def stands(connection: AsyncConnection, pbx_id: str, callback_id: str) -> Stands | None:
    """One callback, or None."""
    which = (callbacks.c.pbx_id == pbx_id) & (callbacks.c.callback_id == callback_id)
    row = (await connection.execute(select(callbacks).where(which))).mappings().one_or_none()
    return None if row is None else Stands(**{name: row[name] for name in Stands.model_fields})


async def steps_of(connection: AsyncConnection, callback_ids: list[str]) -> dict[str, list[Step]]:
    """Every step of each callback, the first one first."""
    found: dict[str, list[Step]] = {callback_id: [] for callback_id in callback_ids}
    s = callback_steps.c
    query = select(callback_steps).where(s.callback_id.in_(callback_ids)).order_by(s.at, s.step_id)
    for row in (await connection.execute(query)).mappings():
        found[row["callback_id"]].append(Step(**{name: row[name] for name in Step.model_fields}))
    return found


async def verdicts(connection: AsyncConnection, pbx_id: str, since: datetime, until: datetime) -> list[Verdict]:
    """What came of the tickets of that time, the newest first; at most 500."""
    o = owed_tickets.c
    query = select(owed_tickets).where(o.pbx_id == pbx_id, o.at >= since, o.at < until)
    return await _listed(connection, query.order_by(o.at.desc()), Verdict)


async def supervised_list(connection: AsyncConnection, pbx_id: str, lifted: bool) -> list[Supervised]:
    """Tickets under supervision, the longest first; or those that were."""
    s = supervised_tickets.c
    which = s.lifted_at.is_not(None) if lifted else s.lifted_at.is_(None)
    query = select(supervised_tickets).where(s.pbx_id == pbx_id, which).order_by(s.since)
    return await _listed(connection, query, Supervised)


async def draw_list(connection: AsyncConnection, pbx_id: str) -> list[DrawView]:
    """The newest lists first; at most 500."""
    query = select(draws).where(draws.c.pbx_id == pbx_id).order_by(draws.c.opened_at.desc()).limit(MOST)
    return [_draw(dict(row)) for row in (await connection.execute(query)).mappings()]


async def draw_view(connection: AsyncConnection, pbx_id: str, draw_id: str) -> DrawView | None:
    """One list, or None."""
    query = select(draws).where(draws.c.pbx_id == pbx_id, draws.c.draw_id == draw_id)
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else _draw(dict(row))


async def dissatisfied(
    connection: AsyncConnection, pbx_id: str, since: datetime, until: datetime
) -> list[Dissatisfied]:
    """Every dissatisfied answer of that time, by cause; at most 500."""
    r = callback_results.c
    state = recordings.c.state.label("recording")
    query = (
        select(callback_results, attempts.c.ordinal, state)
        .join(callbacks, callbacks.c.callback_id == r.callback_id)
        .outerjoin(attempts, attempts.c.channel_id == r.channel_id)
        .outerjoin(recordings, recordings.c.call_id == r.channel_id)
        .where(callbacks.c.pbx_id == pbx_id, r.what == "dissatisfied", r.at >= since, r.at < until)
        .order_by(r.cause, r.at)
        .limit(MOST)
    )
    rows = (await connection.execute(query)).mappings().all()
    steps = await steps_of(connection, [row["callback_id"] for row in rows])
    names = [name for name in Dissatisfied.model_fields if name != "steps"]
    return [Dissatisfied(**{name: row[name] for name in names}, steps=steps[row["callback_id"]]) for row in rows]


async def _listed(connection: AsyncConnection, query: Select[Any], view: type[View]) -> list[View]:
    rows = (await connection.execute(query.limit(MOST))).mappings()
    return [view(**{name: row[name] for name in view.model_fields}) for row in rows]


def _draw(row: dict[str, Any]) -> DrawView:
    checked = None
    if row["closed_at"] is None:
        row["secret"] = None
    else:
        again = replayed(row["secret"], row["percent"], row["at_once"], row["listed"])
        published = (commitment(row["secret"]), list_hash(row["listed"]))
        checked = (sorted(again), *published) == (sorted(row["drawn"]), row["commitment"], row["list_hash"])
    return DrawView(**{name: row[name] for name in DrawView.model_fields if name != "checked"}, checked=checked)

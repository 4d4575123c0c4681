"""The callback desk as its page reads it. Every function takes a connection and changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.store.sinks_tables import replies
from cti.store.stub_tables import stubs
from cti.store.tables import attempts, callbacks, recordings, tickets
from queues.desk import level

MOST = 200  # callbacks in one answer: every page of the desk asks again with each change
_OPEN = callbacks.c.closed_at.is_(None)
_NEXT = func.coalesce(callbacks.c.appointment_at, callbacks.c.due_at, callbacks.c.deadline, callbacks.c.requested_at)


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One attempt. Times are aware UTC."""

    ordinal: int
    agent: str
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    outcome: str


@dataclass(frozen=True, slots=True)
class DeskView:
    """A callback on the desk. Times are aware UTC.

    Attributes:
        number: the caller's, masked for whoever may not see it.
        agent: who has claimed it; empty while nobody has.
        level: a value of queues.desk.Level; None once it is closed.
        recording: the state of the ticket's recording; None when it has none.
        replies: how often the responsible unit has answered.
    """

    callback_id: str
    ticket_id: str | None
    number: str
    agent: str
    state: str
    source: str
    kind: str | None
    mandatory: bool
    requested_at: datetime
    due_at: datetime | None
    deadline: datetime | None
    appointment_at: datetime | None
    closed_at: datetime | None
    by_key: bool
    joined: list[str]
    result: str | None
    close_reason: str
    override_by: str | None
    override_reason: str
    unit: str | None
    area: str | None
    recording: str | None
    replies: int
    level: str | None = None
    attempts: tuple[AttemptView, ...] = ()


async def open_ones(connection: AsyncConnection, pbx_id: str, agent: str, now: datetime) -> list[DeskView]:
    """Open callbacks: those that *agent* has claimed first, then by the time at which each is due."""
    order = ((callbacks.c.agent != agent) if agent else callbacks.c.callback_id == "", _NEXT)
    return await _views(connection, pbx_id, _OPEN, order, now)


async def appointments(connection: AsyncConnection, pbx_id: str, now: datetime) -> list[DeskView]:
    """Open callbacks with an agreed time, the next first."""
    agreed = _OPEN & callbacks.c.appointment_at.is_not(None)
    return await _views(connection, pbx_id, agreed, (callbacks.c.appointment_at,), now)


async def one(connection: AsyncConnection, pbx_id: str, callback_id: str, now: datetime) -> DeskView | None:
    """One callback, open or not, or None."""
    found = await _views(connection, pbx_id, callbacks.c.callback_id == callback_id, (_NEXT,), now)
    return found[0] if found else None


async def heard_for(connection: AsyncConnection, pbx_id: str, ticket_id: str, agent: str | None) -> str | None:
    """The callback about the ticket that lets *agent* hear its call: his own, not yet ended.

    Any callback about it when *agent* is None.
    """
    query = select(callbacks.c.callback_id).where(callbacks.c.pbx_id == pbx_id, _about(ticket_id))
    if agent is not None:
        unsaid = callbacks.c.state.in_(("due", "placing")) | and_(
            callbacks.c.state == "reached", callbacks.c.result.is_(None)
        )
        query = query.where(callbacks.c.agent == agent, unsaid)
    found = await connection.scalar(query.order_by(callbacks.c.requested_at.desc()).limit(1))
    return None if found is None else str(found)


def callbacks_between(pbx_id: str, since: datetime, until: datetime) -> Select[Any]:
    """Callbacks asked for from *since* to before *until* (aware): a row for each attempt, one for those never tried."""
    c, a = callbacks.c, attempts.c
    of_attempt = (a.ordinal, a.started_at, a.answered_at, a.ended_at, a.outcome, a.agent.label("dialled_by"))
    return (
        select(callbacks, stubs.c.unit, *of_attempt)
        .select_from(
            callbacks.outerjoin(attempts, a.callback_id == c.callback_id)
            .outerjoin(stubs, stubs.c.ticket_id == c.ticket_id)
        )
        .where(c.pbx_id == pbx_id, c.requested_at >= since, c.requested_at < until)
        .order_by(c.requested_at, c.callback_id, a.ordinal)
    )  # fmt: skip


def _about(ticket_id: str) -> ColumnElement[bool]:
    joined = func.json_each(callbacks.c.joined).table_valued("value")
    return or_(callbacks.c.ticket_id == ticket_id, select(joined.c.value).where(joined.c.value == ticket_id).exists())


async def _views(
    connection: AsyncConnection, pbx_id: str, which: ColumnElement[bool], order: Sequence[Any], now: datetime
) -> list[DeskView]:
    c = callbacks.c
    answers = select(func.count()).where(replies.c.ticket_id == c.ticket_id)
    joined = (
        callbacks.outerjoin(tickets, tickets.c.ticket_id == c.ticket_id)
        .outerjoin(stubs, stubs.c.ticket_id == c.ticket_id)
        .outerjoin(recordings, and_(recordings.c.pbx_id == tickets.c.pbx_id, recordings.c.call_id == tickets.c.call_id))
    )
    query = (
        select(
            callbacks, stubs.c.unit, stubs.c.area, recordings.c.state.label("recording"),
            answers.scalar_subquery().label("replies"),
        )
        .select_from(joined)
        .where(c.pbx_id == pbx_id, which)
        .order_by(*order, c.callback_id)
        .limit(MOST)
    )  # fmt: skip
    found = {row["callback_id"]: _view(row, now) for row in (await connection.execute(query)).mappings()}
    made = select(attempts).where(attempts.c.callback_id.in_(list(found))).order_by(attempts.c.ordinal)
    for row in (await connection.execute(made)).mappings():
        attempt = AttemptView(**{name: row[name] for name in AttemptView.__slots__})
        view = found[row["callback_id"]]
        found[row["callback_id"]] = replace(view, attempts=(*view.attempts, attempt))
    return list(found.values())


def _view(row: RowMapping, now: datetime) -> DeskView:
    values = {name: row[name] for name in DeskView.__slots__ if name not in ("level", "attempts")}
    urgent = None if row["closed_at"] else level(row["due_at"], row["deadline"], row["appointment_at"], now).value
    return DeskView(**values, level=urgent)

"""The callback desk as its page reads it. Every function takes a connection and changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, and_, func, select
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
    """One attempt. Times are aware UTC.

    Attributes:
        recording: the state of the conversation's recording; None when it has none.
    """

    ordinal: int
    agent: str
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    outcome: str
    recording: str | None


@dataclass(frozen=True, slots=True)
class MatterView:
    """One of the tickets that are called back about in one conversation (QD 第十二条（四）).

    Attributes:
        recording: the state of the recording of its call; None when it has none.
        replies: how often the responsible unit has answered.
    """

    ticket_id: str
    recording: str | None
    replies: int


@dataclass(frozen=True, slots=True)
class DeskView:
    """A callback on the desk. Times are aware UTC.

    Attributes:
        number: the caller's, masked for whoever may not see it.
        agent: who has claimed it; empty while nobody has.
        level: a value of queues.desk.Level; None once it is closed.
        matters: its tickets, the first one first.
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
    level: str | None = None
    attempts: tuple[AttemptView, ...] = ()
    matters: tuple[MatterView, ...] = ()


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


async def _views(
    connection: AsyncConnection, pbx_id: str, which: ColumnElement[bool], order: Sequence[Any], now: datetime
) -> list[DeskView]:
    c = callbacks.c
    query = (
        select(callbacks, stubs.c.unit, stubs.c.area)
        .select_from(callbacks.outerjoin(stubs, stubs.c.ticket_id == c.ticket_id))
        .where(c.pbx_id == pbx_id, which)
        .order_by(*order, c.callback_id)
        .limit(MOST)
    )
    found = {row["callback_id"]: _view(row, now) for row in (await connection.execute(query)).mappings()}
    named = {view.callback_id: _tickets(view) for view in found.values()}
    matters = await _matters(connection, {ticket_id for names in named.values() for ticket_id in names})
    made = await _attempts(connection, pbx_id, found)
    return [
        replace(
            view,
            attempts=made[callback_id],
            matters=tuple(matters.get(name, MatterView(name, None, 0)) for name in named[callback_id]),
        )
        for callback_id, view in found.items()
    ]


def _tickets(view: DeskView) -> list[str]:
    return [name for name in (view.ticket_id, *view.joined) if name]


async def _matters(connection: AsyncConnection, ticket_ids: set[str]) -> dict[str, MatterView]:
    answers = select(func.count()).where(replies.c.ticket_id == tickets.c.ticket_id).scalar_subquery()
    same = and_(recordings.c.pbx_id == tickets.c.pbx_id, recordings.c.call_id == tickets.c.call_id)
    query = (
        select(tickets.c.ticket_id, recordings.c.state, answers)
        .select_from(tickets.outerjoin(recordings, same))
        .where(tickets.c.ticket_id.in_(ticket_ids))
    )
    return {row[0]: MatterView(*row) for row in await connection.execute(query)}


async def _attempts(
    connection: AsyncConnection, pbx_id: str, callback_ids: Iterable[str]
) -> dict[str, tuple[AttemptView, ...]]:
    a = attempts.c
    same = and_(recordings.c.pbx_id == pbx_id, recordings.c.call_id == a.channel_id)
    query = (
        select(attempts, recordings.c.state.label("recording"))
        .select_from(attempts.outerjoin(recordings, same))
        .where(a.callback_id.in_(list(callback_ids)))
        .order_by(a.ordinal)
    )
    made: dict[str, tuple[AttemptView, ...]] = dict.fromkeys(callback_ids, ())
    for row in (await connection.execute(query)).mappings():
        made[row["callback_id"]] += (AttemptView(**{name: row[name] for name in AttemptView.__slots__}),)
    return made


def _view(row: RowMapping, now: datetime) -> DeskView:
    values = {name: row[name] for name in DeskView.__slots__ if name not in ("level", "attempts", "matters")}
    urgent = None if row["closed_at"] else level(row["due_at"], row["deadline"], row["appointment_at"], now).value
    return DeskView(**values, level=urgent)

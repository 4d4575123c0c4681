"""Which recordings somebody may hear: of whom he calls back, while that is his. Every function changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.store.tables import attempts, callbacks, recordings

MOST = 50  # conversations about one ticket


@dataclass(frozen=True, slots=True)
class TalkView:
    """A conversation of a callback. Times are aware UTC.

    Attributes:
        recording: the state of its recording.
    """

    callback_id: str
    ordinal: int
    agent: str
    answered_at: datetime | None
    recording: str


async def heard_for(connection: AsyncConnection, pbx_id: str, ticket_id: str, agent: str | None) -> str | None:
    """The callback about the ticket that lets *agent* hear its call: his own, not yet ended.

    Any callback about it when *agent* is None.
    """
    query = select(callbacks.c.callback_id).where(callbacks.c.pbx_id == pbx_id, _about(ticket_id), *_his(agent))
    found = await connection.scalar(query.order_by(callbacks.c.requested_at.desc()).limit(1))
    return None if found is None else str(found)


async def talk_heard(
    connection: AsyncConnection, pbx_id: str, callback_id: str, ordinal: int, agent: str | None
) -> Row[Any, Any] | None:
    """(channel id, ticket id) of one attempt of a callback, when *agent* may hear it; a lead's *agent* is None."""
    query = (
        select(attempts.c.channel_id, callbacks.c.ticket_id)
        .join(callbacks, callbacks.c.callback_id == attempts.c.callback_id)
        .where(
            callbacks.c.pbx_id == pbx_id, callbacks.c.callback_id == callback_id, attempts.c.ordinal == ordinal,
            *_his(agent),
        )
    )  # fmt: skip
    return (await connection.execute(query)).one_or_none()


async def talks_heard(connection: AsyncConnection, pbx_id: str, ticket_id: str, agent: str | None) -> list[TalkView]:
    """Recorded conversations about the ticket that *agent* may hear, the newest first; a lead's *agent* is None."""
    a = attempts.c
    query = (
        select(a.callback_id, a.ordinal, a.agent, a.answered_at, recordings.c.state)
        .join(callbacks, callbacks.c.callback_id == a.callback_id)
        .join(recordings, and_(recordings.c.pbx_id == callbacks.c.pbx_id, recordings.c.call_id == a.channel_id))
        .where(callbacks.c.pbx_id == pbx_id, _about(ticket_id), *_his(agent))
        .order_by(a.started_at.desc())
        .limit(MOST)
    )
    return [TalkView(*row) for row in await connection.execute(query)]


def _his(agent: str | None) -> tuple[ColumnElement[bool], ...]:
    """Of his own callbacks those that are not ended yet, or of which he has not said what came of them."""
    if agent is None:
        return ()
    unsaid = and_(callbacks.c.state == "reached", callbacks.c.result.is_(None))
    return callbacks.c.agent == agent, or_(callbacks.c.state.in_(("due", "placing")), unsaid)


def _about(ticket_id: str) -> ColumnElement[bool]:
    joined = func.json_each(callbacks.c.joined).table_valued("value")
    return or_(callbacks.c.ticket_id == ticket_id, select(joined.c.value).where(joined.c.value == ticket_id).exists())

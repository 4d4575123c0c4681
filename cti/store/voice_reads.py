"""Ratings and outage notices as the pages read them. Every function takes a connection and changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.store.survey_tables import outages, ratings

MOST = 200  # notices in one answer


@dataclass(frozen=True, slots=True)
class RatingView:
    """What the caller pressed after the conversation: 1 satisfied, 2 neutral, 3 dissatisfied. ``at`` is aware UTC."""

    rating: int
    agent: str
    at: datetime


@dataclass(frozen=True, slots=True)
class OutageView:
    """One outage notice. Times are aware UTC; ``area`` is "" for everywhere; ``closed_by`` is empty at its own end."""

    outage_id: str
    area: str
    kind: str
    text: str
    from_at: datetime
    until: datetime
    said_from: datetime
    put_by: str
    put_at: datetime
    closed_at: datetime | None
    closed_by: str | None


async def rating_of(connection: AsyncConnection, pbx_id: str, call_id: str) -> RatingView | None:
    """The caller's rating of a call, or None."""
    query = select(ratings.c.rating, ratings.c.agent, ratings.c.at)
    row = (await connection.execute(query.where(ratings.c.pbx_id == pbx_id, ratings.c.call_id == call_id))).first()
    return None if row is None else RatingView(row.rating, row.agent, row.at)


async def outage_list(connection: AsyncConnection, pbx_id: str, closed: bool) -> list[OutageView]:
    """Open notices, the newest first; or closed ones."""
    over = outages.c.closed_at.is_not(None) if closed else outages.c.closed_at.is_(None)
    query = select(outages).where(outages.c.pbx_id == pbx_id, over)
    rows = await connection.execute(query.order_by(outages.c.put_at.desc(), outages.c.outage_id).limit(MOST))
    return [OutageView(**{name: row[name] for name in OutageView.__slots__}) for row in rows.mappings()]

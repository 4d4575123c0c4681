"""Surges as the pages read them. Every function takes a connection and changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.store.stub_tables import stubs
from cti.store.surge_tables import surge_tickets, surges
from queues.surge import By, Key, suggestion

MOST = 50  # surges in one answer


@dataclass(frozen=True, slots=True)
class GroupedView:
    """A ticket of a group. Times are aware UTC."""

    ticket_id: str
    kind: str | None
    area: str | None
    opened_at: datetime
    joined_at: datetime
    out_at: datetime | None
    out_by: str | None


@dataclass(frozen=True, slots=True)
class SurgeView:
    """A surge with its group. ``notice``: the words that are suggested for an outage notice of ``notice_area``."""

    surge_id: str
    by: str
    code: str
    began_at: datetime
    ended_at: datetime | None
    most: int
    tickets: list[GroupedView]
    notice_area: str
    notice: str


async def surge_list(
    connection: AsyncConnection, pbx_id: str, names: Mapping[str, str], closed: bool
) -> list[SurgeView]:
    """Surges that go on, or *closed* ones, the newest first. *names*: of the areas, in Chinese, by code."""
    u, g, s = surges.c, surge_tickets.c, stubs.c
    over = u.ended_at.is_not(None) if closed else u.ended_at.is_(None)
    rows = select(surges).where(u.pbx_id == pbx_id, over).order_by(u.began_at.desc(), u.surge_id).limit(MOST)
    found = []
    for row in (await connection.execute(rows)).mappings().all():
        group = (
            select(g.ticket_id, s.kind, s.area, s.opened_at, g.joined_at, g.out_at, g.out_by)
            .join(stubs, s.ticket_id == g.ticket_id)
            .where(g.surge_id == row["surge_id"])
            .order_by(s.opened_at, g.ticket_id)
        )
        tickets = [GroupedView(*one) for one in (await connection.execute(group)).all()]
        areas = [ticket.area for ticket in tickets if ticket.out_at is None]
        notice = suggestion(Key(By(row["by"]), row["code"]), areas, names)
        found.append(
            SurgeView(
                row["surge_id"], row["by"], row["code"], row["began_at"], row["ended_at"], row["most"], tickets,
                notice.area, notice.text,
            )
        )  # fmt: skip
    return found

"""Blocked numbers as the pages read them. Every function takes a connection and changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.store.nuisance_tables import blocks

MOST = 500  # in one answer


@dataclass(frozen=True, slots=True)
class BlockView:
    """One block. Times are aware UTC."""

    block_id: str
    number: str
    ticket_id: str
    asked_by: str
    asked_at: datetime
    reason: str
    state: str
    decided_by: str | None
    decided_at: datetime | None
    words: str
    until: datetime | None
    ended_at: datetime | None
    ended_by: str | None
    tries: int
    tried_at: datetime | None


async def blocks_list(connection: AsyncConnection, pbx_id: str, over: bool) -> list[BlockView]:
    """Those that are asked for or in force, the oldest first; or those that are over, the newest first."""
    b = blocks.c
    which = b.ended_at.is_not(None) if over else b.ended_at.is_(None)
    order = b.ended_at.desc() if over else b.asked_at
    query = select(*(b[name] for name in BlockView.__slots__)).where(b.pbx_id == pbx_id, which)
    rows = await connection.execute(query.order_by(order, b.block_id).limit(MOST))
    return [BlockView(**row) for row in rows.mappings()]

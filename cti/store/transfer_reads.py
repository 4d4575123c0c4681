"""Transfers as the pages read them. Every function takes a connection and changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.store.transfer_tables import transfers


@dataclass(frozen=True, slots=True)
class TransferView:
    """One transfer of a ticket's call. Times are aware UTC."""

    transfer_id: str
    agent: str
    how: str
    target_kind: str
    target: str
    by_phone: bool
    asked_at: datetime
    rang_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    state: str
    why: str


async def transfers_of(connection: AsyncConnection, ticket_id: str) -> list[TransferView]:
    """Every transfer of the ticket's call, in order."""
    columns = [transfers.c[name] for name in TransferView.__slots__]
    query = select(*columns).where(transfers.c.ticket_id == ticket_id)
    rows = await connection.execute(query.order_by(transfers.c.asked_at, transfers.c.transfer_id))
    return [TransferView(**row) for row in rows.mappings()]


async def is_transferred_to(connection: AsyncConnection, ticket_id: str, agent: str) -> bool:
    """Whether the caller of this ticket was brought to *agent*, who answered."""
    t = transfers.c
    to_him = (t.ticket_id == ticket_id) & (t.target_kind == "agent") & (t.target == agent)
    return bool((await connection.execute(select(exists().where(to_him, t.answered_at.is_not(None))))).scalar())

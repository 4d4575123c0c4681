"""The table of transfers."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, String, Table

from cti.store.tables import Instant, metadata

transfers = Table(
    "transfers", metadata,
    Column("transfer_id", String(40), primary_key=True),
    Column("pbx_id", String(32), nullable=False),
    Column("call_id", String(80), nullable=False),
    Column("ticket_id", String(40)),
    Column("agent", String(16), nullable=False),  # who handed the caller on
    Column("how", String(8), nullable=False),  # blind | consult
    Column("target_kind", String(8), nullable=False),  # agent | unit | unknown
    Column("target", String(40), nullable=False),  # work number, or the unit's code
    Column("by_phone", Boolean, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("rang_at", Instant),
    Column("answered_at", Instant),
    Column("ended_at", Instant),
    Column("state", String(16), nullable=False),
    Column("why", String(16), nullable=False),
    Column("consult_id", String(80)),  # the channel of the consultation, whose recording has this name
    Column("leg", String(80)),  # the target's own channel
    Index("transfers_by_call", "pbx_id", "call_id"),
    Index("transfers_by_ticket", "ticket_id", "target"),
    Index("transfers_open", "ended_at"),
)  # fmt: skip

"""The table of blocked numbers: who asked, who decided, until when, and how often the caller tried."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table

from cti.store.tables import Instant, metadata

blocks = Table(
    "blocks", metadata,
    Column("block_id", String(40), primary_key=True),
    Column("pbx_id", String(32), nullable=False),
    Column("number", String(32), nullable=False),
    Column("ticket_id", String(40), nullable=False),
    Column("asked_by", String(16), nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("reason", String(200), nullable=False),
    Column("state", String(16), nullable=False),  # asked | active | declined | ended | expired
    Column("decided_by", String(16)),
    Column("decided_at", Instant),
    Column("words", String(200), nullable=False),
    Column("until", Instant),
    Column("ended_at", Instant),
    Column("ended_by", String(16)),
    Column("tries", Integer, nullable=False),
    Column("tried_at", Instant),
    Index("blocks_open", "pbx_id", "ended_at"),
    Index("blocks_by_end", "until"),
)  # fmt: skip

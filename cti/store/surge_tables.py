"""The tables of surges: one row each, and one a ticket of its group. A ticket that was taken out keeps its row."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table

from cti.store.tables import Instant, metadata

surges = Table(
    "surges", metadata,
    Column("surge_id", String(40), primary_key=True),
    Column("pbx_id", String(32), nullable=False),
    Column("by", String(8), nullable=False),  # area | kind
    Column("code", String(40), nullable=False),
    Column("began_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("most", Integer, nullable=False),  # that counted at one time
    Index("surges_by_time", "pbx_id", "began_at"),
)  # fmt: skip

surge_tickets = Table(
    "surge_tickets", metadata,
    Column("surge_id", String(40), primary_key=True),
    Column("ticket_id", String(40), primary_key=True),
    Column("joined_at", Instant, nullable=False),
    Column("out_at", Instant),
    Column("out_by", String(16)),
)  # fmt: skip

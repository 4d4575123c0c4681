"""The table of what was done for callers who waited: one row a step and call, the evidence that it was done in time."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Index, Integer, String, Table

from cti.store.tables import Instant, metadata

escalations = Table(
    "escalations", metadata,
    Column("pbx_id", String(32), primary_key=True),
    Column("call_id", String(80), primary_key=True),
    Column("step", String(16), primary_key=True),  # lead | pool
    Column("at", Instant, nullable=False),
    Column("waited_ms", Integer, nullable=False),  # since the queue entry, by the caller's clock
    Column("asked", JSON, nullable=False),  # pool: the agents who were asked back
    Index("escalations_by_time", "pbx_id", "at"),
)  # fmt: skip

"""The table of callers who were turned away at the door, because all was full."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, String, Table

from cti.store.tables import Instant, metadata

shut_outs = Table(
    "shut_outs", metadata,
    Column("pbx_id", String(32), primary_key=True),
    Column("call_id", String(80), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("why", String(8), nullable=False),  # full | closed | lines
    Column("withheld", Boolean, nullable=False),  # the number itself is the duty's only
    Index("shut_outs_by_time", "pbx_id", "at"),
)  # fmt: skip

"""The table of missed callers."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Index, Integer, String, Table

from cti.store.tables import Instant, metadata

missed_calls = Table(
    "missed_calls", metadata,
    Column("missed_id", String(40), primary_key=True),
    Column("pbx_id", String(32), nullable=False),
    Column("number", String(32), nullable=False),
    Column("first_at", Instant, nullable=False),  # the age of the duty
    Column("last_at", Instant, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("latest", JSON, nullable=False),  # [call id, ISO 8601 moment] of the newest tries
    Column("state", String(16), nullable=False),  # open | came_through | reached | ended
    Column("claimed_by", String(16)),
    Column("claimed_at", Instant),
    Column("callback_id", String(40)),
    Column("callback_state", String(16)),
    Column("closed_at", Instant),
    Column("closed_by", String(16)),
    Column("end_reason", String(24)),
    Column("end_text", String(200), nullable=False),
    Index("missed_by_age", "closed_at", "first_at"),
)  # fmt: skip
Index(
    "one_open_duty_per_number", missed_calls.c.pbx_id, missed_calls.c.number, unique=True,
    sqlite_where=missed_calls.c.closed_at.is_(None),
)  # fmt: skip

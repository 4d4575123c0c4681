"""Tables of the findings, and of attendance, on which lateness and early leaving rest."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Index, String, Table, Text

from cti.store.tables import Instant, metadata

findings = Table(
    "findings", metadata,
    Column("finding_id", String(40), primary_key=True),
    Column("pbx_id", String(32), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("agent", String(16), nullable=False),
    Column("document", String(40), nullable=False),  # the article as it read when it was found
    Column("article", String(80), nullable=False),
    Column("wording", Text, nullable=False),
    Column("began_at", Instant, nullable=False),
    Column("ended_at", Instant),  # None while it goes on
    Column("found_at", Instant, nullable=False),
    Column("state", String(16), nullable=False),  # running | found | appealed | upheld | revoked
    Column("evidence", JSON, nullable=False),  # call ids and times, never a caller's number
    Column("steps", JSON, nullable=False),  # appeal and ruling: what, by, at, reason
    Index("findings_by_time", "began_at"),
    Index("findings_by_agent", "agent", "began_at"),
)  # fmt: skip

attendance = Table(
    "attendance", metadata,
    Column("pbx_id", String(32), primary_key=True),
    Column("agent", String(16), primary_key=True),
    Column("shift_id", String(80), primary_key=True),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("code", String(20), nullable=False),
    Column("seat", String(32)),
    Column("arrived_at", Instant),
    Column("signed_in_at", Instant),
    Column("ready_at", Instant),
    Column("signed_out_at", Instant),
    Column("out_allowed", Boolean, nullable=False),
    Index("attendance_by_start", "starts_at"),
)  # fmt: skip

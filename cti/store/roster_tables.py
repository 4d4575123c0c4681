"""Tables of the roster: shifts, and requests for leave and swaps with every step."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Index, String, Table, text

from cti.store.tables import Instant, metadata

shifts = Table(
    "shifts", metadata,
    Column("pbx_id", String(32), primary_key=True),
    Column("shift_id", String(40), primary_key=True),
    Column("agent", String(16), nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("code", String(16), nullable=False),
    Column("crew", String(16), nullable=False),
    Column("seat", String(32)),
    Column("extra", Boolean, nullable=False),
    Column("state", String(16), nullable=False),  # on | leave | swapped | off
    Column("changed_at", Instant, nullable=False),
    Column("changed_by", String(16), nullable=False),
    Column("reason", String(200), nullable=False),
    Index("shifts_by_start", "starts_at"),
    Index(
        "one_shift_at_a_start", "pbx_id", "agent", "starts_at", unique=True, sqlite_where=text("state = 'on'")
    ),
)  # fmt: skip

roster_requests = Table(
    "roster_requests", metadata,
    Column("pbx_id", String(32), primary_key=True),
    Column("request_id", String(40), primary_key=True),
    Column("kind", String(16), nullable=False),  # personal | sick | annual | swap
    Column("number", String(16), nullable=False),  # whose shift it is
    Column("shift_id", String(40), nullable=False),
    Column("starts_at", Instant, nullable=False),  # of the shift
    Column("partner", String(16)),
    Column("state", String(16), nullable=False),  # partner | pending | approved | declined | refused | withdrawn
    Column("stand_in", String(40)),  # the partner's own shift
    Column("steps", JSON, nullable=False),  # [{"kind", "at", "by", "reason"}, ...]
    Index("roster_requests_by_number", "number", "starts_at"),
    Index("roster_requests_by_start", "starts_at"),
)  # fmt: skip

"""The tables of the directory: units with their numbers, and the duty lists. What was taken out stays as evidence."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Index, String, Table

from cti.store.tables import Instant, metadata

units = Table(
    "units", metadata,
    Column("pbx_id", String(32), primary_key=True),
    Column("code", String(40), primary_key=True),
    Column("zh", String(40), nullable=False),
    Column("en", String(80), nullable=False),
    Column("role", String(16), nullable=False),  # emergency | specialist | outside
    Column("kinds", JSON, nullable=False),
    Column("areas", JSON, nullable=False),
    Column("numbers", JSON, nullable=False),  # [digits, "HH:MM" from, to], in the order in which they are tried
    Column("changed_by", String(16), nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("removed_at", Instant),
)  # fmt: skip

on_call = Table(
    "units_on_call", metadata,
    Column("entry_id", String(40), primary_key=True),
    Column("pbx_id", String(32), nullable=False),
    Column("unit", String(40), nullable=False),
    Column("number", String(32), nullable=False),
    Column("name", String(40), nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("changed_by", String(16), nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("removed_at", Instant),
    Index("units_on_call_by_end", "pbx_id", "ends_at"),
)  # fmt: skip

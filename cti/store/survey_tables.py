"""The tables of ratings and of outage notices."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table

from cti.store.tables import Instant, metadata

ratings = Table(
    "ratings", metadata,
    Column("pbx_id", String(32), primary_key=True),
    Column("call_id", String(80), primary_key=True),
    Column("agent", String(16), nullable=False),
    Column("rating", Integer, nullable=False),  # 1 satisfied, 2 neutral, 3 dissatisfied
    Column("at", Instant, nullable=False),
    Index("ratings_by_agent", "pbx_id", "agent", "at"),
)  # fmt: skip

outages = Table(
    "outages", metadata,
    Column("outage_id", String(40), primary_key=True),
    Column("pbx_id", String(32), nullable=False),
    Column("area", String(40), nullable=False),  # "" for everywhere
    Column("kind", String(16), nullable=False),  # sudden | planned
    Column("text", String(200), nullable=False),
    Column("from_at", Instant, nullable=False),
    Column("until", Instant, nullable=False),
    Column("said_from", Instant, nullable=False),
    Column("put_by", String(16), nullable=False),
    Column("put_at", Instant, nullable=False),
    Column("closed_at", Instant),
    Column("closed_by", String(16)),
    Index("outages_by_end", "pbx_id", "closed_at"),
)  # fmt: skip
Index(
    "one_notice_an_area", outages.c.pbx_id, outages.c.area, unique=True, sqlite_where=outages.c.closed_at.is_(None)
)  # fmt: skip

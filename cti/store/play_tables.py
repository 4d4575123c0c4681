"""Who heard which recording."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table

from cti.store.tables import Instant, metadata

plays = Table(  # one row for each part of a recording that was sent to somebody, written before it is sent
    "plays", metadata,
    Column("play_id", Integer, primary_key=True, autoincrement=True),
    Column("pbx_id", String(32), nullable=False),
    Column("call_id", String(80), nullable=False),  # whose recording
    Column("ticket_id", String(40), nullable=False),  # by which it was asked for
    Column("callback_id", String(40), nullable=False),  # which gave the right to hear it
    Column("by", String(16), nullable=False),
    Column("at", Instant, nullable=False),
    Column("first", BigInteger, nullable=False),  # bytes of the file, both sent
    Column("last", BigInteger, nullable=False),
    Index("plays_by_call", "pbx_id", "call_id"),
)  # fmt: skip

"""The tables of emergencies: one row each with every moment, one row a number that was tried, and who goes in front."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, Index, Integer, String, Table

from cti.store.tables import Instant, metadata

emergencies = Table(
    "emergencies", metadata,
    Column("emergency_id", String(40), primary_key=True),
    Column("pbx_id", String(32), nullable=False),
    Column("why", String(16), nullable=False),  # menu | caller | lead | kind | words
    Column("word", String(40), nullable=False),
    Column("call_id", String(80)),
    Column("ticket_id", String(40)),
    Column("kind", String(40)),
    Column("area", String(40)),
    Column("agent", String(16)),
    Column("raised_at", Instant, nullable=False),
    Column("joined_at", Instant),
    Column("offered_at", Instant),
    Column("answered_at", Instant),
    Column("call_ended_at", Instant),
    Column("dialled_at", Instant),
    Column("reached_at", Instant),
    Column("reached_unit", String(40)),
    Column("not_rung_at", Instant),
    Column("acknowledged_at", Instant),
    Column("acknowledged_by", String(16)),
    Column("note", String(200), nullable=False),
    Column("step", Integer, nullable=False),
    Column("due_mono", Float),
    Column("boot", String(64), nullable=False),
    Index("emergencies_by_time", "pbx_id", "raised_at"),
)  # fmt: skip

unit_calls = Table(
    "unit_calls", metadata,
    Column("channel_id", String(80), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("emergency_id", String(40), nullable=False),
    Column("agent", String(16), nullable=False),
    Column("unit", String(40), nullable=False),
    Column("number", String(32), nullable=False),
    Column("asked_at", Instant, nullable=False),  # the key
    Column("agent_at", Instant),  # the agent's phone was picked up
    Column("began_at", Instant),  # this number rang
    Column("ended_at", Instant),  # its ringing ended
    Column("outcome", String(16)),  # a value of queues.emergency.DialEnd; NULL: not yet
    Column("answered_at", Instant),  # of the dial: a number was answered
    Column("over_at", Instant),  # of the dial: the agent's leg is gone
    Column("held", Boolean, nullable=False),  # during the call, the caller held: channel_id is the transfer's id
    Index("unit_calls_by_emergency", "emergency_id"),
)  # fmt: skip

front_callers = Table(
    "front_callers", metadata,
    Column("pbx_id", String(32), primary_key=True),
    Column("number", String(32), primary_key=True),
    Column("reason", String(200), nullable=False),
    Column("changed_by", String(16), nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("removed_at", Instant),
)  # fmt: skip

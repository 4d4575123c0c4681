"""Where what happens is told to other systems (sinks), what they still owe to hear, and what they tell us."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Index, Integer, String, Table, Text

from cti.store.tables import Instant, metadata

sinks = Table(
    "sinks", metadata,
    Column("sink_id", String(40), primary_key=True),  # "zammad", or an id of ours
    Column("kind", String(16), nullable=False),  # zammad | webhook
    Column("name", String(40), nullable=False),
    Column("url", String(500)),  # None for Zammad: its address is a secret of the settings
    Column("kinds", JSON, nullable=False),  # of messages
    Column("with_numbers", Boolean, nullable=False),
    Column("secret", String(120)),  # whsec_…: it signs, so it is kept as it is
    Column("former_secret", String(120)),  # signs too until ``former_until``
    Column("former_until", Instant),
    Column("from_seq", Integer, nullable=False),  # hears what the outbox got after this number
    Column("created_at", Instant, nullable=False),
    Column("created_by", String(16)),
    Column("ended_at", Instant),
    Column("end_reason", String(16)),  # gone | failing | admin | off
    Column("failing_since", Instant),
    Column("last_success_at", Instant),
    Column("last_status", String(40)),
)  # fmt: skip

deliveries = Table(  # told and taken is deleted: what is here is owed, or was given up
    "deliveries", metadata,
    Column("sink_id", String(40), primary_key=True),
    Column("seq", Integer, primary_key=True),  # of the outbox
    Column("key", String(80), nullable=False),  # what keeps its order: mostly a call
    Column("kind", String(40), nullable=False),
    Column("body", Text, nullable=False),  # the same bytes at every try
    Column("due_at", Instant, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("given_up_at", Instant),
    Index("deliveries_in_order", "sink_id", "given_up_at", "key", "seq"),
)  # fmt: skip

sink_tries = Table(
    "sink_tries", metadata,
    Column("try_id", Integer, primary_key=True, autoincrement=True),
    Column("sink_id", String(40), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("at", Instant, nullable=False),
    Column("status", String(40), nullable=False),  # the HTTP status, or what kept us from getting one
    Column("took_ms", Integer, nullable=False),
    Index("sink_tries_by_time", "sink_id", "at"),
)  # fmt: skip

sink_calls = Table(  # how far a call has been told to a sink that wants each step once
    "sink_calls", metadata,
    Column("sink_id", String(40), primary_key=True),
    Column("call_id", String(80), primary_key=True),
    Column("stage", String(16), nullable=False),
    Column("at", Instant, nullable=False),
    Index("sink_calls_by_time", "at"),
)  # fmt: skip

api_tokens = Table(
    "api_tokens", metadata,
    Column("token_id", String(40), primary_key=True),
    Column("name", String(40), nullable=False),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("scopes", JSON, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String(16), nullable=False),
    Column("ended_at", Instant),
    Column("ended_by", String(16)),
    Column("last_used_at", Instant),
)  # fmt: skip

api_uses = Table(  # who used which token for what: never a caller's number or words
    "api_uses", metadata,
    Column("use_id", Integer, primary_key=True, autoincrement=True),
    Column("token_id", String(40), nullable=False),
    Column("at", Instant, nullable=False),
    Column("action", String(40), nullable=False),
    Column("outcome", String(40), nullable=False),
    Column("subject", String(80), nullable=False),
    Index("api_uses_by_time", "token_id", "at"),
)  # fmt: skip

replies = Table(  # what the responsible unit answered, as its own system reports it
    "replies", metadata,
    Column("token_id", String(40), primary_key=True),
    Column("request_key", String(60), primary_key=True),
    Column("ticket_id", String(40), nullable=False),
    Column("result", String(16), nullable=False),
    Column("text", String(1000), nullable=False),
    Column("at", Instant, nullable=False),  # when the unit answered, as it says
    Column("reported_at", Instant, nullable=False),
    Column("reported_by", String(40), nullable=False),  # the token's name
    Index("replies_by_ticket", "ticket_id", "at"),
)  # fmt: skip

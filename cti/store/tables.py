"""The tables. Unique keys, not code, keep ticket stubs, attempts and recording links single.

``pbx_id`` is in every key from day one, so that several Asterisks can come without a rewrite. Instants are stored as
whole microseconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)  # fmt: skip

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """An aware datetime as whole microseconds since the epoch, UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else (value - EPOCH) // _US

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        return None if value is None else EPOCH + timedelta(microseconds=value)


metadata = MetaData()

people = Table(
    "people", metadata,
    Column("number", String(16), primary_key=True),  # 工号
    Column("name", String(64), nullable=False),
    Column("role", String(16), nullable=False),  # agent | lead | admin
    Column("pin_hash", String(200), nullable=False),  # argon2id; the same secret on page and phone
    Column("active", Boolean, nullable=False, default=True),
)  # fmt: skip

sessions = Table(
    "sessions", metadata,
    Column("token_hash", String(64), primary_key=True),  # sha256 of the cookie's token; the token itself is never kept
    Column("number", String(16), nullable=False, index=True),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
)  # fmt: skip

agents = Table(  # the desired state: what was asked for
    "agents", metadata,
    Column("pbx_id", String(32), primary_key=True),
    Column("number", String(16), primary_key=True),
    Column("seat", String(32)),
    Column("interface", String(128)),
    Column("signed_in_at", Instant),
    Column("since", Instant),
    Column("busy_reason", String(40)),
    Column("outside", String(80)),
    Column("wrap_since", Instant),
    Column("wrap_until", Instant),
    UniqueConstraint("pbx_id", "seat", name="one_seat_one_agent"),  # HZ 第十八条; several NULLs are allowed
)  # fmt: skip

calls = Table(
    "calls", metadata,
    Column("pbx_id", String(32), primary_key=True),
    Column("call_id", String(80), primary_key=True),
    Column("linkedid", String(80), nullable=False),
    Column("queue", String(80), nullable=False),
    Column("caller", String(32), nullable=False),
    Column("entered_at", Instant, nullable=False),
    Column("exact", Boolean, nullable=False),
    Column("agent", String(16)),
    Column("answered_at", Instant),
    Column("answer_exact", Boolean, nullable=False),
    Column("wait_ms", Integer),
    Column("ring_ms", Integer),
    Column("talk_ended_at", Instant),
    Column("ended_at", Instant),
    Column("ending", String(16)),
    Column("transfers", JSON, nullable=False),
    Index("calls_by_caller", "caller", "entered_at"),
    Index("calls_by_agent", "agent", "answered_at"),
    Index("calls_by_entry", "entered_at"),
    Index("calls_by_linkedid", "linkedid"),
    Index("calls_open", "ended_at"),
)  # fmt: skip

offers = Table(
    "offers", metadata,
    Column("pbx_id", String(32), primary_key=True),
    Column("call_id", String(80), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("agent", String(16), nullable=False),
    Column("leg", String(80)),
    Column("offered_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("outcome", String(16)),
    Column("ring_ms", Integer),
    Column("talk_ended_at", Instant),
)  # fmt: skip

tickets = Table(
    "tickets", metadata,
    Column("ticket_id", String(40), primary_key=True),
    Column("pbx_id", String(32), nullable=False),
    Column("call_id", String(80)),  # None: opened by another channel
    Column("ordinal", Integer, nullable=False, server_default="1"),  # more than 1: further matters of the same call
    Column("linkedid", String(80), nullable=False),
    Column("hotline", String(32), nullable=False),
    Column("queue", String(80), nullable=False),
    Column("caller", String(32), nullable=False),
    Column("agent", String(16), nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("entered_at", Instant, nullable=False),
    Column("answered_at", Instant, nullable=False),
    Column("wait_ms", Integer, nullable=False),
    Column("ring_ms", Integer),
    Column("popped_at", Instant),  # when that agent's page said that it shows the ticket
    Column("owner", String(16)),  # who has it now: ``agent`` at first, then whoever took it over; NULL is ``agent``
    Column("owned_at", Instant),
    Column("closed_at", Instant),  # 办结
    Column("closed_by", String(16)),
    UniqueConstraint("pbx_id", "call_id", "ordinal", name="one_stub_per_answered_call"),
    Index("tickets_by_agent", "agent", "opened_at"),
    Index("tickets_open", "closed_at", "owned_at"),
)  # fmt: skip

recordings = Table(
    "recordings", metadata,
    Column("pbx_id", String(32), primary_key=True),
    Column("call_id", String(80), primary_key=True),
    Column("ticket_id", String(40)),  # None for a callback's recording
    Column("path", String(200), nullable=False),  # relative to the recordings folder; made by us, never by a caller
    Column("state", String(16), nullable=False),  # expected | ok | repaired | short | missing
    Column("expected_ms", Integer),  # talk time
    Column("length_ms", Integer),
    Column("size", BigInteger),
    Column("sha256", String(64)),
    Column("reason", String(200)),
    Column("checked_at", Instant),
)  # fmt: skip

callbacks = Table(
    "callbacks", metadata,
    Column("callback_id", String(40), primary_key=True),
    Column("pbx_id", String(32), nullable=False),
    Column("ticket_id", String(40)),
    Column("number", String(32), nullable=False),
    Column("agent", String(16), nullable=False),
    Column("state", String(16), nullable=False),  # due | placing | reached | exhausted | cancelled
    Column("requested_at", Instant, nullable=False),
    Column("due_at", Instant),
    Column("closed_at", Instant),
    Column("requested_by", String(16), nullable=False),
    Column("request_key", String(80), unique=True),  # the client's Idempotency-Key
    Column("source", String(16), nullable=False, server_default="ticket"),  # ticket | missed | system | sample | patrol
    Column("kind", String(24)),
    Column("mandatory", Boolean, nullable=False, server_default="0"),
    Column("deadline", Instant),
    Column("appointment_at", Instant),
    Column("by_key", Boolean, nullable=False, server_default="0"),
    Column("joined", JSON, nullable=False, server_default="[]"),
    Column("result", String(16)),  # satisfied | neutral | dissatisfied
    Column("close_reason", String(200), nullable=False, server_default=""),
    Column("override_by", String(16)),
    Column("override_reason", String(200), nullable=False, server_default=""),
    Index("callbacks_by_number", "number", "requested_at"),
    Index("callbacks_open", "closed_at"),
    Index("callbacks_by_agent", "agent", "state"),
    Index("callbacks_by_ticket", "ticket_id"),
    Index("callbacks_by_request", "requested_at"),
)  # fmt: skip

attempts = Table(
    "attempts", metadata,
    Column("channel_id", String(80), primary_key=True),  # our own ChannelId: the key that Asterisk's records carry too
    Column("callback_id", String(40), nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("agent", String(16), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("answered_at", Instant),
    Column("ended_at", Instant),
    Column("outcome", String(16), nullable=False),
    UniqueConstraint("callback_id", "ordinal", name="an_attempt_is_made_once"),
)  # fmt: skip

outbox = Table(
    "outbox", metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("subject", String(80), nullable=False),
    Column("audience", String(40), nullable=False),  # all | lead | agent:<number>
    Column("data", JSON, nullable=False),  # never a caller's number, name or words
    sqlite_autoincrement=True,  # a deleted row's id is never given again
)  # fmt: skip

gaps = Table(  # times in which we saw nothing: nobody is judged on them
    "gaps", metadata,
    Column("pbx_id", String(32), primary_key=True),
    Column("began_at", Instant, primary_key=True),
    Column("ended_at", Instant),
    Column("reason", String(200), nullable=False),
)  # fmt: skip

cursors = Table(  # how far a file or a consumer has been read
    "cursors", metadata,
    Column("name", String(80), primary_key=True),
    Column("position", Text, nullable=False),
)  # fmt: skip

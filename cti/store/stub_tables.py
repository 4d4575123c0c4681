"""The particulars of ticket stubs: a row for each of whom more is known than its call tells."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text

from cti.store.tables import Instant, metadata

stubs = Table(
    "stubs", metadata,
    Column("ticket_id", String(40), primary_key=True),
    Column("pbx_id", String(32), nullable=False),
    Column("call_id", String(80)),  # None: opened by another channel
    Column("ordinal", Integer, nullable=False),
    Column("agent", String(16), nullable=False),  # first responsibility; empty while nobody has taken it
    Column("opened_at", Instant, nullable=False),
    Column("channel", String(16), nullable=False),  # phone | wechat | dingtalk | oa | other | patrol
    Column("caller", String(32), nullable=False),
    Column("kind", String(24)),
    Column("area", String(40)),
    Column("emergency", Boolean, nullable=False),
    Column("caller_kind", String(16), nullable=False),  # citizen | media | nuisance | silent
    Column("verified", Boolean, nullable=False),
    Column("verified_by", String(16)),
    Column("verified_at", Instant),
    Column("notes", Text, nullable=False),
    Column("notes_version", Integer, nullable=False),
    Column("complaint_grade", String(1)),  # 3 | 2 | 1
    Column("grade", String(8)),  # special | first | second | third
    Column("unit", String(40)),
    Column("hand_out_due", Instant),
    Column("handed_out_at", Instant),
    Column("returned_at", Instant),
    Column("overdue_told", Boolean, nullable=False),
    Column("taken_due", Instant),
    Column("taken_at", Instant),
    Column("finish_due", Instant),
    Column("reminders", Integer, nullable=False),
    Column("reminded_at", Instant),
    Column("no_callback", Boolean, nullable=False, server_default="0"),
    Column("repeat", Boolean, nullable=False, server_default="0"),
    Column("daily_brief", Boolean, nullable=False, server_default="0"),
    Column("flying_letter", Boolean, nullable=False, server_default="0"),
    Column("request_key", String(80), unique=True),
    Index("stubs_by_caller", "caller", "opened_at"),
    Index("stubs_by_kind", "kind", "area", "opened_at"),
)  # fmt: skip

stub_steps = Table(  # who did what to a stub, and when; what was typed is not in it
    "stub_steps", metadata,
    Column("step_id", String(40), primary_key=True),
    Column("ticket_id", String(40), nullable=False),
    Column("at", Instant, nullable=False),
    Column("by", String(40), nullable=False),
    Column("act", String(16), nullable=False),
    Column("detail", String(400), nullable=False),
    Index("stub_steps_by_ticket", "ticket_id", "at"),
)  # fmt: skip

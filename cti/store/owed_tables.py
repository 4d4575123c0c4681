"""What was owed for which ticket, the lists and draws of the samples, what callers said, and every step."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Index, Integer, String, Table

from cti.store.tables import Instant, metadata

owed_tickets = Table(  # what came of each ticket that was answered or finished
    "owed_tickets", metadata,
    Column("ticket_id", String(40), primary_key=True),
    Column("round", Integer, primary_key=True),  # 1, and more after its reply was sent back
    Column("pbx_id", String(32), nullable=False),
    Column("at", Instant, nullable=False),
    Column("number", String(32), nullable=False),  # empty: there is none that could be dialled
    Column("kind", String(24)),
    Column("verdict", String(16), nullable=False),  # mandatory | pool | refused | nothing
    Column("code", String(40), nullable=False),  # why it is refused; ok otherwise
    Column("articles", JSON, nullable=False),  # as they are cited
    Column("draw_id", String(40)),
    Column("place", Integer),  # in the list of the draw, from 1
    Column("callback_id", String(40)),
    Index("owed_by_time", "pbx_id", "at"),
    Index("owed_by_draw", "draw_id"),
)  # fmt: skip

draws = Table(  # one list of tickets and its draw (queues/sampling.py)
    "draws", metadata,
    Column("draw_id", String(40), primary_key=True),
    Column("pbx_id", String(32), nullable=False),
    Column("pool", String(40), nullable=False),  # the path of the figure
    Column("percent", Integer, nullable=False),
    Column("at_once", Boolean, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("closes_at", Instant, nullable=False),
    Column("commitment", String(64), nullable=False),
    Column("secret", String(40), nullable=False),  # shown to nobody before the list is closed
    Column("listed", JSON, nullable=False),  # ticket ids in the order in which they came; empty until it is closed
    Column("drawn", JSON, nullable=False),
    Column("closed_at", Instant),
    Column("list_hash", String(64)),
    Index("draws_by_time", "pbx_id", "opened_at"),
)  # fmt: skip

callback_results = Table(  # what was said in one conversation; a lead may put it right
    "callback_results", metadata,
    Column("channel_id", String(80), primary_key=True),
    Column("callback_id", String(40), nullable=False),
    Column("ticket_id", String(40)),
    Column("at", Instant, nullable=False),
    Column("by", String(40), nullable=False),  # keypad, or the agent's number
    Column("what", String(16), nullable=False),  # satisfied | neutral | dissatisfied | refused | wrong_number
    Column("cause", String(16), nullable=False),
    Column("text", String(500), nullable=False),
    Index("results_by_callback", "callback_id"),
    Index("results_by_ticket", "ticket_id", "what"),
    Index("results_by_cause", "what", "at"),
)  # fmt: skip

callback_steps = Table(  # who did what about a callback, and when
    "callback_steps", metadata,
    Column("step_id", String(40), primary_key=True),
    Column("callback_id", String(40), nullable=False),
    Column("at", Instant, nullable=False),
    Column("by", String(40), nullable=False),
    Column("act", String(16), nullable=False),
    Column("detail", String(500), nullable=False),
    Column("request_key", String(80)),
    Index("steps_by_callback", "callback_id", "at"),
    Index("steps_by_request", "request_key"),
)  # fmt: skip

supervised_tickets = Table(  # 挂牌督办
    "supervised_tickets", metadata,
    Column("ticket_id", String(40), primary_key=True),
    Column("pbx_id", String(32), nullable=False),
    Column("since", Instant, nullable=False),
    Column("times", Integer, nullable=False),
    Column("callback_id", String(40), nullable=False),
    Column("lifted_at", Instant),
    Column("lifted_by", String(16)),
    Column("lift_reason", String(200), nullable=False),
    Index("supervised_open", "pbx_id", "lifted_at"),
)  # fmt: skip

"""What stands beside callbacks and attempts: previews that were opened, whose key dialled, and how dialling stands."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table

from cti.store.tables import Instant, metadata

callback_previews = Table(
    "callback_previews", metadata,
    Column("callback_id", String(40), primary_key=True),
    Column("agent", String(16), primary_key=True),
    Column("pbx_id", String(32), nullable=False),
    Column("opened_at", Instant, nullable=False),  # the first time since his claim
)  # fmt: skip
callback_extensions = Table(
    "callback_extensions", metadata,
    Column("callback_id", String(40), primary_key=True),
    Column("pbx_id", String(32), nullable=False),
    Column("extension", String(8), nullable=False),  # 分机: behind the number that is dialled
)  # fmt: skip
dials = Table(
    "dials", metadata,
    Column("channel_id", String(80), primary_key=True),  # of the attempt
    Column("pbx_id", String(32), nullable=False),
    Column("callback_id", String(40), nullable=False),
    Column("pressed_by", String(16)),  # None: it was due by itself
    Column("override_by", String(16)),  # the lead who let it be made in quiet hours, for this attempt alone
    Column("override_reason", String(200), nullable=False),
    Column("call_id", String(80)),  # the caller rang in himself meanwhile: his call
    Column("came_at", Instant),
    Index("dials_by_callback", "callback_id"),
)  # fmt: skip
dial_house = Table(
    "dial_house", metadata,
    Column("pbx_id", String(32), primary_key=True),
    Column("waiting_most", Integer),  # callbacks are dialled while at most so many wait; None: callback.inbound_first
    Column("waiting_by", String(16)),
    Column("waiting_at", Instant),
    Column("boot", String(64), nullable=False),
    Column("base", Instant, nullable=False),  # the wall time at which the monotonic clock showed nought
    Column("stepped_at", Instant),
    Column("trusted", Boolean, nullable=False),
    Column("confirmed_by", String(16)),  # the lead who said last that the clock is right
)  # fmt: skip

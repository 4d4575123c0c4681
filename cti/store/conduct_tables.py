"""Tables of conduct on duty: the duty log (值班记录), permits, arrivals, the break line, retraining.

Rows are added, and stepped on to their end; nothing of them is taken away.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table

from cti.store.tables import Instant, metadata

duty_log = Table(  # one row an act, in the order in which they were carried out
    "duty_log", metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("pbx_id", String(32), nullable=False),
    Column("at", Instant, nullable=False),
    Column("agent", String(16), nullable=False),
    Column("act", String(16), nullable=False),  # signed_in | signed_out | busy | ready | arrived | outside | inside
    Column("seat", String(32)),
    Column("reason", String(80)),
    Column("by", String(16)),  # who did it, when it was not the agent
    Index("duty_log_by_time", "pbx_id", "at"),
    Index("duty_log_by_agent", "pbx_id", "agent", "at"),
)  # fmt: skip

permits = Table(
    "permits", metadata,
    Column("permit_id", String(40), primary_key=True),
    Column("pbx_id", String(32), nullable=False),
    Column("agent", String(16), nullable=False),
    Column("kind", String(16), nullable=False),  # busy | sign_out | sign_in
    Column("reason", String(200), nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("state", String(16), nullable=False),  # asked | agreed | declined | withdrawn | used | expired
    Column("decided_by", String(16)),
    Column("decided_at", Instant),
    Column("answer", String(200), nullable=False),
    Column("until", Instant),
    Column("used_at", Instant),
    Column("closed_at", Instant),
    Index("permits_by_time", "pbx_id", "asked_at"),
)  # fmt: skip

arrivals = Table(  # 到岗: once for each shift
    "arrivals", metadata,
    Column("pbx_id", String(32), primary_key=True),
    Column("agent", String(16), primary_key=True),
    Column("shift_id", String(80), primary_key=True),
    Column("at", Instant, nullable=False),
)  # fmt: skip

break_line = Table(  # 离岗轮席
    "break_line", metadata,
    Column("entry_id", String(40), primary_key=True),
    Column("pbx_id", String(32), nullable=False),
    Column("agent", String(16), nullable=False),
    Column("reason", String(40), nullable=False),  # code of the busy reason
    Column("since", Instant, nullable=False),
    Column("turn", Integer, nullable=False),  # the order among those who wait
    Column("state", String(16), nullable=False),  # waiting | let_go | left | dropped
    Column("ended_at", Instant),
    Column("why", String(40)),  # code of the ruling that dropped it
    Index("break_line_by_state", "pbx_id", "state"),
)  # fmt: skip

trainings = Table(
    "trainings", metadata,
    Column("training_id", String(40), primary_key=True),
    Column("pbx_id", String(32), nullable=False),
    Column("agent", String(16), nullable=False),
    Column("at", Instant, nullable=False),
    Column("by", String(16), nullable=False),
    Column("note", String(200), nullable=False),
    Index("trainings_by_agent", "pbx_id", "agent", "at"),
)  # fmt: skip

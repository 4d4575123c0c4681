"""What the ledgers hold of some days: queries whose rows are read in parts, in the order in which it happened."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, select

from cti.store.conduct_tables import duty_log
from cti.store.sinks_tables import replies
from cti.store.stub_tables import stubs
from cti.store.survey_tables import ratings
from cti.store.tables import callbacks, calls, recordings, tickets

_OF_STUB = (
    "channel", "kind", "area", "unit", "hand_out_due", "handed_out_at", "returned_at", "finish_due",
)  # fmt: skip


def duty_between(pbx_id: str, since: datetime, until: datetime) -> Select[Any]:
    """The duty log from *since* to before *until* (aware)."""
    c = duty_log.c
    return select(duty_log).where(c.pbx_id == pbx_id, c.at >= since, c.at < until).order_by(c.seq)


def tickets_between(pbx_id: str, since: datetime, until: datetime) -> Select[Any]:
    """The stubs opened from *since* to before *until* (aware), each with its call and how far its matter is.

    ``answer``: the unit's newest reply (queues/replies.py); ``told_at``: when the caller was last reached about it.
    """
    t = tickets.c
    told = (
        select(callbacks.c.ticket_id, func.max(callbacks.c.closed_at).label("told_at"))
        .where(callbacks.c.state == "reached", callbacks.c.requested_at >= since)
        .group_by(callbacks.c.ticket_id)
        .subquery()
    )
    answer = select(replies.c.result).where(replies.c.ticket_id == t.ticket_id).order_by(replies.c.at.desc()).limit(1)
    joined = tickets.outerjoin(stubs, stubs.c.ticket_id == t.ticket_id).outerjoin(told, told.c.ticket_id == t.ticket_id)
    for table in (calls, recordings, ratings):
        joined = joined.outerjoin(table, and_(table.c.pbx_id == t.pbx_id, table.c.call_id == t.call_id))
    return (
        select(
            t.ticket_id, t.call_id, t.opened_at, t.caller, t.owner, t.closed_at, t.closed_by, t.wait_ms,
            t.answered_at, calls.c.talk_ended_at, recordings.c.state.label("recording"), ratings.c.rating,
            func.coalesce(func.nullif(stubs.c.agent, ""), t.agent).label("agent"),
            told.c.told_at, answer.scalar_subquery().label("answer"), *(stubs.c[name] for name in _OF_STUB),
        )
        .select_from(joined)
        .where(t.pbx_id == pbx_id, t.opened_at >= since, t.opened_at < until)
        .order_by(t.opened_at, t.ticket_id)
    )  # fmt: skip

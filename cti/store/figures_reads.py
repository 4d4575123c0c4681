"""What the figures are made of, read from the store: calls and offers of a period, agents' acts, gaps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.store.conduct_tables import duty_log
from cti.store.door_tables import shut_outs
from cti.store.escalation_tables import escalations
from cti.store.tables import calls, gaps, offers
from queues.calls import Call
from queues.facts import Door, Ending, OfferEnd
from queues.occupancy import Handled, Spans

LONGEST_CALL = timedelta(hours=24)
LONGEST_SHIFT = timedelta(hours=48)
_ON_QUEUE = {"signed_in": True, "ready": True, "busy": False, "signed_out": False}
_CALL = (
    "call_id", "linkedid", "queue", "entered_at", "exact", "agent", "answered_at", "answer_exact", "wait_ms", "ring_ms",
    "talk_ended_at", "ended_at", "ending",
)  # fmt: skip


async def calls_between(
    connection: AsyncConnection, pbx_id: str, queue: str, since: datetime, until: datetime
) -> list[Call]:
    """Calls of *queue* that entered in [*since*, *until*), in order; without their callers and offers."""
    c = calls.c
    query = (
        select(*(c[name] for name in _CALL))
        .where(c.pbx_id == pbx_id, c.queue == queue, c.entered_at >= since, c.entered_at < until)
        .order_by(c.entered_at, c.call_id)
    )
    return [_call(row) for row in (await connection.execute(query)).mappings()]


def _call(row: Mapping[Any, Any]) -> Call:
    ending = Ending(row["ending"]) if row["ending"] else None
    return Call(**{**row, "caller": "", "ending": ending})


async def offers_between(
    connection: AsyncConnection, pbx_id: str, queue: str, since: datetime, until: datetime
) -> dict[str, list[Handled]]:
    """Agent -> offers of *queue* that began, or whose conversation went on, in [*since*, *until*).

    A conversation whose own end nobody saw ended with the call at the latest.
    """
    o, c = offers.c, calls.c
    talk_ended = func.coalesce(o.talk_ended_at, c.ended_at)
    touches = or_(o.offered_at >= since, talk_ended > since, talk_ended.is_(None))
    query = (
        select(o.agent, o.offered_at, o.ended_at, o.outcome, o.ring_ms, talk_ended)
        .join(calls, (c.pbx_id == o.pbx_id) & (c.call_id == o.call_id))
        .where(o.pbx_id == pbx_id, c.queue == queue, o.offered_at > since - LONGEST_CALL, o.offered_at < until, touches)
        .order_by(o.offered_at)
    )
    found: dict[str, list[Handled]] = defaultdict(list)
    for agent, offered_at, ended_at, outcome, ring_ms, talk_ended_at in (await connection.execute(query)).all():
        end = OfferEnd(outcome) if outcome else None
        found[agent].append(Handled(offered_at, ended_at, end, ring_ms, talk_ended_at))
    return found


async def on_queue_between(
    connection: AsyncConnection, pbx_id: str, since: datetime, until: datetime
) -> dict[str, Spans]:
    """Agent -> when signed in and not 示忙 before *until*, from the duty log; the shift before *since* is looked at."""
    d = duty_log.c
    query = (
        select(d.agent, d.at, d.act)
        .where(d.pbx_id == pbx_id, d.at > since - LONGEST_SHIFT, d.at < until, d.act.in_(_ON_QUEUE))
        .order_by(d.seq)
    )
    found: dict[str, Spans] = defaultdict(list)
    open_since: dict[str, datetime] = {}
    for agent, at, act in (await connection.execute(query)).all():
        if _ON_QUEUE[act]:
            open_since.setdefault(agent, at)
        elif agent in open_since:
            found[agent].append((open_since.pop(agent), at))
    for agent, at in open_since.items():
        found[agent].append((at, until))
    return found


async def blind_between(connection: AsyncConnection, pbx_id: str, since: datetime, until: datetime) -> Spans:
    """The parts of [*since*, *until*) in which the event stream was broken; an open gap lasts to *until*."""
    g = gaps.c
    query = select(g.began_at, g.ended_at).where(
        g.pbx_id == pbx_id, g.began_at < until, or_(g.ended_at.is_(None), g.ended_at > since)
    )
    found = [
        (max(began, since), min(ended or until, until)) for began, ended in (await connection.execute(query)).all()
    ]
    return sorted(span for span in found if span[0] < span[1])


async def steps_between(connection: AsyncConnection, pbx_id: str, since: datetime, until: datetime) -> dict[str, int]:
    """Step of the escalation -> how often it was taken in [*since*, *until*)."""
    e = escalations.c
    query = (
        select(e.step, func.count()).where(e.pbx_id == pbx_id, e.at >= since, e.at < until).group_by(e.step)
    )  # fmt: skip
    return {step: int(count) for step, count in (await connection.execute(query)).all()}


async def shut_out_between(
    connection: AsyncConnection, pbx_id: str, since: datetime, until: datetime
) -> list[tuple[datetime, Door]]:
    """When and why callers were turned away at the door in [*since*, *until*)."""
    s = shut_outs.c
    query = select(s.at, s.why).where(s.pbx_id == pbx_id, s.at >= since, s.at < until)
    return [(at, Door(why)) for at, why in (await connection.execute(query)).all()]

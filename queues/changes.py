"""What a step of a call means for others: for the agents it rings, and for whoever wants to be told.

Both are derived from the call before and after, so a repeated fact, which changes nothing, tells nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from queues.calls import Call, Offer
from queues.facts import Ending, OfferEnd


class Ringing(NamedTuple):
    """The agent's phone began to ring."""

    agent: str
    call_id: str
    at: datetime


class Silent(NamedTuple):
    """It stopped ringing, unanswered."""

    agent: str
    call_id: str
    at: datetime


class Talking(NamedTuple):
    """The agent is in conversation."""

    agent: str
    call_id: str
    at: datetime


class Done(NamedTuple):
    """The agent's conversation is over."""

    agent: str
    call_id: str
    at: datetime


AgentChange = Ringing | Silent | Talking | Done


def agent_changes(before: Call | None, after: Call) -> Iterator[AgentChange]:
    """What the step did to each agent who has a part in the call, in order."""
    old = {o.ordinal: o for o in before.offers} if before else {}
    for offer in after.offers:
        was = old.get(offer.ordinal)
        if was == offer:
            continue
        if offer.end is None:
            yield Ringing(offer.agent, after.call_id, offer.offered_at)
        elif offer.end is OfferEnd.ANSWERED:
            if was is None or was.end is not OfferEnd.ANSWERED:
                yield Talking(offer.agent, after.call_id, offer.ended_at or offer.offered_at)
            if offer.talk_ended_at is not None and (was is None or was.talk_ended_at is None):
                yield Done(offer.agent, after.call_id, offer.talk_ended_at)
        elif was is None or was.end is None:
            yield Silent(offer.agent, after.call_id, offer.ended_at or offer.offered_at)
    if after.closed and not (before and before.closed) and after.ended_at is not None:
        for offer in after.offers:
            if offer.end is OfferEnd.ANSWERED and offer.talk_ended_at is None:
                yield Done(offer.agent, after.call_id, after.ended_at)


class News(NamedTuple):
    """One thing to tell, without any caller's number, name or words."""

    kind: str
    at: datetime
    data: dict[str, Any]


def news(before: Call | None, after: Call, limit: timedelta) -> Iterator[News]:
    """What became true of the call with this step, in order."""
    if before is None:
        yield News("call.queued", after.entered_at, {"queue": after.queue})
    old = {o.ordinal: o for o in before.offers} if before else {}
    for offer in after.offers:
        was = old.get(offer.ordinal)
        if was is None:
            yield News("call.offered", offer.offered_at, {"agent": offer.agent})
        if _unanswered(offer) and not (was and _unanswered(was)):
            data = {"agent": offer.agent, "ring_ms": offer.ring_ms, "end": str(offer.end)}
            yield News("call.ring_no_answer", offer.ended_at or offer.offered_at, data)
    if after.answered_at is not None and (before is None or before.answered_at is None):
        by_caller, by_agent = after.within(limit)
        data = {"agent": after.agent, "wait_ms": after.wait_ms, "ring_ms": after.ring_ms}
        yield News("call.answered", after.answered_at, {**data, "within": by_caller, "within_ring": by_agent})
    ended = after.ending is not None and (after.closed or after.ending is Ending.TRANSFERRED)
    if ended and (before is None or before.ending != after.ending or before.closed != after.closed):
        data = {
            "ending": str(after.ending),
            "wait_ms": after.wait_ms,
            "talk_ms": after.talk_ms(),
            "closed": after.closed,
        }
        yield News("call.ended", after.ended_at or after.talk_ended_at or after.entered_at, data)


def _unanswered(offer: Offer) -> bool:
    return offer.end in (OfferEnd.NO_ANSWER, OfferEnd.REJECTED)

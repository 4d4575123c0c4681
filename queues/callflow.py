"""Facts into calls. Two rules make every order and repetition of facts end in the same call:

1. a step is taken once; a second witness of it changes nothing, except that an exact time replaces a rounded one;
2. a later step implies the earlier: an answer without an offer makes the offer, an offer without an entry the entry.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from queues.calls import MS, Call, Offer
from queues.facts import (
    Answered,
    CallFact,
    Completed,
    Ending,
    Entered,
    Left,
    NotAnswered,
    Offered,
    OfferEnd,
    Vanished,
)  # fmt: skip

# queue_log has whole seconds, so its line may belong to an offer that began up to this much later than it says.
ROUNDING = timedelta(seconds=2)


def apply(call: Call | None, fact: CallFact) -> Call | None:
    """The call after *fact*; None only for a fact about a call that cannot be opened by it."""
    match fact:
        case Entered():
            return _entered(call, fact)
        case Answered():
            return _answered(call or _implied(fact, timedelta(seconds=fact.hold_s)), fact)
        case Offered():
            return _offered(call or _implied(fact, timedelta(0)), fact)
        case NotAnswered():
            return _not_answered(call or _implied(fact, fact.rang_ms * MS), fact)
        case _ if call is None:
            return None
        case Left():
            return _left(call, fact)
        case Completed():
            return _completed(call, fact)
        case Vanished():
            return _vanished(call, fact)


def hung_up(call: Call, at: datetime) -> Call:
    """The caller's channel is gone: whatever was open is over."""
    if call.closed:
        return call
    if call.answered_at is None:
        ending = call.ending or Ending.LEFT
        return replace(_cancel_offers(call, at, OfferEnd.CANCELLED), ended_at=at, ending=ending, wait_ms=_ms(call, at))
    call = _no_longer_back(call, at)
    return replace(call, ended_at=at, talk_ended_at=call.talk_ended_at or at, ending=call.ending or Ending.COMPLETED)


def _no_longer_back(call: Call, at: datetime) -> Call:
    """Back in the queue after a transfer, the caller gave up: whoever rang for him is free."""
    return replace(_cancel_offers(call, at, OfferEnd.CANCELLED), back_at=None)


def leg_gone(call: Call, leg: str, at: datetime) -> Call:
    """An agent's leg is gone: the conversation on it is over, whatever Asterisk says of it later."""
    offers = tuple(
        replace(o, talk_ended_at=at) if o.leg == leg and o.end is OfferEnd.ANSWERED and o.talk_ended_at is None else o
        for o in call.offers
    )
    if offers == call.offers:
        return call
    first = next((o for o in offers if o.end is OfferEnd.ANSWERED), None)
    ended = call.talk_ended_at or (at if first is not None and first.leg == leg else None)
    return replace(call, offers=offers, talk_ended_at=ended)


def leg_replaced(call: Call, gone: str, leg: str) -> Call:
    """The agent's leg *gone* is taken out of the way, and *leg* stands in its place: the conversation goes on."""
    return replace(call, offers=tuple(replace(o, leg=leg) if o.leg == gone else o for o in call.offers))


def _implied(fact: Answered | Offered | NotAnswered, waited: timedelta) -> Call:
    """A call whose entry has not been seen: it entered at least *waited* before; its entry, when told, is better."""
    return Call(fact.call_id, fact.call_id, fact.queue, "", fact.at - waited, exact=False)


def _entered(call: Call | None, fact: Entered) -> Call:
    if call is None:
        linkedid = fact.linkedid or fact.call_id
        return Call(fact.call_id, linkedid, fact.queue, fact.caller, fact.at, exact=fact.exact, front=fact.front)
    better: dict[str, Any] = {}
    # Sent back into the queue after a transfer, a caller enters it once more: that is not the entry of this call.
    if fact.exact and not call.exact and fact.at <= call.entered_at + ROUNDING:
        better = {"entered_at": fact.at, "exact": True}
    if _is_back(call, fact):
        better["back_at"] = fact.at
    call = replace(
        call, caller=call.caller or fact.caller, linkedid=fact.linkedid or call.linkedid,
        front=call.front or fact.front, **better,
    )  # fmt: skip
    return replace(call, wait_ms=_ms(call, call.answered_at)) if "exact" in better and call.answered_at else call


def _is_back(call: Call, fact: Entered) -> bool:
    """Whether *fact* is an entry after an answer. Live ones alone tell: queue_log is read when they may be over."""
    if not fact.exact or call.answered_at is None or call.closed:
        return False
    return all(o.ended_at is not None and fact.at > o.ended_at for o in call.offers if o.end is OfferEnd.ANSWERED)


def _offered(call: Call, fact: Offered) -> Call:
    known = next((o for o in call.offers if o.leg == fact.leg and fact.leg is not None), None)
    if known is not None:
        return _began(call, known, fact.at) if fact.exact and fact.at != known.offered_at else call
    if call.closed or (call.answered_at is not None and fact.at <= call.answered_at):
        return call
    return replace(call, offers=(*call.offers, Offer(len(call.offers) + 1, fact.agent, fact.leg, fact.at)))


def _began(call: Call, offer: Offer, at: datetime) -> Call:
    """The beginning of an offer, told after its end, or more exactly than before."""
    ring_ms = None if offer.ended_at is None else max((offer.ended_at - at) // MS, 0)
    began = replace(offer, offered_at=at, ring_ms=ring_ms)
    call = replace(call, offers=tuple(began if o.ordinal == offer.ordinal else o for o in call.offers))
    first = offer.end is OfferEnd.ANSWERED and offer.ended_at == call.answered_at
    return replace(call, ring_ms=ring_ms) if first else call


def _not_answered(call: Call, fact: NotAnswered) -> Call:
    for offer in call.offers:
        if offer.agent != fact.agent:
            continue
        if offer.end is None:
            return _end_offer(call, offer, fact.at, _no_answer(offer, fact))
        known = offer.end in (OfferEnd.NO_ANSWER, OfferEnd.REJECTED, OfferEnd.CANCELLED)
        if known and offer.ended_at is not None and abs(offer.ended_at - fact.at) <= ROUNDING:
            return call
    began = fact.at - fact.rang_ms * MS
    offer = Offer(len(call.offers) + 1, fact.agent, None, began, fact.at, OfferEnd.NO_ANSWER, fact.rang_ms)
    return replace(call, offers=(*call.offers, offer))


def _no_answer(offer: Offer, fact: NotAnswered) -> OfferEnd:
    # A phone that refuses ends the ring at once, and Asterisk then reports 0 ms; a ring that ran out lasted seconds.
    return (
        OfferEnd.REJECTED
        if fact.rang_ms == 0 and fact.at - offer.offered_at < timedelta(seconds=1)
        else OfferEnd.NO_ANSWER
    )


def _answered(call: Call, fact: Answered) -> Call:
    same_leg = (o for o in call.offers if fact.leg is not None and o.leg == fact.leg and o.agent == fact.agent)
    existing = next(same_leg, None) or next((o for o in call.offers if _same_answer(o, fact)), None)
    if existing is not None and existing.end is OfferEnd.ANSWERED:
        if fact.exact and not call.answer_exact and existing.ended_at == call.answered_at:
            return _answer(call, existing, fact)
        return call
    if existing is None:
        existing = Offer(len(call.offers) + 1, fact.agent, fact.leg, fact.at)
        call = replace(call, offers=(*call.offers, existing))
    call = _answer(call, existing, fact)
    return _cancel_offers(call, fact.at, OfferEnd.CANCELLED)


def _same_answer(offer: Offer, fact: Answered) -> bool:
    if offer.agent != fact.agent:
        return False
    if offer.end is None:
        return True
    return offer.end is OfferEnd.ANSWERED and (
        offer.leg == fact.leg or (offer.ended_at is not None and abs(offer.ended_at - fact.at) <= ROUNDING)
    )


def _answer(call: Call, offer: Offer, fact: Answered) -> Call:
    at = max(fact.at, offer.offered_at) if not fact.exact else fact.at
    ring_ms = max((at - offer.offered_at) // MS, 0) if offer.leg is not None else None
    taken = replace(offer, ended_at=at, end=OfferEnd.ANSWERED, ring_ms=ring_ms, leg=offer.leg or fact.leg)
    call = replace(call, offers=tuple(taken if o.ordinal == offer.ordinal else o for o in call.offers))
    if call.answered_at is not None and (call.agent != fact.agent or offer.ended_at != call.answered_at):
        return replace(
            call, back_at=None
        )  # a later answer, after a transfer: the first agent stays responsible (首问责任)
    ending = None if call.ending in (Ending.LEFT, Ending.LOST) else call.ending
    ended_at = None if ending is None and call.ending is not None else call.ended_at
    return replace(
        call, agent=fact.agent, answered_at=at, answer_exact=fact.exact, wait_ms=_ms(call, at), ring_ms=ring_ms,
        ending=ending, ended_at=ended_at,
    )  # fmt: skip


def _left(call: Call, fact: Left) -> Call:
    if call.answered_at is not None:
        return _no_longer_back(call, fact.at)
    if call.ending is not None and not (call.ending in (Ending.LEFT, Ending.LOST) and fact.ending is not Ending.LEFT):
        return call
    at = call.ended_at or fact.at
    call = _cancel_offers(call, at, OfferEnd.CANCELLED)
    return replace(call, ending=fact.ending, ended_at=at, wait_ms=_ms(call, at))


def _completed(call: Call, fact: Completed) -> Call:
    offers = tuple(
        replace(o, talk_ended_at=fact.at)
        if o.end is OfferEnd.ANSWERED and o.agent == fact.agent and o.talk_ended_at is None
        else o
        for o in call.offers
    )
    call = replace(call, offers=offers)
    if call.agent != fact.agent:
        return call
    ended = call.talk_ended_at or fact.at
    ending = fact.ending if call.ending in (None, Ending.COMPLETED, Ending.LOST) else call.ending
    closed = call.ended_at or (None if fact.ending is Ending.TRANSFERRED else ended)
    return replace(call, talk_ended_at=ended, ending=ending, ended_at=closed)


def _vanished(call: Call, fact: Vanished) -> Call:
    if call.closed:
        return call
    call = _cancel_offers(call, fact.at, OfferEnd.LOST)
    if call.answered_at is None:
        return replace(call, ending=Ending.LOST, ended_at=fact.at, wait_ms=_ms(call, fact.at))
    return replace(
        call, ending=call.ending or Ending.LOST, ended_at=fact.at, talk_ended_at=call.talk_ended_at or fact.at,
        back_at=None,
    )  # fmt: skip


def _end_offer(call: Call, offer: Offer, at: datetime, end: OfferEnd) -> Call:
    ended = replace(offer, ended_at=at, end=end, ring_ms=max((at - offer.offered_at) // MS, 0))
    return replace(call, offers=tuple(ended if o.ordinal == offer.ordinal else o for o in call.offers))


def _cancel_offers(call: Call, at: datetime, end: OfferEnd) -> Call:
    for offer in call.ringing:
        call = _end_offer(call, offer, at, end)
    return call


def _ms(call: Call, at: datetime) -> int:
    return max((at - call.entered_at) // MS, 0)

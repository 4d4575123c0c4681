"""One call as the hotline sees it: a queue entry, its offers, its answer, its end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from queues.facts import Ending, OfferEnd

MS = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Offer:
    """One agent's phone rung for one call. ``ring_ms`` is measured from event timestamps, 0 or more."""

    ordinal: int
    agent: str
    leg: str | None
    offered_at: datetime
    ended_at: datetime | None = None
    end: OfferEnd | None = None
    ring_ms: int | None = None
    talk_ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A call. Times are aware UTC; ``call_id`` is the Uniqueid of the caller's channel.

    Attributes:
        linkedid: ties the legs of one call, through every form of transfer.
        caller: the number in digits (and a leading +), or empty when withheld.
        exact: whether entered_at comes from an event timestamp; False: from queue_log, whole seconds.
        agent: the first agent who answered, and so is responsible (首问责任); kept through transfers.
        wait_ms: caller's clock, queue entry to answer or end.
        ring_ms: the answering agent's clock, offer to answer.
        answer_exact: whether answered_at comes from an event timestamp.
        talk_ended_at: end of the first agent's conversation.
        ended_at: when the caller's channel was gone or the queue was left unanswered.
        back_at: since when the caller, handed on and taken by nobody, waits in the queue once more, as far as was heard
            live; None while he does not. His entry, his answer and his wait stay those of the first time.
        front: whether the dialplan put the caller to the front (an emergency), as far as was heard live.
    """

    call_id: str
    linkedid: str
    queue: str
    caller: str
    entered_at: datetime
    exact: bool = True
    offers: tuple[Offer, ...] = ()
    agent: str | None = None
    answered_at: datetime | None = None
    answer_exact: bool = True
    wait_ms: int | None = None
    ring_ms: int | None = None
    talk_ended_at: datetime | None = None
    ended_at: datetime | None = None
    ending: Ending | None = None
    transfers: tuple[str, ...] = ()
    front: bool = False
    back_at: datetime | None = None

    @property
    def waiting(self) -> bool:
        """Whether the caller waits in the queue, for the first time or once more."""
        return self.back_at is not None or (self.answered_at is None and self.ending is None)

    @property
    def waits_since(self) -> datetime:
        """Since when he waits, where he does."""
        return self.back_at or self.entered_at

    @property
    def ringing(self) -> tuple[Offer, ...]:
        """Offers that ring right now."""
        return tuple(o for o in self.offers if o.end is None)

    @property
    def closed(self) -> bool:
        return self.ended_at is not None

    def within(self, limit: timedelta) -> tuple[bool | None, bool | None]:
        """Answered in time, by the caller's clock and by the agent's; None where never answered.

        The edge is inclusive: 15.000 s is in time (HZ 第七条「铃响15秒之内」).
        """
        if self.answered_at is None or self.wait_ms is None:
            return None, None
        most = limit // MS
        return self.wait_ms <= most, None if self.ring_ms is None else self.ring_ms <= most

    def talk_ms(self) -> int | None:
        """Length of the conversation with the first agent, or None while it goes on or never was."""
        if self.answered_at is None or self.talk_ended_at is None:
            return None
        return max((self.talk_ended_at - self.answered_at) // MS, 0)

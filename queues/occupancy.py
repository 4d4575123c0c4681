"""How much of an agent's time on the queue went to callers: time on contacts / (time on contacts + idle).

On contact are conversation and wrap-up; idle is the rest of the time in which the agent was signed in and not 示忙. A
ringing phone is idle time: nobody is being served yet. All times are the agent's clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from queues.calls import MS
from queues.facts import OfferEnd
from queues.figures import Clock, Figure, share

Spans = list[tuple[datetime, datetime]]
"""Stretches of time [from, to), aware, in order, apart from each other."""


class Handled(NamedTuple):
    """One offer of one agent, as it is stored."""

    offered_at: datetime
    ended_at: datetime | None
    end: OfferEnd | None
    ring_ms: int | None
    talk_ended_at: datetime | None


class Times(NamedTuple):
    """An agent's time in a period, milliseconds. ``on_queue``: signed in and not 示忙."""

    talk_ms: int
    wrap_up_ms: int
    idle_ms: int
    on_queue_ms: int

    @property
    def occupancy(self) -> Figure:
        """(talk + wrap-up) / (talk + wrap-up + idle)."""
        contact = self.talk_ms + self.wrap_up_ms
        return share(contact, contact + self.idle_ms, Clock.AGENT)


class AgentTally(NamedTuple):
    """An agent's offers of a period. ``cancelled``: the caller gave up, or another was quicker."""

    offers: int
    answered: int
    missed: int
    cancelled: int
    ring_ms: int
    rung: int
    within_ring: int

    def figures(self) -> dict[str, Figure]:
        """``answer_rate``: answered / (answered + missed). ``ring_within``, ``ring_ms``: over answers seen to ring."""
        return {
            "answer_rate": share(self.answered, self.answered + self.missed, Clock.AGENT),
            "ring_within": share(self.within_ring, self.rung, Clock.AGENT),
            "ring_ms": share(self.ring_ms, self.rung, Clock.AGENT),
        }


def offers_of(handled: Iterable[Handled], limit: timedelta) -> AgentTally:
    """The counts of one agent's offers; *limit* is inclusive."""
    taken = list(handled)
    answered = [h for h in taken if h.end is OfferEnd.ANSWERED]
    rings = [h.ring_ms for h in answered if h.ring_ms is not None]
    missed = sum(h.end in (OfferEnd.NO_ANSWER, OfferEnd.REJECTED) for h in taken)
    cancelled = sum(h.end in (OfferEnd.CANCELLED, OfferEnd.LOST) for h in taken)
    within = sum(ring <= limit // MS for ring in rings)
    return AgentTally(len(taken), len(answered), missed, cancelled, sum(rings), len(rings), within)


def times(ready: Spans, handled: Iterable[Handled], wrap_up: timedelta, since: datetime, until: datetime) -> Times:
    """An agent's time within [*since*, *until*).

    Args:
        ready: when the agent was signed in and not 示忙.
        handled: the agent's offers; a conversation that goes on lasts to *until*.
        wrap_up: how long Asterisk leaves the agent alone after a conversation; going busy or signing out ends it.
    """
    talks = [(h.ended_at, h.talk_ended_at or until) for h in handled if h.end is OfferEnd.ANSWERED and h.ended_at]
    talk = joined(clipped(talks, since, until))
    on_queue = joined(clipped(ready, since, until))
    after = joined(clipped([(end, end + wrap_up) for _, end in talks], since, until))
    wrap = without(common(after, on_queue), talk)
    idle = without(without(on_queue, talk), wrap)
    return Times(length(talk), length(wrap), length(idle), length(on_queue))


def clipped(spans: Iterable[tuple[datetime, datetime]], since: datetime, until: datetime) -> Spans:
    """What of *spans* lies within [*since*, *until*)."""
    cut = ((max(began, since), min(ended, until)) for began, ended in spans)
    return [(began, ended) for began, ended in cut if began < ended]


def joined(spans: Iterable[tuple[datetime, datetime]]) -> Spans:
    """*spans* in order, those that touch made one."""
    found: Spans = []
    for began, ended in sorted(spans):
        if found and began <= found[-1][1]:
            found[-1] = found[-1][0], max(ended, found[-1][1])
        else:
            found.append((began, ended))
    return found


def common(one: Spans, other: Spans) -> Spans:
    """Where both are."""
    return joined(piece for began, ended in one for piece in clipped(other, began, ended))


def without(one: Spans, other: Spans) -> Spans:
    """*one* where *other* is not."""
    left: Spans = []
    for began, ended in one:
        for cut_from, cut_to in clipped(other, began, ended):
            if began < cut_from:
                left.append((began, cut_from))
            began = cut_to
        if began < ended:
            left.append((began, ended))
    return left


def length(spans: Spans) -> int:
    """Milliseconds of all *spans* together."""
    return sum(((ended - began) for began, ended in spans), timedelta()) // MS

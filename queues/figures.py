"""The hotline's figures by the formulas of the field. Every figure names the clock that it is read from.

Symbols: O, entries that are decided; A, answered; A(T), answered within T; B, given up by the caller. A call belongs to
the moment of its queue entry. Whoever still waits is not yet decided and counts nowhere; whoever was lost from sight,
timed out or turned away was not connected, and counts as such, by name. R, callers turned away at the door, never were
entries and are no part of O, which equals queue_log's own; only ``reached_rate`` counts them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from queues.calls import Call
from queues.facts import Door, Ending

INTERVALS = (15, 30, 60)
"""Minutes."""


class Clock(StrEnum):
    """Whose time a figure is."""

    CALLER = "caller"  # runs from the queue entry
    AGENT = "agent"  # runs from the offer, or over the agent's time at the seat


class Figure(NamedTuple):
    """One figure. Rates are shares from 0 to 1, times milliseconds; None where ``of`` is 0.

    ``of`` is the denominator: calls, or milliseconds for occupancy.
    """

    value: float | None
    of: int
    clock: Clock


@dataclass(slots=True)
class Tally:
    """Counts over some calls. ``rounded`` are those that queue_log alone told, to whole seconds."""

    entered: int = 0
    answered: int = 0
    within: int = 0
    rung: int = 0
    within_ring: int = 0
    wait_ms: int = 0
    rounded: int = 0
    unanswered: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    shut_out: Counter[str] = field(default_factory=Counter)

    @property
    def decided(self) -> int:
        """O: answered, or over without an answer."""
        return self.answered + self.unanswered.total()

    def add(self, call: Call, limit: timedelta) -> None:
        """Count *call*. *limit* is T; an answer after exactly T is within it (HZ 第七条)."""
        self.entered += 1
        self.rounded += not (call.exact and call.answer_exact)
        if call.answered_at is not None:
            by_caller, by_agent = call.within(limit)
            self.answered += 1
            self.within += bool(by_caller)
            self.rung += by_agent is not None
            self.within_ring += bool(by_agent)
            self.wait_ms += call.wait_ms or 0
        elif call.ending is not None:
            self.unanswered[call.ending.value] += 1
            if call.ending is Ending.LOST:
                self.lost.append(call.call_id)

    def add_shut_out(self, why: Door) -> None:
        """Count a caller who was turned away at the door."""
        self.shut_out[why.value] += 1

    def figures(self) -> dict[str, Figure]:
        """Each figure by its name.

        - ``rate_within``: A(T) / O. Losing a caller can only lower it, and a quick give-up is no success.
        - ``ring_within``: answers within T of the first ring, of the answers whose ring was seen.
        - ``service_level``: A(T) / A, Asterisk's own first formula, to be held against ``queue show``.
        - ``answer_rate``: A / O. ``abandon_rate``: B / O, short ones included.
        - ``reached_rate``: A / (O + R), of all who rang and were no nuisance.
        - ``asa_ms``: the waits of the answered / A, from the queue entry.
        """
        gave_up = self.unanswered[Ending.ABANDONED.value]
        return {
            "rate_within": share(self.within, self.decided, Clock.CALLER),
            "ring_within": share(self.within_ring, self.rung, Clock.AGENT),
            "service_level": share(self.within, self.answered, Clock.CALLER),
            "answer_rate": share(self.answered, self.decided, Clock.CALLER),
            "abandon_rate": share(gave_up, self.decided, Clock.CALLER),
            "reached_rate": share(self.answered, self.decided + self.shut_out.total(), Clock.CALLER),
            "asa_ms": share(self.wait_ms, self.answered, Clock.CALLER),
        }


def share(part: int, of: int, clock: Clock) -> Figure:
    """*part* / *of*; a figure over nothing has no value."""
    return Figure(part / of if of else None, of, clock)


def tallied(calls: Iterable[Call], limit: timedelta, shut_out: Iterable[tuple[datetime, Door]] = ()) -> Tally:
    """All *calls*, and all who were *shut_out*, in one."""
    tally = Tally()
    for _, why in shut_out:
        tally.add_shut_out(why)
    for call in calls:
        tally.add(call, limit)
    return tally


def by_interval(
    calls: Iterable[Call], limit: timedelta, since: datetime, until: datetime, minutes: int,
    shut_out: Iterable[tuple[datetime, Door]] = (),
) -> list[tuple[datetime, Tally]]:  # fmt: skip
    """The beginning of each interval of [*since*, *until*) with its counts, empty ones too; others are left out.

    Args:
        since: a local midnight, aware; the intervals are counted from it in true time, so a change of the clocks
            neither splits nor doubles one.
        until: the next midnight.
        minutes: one of ``INTERVALS``.

    Raises:
        ValueError: another number of minutes.
    """
    if minutes not in INTERVALS:
        raise ValueError(f"minutes: one of {INTERVALS} is needed")
    step = timedelta(minutes=minutes)
    found = [(since + n * step, Tally()) for n in range(-((since - until) // step))]
    for call in calls:
        if since <= call.entered_at < until:
            found[(call.entered_at - since) // step][1].add(call, limit)
    for at, why in shut_out:
        if since <= at < until:
            found[(at - since) // step][1].add_shut_out(why)
    return found

"""What is done for a caller who waits, before the limit is over; each step at the house's own figure."""

from __future__ import annotations

from collections.abc import Container
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from queues.calls import Call
from regulations import Article, Profile


class Step(StrEnum):
    """The steps that the service takes. The next agent's phone is Asterisk's own step: ``timeout`` of the queue."""

    LEAD = "lead"  # the caller blinks on the lead's screen, and the lead is alarmed
    POOL = "pool"  # agents who are 示忙 with work that can wait are asked back


class Stage(NamedTuple):
    """A step, how long after the queue entry it comes, and what says so."""

    step: Step
    after: timedelta
    article: Article


_PATHS = ((Step.LEAD, "escalate.lead_after"), (Step.POOL, "escalate.pool_after"))


def stages_of(profile: Profile) -> tuple[Stage, ...]:
    """The steps in force, the earliest first; one that the profile does not name is not taken."""
    found = [
        Stage(step, timedelta(seconds=limit.seconds()), limit.article)
        for step, path in _PATHS
        if (limit := profile.get(path)) is not None
    ]
    return tuple(sorted(found, key=lambda stage: stage.after))


def due(call: Call, stages: tuple[Stage, ...], taken: Container[Step], now: datetime) -> tuple[Stage, ...]:
    """The steps whose moment has come at *now* and which were not taken; none for a caller who waits no more.

    The moment itself is in: after exactly 10.000 s a step at 10 s is due.
    """
    if not call.waiting:
        return ()
    return tuple(s for s in stages if s.step not in taken and now >= call.waits_since + s.after)


def next_at(call: Call, stages: tuple[Stage, ...], taken: Container[Step]) -> datetime | None:
    """When the next step comes, or None when none is left for this caller."""
    if not call.waiting:
        return None
    return min((call.waits_since + s.after for s in stages if s.step not in taken), default=None)

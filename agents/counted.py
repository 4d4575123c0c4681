"""Counted busy time (示忙计时): how long an agent was busy today with a reason that counts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple


class Counted(NamedTuple):
    """What is added up since a local midnight. Times aware.

    Attributes:
        midnight: the local midnight it is counted from.
        total: of the stretches that are over.
        since: when the stretch began that still runs, not before ``midnight``; None when none runs.
    """

    midnight: datetime
    total: timedelta = timedelta(0)
    since: datetime | None = None


def of_day(counted: Counted, midnight: datetime) -> Counted:
    """The same as seen in the day that began at *midnight*: what ran over midnight counts from there."""
    if midnight <= counted.midnight:
        return counted
    return Counted(midnight, since=None if counted.since is None else max(counted.since, midnight))


def turned(counted: Counted, counts: bool, at: datetime) -> Counted:
    """After an act at *at* that ends what ran; *counts*: one that counts begins."""
    total = counted.total
    if counted.since is not None:
        total += max(at - counted.since, timedelta(0))  # a wall clock stepped back takes nothing away
    return Counted(counted.midnight, total, at if counts else None)

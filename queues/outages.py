"""Outage notices (停供通知): said to callers of an area before the queue, and shown to agents, in one voice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from regulations import Article, Ruling, allowed, refused

UNTOLD = timedelta(hours=24)  # how long a notice without an end is said
LONGEST = timedelta(days=30)


class Kind(StrEnum):
    """Two prompts: what has happened, and what is going to be done."""

    SUDDEN = "sudden"
    PLANNED = "planned"


@dataclass(frozen=True, slots=True)
class Outage:
    """One notice. Times are aware UTC.

    Attributes:
        area: a code of the site's areas; empty for everywhere.
        text: the lead's words for the agents; callers hear the prompt of the kind.
        said_from: callers hear it from then on: a planned one as long ahead as the rules say.
    """

    outage_id: str
    area: str
    kind: Kind
    text: str
    from_at: datetime
    until: datetime
    said_from: datetime
    put_by: str
    put_at: datetime
    closed_at: datetime | None = None
    closed_by: str | None = None


def said_from(kind: Kind, from_at: datetime, ahead: timedelta | None) -> datetime:
    """When callers hear of it first. *ahead*: how long before a planned outage (WD 第四条), None: not before it."""
    return from_at - ahead if kind is Kind.PLANNED and ahead is not None else from_at


def is_late(kind: Kind, from_at: datetime, now: datetime, ahead: timedelta | None) -> bool:
    """Whether a planned outage was told later than the rules ask."""
    return kind is Kind.PLANNED and ahead is not None and from_at - now < ahead


def may_put(from_at: datetime, until: datetime, now: datetime, articles: Sequence[Article]) -> Ruling:
    """A notice ends after it begins, in the future, and within ``LONGEST``."""
    if not max(from_at, now) < until <= from_at + LONGEST:
        return refused(
            "outage_times",
            "停供通知须在开始之后、30天之内结束",
            "A notice ends after it begins, within 30 days",
            *articles,
        )
    return allowed(*articles)


def dialplan_value(outage: Outage, prefixes: Sequence[str]) -> str:
    """What cti_voice.conf reads: kind, from and until in seconds since 1970, prefixes of callers' numbers."""
    times = (str(int(at.timestamp())) for at in (outage.said_from, outage.until))
    return ",".join((outage.kind.value, *times, *prefixes))

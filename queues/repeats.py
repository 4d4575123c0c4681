"""Complaints that repeat: a grade is suggested from what was counted; who decides is the agent (KL-14(六))."""

from __future__ import annotations

from calendar import monthrange
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from regulations import Article, Limit

LIGHT, ORDINARY, MAJOR = "3", "2", "1"


class Counted(NamedTuple):
    """What the store counts, the present ticket with it; several stubs of one call count once.

    ``same_caller``: complaints of this number about the same area, whenever (the text sets no time for them).
    ``different``: numbers that complained about the same area within a month.
    """

    same_caller: int
    different: int


class Rules(NamedTuple):
    """The figures of the profile; None: off."""

    different_a_month: Limit | None
    same_caller: Limit | None


class Suggestion(NamedTuple):
    """A grade, and the articles that lead to it."""

    grade: str
    articles: tuple[Article, ...]


def month_before(now: datetime, zone: ZoneInfo) -> datetime:
    """The same day and time of the month before, by the local calendar: 「一个月内」. Where that month is too short for
    the day, its last one. *now* is aware."""
    local = now.astimezone(zone)
    year, month = (local.year, local.month - 1) if local.month > 1 else (local.year - 1, 12)
    day = min(local.day, monthrange(year, month)[1])
    return local.replace(year=year, month=month, day=day).astimezone(now.tzinfo)


def suggest(counted: Counted, rules: Rules) -> Suggestion | None:
    """The gravest grade that the counts reach; 5 of 5 is reached (「5次以上」 includes 5). None: no rule speaks."""
    if _reached(counted.same_caller, rules.same_caller) and rules.same_caller is not None:
        return Suggestion(MAJOR, (rules.same_caller.article,))
    if _reached(counted.different, rules.different_a_month) and rules.different_a_month is not None:
        return Suggestion(ORDINARY, (rules.different_a_month.article,))
    articles = tuple(dict.fromkeys(limit.article for limit in rules if limit is not None))
    return Suggestion(LIGHT, articles) if articles else None


def _reached(count: int, limit: Limit | None) -> bool:
    return limit is not None and count >= int(str(limit.value))

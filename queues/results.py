"""What came of a callback: the caller's judgement, a time agreed, a refusal, a reply sent back (QD 第十二条（三）)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from queues import callbacks
from queues.callbacks import Attempt, CallbackLimits, Override
from queues.owed import not_yours
from regulations import Article, Limit, Profile, Ruling, allowed, refused

MOST_TEXT = 500  # characters of what the caller said
FARTHEST = timedelta(days=60)  # an appointment beyond is a slip of the hand


class Satisfaction(StrEnum):
    """The caller's judgement (满意度评价)."""

    SATISFIED = "satisfied"
    NEUTRAL = "neutral"
    DISSATISFIED = "dissatisfied"


KEYS = {1: Satisfaction.SATISFIED, 2: Satisfaction.NEUTRAL, 3: Satisfaction.DISSATISFIED}
"""What the caller presses, as in the survey after a call in."""


class Cause(StrEnum):
    """In which step the dissatisfied were lost (HZ 第三十五条: 在哪个环节出现问题)."""

    TAKING = "taking"  # 受理
    HANDING_OUT = "handing_out"  # 转办时间长
    SHIRKED = "shirked"  # 部门推诿
    HANDLING = "handling"  # 处理不到位
    REPLY = "reply"  # 答复不实、不清
    MANNERS = "manners"  # 服务态度
    POLICY = "policy"  # 政策限制
    OTHER = "other"


class NotTalked(StrEnum):
    """Somebody took the call and will not talk. Each is an outcome of the attempt too."""

    REFUSED = "refused"
    WRONG_NUMBER = "wrong_number"


class Standing(NamedTuple):
    """How a callback stands for whoever says what came of it. ``answered``: somebody took one of its calls."""

    holder: str
    by: str
    lead: bool
    answered: bool
    over: bool
    """It is closed otherwise than by a conversation."""
    result: str | None = None

    @property
    def mine(self) -> bool:
        """Whether it is for *by* to say something of it."""
        return self.lead or self.by == self.holder


def may_record(standing: Standing, profile: Profile) -> Ruling:
    """A judgement is the caller's: only after he was reached, by who called him; a lead may put it right."""
    if not standing.mine:
        return not_yours(standing.holder)
    if not standing.answered:
        return refused("not_reached", "尚未接通客户，不得填写评价", "The caller was not reached", *_recorded(profile))
    if standing.result is not None and not standing.lead:
        return refused("result_known", "评价已记录，更正须由值班长办理", "It is recorded; a lead may put it right")
    return allowed(*_recorded(profile))


def may_agree(
    standing: Standing, attempts: tuple[Attempt, ...], limits: CallbackLimits, ring: timedelta, at: datetime,
    now: datetime, override: Override | None,
) -> Ruling:  # fmt: skip
    """A time agreed with the caller (约定下次回复（回访）时间): by who called him, and only what can be kept.

    Args:
        ring: from the dial to the end of the ring; it may not reach into quiet hours.
        override: a lead's leave for a time in quiet hours.
    """
    rule = limits.profile.rule("callback.appointments")
    articles = () if rule is None else (rule,)
    if not standing.mine:
        return not_yours(standing.holder)
    if standing.over:
        return refused("callback_closed", "该回访已办结", "The callback is closed")
    if at > now + FARTHEST:
        return refused("appointment_far", "约定时间须在60天以内", "It must lie within the next 60 days", *articles)
    ruling = callbacks.may_agree(attempts, limits, at, now, ring, override)
    return replace(ruling, articles=(*articles, *ruling.articles))


def may_send_back(standing: Standing, has_ticket: bool, profile: Profile) -> Ruling:
    """退回: before the dial, when the reply reads badly, or after it, when the caller says otherwise."""
    if not standing.mine:
        return not_yours(standing.holder)
    if standing.over:
        return refused("callback_closed", "该回访已办结", "The callback is closed")
    if not has_ticket:
        return refused("no_such_ticket", "该回访没有此工单", "The callback is about no such ticket")
    rule = profile.rule("callback.send_back")
    return allowed() if rule is None else allowed(rule)


def supervised(times: int, after: Limit | None) -> bool:
    """挂牌督办: whether so many dissatisfied answers of one ticket are enough; the figure itself is."""
    return after is not None and isinstance(after.value, int) and times >= after.value


def _recorded(profile: Profile) -> tuple[Article, ...]:
    rule = profile.rule("callback.truthful")
    return () if rule is None else (rule,)

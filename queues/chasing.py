"""A caller who chases (催办): under half of the time explain, past half send a reminder, at most two (KL-15(4))."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from queues.stubs import Stub
from regulations import Article, Limit, Ruling, Strength, allowed, refused


class Advice(StrEnum):
    """What to do for a caller who asks after an open ticket."""

    NOT_HANDED_OUT = "not_handed_out"  # nobody has it yet: hand it out
    EXPLAIN = "explain"  # 办理周期未过半: 向客户解释
    REMIND = "remind"  # 过半: 派发催办工单
    EXHAUSTED = "exhausted"  # 催办次数已满
    NO_LIMIT = "no_limit"  # no figure says how long it may take


class Rules(NamedTuple):
    """The figures of the profile: the share of the time in percent, and the most reminders; None: off."""

    after_percent: Limit | None
    reminders: Limit | None

    def articles(self) -> tuple[Article, ...]:
        """What is cited; no article twice."""
        limits = (limit for limit in self if limit is not None)
        return tuple(dict.fromkeys(limit.article for limit in limits))


class Standing(NamedTuple):
    """A ticket's age against its limit. ``share``: of the time from hand-out to deadline, 0 up; None without one."""

    age_s: float
    limit_s: float | None
    share: float | None
    reminders: int
    advice: Advice


def standing(stub: Stub, rules: Rules, now: datetime) -> Standing:
    """How an open ticket stands at *now*. Its age runs from the hand-out; before that, from the opening."""
    began = stub.handed_out_at or stub.opened_at
    age = max((now - began).total_seconds(), 0.0)
    limit = share = None
    if stub.handed_out_at is not None and stub.finish_due is not None:
        limit = (stub.finish_due - stub.handed_out_at).total_seconds()
        share = age / limit if limit > 0 else None
    return Standing(age, limit, share, stub.reminders, _advice(stub, share, rules))


def _advice(stub: Stub, share: float | None, rules: Rules) -> Advice:
    if stub.handed_out_at is None:
        return Advice.NOT_HANDED_OUT
    if _used_up(stub, rules):
        return Advice.EXHAUSTED
    if share is None:
        return Advice.NO_LIMIT
    return Advice.REMIND if _past(share, rules) else Advice.EXPLAIN


def _past(share: float, rules: Rules) -> bool:
    """Half is reached at exactly half: 过半 is read in the caller's favour."""
    return rules.after_percent is None or share * 100 >= int(str(rules.after_percent.value))


def _used_up(stub: Stub, rules: Rules) -> bool:
    return rules.reminders is not None and stub.reminders >= int(str(rules.reminders.value))


def may_remind(stub: Stub, rules: Rules, now: datetime, *, special: bool, lead: bool) -> Ruling:
    """Whether a reminder may be sent now.

    Args:
        special: a reason was given why it cannot wait for half (KL-15(4).3: 客户表示强烈不满……等特殊情况).
        lead: a shift lead asks, with a reason; only 「原则上」 bends to him.
    """
    state = standing(stub, rules, now)
    if state.advice is Advice.NOT_HANDED_OUT:
        return refused("not_handed_out", "该工单尚未派发，无从催办", "The ticket has not been handed out yet")
    if state.advice is Advice.EXHAUSTED and rules.reminders is not None:
        most, bends = rules.reminders.value, rules.reminders.strength is Strength.PRINCIPLE
        if bends and lead and special:
            return allowed(rules.reminders.article)
        return refused(
            "reminders_used_up", f"同一事件已催办{stub.reminders}次，原则上不超过{most}次",
            f"{stub.reminders} reminders were sent; {most} at most", rules.reminders.article,
            override="lead" if bends else None,
        )  # fmt: skip
    if state.advice is Advice.EXPLAIN and not special and rules.after_percent is not None:
        return refused(
            "explain_first", "办理周期未过半，请向客户解释；特殊情况请写明理由",
            "Less than half of the time is over: explain; in a special case give the reason",
            rules.after_percent.article, at=_half(stub, rules),
        )  # fmt: skip
    return allowed(*rules.articles())


def _half(stub: Stub, rules: Rules) -> datetime | None:
    if stub.handed_out_at is None or stub.finish_due is None or rules.after_percent is None:
        return None
    return stub.handed_out_at + (stub.finish_due - stub.handed_out_at) * int(str(rules.after_percent.value)) / 100

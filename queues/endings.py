"""How a callback ends: by what the caller said, or after enough attempts in vain, each of them listed.

KL 第十四条(九): 「由于客户原因导致回复（回访）不成功的……应安排不少于3次回复（回访）……如果确因客户原因
回复（回访）不成功的，应在工单中写明原因，并办结工单。」
"""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

from queues.callbacks import UNREACHED, Attempt, AttemptOutcome, CallbackLimits, retry_after
from regulations import Article, Ruling, allowed, refused

SPOKEN = {
    AttemptOutcome.REACHED: "reached",
    AttemptOutcome.REFUSED: "refused",
    AttemptOutcome.WRONG_NUMBER: "wrong_number",
}
"""Outcomes that end a callback at once -> the state that it ends in."""
_WORDS = {
    AttemptOutcome.PLACING: ("正在回访", "running"),
    AttemptOutcome.REACHED: ("已接通", "reached"),
    AttemptOutcome.REFUSED: ("客户拒绝回访", "declined by the caller"),
    AttemptOutcome.WRONG_NUMBER: ("号码有误", "wrong number"),
    AttemptOutcome.NOT_CONVENIENT: ("客户不便，另约时间", "not convenient, another time agreed"),
    AttemptOutcome.NO_ANSWER: ("无人接听", "no answer"),
    AttemptOutcome.BUSY: ("占线", "busy"),
    AttemptOutcome.AGENT_AWAY: ("话务员未接，未拨客户", "agent's phone not answered, caller not rung"),
    AttemptOutcome.FAILED: ("网络故障，未振铃", "network failure, caller not rung"),
    AttemptOutcome.CALLER_CAME: ("客户本人来电，改由来电处理", "the caller rang in himself"),
    AttemptOutcome.UNKNOWN: ("结果不明", "outcome unknown"),
}


class Then(NamedTuple):
    """What follows an attempt that has ended."""

    state: str
    """due, reached, refused, wrong_number or exhausted."""
    wait: timedelta
    """Before the next dial at the earliest, beside every rule; of use when ``state`` is due."""


class Line(NamedTuple):
    """One attempt as it is written into the ticket. ``counts``: towards the least before closing."""

    ordinal: int
    counts: bool
    zh: str
    en: str


def then(attempts: tuple[Attempt, ...], limits: CallbackLimits) -> Then:
    """What follows the last of *attempts*: an end, or another attempt after a wait."""
    for attempt in attempts:
        if attempt.outcome in SPOKEN:
            return Then(SPOKEN[attempt.outcome], timedelta(0))
    if limits.most is not None and sum(a.counts for a in attempts) >= limits.most:
        return Then("exhausted", timedelta(0))
    return Then("due", retry_after(attempts))


def may_close(attempts: tuple[Attempt, ...], limits: CallbackLimits, reason: str, lead: bool = False) -> Ruling:
    """Whether a callback may be closed on these attempts; an unreached caller only after the least number of them.

    An attempt of unknown outcome (we went down in its middle) may have rung the caller: it is never made again, and
    does not prove that he was tried. When such a one stands in the way, a lead closes, with a reason.

    Args:
        reason: why it ends; written into the ticket. Not needed for one that was reached.
    """
    if any(a.outcome is AttemptOutcome.PLACING for a in attempts):
        return refused("attempt_running", "正在回访中", "An attempt is running")
    if any(a.outcome is AttemptOutcome.REACHED for a in attempts):
        return allowed()
    if not reason.strip():
        return refused("reason_needed", "请写明办结原因", "Write down why it is closed", *_least(limits))
    if any(a.outcome in SPOKEN for a in attempts):
        return allowed(*_least(limits))
    proved = sum(a.outcome in UNREACHED for a in attempts)
    if limits.least is None or proved >= limits.least:
        return allowed(*_least(limits))
    used = limits.most is not None and sum(a.counts for a in attempts) >= limits.most
    if used and lead:
        return allowed(*_least(limits))
    return refused(
        "too_few_attempts", f"客户原因未成功的回访仅{proved}次，不足{limits.least}次，不得办结",
        f"Tried {proved} times in vain; at least {limits.least} are needed before closing",
        *_least(limits), override="lead" if used else None,
    )  # fmt: skip


def _least(limits: CallbackLimits) -> tuple[Article, ...]:
    article = limits.profile.rule("callback.least_attempts")
    return () if article is None else (article,)


def listed(attempts: tuple[Attempt, ...], zone: tzinfo) -> tuple[Line, ...]:
    """Every attempt with its time and outcome, in order, for the ticket and the page; local time of *zone*."""
    return tuple(_line(attempt, zone) for attempt in attempts)


def _line(attempt: Attempt, zone: tzinfo) -> Line:
    zh, en = _WORDS[attempt.outcome]
    at = _local(attempt.started_at, zone)
    n = attempt.ordinal
    return Line(n, attempt.outcome in UNREACHED, f"第{n}次 {at} {zh}", f"No. {n} {at} {en}")


def _local(at: datetime, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"

"""Who is called back: all of some kinds, a sample of the rest, and some never (QD 第十二条（二）, KL 第十四条（九）).

The articles decide, in this order: who said no is not called; what is marked or of a kind that must be called is; a
kind that is not called is refused; what was handed on is called; of the rest a sample is drawn, or all are called.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from queues.stubs import Stub
from regulations import Article, Profile, Ruling, allowed, refused

HANDED_ON_CHANNELS = ("oa", "other")  # 转办件: from another house; 微信件 and calls are the hotline's own


class Mark(StrEnum):
    """What an agent says of a ticket for the callback's sake. Each is a field of queues.stubs.Stub."""

    NO_CALLBACK = "no_callback"  # 客户明确要求不需回复（回访）
    REPEAT = "repeat"  # 重复件
    DAILY_BRIEF = "daily_brief"  # 日报重点信息件
    FLYING_LETTER = "flying_letter"  # 飞信件


MUST = {
    "emergency": "callback.must_rescue", "report": "callback.must_report", "complaint": "callback.must_complaint",
    Mark.REPEAT: "callback.must_repeat", Mark.DAILY_BRIEF: "callback.must_daily_brief",
    Mark.FLYING_LETTER: "callback.must_flying_letter",
}  # fmt: skip
"""Kind or mark -> the rule by which all of them are called back. 抢险 is the kind 报警."""
NEVER = {
    "consult": "callback.never_consult", "query": "callback.never_query", "suggestion": "callback.never_suggestion",
    "praise": "callback.never_praise",
}  # fmt: skip
"""Kind -> the rule by which none of them are."""


class Owed(StrEnum):
    """What comes of a ticket that is answered or finished."""

    MANDATORY = "mandatory"  # it is called back
    POOL = "pool"  # it is on the list from which the sample is drawn
    REFUSED = "refused"  # an article says that it is not called back
    NOTHING = "nothing"  # no rule asks for it


@dataclass(frozen=True, slots=True)
class Matter:
    """The facts of one ticket that bear on its callback."""

    kind: str | None = None
    """Of queues/kinds.py."""
    handed_on: bool = False
    """It went to a unit, or came from another house (转办件)."""
    marks: frozenset[Mark] = frozenset()
    emergency: bool = False
    nobody: bool = False
    """A nuisance or silent call: there is nobody to speak with."""


class Verdict(NamedTuple):
    """What is owed, and the articles that say so. ``pool``: the path of the sample's figure, for the pool alone."""

    owed: Owed
    ruling: Ruling
    pool: str | None = None


def matter_of(stub: Stub) -> Matter:
    """What a ticket stub tells of itself."""
    handed_on = stub.handed_out_at is not None or stub.channel in HANDED_ON_CHANNELS
    marks = frozenset(mark for mark in Mark if getattr(stub, mark.value))
    return Matter(stub.kind, handed_on, marks, stub.emergency, stub.caller_kind in ("nuisance", "silent"))


def judged(matter: Matter, profile: Profile) -> Verdict:
    """What *matter* is owed under *profile*."""
    if matter.nobody:
        return Verdict(Owed.NOTHING, allowed())
    declined = profile.rule("callback.unless_declined")
    if Mark.NO_CALLBACK in matter.marks and declined is not None:
        return _refused("caller_declined", "客户明确要求不需回访", "The caller wants no callback", declined)
    must = _musts(matter, profile)
    if must:
        return Verdict(Owed.MANDATORY, allowed(*must))
    never = profile.rule(NEVER.get(matter.kind or "", ""))
    if never is not None:
        return _refused("kind_not_called", "该类工单不回访", "This kind is not called back", never)
    if matter.handed_on and (forwarded := profile.get("callback.forwarded_percent")) is not None:
        whole = forwarded.value == 100
        owed = Owed.MANDATORY if whole else Owed.POOL
        return Verdict(owed, allowed(forwarded.article), None if whole else forwarded.path)
    if (sample := profile.get("callback.sample_percent")) is not None:
        return Verdict(Owed.POOL, allowed(sample.article), sample.path)
    every = profile.rule("callback.all")
    return Verdict(Owed.NOTHING, allowed()) if every is None else Verdict(Owed.MANDATORY, allowed(every))


def _musts(matter: Matter, profile: Profile) -> tuple[Article, ...]:
    """The articles by which all of its kind are called back."""
    named = {*matter.marks, matter.kind, *(("emergency",) if matter.emergency else ())}
    found = [profile.rule(path) for what, path in MUST.items() if what in named]
    return tuple(dict.fromkeys(article for article in found if article is not None))


def _refused(code: str, zh: str, en: str, article: Article) -> Verdict:
    return Verdict(Owed.REFUSED, refused(code, zh, en, article))


def may_claim(holder: str, agent: str, state: str, merge: Article | None) -> Ruling:
    """One agent makes a callback; the other is told who (QD 第十二条（四）: 互通)."""
    if state != "due":
        return not_open(state)
    if holder not in ("", agent):
        articles = () if merge is None else (merge,)
        return refused("callback_claimed", f"已由{holder}号话务员认领", f"Agent {holder} has claimed it", *articles)
    return allowed()


def may_release(holder: str, by: str, lead: bool, state: str) -> Ruling:
    """The holder, or a lead."""
    if state != "due":
        return not_open(state)
    return allowed() if lead or (holder and by == holder) else not_yours(holder)


def may_assign(lead: bool, agent_known: bool, state: str) -> Ruling:
    """A lead gives it to an agent."""
    if not lead:
        return refused("lead_only", "须由值班长安排", "The shift lead does this")
    if not agent_known:
        return refused("unknown_agent", "没有该工号的话务员", "There is no agent with this number")
    return allowed() if state == "due" else not_open(state)


def not_yours(holder: str) -> Ruling:
    """Refused to whoever does not hold it."""
    if not holder:
        return refused("callback_unclaimed", "请先认领该回访", "Claim the callback first")
    return refused("not_your_callback", f"该回访由{holder}号话务员办理", f"Agent {holder} has this callback")


def not_open(state: str) -> Ruling:
    """Refused for a callback that is over, or runs."""
    return refused("callback_closed", "该回访已办结或正在进行", f"The callback is {state}")

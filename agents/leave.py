"""Leave and swaps: asked ahead, agreed by the partner of a swap, decided by somebody else. Every step is kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from agents.shifts import Shift, ShiftState
from regulations import Article, Limit, Profile, Ruling, Strength, allowed, combined, refused


class RequestKind(StrEnum):
    """What is asked for."""

    PERSONAL = "personal"  # 事假
    SICK = "sick"  # 病假
    ANNUAL = "annual"  # 年休
    SWAP = "swap"  # 换班


class RequestState(StrEnum):
    """Where a request stands."""

    PARTNER = "partner"  # 待对方同意: the partner of a swap has not answered
    PENDING = "pending"  # 待审批
    APPROVED = "approved"  # 已批准
    DECLINED = "declined"  # 未批准
    REFUSED = "refused"  # 对方不同意
    WITHDRAWN = "withdrawn"  # 已撤回


class StepKind(StrEnum):
    """One thing that somebody did with a request."""

    ASKED = "asked"
    PARTNER_AGREED = "partner_agreed"
    PARTNER_REFUSED = "partner_refused"
    APPROVED = "approved"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class Step(NamedTuple):
    """Who did what, when (aware UTC), and why."""

    kind: StepKind
    at: datetime
    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """A request for leave or a swap of one shift.

    Attributes:
        number: whose shift it is: the one concerned, whoever entered the request.
        starts_at: the shift's start, aware UTC.
        partner: who is to stand in, for a swap.
        stand_in: the partner's own shift, once the swap is approved.
    """

    request_id: str
    kind: RequestKind
    number: str
    shift_id: str
    starts_at: datetime
    partner: str | None = None
    state: RequestState = RequestState.PENDING
    steps: tuple[Step, ...] = ()
    stand_in: str | None = None

    @property
    def open(self) -> bool:
        """Whether somebody still has to answer."""
        return self.state in (RequestState.PARTNER, RequestState.PENDING)

    def stepped(self, state: RequestState, step: Step) -> Request:
        """The request after *step*."""
        return replace(self, state=state, steps=(*self.steps, step))


@dataclass(frozen=True, slots=True)
class Day:
    """The local day on which a shift begins: a night shift belongs to the evening, not to the morning after.

    Attributes:
        rostered: agents who are to be there (应在岗人数): on duty or on leave. Who was swapped out is not, his
            stand-in is.
        personal: agents on 事假 among them, without the one who asks.
        peak: whether extra shifts were put on (热线高峰).
    """

    rostered: int
    personal: int
    peak: bool


def day_of(shift: Shift, shifts: Iterable[Shift], personal: Iterable[str], zone: ZoneInfo) -> Day:
    """The facts of the day on which *shift* begins.

    Args:
        shifts: the roster around that day, any state.
        personal: ids of shifts on approved 事假.
        zone: the hotline's zone.
    """
    wanted = shift.starts_at.astimezone(zone).date()
    there = [
        s for s in shifts
        if s.starts_at.astimezone(zone).date() == wanted and s.state in (ShiftState.ON, ShiftState.LEAVE)
    ]  # fmt: skip
    away = set(personal)
    on_leave = {s.agent for s in there if s.shift_id in away and s.state is ShiftState.LEAVE} - {shift.agent}
    return Day(len({s.agent for s in there}), len(on_leave), any(s.extra and s.state is ShiftState.ON for s in there))


class Asking(NamedTuple):
    """Who asks for what, and how things stand.

    Attributes:
        by: who enters the request; ``leads`` when that is a lead (or an administrator) and not the agent himself.
        partner_free: for a swap, whether the partner's own shifts leave room for this one.
        asked_already: whether an open request for the shift is waiting.
    """

    shift: Shift
    kind: RequestKind
    by: str
    leads: bool
    day: Day
    partner: str | None = None
    partner_free: bool = True
    asked_already: bool = False


def may_ask(asking: Asking, profile: Profile, zone: ZoneInfo, now: datetime) -> Ruling:
    """Whether the request may be made. One that is late still comes in when a lead enters it, with a reason.

    That entry is a request like any other: it takes effect when it is decided.
    """
    shift = asking.shift
    if shift.state is not ShiftState.ON:
        return refused("shift_gone", "该班次已请假、换班或撤销", "This shift is on leave, swapped or taken off already")
    if shift.ends_at <= now:
        return refused("shift_over", "该班次已结束", "This shift is over")
    if asking.asked_already:
        return refused("already_asked", "该班次已有待处理的申请", "A request for this shift is waiting already")
    overrides = asking.leads and asking.by != shift.agent
    said = [_for_another(asking, profile), _ahead(asking, profile, zone, now, overrides=overrides), _partner(asking)]
    if asking.kind is RequestKind.PERSONAL:
        said.append(_cap(asking.day, profile, overrides=overrides))
    said.append(_peak(asking.kind, asking.day, profile, overrides=overrides))
    return combined(said)


def _for_another(asking: Asking, profile: Profile) -> Ruling:
    # HZ-19 「除本人生病不方便外,不许请他人代为请假」: only who is ill may let another ask. A lead who enters a
    # request does not ask in the agent's place: he records it with his reason, and it is decided like any other.
    ahead = profile.get("leave.ahead")
    articles = () if ahead is None else (ahead.article,)
    if asking.by == asking.shift.agent or asking.leads or asking.kind is RequestKind.SICK:
        return allowed(*articles)
    return refused(
        "asked_for_another", "除本人生病外，不许代他人请假或换班", "Only for somebody who is ill may another ask",
        *articles, override="lead",
    )  # fmt: skip


def _ahead(asking: Asking, profile: Profile, zone: ZoneInfo, now: datetime, *, overrides: bool) -> Ruling:
    # The exception of HZ-19 speaks of who asks, not of when. We read it as freeing illness from the day ahead too:
    # nobody knows it a day before, and a rule that cannot be kept would turn each sick agent into an absent one.
    limit = profile.get("leave.ahead")
    if limit is None:
        return allowed()
    if asking.kind is RequestKind.SICK or overrides:
        return allowed(limit.article)
    last = asking.shift.starts_at - timedelta(seconds=limit.seconds())
    if now <= last:
        return allowed(limit.article)
    at, hours = f"{last.astimezone(zone):%Y-%m-%d %H:%M}", limit.seconds() / 3600
    return refused(
        "asked_late",
        f"请假、换班须提前{hours:g}小时申请，最迟应在{at}",
        f"Leave and swaps are asked for {hours:g} h ahead: {at} was the latest",
        limit.article,
        override="lead",
    )


def _partner(asking: Asking) -> Ruling:
    if asking.kind is not RequestKind.SWAP:
        return allowed()
    if asking.partner is None or asking.partner == asking.shift.agent:
        return refused("no_partner", "换班须另有一名话务员顶班", "A swap needs another agent")
    if not asking.partner_free:
        return _busy_partner()
    return allowed()


def _busy_partner() -> Ruling:
    return refused("partner_on_duty", "对方该时段已有班次", "The other agent has a shift at that time")


def _cap(day: Day, profile: Profile, *, overrides: bool) -> Ruling:
    """当日请事假人数不得高于应在岗人数的80%: exactly the share is allowed, and the one who asks is counted."""
    limit = profile.get("leave.cap_percent")
    if limit is None:
        return allowed()
    assert isinstance(limit.value, int)  # noqa: S101 - the profile does not load otherwise
    if (day.personal + 1) * 100 <= limit.value * day.rostered or (overrides and _in_principle(limit)):
        return allowed(limit.article)
    return refused(
        "leave_cap",
        f"当日应在岗{day.rostered}人，已批事假{day.personal}人，不得高于{limit.value}%",
        f"{day.personal} of {day.rostered} rostered that day are on personal leave: at most {limit.value} %",
        limit.article,
        override="lead" if _in_principle(limit) else None,
    )


def _peak(kind: RequestKind, day: Day, profile: Profile, *, overrides: bool) -> Ruling:
    article = profile.rule("leave.peak")
    if article is None or not day.peak or kind not in (RequestKind.ANNUAL, RequestKind.SWAP):
        return allowed()
    if overrides:
        return allowed(article)
    return refused(
        "peak_day", "热线高峰期间原则上不安排休年假、换休", "At a peak no annual leave and no swap, in principle",
        article, override="lead",
    )  # fmt: skip


def _in_principle(limit: Limit) -> bool:
    return limit.strength is Strength.PRINCIPLE


def may_answer(request: Request, by: str, *, agrees: bool, free: bool) -> Ruling:
    """Whether *by* may answer as the partner of a swap; to agree, his own shifts must leave room (*free*)."""
    if request.partner != by:
        return _not_yours()
    if request.state is not RequestState.PARTNER:
        return _settled()
    return _busy_partner() if agrees and not free else allowed()


def may_withdraw(request: Request, by: str) -> Ruling:
    """Only the agent concerned takes his request back, and only while it is open."""
    if request.number != by:
        return _not_yours()
    return allowed() if request.open else _settled()


class Deciding(NamedTuple):
    """A decision and how things stand as it is made. ``shift`` is None when it is no longer in the roster."""

    request: Request
    by: str
    agreed: bool
    reason: str
    shift: Shift | None
    day: Day
    partner_free: bool = True


def may_decide(deciding: Deciding, profile: Profile, now: datetime) -> Ruling:
    """Whether *by* may decide so. Nobody decides on his own leave, nor on a swap that he is part of.

    A reason overrides what stands 原则上, and a shift that has begun; the cap of personal leave is asked again, for
    others may have been given leave since.
    """
    request, article = deciding.request, profile.rule("leave.approval")
    articles: tuple[Article, ...] = () if article is None else (article,)
    if deciding.by in (request.number, request.partner):
        return refused("own_request", "不得审批本人的申请", "Nobody decides on a request of his own", *articles)
    if request.state is RequestState.PARTNER:
        return refused("partner_first", "对方尚未同意换班", "The other agent has not agreed yet", *articles)
    if not request.open:
        return _settled()
    if not deciding.agreed:
        return allowed(*articles)
    if deciding.shift is None or deciding.shift.state is not ShiftState.ON:
        return refused("shift_gone", "该班次已请假、换班或撤销", "This shift is on leave, swapped or taken off already")
    overrides = bool(deciding.reason)
    said = [allowed(*articles), _begun(deciding.shift, now, overrides=overrides)]
    if request.kind is RequestKind.PERSONAL:
        said.append(_cap(deciding.day, profile, overrides=overrides))
    if request.kind is RequestKind.SWAP and not deciding.partner_free:
        said.append(_busy_partner())
    said.append(_peak(request.kind, deciding.day, profile, overrides=overrides))
    return combined(said)


def _begun(shift: Shift, now: datetime, *, overrides: bool) -> Ruling:
    if now < shift.starts_at or overrides:
        return allowed()
    return refused(
        "shift_begun", "该班次已开始，批准须注明原因", "The shift has begun: say why it is agreed", override="lead"
    )


def _settled() -> Ruling:
    return refused("request_settled", "该申请已处理完毕", "This request is settled")


def _not_yours() -> Ruling:
    return refused("not_found", "没有该申请", "There is no such request")

"""Leave and swaps: each rule by itself, at its edge, with its article."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from agents.leave import (
    Asking,
    Day,
    Deciding,
    Request,
    RequestKind,
    RequestState,
    day_of,
    may_answer,
    may_ask,
    may_decide,
    may_withdraw,
)
from agents.shifts import Shift, ShiftState
from regulations import Article, Basis, Limit, Profile, Strength

ZONE = ZoneInfo("Asia/Shanghai")
T0 = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)  # 08:00 in Heze
H, US = timedelta(hours=1), timedelta(microseconds=1)
SHIFT = Shift("s1", "1001", T0, T0 + 11 * H)
QUIET = Day(5, 0, False)
HZ19, HZ20 = Article("HZ", "第十九条", "提前1天"), Article("HZ", "第二十条", "未经岗位负责人批准")
QD13 = Article("QD", "第十三条（二）", "热线高峰期间原则上不安排休年假、换休")
P, S, A, W = RequestKind.PERSONAL, RequestKind.SICK, RequestKind.ANNUAL, RequestKind.SWAP


def profile(**strengths: Strength) -> Profile:
    """Both texts' rules together."""
    rules = (
        ("leave.ahead", 24 * H, HZ19), ("leave.cap_percent", 80, HZ19), ("leave.approval", True, HZ20),
        ("leave.peak", True, QD13),
    )  # fmt: skip
    limits = {
        path: Limit(path, value, article, strengths.get(path.partition(".")[2], Strength.MUST), Basis.TEXT)
        for path, value, article in rules
    }
    return Profile("x", "x", "x", "Asia/Shanghai", limits)


SILENT = Profile("x", "x", "x", "Asia/Shanghai")


def asking(kind: RequestKind = P, by: str = "1001", day: Day = QUIET, **more: object) -> Asking:
    """The agent asks for himself."""
    partner = "1002" if kind is W else None
    return Asking(SHIFT, kind, by, by.startswith("9"), day, partner)._replace(**more)  # type: ignore[arg-type]


def code(what: Asking, now: datetime = T0 - 48 * H, rules: Profile | None = None) -> str:
    """The ruling's code."""
    return may_ask(what, rules or profile(), ZONE, now).code


@pytest.mark.parametrize("kind", [P, A, W])
def test_a_day_ahead_exactly_is_in_time(kind: RequestKind) -> None:
    """To the microsecond; the refusal names HZ-19, the latest moment, and that a lead may."""
    assert code(asking(kind), T0 - 24 * H) == "ok"
    late = may_ask(asking(kind), profile(), ZONE, T0 - 24 * H + US)
    assert (late.code, late.articles, late.override, late.allowed_at) == ("asked_late", (HZ19,), "lead", None)
    assert "2026-11-22 08:00" in late.zh
    assert code(asking(kind, "9001"), T0 - H) == "ok"


def test_illness_may_be_told_until_the_shift_is_over_and_by_another() -> None:
    """除本人生病不方便外, and nobody knows it a day ahead."""
    assert code(asking(S), T0 + 11 * H - US) == "ok"
    assert code(asking(S), T0 + 11 * H) == "shift_over"
    assert code(asking(S, "1009")) == "ok"
    assert code(asking(P, "1009")) == "asked_for_another"


def test_a_lead_does_not_override_for_himself() -> None:
    """His own late leave is late; another lead may enter it."""
    own = asking(P, "9001")._replace(shift=replace(SHIFT, agent="9001"))
    assert code(own, T0 - H) == "asked_late"
    assert code(own._replace(by="9002"), T0 - H) == "ok"


@pytest.mark.parametrize(
    ("rostered", "away", "well"), [(5, 3, True), (5, 4, False), (10, 7, True), (4, 3, False), (1, 0, False)]
)
def test_four_fifths_exactly_are_allowed(rostered: int, away: int, *, well: bool) -> None:
    """当日请事假人数不得高于应在岗人数的80%: who asks is counted; other leave is not personal leave."""
    day = Day(rostered, away, False)
    assert (code(asking(P, day=day)) == "ok") is well
    assert code(asking(A, day=day)) == code(asking(S, day=day)) == "ok"
    if not well:
        must = may_ask(asking(P, "9001", day), profile(), ZONE, T0 - 48 * H)
        assert (must.code, must.override, must.articles) == ("leave_cap", None, (HZ19,))
        assert code(asking(P, "9001", day), rules=profile(cap_percent=Strength.PRINCIPLE)) == "ok"


def test_peaks_are_against_annual_leave_and_swaps_in_principle() -> None:
    """QD 第十三条（二）: the lead may agree all the same, with a reason; 事假 and illness are not spoken of."""
    peak = Day(5, 0, True)
    for kind in (A, W):
        said = may_ask(asking(kind, day=peak), profile(), ZONE, T0 - 48 * H)
        assert (said.code, said.articles, said.override) == ("peak_day", (QD13,), "lead")
        assert code(asking(kind, "9001", peak)) == "ok"
    assert code(asking(P, day=peak)) == code(asking(S, day=peak)) == "ok"


def test_all_refusals_are_told_together() -> None:
    """Late, at a peak, with a partner on duty: each article stands in it."""
    said = may_ask(asking(W, day=Day(5, 0, True), partner_free=False), profile(), ZONE, T0)
    assert (said.code, said.articles) == ("asked_late", (HZ19, QD13))
    assert "对方" in said.zh
    assert said.override is None


def test_a_hotline_whose_text_is_silent_has_no_such_rule() -> None:
    """No day ahead, no cap, no peak."""
    assert code(asking(P, day=Day(1, 1, True)), T0 - US, SILENT) == "ok"
    assert code(asking(A, day=Day(1, 1, True)), T0 - US, SILENT) == "ok"


def test_a_shift_is_asked_for_once_and_while_it_stands() -> None:
    """A second request, a shift on leave, a swap with nobody or with oneself."""
    assert code(asking(asked_already=True)) == "already_asked"
    assert code(asking()._replace(shift=replace(SHIFT, state=ShiftState.LEAVE))) == "shift_gone"
    assert code(asking(W, partner=None)) == code(asking(W, partner="1001")) == "no_partner"
    assert code(asking(W, partner_free=False)) == "partner_on_duty"


def test_only_the_partner_answers_and_once() -> None:
    """And agrees only with room for the shift."""
    asked = Request("r", W, "1001", "s1", T0, "1002", RequestState.PARTNER)
    assert may_answer(asked, "1002", agrees=True, free=True).allowed
    assert may_answer(asked, "1002", agrees=False, free=False).allowed
    assert may_answer(asked, "1002", agrees=True, free=False).code == "partner_on_duty"
    assert may_answer(asked, "1001", agrees=True, free=True).code == "not_found"
    settled = replace(asked, state=RequestState.PENDING)
    assert may_answer(settled, "1002", agrees=True, free=True).code == "request_settled"


def test_only_the_agent_withdraws_and_while_it_is_open() -> None:
    """Neither the partner nor a lead."""
    asked = Request("r", W, "1001", "s1", T0, "1002", RequestState.PENDING)
    assert may_withdraw(asked, "1001").allowed
    assert may_withdraw(asked, "1002").code == "not_found"
    assert may_withdraw(replace(asked, state=RequestState.DECLINED), "1001").code == "request_settled"


def decide(by: str = "9001", reason: str = "", now: datetime = T0 - H, **more: object) -> str:
    """A decision's code."""
    asked = Request("r", P, "1001", "s1", T0)
    deciding = Deciding(asked, by, True, reason, SHIFT, QUIET)._replace(**more)  # type: ignore[arg-type]
    return may_decide(deciding, profile(), now).code


def test_nobody_decides_on_his_own() -> None:
    """Neither whose shift it is nor who stands in; the lead who entered it for the agent may."""
    swap = Request("r", W, "1001", "s1", T0, "9002")
    assert decide() == "ok"
    assert decide("1001") == decide("9002", request=swap) == decide("1001", agreed=False) == "own_request"
    assert decide(request=replace(swap, state=RequestState.PARTNER)) == "partner_first"
    assert decide(request=replace(swap, state=RequestState.WITHDRAWN)) == "request_settled"
    assert decide(request=swap, partner_free=False) == "partner_on_duty"


def test_a_reason_overrides_what_stands_in_principle_only() -> None:
    """A shift that has begun, a peak; not the cap, and not a shift that is gone."""
    assert (decide(now=T0), decide(now=T0 - US), decide(now=T0, reason="补假")) == ("shift_begun", "ok", "ok")
    annual, peak = Request("r", A, "1001", "s1", T0), Day(5, 0, True)
    assert decide(request=annual, day=peak) == "peak_day"
    assert decide(request=annual, day=peak, reason="婚礼") == "ok"
    assert decide(day=Day(5, 4, False), reason="人手够") == "leave_cap"
    assert decide(shift=None, reason="x") == decide(shift=replace(SHIFT, state=ShiftState.SWAPPED)) == "shift_gone"
    assert decide(shift=None, agreed=False, reason="已撤班") == "ok"


def test_the_facts_of_a_day_are_those_of_its_local_evening_too() -> None:
    """A night belongs to the day it begins on; who was swapped out is not rostered, who is on leave is."""
    night = replace(SHIFT, shift_id="n", agent="1002", starts_at=T0 + 11 * H, ends_at=T0 + 24 * H, extra=True)
    shifts = [
        SHIFT, night, replace(night, shift_id="n2", agent="1003", state=ShiftState.LEAVE, extra=False),
        replace(SHIFT, shift_id="x", agent="1004", state=ShiftState.SWAPPED),
        replace(SHIFT, shift_id="y", agent="1005", starts_at=T0 - 9 * H),  # 23:00 the day before
    ]  # fmt: skip
    assert day_of(SHIFT, shifts, ["n2", "n"], ZONE) == Day(3, 1, True)
    assert day_of(shifts[2], shifts, ["n2"], ZONE).personal == 0

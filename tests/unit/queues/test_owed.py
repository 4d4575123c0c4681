"""Who is called back by which article (QD 第十二条（二）, KL 第十四条（九）), and who may say something of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cti.app import load_profile
from queues.owed import Mark, Matter, Owed, judged, matter_of, may_assign, may_claim, may_release
from queues.stubs import Stub

QD, KL, GJ, HZ = (load_profile(name) for name in ("qd-96556", "kl-956100", "gj-bus", "hz-12319"))
AT = datetime(2026, 11, 23, 1, tzinfo=UTC)
MUST = "其中，抢险、举报、投诉、重复件、日报重点信息件、飞信件必须回访。"
NEVER = "956100客服中心应对非业务咨询、查询、建议及表扬类工单进行回复（回访）"


@pytest.mark.parametrize(
    "matter",
    [Matter("emergency"), Matter("repair", emergency=True), Matter("report"), Matter("complaint")]
    + [Matter("repair", marks=frozenset({mark})) for mark in Mark if mark is not Mark.NO_CALLBACK],
)
def test_what_must_be_called_back_is(matter: Matter) -> None:
    """抢险、举报、投诉、重复件、日报重点、飞信件: all of them, whatever the draw would say."""
    verdict = judged(matter, QD)
    assert (verdict.owed, [a.wording for a in verdict.ruling.articles]) == (Owed.MANDATORY, [MUST])


@pytest.mark.parametrize("kind", ["consult", "query", "suggestion", "praise"])
def test_kinds_that_are_not_called_are_refused_with_the_article(kind: str) -> None:
    """Also when they were handed on; but not where the text does not say so, and not when they are marked."""
    for matter in (Matter(kind), Matter(kind, handed_on=True)):
        verdict = judged(matter, KL)
        assert (verdict.owed, verdict.ruling.code) == (Owed.REFUSED, "kind_not_called")
        assert [a.wording for a in verdict.ruling.articles] == [NEVER]
    assert judged(Matter(kind), QD).owed is Owed.POOL
    assert judged(Matter(kind, marks=frozenset({Mark.FLYING_LETTER})), HZ).owed is Owed.MANDATORY


def test_who_said_no_is_not_called_even_about_what_must_be() -> None:
    """「除客户明确要求不需回复（回访）」: his word goes before the kind."""
    verdict = judged(Matter("complaint", marks=frozenset({Mark.NO_CALLBACK})), HZ)
    assert (verdict.owed, verdict.ruling.code) == (Owed.REFUSED, "caller_declined")
    assert verdict.ruling.articles[0].article == "第十四条(九)"


def test_the_handed_on_are_all_called_and_the_rest_by_sample() -> None:
    """转办件 100 %, direct calls the sample; KL calls all, and a text that is silent asks for nothing."""
    assert judged(Matter("repair", handed_on=True), QD).owed is Owed.MANDATORY
    assert judged(Matter("repair"), QD)[::2] == (Owed.POOL, "callback.sample_percent")
    assert judged(Matter("repair"), KL).owed is Owed.MANDATORY
    assert judged(Matter("repair"), GJ).owed is Owed.NOTHING
    assert judged(Matter("complaint", nobody=True), QD).owed is Owed.NOTHING


def test_a_stub_tells_its_matter() -> None:
    """Handed out to a unit, or come from another house: 转办件. A silent caller is nobody to speak with."""
    stub = Stub("t-1", "1001", AT, kind="repair", repeat=True, emergency=True)
    assert matter_of(stub) == Matter("repair", False, frozenset({Mark.REPEAT}), True)
    assert matter_of(Stub("t-1", "1001", AT, handed_out_at=AT)).handed_on
    assert matter_of(Stub("t-1", "", AT, channel="oa")).handed_on
    assert not matter_of(Stub("t-1", "", AT, channel="wechat")).handed_on
    assert matter_of(Stub("t-1", "1001", AT, caller_kind="silent")).nobody


def test_one_claims_and_the_other_is_told_who() -> None:
    """The refusal names the holder; given back or given on by holder or lead alone."""
    merge = QD.rule("callback.merge")
    assert may_claim("", "1001", "due", merge).allowed
    assert may_claim("1001", "1001", "due", merge).allowed
    second = may_claim("1001", "1002", "due", merge)
    assert (second.code, "1001" in second.zh, second.articles) == ("callback_claimed", True, (merge,))
    assert may_claim("", "1001", "placing", merge).code == "callback_closed"
    assert may_release("1001", "1001", False, "due").allowed
    assert may_release("1001", "1002", False, "due").code == "not_your_callback"
    assert may_release("", "1002", False, "due").code == "callback_unclaimed"
    assert may_release("1001", "9001", True, "due").allowed
    assert may_assign(False, True, "due").code == "lead_only"
    assert may_assign(True, False, "due").code == "unknown_agent"
    assert may_assign(True, True, "reached").code == "callback_closed"

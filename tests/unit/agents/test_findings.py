"""Claims, findings, gaps and appeals as pure values."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agents.findings import (
    MOST_EVENTS,
    Claim,
    Finding,
    Kind,
    Missed,
    Span,
    State,
    appealed,
    found,
    joined,
    may_appeal,
    may_rule,
    outside,
    over,
    ruled,
)
from regulations import Article

T0 = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
S = timedelta(seconds=1)
ARTICLE = Article("HZ", "第二十一条", "签入不接听电话")


def missed(at: datetime, rejected: bool = False) -> Claim:
    """A claim of one missed offer that rang 15 s until *at*."""
    line = Missed("1.1", "1.2", at - 15 * S, at, 15_000, rejected).event()
    return Claim(Kind.NOT_ANSWERING, "1001", ARTICLE, Span(at - 15 * S), {"events": [line], "missed": 1})


def a_finding(ended: datetime | None = None) -> Finding:
    """Found from one missed offer."""
    finding = found(missed(T0), "f-1", T0 + 2 * S)
    return finding if ended is None else over(finding, ended)


@pytest.mark.parametrize(
    ("span", "other", "meets"),
    [
        (Span(T0, T0 + S), Span(T0 + S, T0 + 2 * S), False),  # edges are not shared time
        (Span(T0, T0 + S), Span(T0 - S, T0), False),
        (Span(T0, T0 + S), Span(T0 + S - timedelta(microseconds=1), None), True),
        (Span(T0, None), Span(T0 + 9 * S, T0 + 10 * S), True),
        (Span(T0, T0), Span(T0 - S, T0 + S), True),  # a moment inside
        (Span(T0, T0), Span(T0, T0 + S), True),  # the gap's first moment lies in it
        (Span(T0, T0), Span(T0 - S, T0), False),  # and its end does not
    ],
)
def test_when_a_stretch_meets_a_gap(span: Span, other: Span, meets: bool) -> None:
    """Stretches are from their beginning to before their end."""
    assert span.meets(other) is meets


def test_a_claim_stands_when_all_of_it_was_seen() -> None:
    """Not while nothing is seen, not when it began before the last gap ended; at that very moment it was seen."""
    claim = missed(T0)
    assert not claim.stands(None)
    assert not claim.stands(T0 - 14 * S)
    assert claim.stands(T0 - 15 * S)
    assert not claim.over(T0 - 15 * S, 0.0).stands(T0 - 15 * S)  # it ended as it began: it was nothing


@pytest.mark.parametrize(("lasted", "stands"), [(60.0, False), (60.001, True)])
def test_a_grace_is_measured_by_the_monotonic_clock(lasted: float, stands: bool) -> None:
    """The wall clock may be set back an hour meanwhile: 60.000 s are tolerated, 60.001 s are not."""
    claim = Claim(Kind.UNSIGNED, "1001", ARTICLE, Span(T0), {}, 60 * S, mono=100.0)
    assert claim.over(T0 - 3600 * S, 100.0 + lasted).stands(T0) is stands
    assert claim.over(T0 + 3600 * S, 100.0 + lasted).stands(T0) is stands


def test_further_missed_offers_join_as_evidence() -> None:
    """One finding; counts are exact even where the list has its limit."""
    finding = a_finding()
    for n in range(1, MOST_EVENTS + 20):
        finding = joined(finding, missed(T0 + 20 * n * S))
    assert finding.evidence["missed"] == MOST_EVENTS + 20
    assert len(finding.evidence["events"]) == MOST_EVENTS
    assert finding.span == Span(T0 - 15 * S)
    assert finding.running


def test_evidence_names_event_call_leg_and_times() -> None:
    """As AMI told it, to the microsecond, in UTC; refused told from not answered."""
    line = Missed("1.1", "1.2", T0, T0 + 15 * S, 15_000, False).event()
    assert line == {
        "event": "AgentRingNoAnswer", "source": "ami", "call_id": "1.1", "leg": "1.2",
        "offered_at": "2026-11-21T01:00:00.000000+00:00", "at": "2026-11-21T01:00:15.000000+00:00",
        "ring_ms": 15_000, "end": "no_answer",
    }  # fmt: skip
    assert Missed("1.1", "1.2", T0, T0, 0, True).event()["end"] == "rejected"


def test_a_gap_cuts_a_finding_where_it_begins() -> None:
    """What came before the gap stays found, without evidence from inside it; what began in it is void."""
    finding = joined(a_finding(), missed(T0 + 60 * S))
    cut = outside(finding, Span(T0 + 30 * S, None), T0 + 90 * S)
    assert (cut.span, cut.state) == (Span(T0 - 15 * S, T0 + 30 * S), State.FOUND)
    assert len(cut.evidence["events"]) == 1
    void = outside(finding, Span(T0 - 16 * S, None), T0 + 90 * S)
    assert (void.state, void.steps[-1].what, void.steps[-1].by) == (State.REVOKED, "gap", "")


def test_appeal_and_ruling() -> None:
    """Running: no. Another's: no. Once. One's own: never. Each refusal names the article."""
    assert may_appeal(a_finding(), "1001").code == "still_running"
    done = a_finding(T0 + 9 * S)
    refusal = may_appeal(done, "1002")
    assert (refusal.code, refusal.articles, bool(refusal.zh), bool(refusal.en)) == ("not_yours", (ARTICLE,), True, True)
    assert may_rule(done, "9001").code == "not_appealed"
    case = appealed(done, "1001", "电话有故障", T0 + 99 * S)
    assert may_appeal(case, "1001").code == "appealed_already"
    assert may_rule(case, "1001").code == "own_finding"
    assert may_rule(case, "9001").allowed
    for upheld, state in ((True, State.UPHELD), (False, State.REVOKED)):
        end = ruled(case, "9001", upheld, "经查", T0 + 199 * S)
        assert (end.state, [s.what for s in end.steps]) == (state, ["appealed", state.value])
        assert may_rule(end, "9001").code == "not_appealed"


def test_what_is_over_stays_as_it_was() -> None:
    """A second end, or an end after a ruling, changes nothing."""
    done = a_finding(T0 + 9 * S)
    assert over(done, T0 + 99 * S) == done
    revoked = replace(done, state=State.REVOKED)
    assert outside(revoked, Span(T0, None), T0) == revoked

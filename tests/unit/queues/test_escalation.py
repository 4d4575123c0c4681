"""Steps for a waiting caller: at their moment, in their order, once, and only as the profile names them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from queues.calls import Call
from queues.escalation import Step, due, next_at, stages_of
from queues.facts import Ending
from regulations import parse_profile

AT = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
PROFILE = parse_profile(Path("regulations/hz-12319.toml").read_text(encoding="utf-8"))
STAGES = stages_of(PROFILE)
WAITING = Call("1.1", "1.1", "hotline", "", AT)
MS = timedelta(milliseconds=1)


def steps(call: Call, taken: set[Step], seconds: float) -> list[Step]:
    """The steps due that long after the entry."""
    return [stage.step for stage in due(call, STAGES, taken, AT + timedelta(seconds=seconds))]


def test_each_step_comes_at_its_figure_to_the_millisecond() -> None:
    """The lead at 10.000 s, the wider pool at 12.000 s, both before the 15 s are over; once each."""
    assert steps(WAITING, set(), 9.999) == []
    assert steps(WAITING, set(), 10) == [Step.LEAD]
    assert steps(WAITING, {Step.LEAD}, 11.999) == []
    assert steps(WAITING, {Step.LEAD}, 12) == [Step.POOL]
    assert steps(WAITING, set(), 60) == [Step.LEAD, Step.POOL]
    assert steps(WAITING, {Step.LEAD, Step.POOL}, 60) == []
    limit = PROFILE.limits["answer.within"].seconds()
    assert all(stage.after.total_seconds() < limit for stage in STAGES)


def test_the_next_step_is_asked_for_and_none_after_the_last() -> None:
    """Deadlines are per call."""
    assert next_at(WAITING, STAGES, set()) == AT + timedelta(seconds=10)
    assert next_at(WAITING, STAGES, {Step.LEAD}) == AT + timedelta(seconds=12)
    assert next_at(WAITING, STAGES, {Step.LEAD, Step.POOL}) is None


def test_who_waits_no_more_is_not_escalated() -> None:
    """Answered, given up or lost: nothing is due."""
    for gone in (replace(WAITING, answered_at=AT), replace(WAITING, ending=Ending.ABANDONED)):
        assert steps(gone, set(), 60) == []
        assert next_at(gone, STAGES, set()) is None


def test_a_step_that_the_profile_does_not_name_is_not_taken() -> None:
    """Off is off; the steps come in the order of their figures, whatever they are."""
    limits = {k: v for k, v in PROFILE.limits.items() if k != "escalate.lead_after"}
    assert [s.step for s in stages_of(replace(PROFILE, limits=limits))] == [Step.POOL]
    late = replace(PROFILE.limits["escalate.lead_after"], value=timedelta(seconds=14))
    swapped = replace(PROFILE, limits={**PROFILE.limits, "escalate.lead_after": late})
    assert [s.step for s in stages_of(swapped)] == [Step.POOL, Step.LEAD]

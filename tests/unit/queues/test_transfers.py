"""Who may hand a caller on, and what each step of a transfer makes of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from queues.transfers import (
    How,
    State,
    Target,
    TargetKind,
    Transfer,
    answered,
    call_over,
    joined,
    leg_gone,
    may_begin,
    may_cancel,
    may_complete,
    rang,
    unanswered,
)

NOW = datetime(2026, 11, 21, 1, tzinfo=UTC)
COLLEAGUE = Target(TargetKind.AGENT, "1002", "3002")
GAS = Target(TargetKind.UNIT, "gas", "05305550001")


def transfer(how: How = How.CONSULT, target: Target = COLLEAGUE) -> Transfer:
    """One that has just been asked for."""
    return Transfer("x1", "c1", "t1", "1001", how, target, NOW)


@pytest.mark.parametrize(
    ("talking", "under_way", "target", "state", "code"),
    [
        (False, False, COLLEAGUE, "ready", "not_talking"),
        (True, True, COLLEAGUE, "ready", "transfer_under_way"),
        (True, False, None, "", "no_such_target"),
        (True, False, Target(TargetKind.AGENT, "1001"), "talking", "transfer_to_oneself"),
        (True, False, COLLEAGUE, "signed_out", "target_signed_out"),
        (True, False, COLLEAGUE, "talking", "target_busy"),
        (True, False, COLLEAGUE, "ringing", "target_busy"),
        (True, False, COLLEAGUE, "busy", "ok"),
        (True, False, COLLEAGUE, "wrap_up", "ok"),
        (True, False, GAS, "", "ok"),
    ],
)
def test_who_may_be_reached(talking: bool, under_way: bool, target: Target | None, state: str, code: str) -> None:
    """Each refusal has a code; a colleague who is busy (示忙) may be asked, one on a call may not."""
    ruling = may_begin(talking, under_way, "1001", target, state, ())
    assert (ruling.allowed, ruling.code) == (code == "ok", code)


def test_a_consultation_is_completed_only_once_answered_and_may_be_cancelled_before() -> None:
    """Leaving the caller with a phone that rings would be a blind transfer in disguise."""
    asked = transfer()
    ringing = rang(asked, "leg", "consult", NOW)
    assert may_complete(None).code == may_complete(transfer(How.BLIND)).code == "no_consult"
    assert may_complete(ringing).code == "consult_not_answered"
    assert may_complete(answered(ringing, "leg", None, False, NOW)).allowed
    assert may_cancel(ringing).allowed
    assert may_cancel(transfer(How.BLIND)).code == "no_consult"


def test_the_ways_in_which_a_consultation_ends() -> None:
    """Joined; taken back; the target hung up; nobody answered; the caller gave up."""
    ringing = rang(transfer(), "leg", "consult", NOW)
    talking = answered(ringing, "leg", None, False, NOW + timedelta(seconds=3))
    later = NOW + timedelta(seconds=8)
    assert (talking.state, talking.consult_id) == (State.CONSULTING, "consult")
    assert joined(talking, later).state is State.DONE
    gone = leg_gone(talking, "leg", later)
    assert (gone.state, gone.why) == (State.RETURNED, "target_gone")
    assert leg_gone(talking, "another", later) == talking
    assert [unanswered(ringing, status, later).why for status in ("BUSY", "NOANSWER", "CANCEL", "CONGESTION")] == [
        "busy", "no_answer", "cancelled", "unavailable",
    ]  # fmt: skip
    assert call_over(talking, later).state is State.GIVEN_UP


def test_a_blind_transfer_waits_for_the_dialplan_to_try_the_first_agent() -> None:
    """A phone that does not take it ends nothing; who answers then tells how it ended."""
    tried = unanswered(rang(transfer(How.BLIND), "leg", None, NOW), "BUSY", NOW)
    assert tried.open
    back = answered(rang(tried, "own", None, NOW), "own", None, True, NOW)
    assert (back.state, back.why) == (State.RETURNED, "busy")
    assert answered(tried, "leg", None, False, NOW).state is State.DONE

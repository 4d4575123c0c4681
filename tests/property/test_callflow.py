"""Any order and any repetition of one call's facts ends in the same call (F13, F14 of the fault catalogue)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from queues.callflow import apply, hung_up
from queues.calls import Call
from queues.changes import Done, Talking, agent_changes
from queues.facts import Answered, CallFact, Completed, Ending, Entered, Left, Offered, OfferEnd

T0 = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
Step = CallFact | datetime  # a datetime stands for the hang-up of the caller's channel


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


ANSWERED: tuple[Step, ...] = (
    Entered("1.1", at(0), "hotline", "13800000001", "1.0"),
    Offered("1.1", at(0.5), "1001", "1.2", queue="hotline"),
    Answered("1.1", at(3.25), "hotline", "1001", "1.2", 3),
    Completed("1.1", at(60), "1001", Ending.COMPLETED),
    at(60.1),
)
GIVEN_UP: tuple[Step, ...] = (
    Entered("1.1", at(0), "hotline", "13800000001", "1.0"),
    Left("1.1", at(9), Ending.LEFT),
    Left("1.1", at(9), Ending.ABANDONED, exact=False),
)


def play(steps: list[Step]) -> tuple[Call | None, list[object]]:
    call: Call | None = None
    changes: list[object] = []
    for step in steps:
        after = call and hung_up(call, step) if isinstance(step, datetime) else apply(call, step)
        if after is not None:
            changes += agent_changes(call, after)
        call = after
    return call, changes


@settings(max_examples=400, deadline=None)
@given(st.permutations(ANSWERED[:3]), st.lists(st.sampled_from(ANSWERED), max_size=6))
def test_an_answered_call_is_the_same_in_every_order(start: list[Step], again: list[Step]) -> None:
    """Answer before entry, offer after answer, everything twice: one answer, one conversation, one end."""
    call, changes = play([*start, *ANSWERED[3:], *again])
    assert call is not None
    assert (call.caller, call.agent, call.answered_at, call.wait_ms) == ("13800000001", "1001", at(3.25), 3_250)
    assert (call.ending, call.talk_ended_at) == (Ending.COMPLETED, at(60))
    assert call.closed
    assert [o.end for o in call.offers] == [OfferEnd.ANSWERED]
    assert sum(isinstance(c, Talking) for c in changes) == 1
    assert sum(isinstance(c, Done) for c in changes) == 1


@settings(max_examples=200, deadline=None)
@given(st.permutations(GIVEN_UP[1:]), st.lists(st.sampled_from(GIVEN_UP), max_size=6))
def test_an_abandoned_call_is_the_same_in_every_order(ends: list[Step], again: list[Step]) -> None:
    """The true reason wins over 'left', whichever comes first and however often."""
    call, _ = play([GIVEN_UP[0], *ends, *again])
    assert call is not None
    assert (call.ending, call.ended_at, call.wait_ms) == (Ending.ABANDONED, at(9), 9_000)

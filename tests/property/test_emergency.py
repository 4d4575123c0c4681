"""Whatever order events come in, a unit's numbers are tried one at a time, each once, and the times do not run back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from queues import emergency as core
from queues.directory import Target
from queues.emergency import DialEnd, Emergency, Ladder, Why

AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
ENDS = st.sampled_from([DialEnd.ANSWERED, DialEnd.NO_ANSWER, DialEnd.BUSY, DialEnd.FAILED, DialEnd.CANCELLED])
EVENTS = st.lists(st.one_of(ENDS, st.sampled_from(["picked_up", "gone", "away"])), max_size=14)


@given(st.integers(1, 9), EVENTS)
@example(2, ["picked_up", DialEnd.ANSWERED, "away"])
def test_a_dial_always_ends_and_tells_of_every_number(count: int, events: list[DialEnd | str]) -> None:
    """At most one number answers, none rings after it, and once it is over nothing changes any more."""
    dial = core.dialling("ctieu-1.1", "1001", [Target("u", f"0530555{n:04}") for n in range(count)], AT)
    for second, event in enumerate(events, start=1):
        at, before = AT + timedelta(seconds=second), dial
        if event == "picked_up":
            dial = core.picked_up(dial, at)
        elif event == "gone":
            dial = core.over(dial, at)
        elif event == "away":
            dial = core.over(dial, at, DialEnd.AGENT_AWAY)
        elif dial.agent_at is not None and dial.answered_at is None and isinstance(event, DialEnd):
            dial = core.rang(dial, event, at)
        assert before.running or dial == before
        ringing = [a for a in dial.attempts if a.began_at is not None and a.end is None]
        assert len(ringing) <= 1
    dial = core.over(dial, AT + timedelta(hours=1))
    assert all(a.end is not None for a in dial.attempts)
    answered = [n for n, a in enumerate(dial.attempts) if a.end is DialEnd.ANSWERED]
    assert len(answered) == (dial.answered_at is not None)
    for attempt in dial.attempts[answered[0] + 1 :] if answered else ():
        assert (attempt.began_at, attempt.end) == (None, DialEnd.NOT_TRIED)
    times = [a.began_at for a in dial.attempts if a.began_at is not None]
    assert times == sorted(times)


@given(st.lists(st.integers(0, 400), max_size=40), st.integers(0, 3000))
def test_the_ladder_is_told_once_a_step_however_often_it_is_looked_at(waits: list[int], acknowledged: int) -> None:
    """Never early, never twice for one step, and nothing after the acknowledgement."""
    ladder = Ladder(timedelta(seconds=60), timedelta(seconds=30))
    one = core.armed(Emergency("e", Why.LEAD, AT), ladder, 0.0, "b")
    mono, told = 0.0, []
    for wait in waits:
        mono += wait
        if mono >= acknowledged:
            one = core.acknowledged(one, "9001", "", AT)
        if core.is_due(one, mono):
            one = core.told_again(one, ladder, mono)
            told.append(mono)
    assert all(at < acknowledged for at in told)
    assert all(at >= 60 + 30 * n for n, at in enumerate(told))
    assert all(later - earlier >= 30 for earlier, later in pairwise(told))

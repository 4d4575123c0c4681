"""No dial in quiet hours, none too soon, none too many: over any history and any moment (KL 第十四条(九))."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queues.callbacks import NO_TERMS, Attempt, AttemptOutcome, Terms, earliest, limits_of, may_place, retry_at
from regulations import parse_profile

PROFILE = parse_profile(Path("regulations/hz-12319.toml").read_text())
SHANGHAI = ZoneInfo("Asia/Shanghai")
LIMITS = limits_of(PROFILE, SHANGHAI)
RING = timedelta(seconds=30)
MOMENTS = st.integers(0, 2 * 365 * 86_400_000_000).map(
    lambda us: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
)
OUTCOMES = st.sampled_from([o for o in AttemptOutcome if o is not AttemptOutcome.PLACING])


def local(hour: int, minute: int = 0, second: int = 0, micro: int = 0) -> datetime:
    return datetime(2026, 11, 21, hour, minute, second, micro, SHANGHAI)


@st.composite
def histories(draw: st.DrawFn) -> tuple[Attempt, ...]:
    made: list[Attempt] = []
    for ordinal in range(draw(st.integers(0, 4))):
        start = draw(MOMENTS)
        end = draw(st.none() | st.integers(0, 300).map(lambda s, start=start: start + timedelta(seconds=s)))
        made.append(Attempt(ordinal + 1, start, end, draw(OUTCOMES)))
    return tuple(made)


@settings(max_examples=2000, deadline=None)
@given(
    histories(),
    MOMENTS,
    st.integers(1, 120),
    st.sampled_from(["Asia/Shanghai", "America/New_York", "Australia/Lord_Howe"]),
)
def test_whatever_is_allowed_keeps_every_rule(
    history: tuple[Attempt, ...], now: datetime, ring_s: int, zone: str
) -> None:
    """An allowed dial lies outside [21:00, 08:00) with its whole ring, 2 h after the last, at most the 3rd."""
    limits = replace(LIMITS, zone=ZoneInfo(zone))
    ring = timedelta(seconds=ring_s)
    ruling = may_place(history, limits, now, ring)
    counted = [a for a in history if a.counts]
    if not ruling.allowed:
        if ruling.code != "attempts_used":
            at = earliest(history, limits, now, ring)
            assert at > now
            assert may_place(history, limits, at, ring).allowed
        return
    assert len(counted) < 3
    for moment in (now, now + ring - timedelta(microseconds=1)):
        assert time(8) <= moment.astimezone(limits.zone).time() < time(21)
    for attempt in counted:
        assert now - (attempt.ended_at or attempt.started_at + ring) >= timedelta(hours=2)


@pytest.mark.parametrize(
    ("moment", "good"),
    [
        (local(7, 59, 59, 999_999), False),
        (local(8), True),
        (local(20, 59, 30), True),
        (local(20, 59, 30, 1), False),
        (local(21), False),
        (local(0), False),
    ],
)
def test_the_edges_of_the_quiet_hours(moment: datetime, good: bool) -> None:
    """Closed from 21:00:00 and open from 08:00:00; the latest start is 21:00 less the ring."""
    ruling = may_place((), LIMITS, moment, RING)
    assert ruling.allowed is good
    if not good:
        assert ruling.code == "quiet_hours"
        assert [a.cite() for a in ruling.articles] == ["KL 第十四条(九)"]
        assert ruling.override == "lead"
        assert ruling.allowed_at is not None
        assert ruling.allowed_at.astimezone(SHANGHAI).time() == time(8)


def test_two_hours_run_from_the_end_of_one_attempt_to_the_start_of_the_next() -> None:
    """To the microsecond, and an attempt without an end is taken to have rung to its end."""
    made = Attempt(1, local(9), local(9, 1), AttemptOutcome.NO_ANSWER)
    assert may_place((made,), LIMITS, local(11, 1), RING).allowed
    refusal = may_place((made,), LIMITS, local(11, 0, 59, 999_999), RING)
    assert (refusal.code, refusal.allowed_at) == ("too_soon", local(11, 1))
    endless = replace(made, ended_at=None, outcome=AttemptOutcome.UNKNOWN)
    assert may_place((endless,), LIMITS, local(11, 0, 29), RING).allowed is False


def test_an_attempt_that_never_rang_the_caller_counts_as_nothing() -> None:
    """The agent's own phone not answered, or a network failure: neither spacing nor the three."""
    made = tuple(
        Attempt(n, local(9), local(9), o) for n, o in enumerate((AttemptOutcome.AGENT_AWAY, AttemptOutcome.FAILED) * 3)
    )
    assert may_place(made, LIMITS, local(9, 0, 1), RING).allowed


@settings(max_examples=500, deadline=None)
@given(histories(), MOMENTS, st.integers(1, 12))
def test_network_failures_put_off_and_count_as_nothing(
    history: tuple[Attempt, ...], failed_at: datetime, failures: int
) -> None:
    """The wait grows and is at most half an hour; but for it, each moment is ruled as if nothing had failed."""
    rung = tuple(a for a in history if a.counts)
    waits = []
    for _ in range(failures):
        history = (*history, Attempt(len(history) + 1, failed_at, failed_at, AttemptOutcome.FAILED))
        again = retry_at(history, failed_at, RING, NO_TERMS)
        assert again is not None
        waits.append(again - failed_at)
        terms = Terms(not_before=again)
        assert not may_place(history, LIMITS, again - timedelta(microseconds=1), RING, terms).allowed
        at = may_place(history, LIMITS, again, RING, terms)
        assert (at.allowed, at.code) == ((calm := may_place(rung, LIMITS, again, RING)).allowed, calm.code)
    assert waits == sorted(waits)
    assert timedelta(0) < waits[0] <= waits[-1] <= timedelta(minutes=30)
    assert retry_at(rung, failed_at, RING, NO_TERMS) is None


def test_a_fourth_attempt_and_a_second_at_the_same_time_are_refused() -> None:
    """The card makes 3 the most; while one attempt runs there is no other."""
    three = tuple(Attempt(n, local(9), local(9), AttemptOutcome.NO_ANSWER) for n in (1, 2, 3))
    assert may_place(three, LIMITS, local(15), RING).code == "attempts_used"
    running = (Attempt(1, local(9), None, AttemptOutcome.PLACING),)
    assert may_place(running, LIMITS, local(15), RING).code == "attempt_running"

"""The rolling rate against a recount of everything, over any history of decisions, corrections and passing time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from queues.calls import Call
from queues.facts import Ending
from queues.figures import by_interval, tallied
from queues.occupancy import clipped, common, joined, length, without
from queues.rolling import Bounds, Level, Rolling, level_after

AT = datetime(2026, 11, 21, tzinfo=UTC)
DAY = timedelta(hours=24)
MINUTE = timedelta(minutes=1)
LIMIT = timedelta(seconds=15)
ENDINGS = st.sampled_from([None, "answered", Ending.ABANDONED, Ending.LOST, Ending.TIMED_OUT, Ending.LEFT])
STEPS = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 12), st.integers(-3000, 0), ENDINGS), max_size=60)


def made(number: int, entered: datetime, how: str | Ending | None) -> Call:
    """A call in one of its states."""
    call = Call(f"1.{number}", f"1.{number}", "hotline", "", entered)
    if how == "answered":
        return replace(call, answered_at=entered, agent="1001", wait_ms=0)
    return call if how is None else replace(call, ending=Ending(how), ended_at=entered)


@given(STEPS)
def test_the_rolling_rate_is_a_recount_of_the_last_24_hours(
    history: list[tuple[int, int, int, str | Ending | None]],
) -> None:
    """After each step: connected, decided and lost equal a count over all calls as they stand; also at each expiry."""
    rolling, stand, now = Rolling(), dict[str, Call](), AT

    def check(at: datetime) -> None:
        rolling.expire(at)
        inside = [c for c in stand.values() if c.entered_at > at - DAY and (c.answered_at or c.ending)]
        assert rolling.decided == len(inside)
        assert rolling.connected == sum(c.answered_at is not None for c in inside)
        assert rolling.lost == {c.call_id for c in inside if c.ending is Ending.LOST and c.answered_at is None}

    for minutes, number, ago, how in history:
        now += minutes * MINUTE
        while (expiry := rolling.next_expiry()) is not None and expiry <= now:
            check(expiry - timedelta(microseconds=1))
            check(expiry)
        call = made(number, now + ago * MINUTE, how)
        stand[call.call_id] = call
        rolling.put(call)
        check(now)


@given(st.lists(st.integers(14_900, 15_100)))
def test_the_15_s_rate_is_a_count_of_waits_to_the_millisecond(waits: list[int]) -> None:
    """15.000 s is in, 15.001 s out, over any waits around the edge."""
    calls = [replace(made(n, AT, "answered"), wait_ms=wait) for n, wait in enumerate(waits)]
    assert tallied(calls, LIMIT).within == sum(wait < 15_001 for wait in waits)


@given(st.lists(st.tuples(st.integers(0, 1439), ENDINGS)), st.sampled_from([15, 30, 60]))
def test_intervals_add_up_to_the_day(entries: list[tuple[int, str | Ending | None]], minutes: int) -> None:
    """No call is lost between two intervals or counted in both."""
    calls = [made(n, AT + at * MINUTE, how) for n, (at, how) in enumerate(entries)]
    parts = [tally for _, tally in by_interval(calls, LIMIT, AT, AT + DAY, minutes)]
    whole = tallied(calls, LIMIT)
    for name in ("entered", "answered", "within", "decided", "wait_ms"):
        assert sum(getattr(part, name) for part in parts) == getattr(whole, name)


@given(st.lists(st.integers(20, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))))
def test_a_level_never_betters_without_its_margin(windows: list[tuple[int, int]]) -> None:
    """From missed to anything better only at 96 % or more; and below 95 % it is always missed."""
    level = Level.KEPT
    for connected, decided in windows:
        before, level = level, level_after(level, connected, decided, Bounds(95, 97, 1, 20))
        assert (level is Level.MISSED) or connected * 100 >= decided * 95
        assert (before is not Level.MISSED) or level is Level.MISSED or connected * 100 >= decided * 96


SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=8)


@given(SPANS, SPANS)
def test_spans_are_sets_of_moments(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    """Union, intersection, difference and length, minute by minute."""

    def spans(pairs: list[tuple[int, int]]) -> list[tuple[datetime, datetime]]:
        return joined((AT + at * MINUTE, AT + (at + long) * MINUTE) for at, long in pairs)

    def minutes(found: list[tuple[datetime, datetime]]) -> set[int]:
        return {n for n in range(90) if clipped(found, AT + n * MINUTE, AT + (n + 1) * MINUTE)}

    a, b = spans(one), spans(other)
    assert minutes(common(a, b)) == minutes(a) & minutes(b)
    assert minutes(without(a, b)) == minutes(a) - minutes(b)
    assert length(a) == len(minutes(a)) * 60_000

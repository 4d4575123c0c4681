"""Each formula with numbers worked by hand, and the clock that it is read from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from queues.calls import Call
from queues.facts import Door, Ending, OfferEnd
from queues.figures import Clock, by_interval, tallied
from queues.occupancy import Handled, offers_of, times
from queues.rolling import Bounds, Level, Rolling, level_after

AT = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
LIMIT = timedelta(seconds=15)
SECOND = timedelta(seconds=1)


def answered(call_id: str, wait_ms: int, ring_ms: int | None = 3000, at: datetime = AT, **more: Any) -> Call:
    """An answered call."""
    answer = at + timedelta(milliseconds=wait_ms)
    return Call(call_id, call_id, "hotline", "", at, agent="1001", answered_at=answer, wait_ms=wait_ms,
                ring_ms=ring_ms, **more)  # fmt: skip


def over(call_id: str, ending: Ending, at: datetime = AT) -> Call:
    """A call that nobody answered."""
    return Call(call_id, call_id, "hotline", "", at, ended_at=at + SECOND, ending=ending, wait_ms=1000)


# Ten entries: six answered (four by the caller's clock in time), two given up, one timed out, one lost, one waits.
TEN = [
    answered("a1", 2_000), answered("a2", 15_000), answered("a3", 15_001), answered("a4", 9_999, 15_001),
    answered("a5", 4_000, None), answered("a6", 30_000, 15_000), over("b1", Ending.ABANDONED),
    over("b2", Ending.ABANDONED), over("t1", Ending.TIMED_OUT), over("l1", Ending.LOST),
    Call("w1", "w1", "hotline", "", AT),
]  # fmt: skip


def test_every_formula_by_hand() -> None:
    """A(T)/O, A/O, B/O, A(T)/A, waits/A and the agent's ring, each with its denominator and its clock."""
    tally = tallied(TEN, LIMIT)
    assert (tally.entered, tally.decided, tally.answered) == (11, 10, 6)
    figures = tally.figures()
    assert figures["rate_within"] == (4 / 10, 10, Clock.CALLER)
    assert figures["answer_rate"] == (6 / 10, 10, Clock.CALLER)
    assert figures["abandon_rate"] == (2 / 10, 10, Clock.CALLER)
    assert figures["service_level"] == (4 / 6, 6, Clock.CALLER)
    assert figures["asa_ms"] == ((2000 + 15000 + 15001 + 9999 + 4000 + 30000) / 6, 6, Clock.CALLER)
    assert figures["ring_within"] == (4 / 5, 5, Clock.AGENT)


def test_who_was_turned_away_is_in_no_figure_but_his_own() -> None:
    """R is no part of O, which equals queue_log's: A/(O+R) alone has it, whole and in its interval."""
    turned = [(AT, Door.FULL), (AT + 20 * 60 * SECOND, Door.LINES), (AT - SECOND, Door.CLOSED)]
    tally, without = tallied(TEN, LIMIT, turned), tallied(TEN, LIMIT)
    assert tally.shut_out == {"full": 1, "lines": 1, "closed": 1}
    assert (tally.entered, tally.decided, tally.unanswered) == (11, 10, without.unanswered)
    assert tally.figures()["reached_rate"] == (6 / 13, 13, Clock.CALLER)
    assert {**tally.figures(), "reached_rate": 0} == {**without.figures(), "reached_rate": 0}
    parts = by_interval(TEN, LIMIT, AT, AT + 3600 * SECOND, 15, turned)
    assert [dict(part.shut_out) for _, part in parts] == [{"full": 1}, {"lines": 1}, {}, {}]


def test_fifteen_seconds_are_in_time_on_both_clocks_and_a_millisecond_more_is_not() -> None:
    """HZ 第七条: 15.000 s is within; 15.001 s is not, by the caller's clock and by the agent's."""
    for wait, ring, within, within_ring in ((15_000, 15_000, 1, 1), (15_001, 15_000, 0, 1), (15_001, 15_001, 0, 0)):
        tally = tallied([answered("x", wait, ring)], LIMIT)
        assert (tally.within, tally.within_ring) == (within, within_ring)


def test_who_was_lost_counts_as_not_connected_and_is_named() -> None:
    """A lost call lowers the rates like any other that nobody answered; its id says which one it was."""
    tally = tallied([answered("a", 1000), over("lost", Ending.LOST)], LIMIT)
    assert tally.figures()["answer_rate"].value == 0.5
    assert tally.lost == ["lost"]
    assert tally.unanswered == {"lost": 1}


def test_figures_over_nothing_have_no_value() -> None:
    """No calls, no rate: neither 0 % nor 100 %."""
    assert {f.value for f in tallied([], LIMIT).figures().values()} == {None}
    assert {f.value for f in tallied([Call("w", "w", "hotline", "", AT)], LIMIT).figures().values()} == {None}


def test_calls_that_queue_log_alone_told_are_counted_as_rounded() -> None:
    """Their waits are whole seconds: whoever reads the figures sees how many."""
    calls = [answered("a", 1000, exact=False), answered("b", 1000, answer_exact=False), answered("c", 1000)]
    assert tallied(calls, LIMIT).rounded == 2


def test_intervals_hold_each_call_once_and_empty_ones_are_shown() -> None:
    """A day has 96, 48 or 24; an entry on the edge belongs to the later; another length is refused."""
    day = datetime(2026, 11, 20, 16, tzinfo=UTC)
    edge = answered("e", 1000, at=day + timedelta(minutes=30))
    before = answered("b", 1000, at=day + timedelta(minutes=30) - timedelta(microseconds=1))
    for minutes, count in ((15, 96), (30, 48), (60, 24)):
        found = by_interval([edge, before], LIMIT, day, day + timedelta(hours=24), minutes)
        assert len(found) == count
        assert sum(tally.entered for _, tally in found) == 2
        assert [t.entered for at, t in found if at == day + timedelta(minutes=30)] == ([1] if minutes < 60 else [])
    with pytest.raises(ValueError, match="minutes"):
        by_interval([], LIMIT, day, day + timedelta(hours=24), 7)


def test_a_day_on_which_the_clocks_change_has_its_own_length() -> None:
    """23 h in Paris on 29 March 2026; the last interval still ends at midnight."""
    zone = ZoneInfo("Europe/Paris")
    since = datetime(2026, 3, 29, tzinfo=zone).astimezone(UTC)
    until = datetime(2026, 3, 30, tzinfo=zone).astimezone(UTC)
    found = by_interval([], LIMIT, since, until, 60)
    assert len(found) == 23
    assert found[-1][0] + timedelta(hours=1) == until


def handled(began: int, answer: int | None, end: int | None, how: OfferEnd | None = OfferEnd.ANSWERED) -> Handled:
    """An offer by seconds since ``AT``."""
    ring = None if answer is None else (answer - began) * 1000
    moment = [None if s is None else AT + s * SECOND for s in (answer, end)]
    return Handled(AT + began * SECOND, moment[0], how, ring, moment[1])


def test_occupancy_by_hand() -> None:
    """100 s on the queue, 30 s of talk, 5 s of wrap-up, 65 s idle (ringing too): 35 %. Wrap-up ends with 示忙."""
    ready = [(AT, AT + 100 * SECOND)]
    found = times(ready, [handled(10, 20, 50)], 5 * SECOND, AT, AT + 1000 * SECOND)
    assert found == (30_000, 5_000, 65_000, 100_000)
    assert found.occupancy == (0.35, 100_000, Clock.AGENT)
    cut = times([(AT, AT + 52 * SECOND)], [handled(10, 20, 50)], 5 * SECOND, AT, AT + 1000 * SECOND)
    assert cut == (30_000, 2_000, 20_000, 52_000)


def test_a_conversation_that_outlasts_being_ready_is_still_time_on_contact() -> None:
    """示忙 pressed in the middle of a call: the talk counts whole, the time after it not at all."""
    found = times([(AT, AT + 30 * SECOND)], [handled(10, 20, 60)], 5 * SECOND, AT, AT + 1000 * SECOND)
    assert found == (40_000, 0, 20_000, 30_000)


def test_times_are_cut_at_the_edges_of_the_period() -> None:
    """A conversation that goes on lasts to the end of the period, one that began before it counts from its start."""
    ready = [(AT - 100 * SECOND, AT + 500 * SECOND)]
    found = times(ready, [handled(-50, -40, 10), handled(80, 90, None)], 5 * SECOND, AT, AT + 100 * SECOND)
    assert found == (20_000, 5_000, 75_000, 100_000)


def test_an_agents_offers_by_hand() -> None:
    """Two answered, one of them late, one rung out, one refused, one given up by the caller, one still rings."""
    offers = [
        handled(0, 15, 30), handled(100, 116, 120), handled(200, 215, None, OfferEnd.NO_ANSWER),
        handled(300, 300, None, OfferEnd.REJECTED), handled(400, 403, None, OfferEnd.CANCELLED),
        handled(500, None, None, None),
    ]  # fmt: skip
    tally = offers_of(offers, LIMIT)
    assert tally == (6, 2, 2, 1, 31_000, 2, 1)
    assert tally.figures()["answer_rate"] == (0.5, 4, Clock.AGENT)
    assert tally.figures()["ring_within"] == (0.5, 2, Clock.AGENT)
    assert tally.figures()["ring_ms"] == (15_500, 2, Clock.AGENT)


def test_a_call_is_in_the_window_for_24_hours_and_not_a_microsecond_longer() -> None:
    """[entry, entry + 24 h): at 24 h sharp it is out."""
    rolling = Rolling()
    rolling.put(answered("a", 1000))
    out = rolling.next_expiry()
    assert out == AT + timedelta(hours=24)
    rolling.expire(out - timedelta(microseconds=1))
    assert rolling.rate == 1
    rolling.expire(out)
    assert rolling.decided == 0
    assert rolling.next_expiry() is None


def test_a_lost_call_that_queue_log_finds_answered_is_connected_after_all() -> None:
    """What is known later replaces what was known before: counted once, and no longer named as lost."""
    rolling = Rolling()
    rolling.put(over("a", Ending.LOST))
    assert (rolling.connected, rolling.decided, rolling.lost) == (0, 1, {"a"})
    rolling.put(answered("a", 1000, at=AT - SECOND))
    assert (rolling.connected, rolling.decided, rolling.lost) == (1, 1, set())


BOUNDS = Bounds(95, 97, 1, 20)


@pytest.mark.parametrize(
    ("was", "connected", "level"),
    [
        ("kept", 970, "kept"), ("kept", 969, "near"), ("kept", 950, "near"), ("kept", 949, "missed"),
        ("near", 979, "near"), ("near", 980, "kept"), ("missed", 959, "missed"), ("missed", 960, "near"),
        ("missed", 979, "near"), ("missed", 980, "kept"), ("near", 955, "near"), ("near", 949, "missed"),
    ],
)  # fmt: skip
def test_the_level_worsens_at_once_and_betters_past_the_margin(was: str, connected: int, level: str) -> None:
    """95.0 % is kept (不低于), 94.9 % is not; one point above the bound is needed on the way back."""
    assert level_after(Level(was), connected, 1000, BOUNDS) == level


def test_nothing_is_said_of_a_handful_of_calls() -> None:
    """One lost caller at three in the night is no 0 %; an empty window is no longer missed."""
    assert level_after(Level.KEPT, 0, 19, BOUNDS) is Level.KEPT
    assert level_after(Level.MISSED, 19, 19, BOUNDS) is Level.MISSED
    assert level_after(Level.KEPT, 18, 20, BOUNDS) is Level.MISSED
    assert level_after(Level.MISSED, 0, 0, BOUNDS) is Level.KEPT

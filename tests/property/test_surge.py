"""Surges over any history: one alarm each, the edges to the millisecond, and no ticket is ever lost from its group."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from queues import surge as core
from queues.surge import By, Key, Limits, Surge, Window

EAST = Key(By.AREA, "east")
AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
LIMITS = Limits(calls=5, calm=2, within=60.0)
# Milliseconds between two calls.
GAPS = st.lists(st.integers(0, 45_000), min_size=1, max_size=80)


@given(GAPS)
def test_one_surge_at_a_time_and_it_begins_and_ends_at_its_edges(gaps: list[int]) -> None:
    """Against a plain count of the last 60 s at every call: the same beginnings, the same ends."""
    window, surge, calls = Window(60.0), None, []
    began = ended = 0
    group: set[str] = set()
    ms = 0
    for number, gap in enumerate(gaps):
        ms += gap
        calls.append(ms)
        now = ms / 1000
        if surge is not None and core.ends(len(window.tickets(EAST, now)), LIMITS):
            surge, ended = None, ended + 1
        window.put(EAST, f"t{number}", now)
        window.put(EAST, f"t{number}", now)  # said twice, counts once
        count = len(window.tickets(EAST, now))
        assert count == sum(1 for at in calls if ms - at < 60_000)
        if surge is None and core.begins(count, LIMITS):
            surge, began = Surge(f"s{began}", EAST, AT), began + 1
            group = set()
        if surge is not None:
            surge = core.joined(surge, window.tickets(EAST, now), AT + timedelta(milliseconds=ms))
            group |= set(window.tickets(EAST, now))
            assert set(surge.tickets) == group
    assert began - ended in (0, 1)


@given(st.integers(0, 30), st.integers(1, 120_000))
def test_the_moment_at_which_it_ends_is_known_beforehand(count: int, step_ms: int) -> None:
    """At it the count has fallen to the figure; a millisecond before it has not."""
    window = Window(60.0)
    for number in range(count):
        window.put(EAST, f"t{number}", number * step_ms / 1000)
    now = max(count - 1, 0) * step_ms / 1000
    alive = len(window.tickets(EAST, now))
    at = window.falls_to(EAST, 2, now)
    assert (at == now) == (alive <= 2)
    fresh = Window(60.0)
    for number in range(count):
        fresh.put(EAST, f"t{number}", number * step_ms / 1000)
    if at > now:
        assert len(fresh.tickets(EAST, at - 0.001)) > 2
    assert len(fresh.tickets(EAST, at + 1e-6)) <= 2


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.booleans()), max_size=30))
def test_what_a_lead_took_out_stays_out_and_nothing_else_leaves(acts: list[tuple[str, bool]]) -> None:
    """Every ticket that ever joined is in the group or on the record of those taken out."""
    surge, seen, out = Surge("s", EAST, AT), set(), set()
    for ticket, joins in acts:
        if joins:
            surge = core.joined(surge, [ticket], AT)
            seen.add(ticket)
        elif core.may_take_out(surge, ticket, True).allowed:
            surge = core.taken_out(surge, ticket, "9001", AT)
            out.add(ticket)
    assert set(surge.tickets) | set(surge.out) == seen
    assert set(surge.out) == out
    assert not set(surge.tickets) & set(surge.out)

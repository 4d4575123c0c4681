"""The break line over any history: enough seats stay manned, first come first served, nobody forgotten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.breaks import Place, Seats, in_order, may_break, next_to_go, position
from regulations import Article

T0 = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
ARTICLE = Article("QD", "第十九条", "日常工作中根据坐席状态，实行离岗轮席制。")
AGENTS = [str(n) for n in range(1001, 1009)]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["break", "ready", "out", "in", "calls", "answered"]),
        st.sampled_from(AGENTS),
        st.booleans(),  # whether the batch ends here: the line moves at the end of one
    ),
    max_size=80,
)


@settings(max_examples=1500, deadline=None)
@given(STEPS, st.integers(0, 6))
def test_a_break_never_leaves_too_few_and_nobody_is_overtaken(steps: list[tuple[str, str, bool]], minimum: int) -> None:
    """Whoever leaves, at once or in turn, leaves *minimum* seats manned and nobody waiting before him; the line moves
    on as soon as it can."""
    manned, line, waiting = set(AGENTS[:5]), list[Place](), 0
    for n, (what, agent, ends) in enumerate(steps):
        now = T0 - timedelta(seconds=n)  # the wall clock says nothing of who came first
        if what == "break" and agent in manned:
            before = [place.agent for place in in_order(line)]
            if may_break(agent, line, Seats(frozenset(manned), waiting, minimum), (ARTICLE,)).allowed:
                assert before in ([], [agent]) or before[0] == agent
                assert not waiting
                manned.discard(agent)
                assert len(manned) >= minimum
                line = [place for place in line if place.agent != agent]
            elif agent not in before:
                line.append(Place(f"b{n}", agent, "break", now, n))
        elif what in ("ready", "in"):
            manned.add(agent)
        elif what == "out":
            manned.discard(agent)
            line = [place for place in line if place.agent != agent]
        elif what == "calls":
            waiting += 1
        else:
            waiting = max(waiting - 1, 0)
        if not ends:
            continue
        while (first := next_to_go(line, Seats(frozenset(manned), waiting, minimum))) is not None:
            assert first == in_order(line)[0]
            assert may_break(first.agent, line, Seats(frozenset(manned), waiting, minimum), (ARTICLE,)).allowed
            manned.discard(first.agent)
            assert len(manned) >= minimum
            assert not waiting
            line.remove(first)
        if line:  # nobody waits who could go
            head = in_order(line)[0]
            assert waiting or len(manned - {head.agent}) < minimum


@given(st.permutations(AGENTS))
def test_places_are_counted_from_one_in_the_order_of_coming(order: list[str]) -> None:
    """Whatever order the line is kept in."""
    line = [Place(agent, agent, "break", T0, n) for n, agent in enumerate(order)]
    assert [position(agent, reversed(line)) for agent in order] == list(range(1, len(order) + 1))
    assert position("9999", line) is None

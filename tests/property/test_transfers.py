"""Whatever Asterisk tells of a transfer, in whatever order and however often: one outcome, which never changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from queues import transfers as core
from queues.transfers import How, State, Target, TargetKind, Transfer

NOW = datetime(2026, 11, 21, 1, tzinfo=UTC)
Step = Callable[[Transfer, datetime], Transfer]
LEGS = ("leg", "consult", "other")

steps = st.one_of(
    st.sampled_from(LEGS).map(lambda leg: lambda t, at: core.rang(t, leg, "consult", at)),
    st.tuples(st.sampled_from(LEGS), st.booleans()).map(
        lambda pair: lambda t, at: core.answered(t, pair[0], "consult", pair[1], at)
    ),
    st.sampled_from(("BUSY", "NOANSWER", "CANCEL", "")).map(lambda said: lambda t, at: core.unanswered(t, said, at)),
    st.sampled_from(LEGS).map(lambda leg: lambda t, at: core.leg_gone(t, leg, at)),
    st.just(core.joined),
)


@given(st.sampled_from(How), st.lists(steps, max_size=12))
def test_one_outcome_that_never_changes(how: How, history: list[Step]) -> None:
    """Over is over, with its moment; nothing is over without one; the call's end ends whatever is left."""
    transfer = Transfer("x1", "c1", None, "1001", how, Target(TargetKind.AGENT, "1002"), NOW)
    for number, step in enumerate([*history, core.call_over]):
        at = NOW + timedelta(seconds=number)
        after = step(transfer, at)
        if not transfer.open:
            assert after == transfer
        assert after.open == (after.ended_at is None)
        assert after.state is not State.DONE or after.ended_at is not None
        assert (after.agent, after.call_id, after.asked_at) == ("1001", "c1", NOW)
        transfer = after
    assert not transfer.open

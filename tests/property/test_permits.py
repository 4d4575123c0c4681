"""For any history of permits and any clock: nobody uses one that is not his, not agreed, over, or his own grant."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from agents import permits as core
from agents.permits import Permit, PermitKind, PermitState

T0 = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
PEOPLE = ["1001", "1002", "9001", "9002"]
LEADS = {"9001", "9002"}
FINAL = (PermitState.DECLINED, PermitState.WITHDRAWN, PermitState.USED, PermitState.EXPIRED)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "agree", "decline", "withdraw", "use", "lapse"]),
        st.sampled_from(PEOPLE),
        st.sampled_from(list(PermitKind)),
        st.integers(0, 5),  # which of the permits
        st.integers(-120_000, 5_400_000),  # the clock moves by so many milliseconds, backwards too
        st.integers(-60_000, 100_000_000),  # an agreement lasts so long
    ),
    max_size=40,
)


@settings(max_examples=1500, deadline=None)
@given(STEPS)
def test_no_use_without_somebody_elses_agreement_that_holds(
    steps: list[tuple[str, str, PermitKind, int, int, int]],
) -> None:
    """Every use follows an agreement by another person, in its time, once for a sign-in or a sign-out; what is final
    never changes again."""
    now = T0
    permits: list[Permit] = []
    agreed: dict[str, tuple[str, datetime, datetime]] = {}
    closed: dict[str, Permit] = {}
    uses: dict[str, int] = {}
    for what, who, kind, which, moved_ms, lasts_ms in steps:
        now += timedelta(milliseconds=moved_ms)
        if what == "ask":
            if core.may_ask(who, kind, permits).allowed:
                permits.append(Permit(f"p{len(permits)}", who, kind, "有事", now))
            continue
        if not permits:
            continue
        index = which % len(permits)
        permit = permits[index]
        if what in ("agree", "decline"):
            until = now + timedelta(milliseconds=lasts_ms)
            ruling = core.may_decide(permit, who, what == "agree", until, now, LEADS)
            if ruling.allowed:
                assert who != permit.agent
                assert who in LEADS
                permits[index] = core.decided(permit, who, what == "agree", "好", until, now)
                if what == "agree":
                    assert now < until <= now + core.LONGEST
                    agreed[permit.permit_id] = (who, now, until)
        elif what == "withdraw" and core.may_withdraw(permit, who).allowed:
            assert who == permit.agent
            permits[index] = core.withdrawn(permit, now)
        elif what == "lapse":
            permits[index] = core.lapsed(permit, now)
        elif what == "use" and core.holds(permit, who, kind, now):
            by, since, until = agreed[permit.permit_id]
            assert (permit.agent, permit.kind) == (who, kind)
            assert by != who
            assert since <= now < until
            uses[permit.permit_id] = uses.get(permit.permit_id, 0) + 1
            assert kind is PermitKind.BUSY or uses[permit.permit_id] == 1
            permits[index] = core.used(permit, now)
        for permit_id, final in closed.items():
            assert next(p for p in permits if p.permit_id == permit_id) == final
        closed.update({p.permit_id: p for p in permits if p.state in FINAL})


@given(st.sampled_from(list(PermitKind)), st.integers(1, 86_400_000))
def test_the_end_is_to_the_millisecond(kind: PermitKind, lasts_ms: int) -> None:
    """It holds one millisecond before ``until``, at ``until`` it does not, and then it lapses."""
    until = T0 + timedelta(milliseconds=lasts_ms)
    asked = Permit("p", "1001", kind, "有事", T0)
    permit = core.decided(asked, "9001", True, "好", until, T0)
    before = until - timedelta(milliseconds=1)
    assert core.holds(permit, "1001", kind, before)
    assert not core.holds(permit, "1001", kind, until)
    assert core.lapsed(permit, before) is permit
    assert core.lapsed(permit, until).state is PermitState.EXPIRED
    over = core.used(permit, T0)
    assert core.overrun(core.lapsed(over, until), T0) is (kind is PermitKind.BUSY)


@given(st.sampled_from(list(PermitKind)), st.sampled_from(["1001", None]))
def test_an_agreement_without_another_person_behind_it_is_none(kind: PermitKind, by: str | None) -> None:
    """Whatever wrote it: a permit that its own agent, or nobody, decided does not hold."""
    permit = Permit("p", "1001", kind, "有事", T0, PermitState.AGREED, by, T0, "好", T0 + timedelta(hours=1))
    assert not core.holds(permit, "1001", kind, T0)
    assert core.holds(replace(permit, decided_by="9001"), "1001", kind, T0)

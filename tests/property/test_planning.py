"""The planner allows nothing that the rules refuse, spreads over the day, and says at once what cannot fit."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queues.callbacks import Attempt, AttemptOutcome, Override, Terms, limits_of, may_place
from queues.openday import part_of
from queues.planning import Owed, capacity_of, fit_of, planned, planned_all, quarter_of
from regulations import parse_profile

LIMITS = limits_of(parse_profile(Path("regulations/kl-956100.toml").read_text()), ZoneInfo("Asia/Shanghai"))
RING = timedelta(seconds=50)
GAP = timedelta(hours=2)
MINUTE = timedelta(minutes=1)
MOMENTS = st.integers(0, 2 * 365 * 86_400).map(lambda s: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=s))
ZONES = st.sampled_from(["Asia/Shanghai", "America/New_York", "Australia/Lord_Howe"])
COUNTED = st.sampled_from([AttemptOutcome.NO_ANSWER, AttemptOutcome.BUSY, AttemptOutcome.UNKNOWN])


def at(hour: int, minute: int = 0, day: int = 24) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=LIMITS.zone)


def tried(*starts: datetime) -> tuple[Attempt, ...]:
    return tuple(Attempt(n, s, s + RING, AttemptOutcome.NO_ANSWER) for n, s in enumerate(starts, 1))


@st.composite
def owings(draw: st.DrawFn) -> tuple[Owed, datetime]:
    now = draw(MOMENTS)
    starts = sorted(draw(st.lists(st.integers(1, 3 * 86_400), max_size=3)), reverse=True)
    made = tuple(
        Attempt(n, now - timedelta(seconds=s), now - timedelta(seconds=s) + RING, draw(COUNTED))
        for n, s in enumerate(starts, 1)
    )
    deadline = draw(st.none() | st.integers(-3600, 4 * 86_400).map(lambda s: now + timedelta(seconds=s)))
    agreed = draw(st.none() | st.integers(0, 2 * 86_400).map(lambda s: now + timedelta(seconds=s)))
    return Owed("c1", now, made, deadline, Terms(appointment_at=agreed)), now


@settings(max_examples=600, deadline=None)
@given(owings(), ZONES, st.integers(0, 899), st.integers(0, 3))
def test_every_planned_time_may_be_dialled(case: tuple[Owed, datetime], zone: str, into: int, busy: int) -> None:
    """Each time of a plan is allowed once the ones before it have failed; jitter and load change nothing."""
    owed, now = case
    limits = replace(LIMITS, zone=ZoneInfo(zone))
    load = {quarter_of(now) + n * timedelta(minutes=15): 1 for n in range(busy)}
    plan = planned(owed, load, lambda _: 1, limits, now, RING, lambda _: timedelta(seconds=into))
    counted = sum(a.counts for a in owed.attempts)
    assert len(plan.fit.times) == 3 - counted
    assert plan.at == (plan.fit.times[0] if plan.fit.times else None)
    made = owed.attempts
    for moment in plan.fit.times:
        assert moment >= now
        assert may_place(made, limits, moment, RING, owed.terms).allowed
        assert time(8) <= moment.astimezone(limits.zone).time() < time(21)
        made = (*made, Attempt(9, moment, moment + RING, AttemptOutcome.NO_ANSWER))
    late = [n for n, m in enumerate(plan.fit.times, counted + 1) if owed.deadline is not None and m > owed.deadline]
    assert list(plan.fit.late) == late
    assert plan.fit.fits == (plan.fit.why == "")


@settings(max_examples=400, deadline=None)
@given(owings())
def test_what_the_rules_let_in_before_the_deadline_is_never_called_late(case: tuple[Owed, datetime]) -> None:
    """Made one after the other as soon as each may be, they are in time: then the plan is in time too."""
    owed, now = case
    made, moment = owed.attempts, now
    for _ in fit_of(owed, LIMITS, now, RING).times:
        while not (ruling := may_place(made, LIMITS, moment, RING, owed.terms)).allowed:
            assert ruling.allowed_at is not None
            moment = ruling.allowed_at
        made = (*made, Attempt(9, moment, moment + RING, AttemptOutcome.NO_ANSWER))
    if owed.deadline is not None and owed.terms.appointment_at is None:
        assert fit_of(owed, LIMITS, now, RING).fits == (moment <= owed.deadline or made == owed.attempts)


def test_three_attempts_go_to_morning_noon_and_evening() -> None:
    """Tried at nine in vain: noon, then the evening, not 11:01 and 13:02 again."""
    fit = fit_of(Owed("c1", at(8), tried(at(9)), at(21, day=25)), LIMITS, at(9, 1), RING)
    assert [m.astimezone(LIMITS.zone) for m in fit.times] == [at(12), at(18)]
    assert {part_of(m.hour) for m in (at(9), *fit.times)} == {0, 1, 2}


def test_a_near_deadline_goes_before_the_spread_and_an_untried_hour_before_none() -> None:
    """By 13:30: noon would be too late for two more; 11:01 is another hour, and all fit."""
    fit = fit_of(Owed("c1", at(8), tried(at(9)), at(13, 30)), LIMITS, at(9, 1), RING)
    assert fit.fits
    assert [m.hour for m in fit.times] == [11, 13]


def test_what_cannot_fit_is_said_at_once_with_which_and_why() -> None:
    """Answered at 16:00, due at 19:00: the first and, 2 h later, the second; the third cannot."""
    fit = fit_of(Owed("c1", at(16), (), at(19)), LIMITS, at(16), RING)
    assert (fit.late, fit.why, fit.fits) == ((3,), "deadline", False)
    assert [m.astimezone(LIMITS.zone) for m in fit.times[:2]] == [at(16), at(18, 0) + RING]


def test_hours_already_tried_on_other_days_are_not_tried_again() -> None:
    """Two mornings in vain at eight and nine: the third goes to noon."""
    fit = fit_of(Owed("c1", at(8), tried(at(8, 5), at(9, 5, day=25))), LIMITS, at(8, day=26), RING)
    assert [m.astimezone(LIMITS.zone) for m in fit.times] == [at(12, day=26)]


def test_an_appointment_is_kept_to_the_minute_whatever_the_load() -> None:
    """Agreed for 15:07: 15:07, with the quarter-hour full."""
    owed = Owed("c1", at(8), tried(at(9)), None, Terms(appointment_at=at(15, 7)))
    plan = planned(owed, {at(15): 99}, lambda _: 1, LIMITS, at(9, 2), RING, lambda _: 9 * MINUTE)
    assert plan.at == at(15, 7)


def test_a_leads_leave_lets_the_next_attempt_be_at_night_and_no_other() -> None:
    """The override is for one attempt."""
    owed = Owed("c1", at(8), (), None, Terms(override=Override("9001", "客户夜班，本人要求")))
    fit = fit_of(owed, LIMITS, at(22), RING)
    assert fit.times[0] == at(22)
    assert all(time(8) <= m.astimezone(LIMITS.zone).time() < time(21) for m in fit.times[1:])


def test_a_day_of_two_thousand_does_not_pile_up_at_eight() -> None:
    """20 agents at 3 min: 100 in a quarter-hour and never more; by deadline, then age, then id."""
    owed = [
        Owed(f"c{n:04}", at(7) + timedelta(seconds=n % 50), (), at(12 if n % 2 else 20, day=25)) for n in range(2000)
    ]
    capacity = capacity_of(lambda _: 20, 3 * MINUTE)
    plans = planned_all(owed, capacity, LIMITS, at(7), RING, lambda c: timedelta(seconds=int(c[1:]) % 900))
    assert max(Counter(quarter_of(p.at) for p in plans if p.at).values()) == 100
    assert all(p.fit.fits for p in plans)
    first = {p.callback_id for p in plans if p.at and p.at < at(8, 15)}
    assert all(int(c[1:]) % 2 for c in first)
    again = planned_all(reversed(owed), capacity, LIMITS, at(7), RING, lambda c: timedelta(seconds=int(c[1:]) % 900))
    assert again == plans


def test_too_few_agents_before_the_deadline_is_said_as_such() -> None:
    """One agent, thirty callers, a deadline at one: whoever does not fit is late for want of capacity.

    Nobody's quarter-hour is given away more than twice.
    """
    owed = [Owed(f"c{n:02}", at(8), (), at(13)) for n in range(30)]
    plans = planned_all(owed, capacity_of(lambda _: 1, 5 * MINUTE), LIMITS, at(8), RING)
    fits = [p.fit for p in plans]
    assert [f.why for f in fits] == ["" if f.fits else "capacity" for f in fits]
    assert 0 < sum(f.fits for f in fits) < 30
    assert max(Counter(quarter_of(p.at) for p in plans if p.at).values()) <= 6


def test_the_urgent_goes_before_who_can_wait() -> None:
    """Second attempts with a near deadline come into hours that first attempts with a far one have filled."""
    full = {quarter_of(at(8) + n * 15 * MINUTE): 5 for n in range(24)}
    second = Owed("c1", at(8), tried(at(8)), at(13))
    plan = planned(second, full, lambda _: 5, LIMITS, at(8, 1), RING)
    assert plan.fit.fits
    assert plan.at is not None
    assert plan.at < at(10, 30)
    patient = planned(replace(second, deadline=at(20)), full, lambda _: 5, LIMITS, at(8, 1), RING)
    assert patient.at is not None
    assert patient.at >= at(14)


@pytest.mark.parametrize("zone", ["America/New_York", "Australia/Lord_Howe"])
def test_a_change_of_the_zones_offset_moves_no_attempt_into_the_night(zone: str) -> None:
    """Each day of a year of a zone with daylight saving: whatever is planned lies in its local open day."""
    limits = replace(LIMITS, zone=ZoneInfo(zone))
    for day in range(365):
        now = datetime(2026, 1, 1, 20, 30, tzinfo=UTC) + timedelta(days=day, minutes=day * 7)
        for moment in fit_of(Owed("c1", now), limits, now, RING).times:
            assert time(8) <= moment.astimezone(limits.zone).time() < time(21)

"""Ticket stubs over any times and counts: notes never go back, clocks never run before their cause."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from cti.app import load_profile
from queues import chasing, handout, particulars, repeats
from queues.kinds import COMPLAINT_GRADES, GRADES, KINDS
from queues.stubs import Stub
from queues.workdays import SATURDAY, WEEKENDS, working_days_after

ZONE = ZoneInfo("Asia/Shanghai")
moments = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
PROFILE = load_profile("hz-12319")
RULES = chasing.Rules(PROFILE.get("chase.after_percent"), PROFILE.get("chase.reminders"))


@given(st.lists(st.tuples(st.integers(1, 30), st.text(max_size=5)), max_size=30))
def test_saves_in_any_order_end_at_the_newest(saves: list[tuple[int, str]]) -> None:
    """KL 第十五条(一)1: the version kept never falls, and its text is the one of that version."""
    stub = Stub("t", "1001", datetime(2026, 1, 1, tzinfo=UTC))
    first: dict[int, str] = {}
    for version, text in saves:
        if particulars.may_save(stub, text, version).allowed:
            assert version >= stub.notes_version
            first.setdefault(version, text)
            stub = replace(stub, notes=text, notes_version=version)
    assert stub.notes_version == max((v for v, _ in saves), default=0)
    assert stub.notes == first.get(stub.notes_version, "")


@given(
    moments, st.sampled_from(sorted(KINDS)), st.sampled_from([None, *GRADES]),
    st.sampled_from([None, *COMPLAINT_GRADES]), st.integers(0, 10**6),
)  # fmt: skip
def test_no_clock_runs_before_its_cause(
    opened: datetime, kind: str, grade: str | None, complaint: str | None, wait_s: int
) -> None:
    """KL 第十四条, WD 第七条: the hand-out from the opening, the unit's from the hand-out; twice is once."""
    clocks = handout.clocks_of(PROFILE, kind, grade, complaint)
    stub = handout.timed(Stub("t", "1001", opened, kind=kind, grade=grade), clocks, ZONE)
    assert stub.finish_due is None
    assert (stub.hand_out_due is None) == (KINDS[kind].hand_out is None)
    assert stub.hand_out_due is None or opened < stub.hand_out_due <= opened + timedelta(minutes=20)
    at = opened + timedelta(seconds=wait_s)
    handed = handout.handed_out(stub, "u", clocks, ZONE, at)
    assert handout.handed_out(handed, "u", clocks, ZONE, at + timedelta(days=1)) == handed
    assert handout.timed(handed, clocks, ZONE) == handed
    assert handed.taken_due == at + timedelta(minutes=10)
    assert handed.finish_due is None or handed.finish_due > at
    assert not handout.overdue(handed, at + timedelta(days=365))


@given(moments, st.integers(1, 60))
def test_working_days_are_days_of_work(start: datetime, days: int) -> None:
    """Never a Saturday or a Sunday; a week has five of them; the time of day stays."""
    due = working_days_after(start, days, WEEKENDS, ZONE).astimezone(ZONE)
    assert due.weekday() < SATURDAY
    assert due.time() == start.astimezone(ZONE).time()
    assert timedelta(days=days) <= due - start <= timedelta(days=days // 5 * 7 + 7)


@given(moments)
def test_a_month_is_never_longer_than_31_days(now: datetime) -> None:
    """「一个月内」."""
    assert timedelta(days=28) <= now - repeats.month_before(now, ZONE) <= timedelta(days=31)


@given(moments, st.integers(1, 10**6), st.lists(st.integers(0, 10**5), max_size=8))
def test_no_more_than_two_reminders_are_sent_without_a_lead(handed: datetime, limit_s: int, waits: list[int]) -> None:
    """KL 第十五条(四): never before half, never a third, however often the caller rings."""
    stub = Stub("t", "1001", handed, handed_out_at=handed, finish_due=handed + timedelta(seconds=limit_s))
    now = handed
    for wait in waits:
        now += timedelta(seconds=wait)
        if chasing.may_remind(stub, RULES, now, special=False, lead=False).allowed:
            assert (now - handed) * 2 >= timedelta(seconds=limit_s)
            stub = replace(stub, reminders=stub.reminders + 1)
    assert stub.reminders <= 2

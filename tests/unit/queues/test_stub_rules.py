"""The rules of ticket stubs at their edges: clocks by kind and grade, chasing at the half, repeats at the fifth."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from queues import chasing, handout, particulars, repeats
from queues.chasing import Advice
from queues.kinds import KINDS
from queues.stubs import Stub
from queues.workdays import WEEKENDS, working_days_after
from regulations import Article, Basis, Limit, Profile, Strength

ZONE = ZoneInfo("Asia/Shanghai")
FRIDAY = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)  # 16:00 in Shanghai
STUB = Stub("t-1", "1001", FRIDAY, "1.1", caller="13800000061")
MINUTE = timedelta(minutes=1)


def limit(path: str, value: timedelta | int, strength: Strength = Strength.MUST) -> Limit:
    """A figure of the profile."""
    return Limit(path, value, Article("KL", path, path), strength, Basis.TEXT)


def profile(**figures: timedelta | int) -> Profile:
    """A profile of these figures of tickets."""
    named = {f"ticket.{name}": value for name, value in figures.items()}
    return Profile("1", "甲", "a", "Asia/Shanghai", {path: limit(path, value) for path, value in named.items()})


RULES = chasing.Rules(
    limit("chase.after_percent", 50), limit("chase.reminders", 2, Strength.PRINCIPLE)
)  # fmt: skip


def test_every_kind_has_its_own_key_and_a_name_in_both_languages() -> None:
    """A digit chooses one kind and no other (KL 第十四条: the list)."""
    assert len({kind.key for kind in KINDS.values()}) == len(KINDS)
    assert all(kind.zh and kind.en and len(kind.key) == 1 for kind in KINDS.values())


def test_what_is_absent_from_the_profile_has_no_clock() -> None:
    """A hotline whose text is silent alarms nothing."""
    clocks = handout.clocks_of(profile(), "repair", "first", None)
    assert clocks == handout.Clocks()
    assert handout.timed(replace(STUB, kind="repair"), clocks, ZONE).hand_out_due is None
    assert handout.clocks_of(profile(handout_repair=5 * MINUTE), None, None, None) == handout.Clocks()


def test_the_hand_out_is_late_after_its_last_moment_only() -> None:
    """5:00.000 of five minutes is in time; the clock stops with the hand-out and does not come back."""
    clocks = handout.clocks_of(profile(handout_repair=5 * MINUTE), "repair", None, None)
    stub = handout.timed(replace(STUB, kind="repair"), clocks, ZONE)
    due = FRIDAY + 5 * MINUTE
    assert stub.hand_out_due == due
    assert not handout.overdue(stub, due)
    assert handout.overdue(stub, due + timedelta(microseconds=1))
    assert not handout.overdue(handout.handed_out(stub, "u", clocks, ZONE, due), due + timedelta(days=1))


def test_a_grade_rules_before_the_kind() -> None:
    """WD 第七条 before KL 第十四条; a complaint's own grade before neither, and for complaints alone."""
    figures = profile(
        finish_first=timedelta(hours=24), finish_complaint_light=timedelta(hours=3), finish_repair_days=3,
        finish_service_days=7,
    )  # fmt: skip
    found = [
        handout.clocks_of(figures, kind, grade, complaint).finish
        for kind, grade, complaint in (
            ("complaint", "first", "3"), ("complaint", None, "3"), ("complaint", None, "1"), ("repair", None, "3"),
            ("service", None, None),
        )
    ]  # fmt: skip
    assert [one and one.path for one in found] == [
        "ticket.finish_first", "ticket.finish_complaint_light", None, "ticket.finish_repair_days",
        "ticket.finish_service_days",
    ]  # fmt: skip


@pytest.mark.parametrize(("days", "local"), [(1, "11-23 16:00"), (3, "11-25 16:00"), (6, "11-30 16:00")])
def test_working_days_pass_over_the_weekend(days: int, local: str) -> None:
    """From a Friday: one working day later is Monday, at the same time of day."""
    due = working_days_after(FRIDAY, days, WEEKENDS, ZONE)
    assert f"{due.astimezone(ZONE):%m-%d %H:%M}" == local


def test_the_same_day_ends_at_local_midnight() -> None:
    """GJ 第十七条「当日收、当日转」."""
    assert handout.end_of_day(FRIDAY, ZONE) == datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
    assert handout.end_of_day(FRIDAY + timedelta(hours=8), ZONE) == datetime(2026, 11, 21, 16, 0, tzinfo=UTC)


def handed(hours: int, reminders: int = 0) -> Stub:
    """In the unit's hands, to be finished in *hours*."""
    return replace(
        STUB, kind="repair", unit="u", handed_out_at=FRIDAY, finish_due=FRIDAY + timedelta(hours=hours),
        reminders=reminders,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("stub", "hours", "advice"),
    [
        (STUB, 1, Advice.NOT_HANDED_OUT),
        (handed(24), 11.999, Advice.EXPLAIN),
        (handed(24), 12, Advice.REMIND),
        (handed(24), 30, Advice.REMIND),
        (handed(24, 2), 13, Advice.EXHAUSTED),
        (replace(handed(24), finish_due=None), 13, Advice.NO_LIMIT),
    ],
)
def test_what_to_do_for_a_caller_who_chases(stub: Stub, hours: float, advice: Advice) -> None:
    """KL 第十五条(四): half is past at exactly half; late is past half too."""
    now = FRIDAY + timedelta(hours=hours)
    assert chasing.standing(stub, RULES, now).advice is advice


def test_a_reminder_is_refused_with_its_article_and_the_moment() -> None:
    """Under half: when it may be sent, unless a special case is given; after two only a lead with a reason."""
    early = chasing.may_remind(handed(24), RULES, FRIDAY, special=False, lead=False)
    assert (early.code, early.allowed_at) == ("explain_first", FRIDAY + timedelta(hours=12))
    assert chasing.may_remind(handed(24), RULES, FRIDAY, special=True, lead=False).allowed
    late = FRIDAY + timedelta(hours=20)
    for special, lead, yes in ((False, False, False), (True, False, False), (False, True, False), (True, True, True)):
        ruling = chasing.may_remind(handed(24, 2), RULES, late, special=special, lead=lead)
        assert ruling.allowed is yes
        assert ruling.override == (None if yes else "lead")
    must = RULES._replace(reminders=limit("chase.reminders", 2))
    assert not chasing.may_remind(handed(24, 2), must, late, special=True, lead=True).allowed


FIVE = repeats.Rules(limit("different", 5), limit("same", 5))


@pytest.mark.parametrize(
    ("same", "different", "grade"), [(1, 1, "3"), (4, 4, "3"), (1, 5, "2"), (5, 1, "1"), (5, 5, "1")]
)
def test_the_gravest_grade_that_is_reached_is_suggested(same: int, different: int, grade: str) -> None:
    """KL 第十四条(六): 5 is reached at 5, and the caller who complains for the fifth time is the graver one."""
    suggestion = repeats.suggest(repeats.Counted(same, different), FIVE)
    assert suggestion is not None
    assert suggestion.grade == grade
    assert repeats.suggest(repeats.Counted(same, different), repeats.Rules(None, None)) is None


@pytest.mark.parametrize(
    ("day", "before"), [("2026-03-31", "2026-02-28"), ("2026-01-15", "2025-12-15"), ("2028-03-30", "2028-02-29")]
)
def test_a_month_is_the_calendars(day: str, before: str) -> None:
    """「一个月内」: from the same day of the month before, or its last."""
    at = datetime.fromisoformat(f"{day}T09:30:00+08:00")
    assert f"{repeats.month_before(at, ZONE).astimezone(ZONE):%F %H:%M}" == f"{before} 09:30"


def test_a_matter_that_is_no_complaint_has_no_grade_of_one() -> None:
    """The grade goes when the kind is corrected."""
    complaint = particulars.said(STUB, {"kind": "complaint", "complaint_grade": "1"})
    assert complaint.complaint_grade == "1"
    assert particulars.said(complaint, {"kind": "repair"}).complaint_grade is None

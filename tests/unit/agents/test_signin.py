"""Signing in outside one's shift, coming to the post, and the way back after months (HZ 第二十条, QD 第二十三条)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from agents.counted import Counted, of_day, turned
from agents.shifts import Shift
from agents.signin import ARRIVES_FROM, arriving_for, in_own_shift, may_arrive
from agents.training import may_record, may_return, months_later
from regulations import Article, Basis, Limit, Strength

OWN = Article("HZ", "第二十条", "未经岗位负责人批准,不得擅自换班、替班。")
RETRAIN = Article("QD", "第二十三条", "对连续离岗时间超过2个月以上的人员进行业务再培训。")
MONTHS = Limit("training.off_post_months", 2, RETRAIN, Strength.MUST, Basis.HOUSE)
SHANGHAI = ZoneInfo("Asia/Shanghai")
T0 = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
DAY = Shift("s", "1001", T0, T0 + timedelta(hours=11))
EARLY = timedelta(minutes=10)
MS = timedelta(milliseconds=1)


def local(year: int, month: int, day: int, hour: int = 12, ms: int = 0, fold: int = 0) -> datetime:
    return datetime(year, month, day, hour, 0, 0, ms * 1000, SHANGHAI, fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "allowed"),
    [
        (T0 - EARLY - MS, False), (T0 - EARLY, True), (T0, True), (T0 + timedelta(hours=11) - MS, True),
        (T0 + timedelta(hours=11), False),
    ],
)  # fmt: skip
def test_one_signs_in_from_ten_minutes_before_ones_shift_until_its_end(now: datetime, allowed: bool) -> None:
    """[start - early, end), to the millisecond; outside the lead must agree, and it says from when it needs nobody."""
    mine = DAY if DAY.covers(now) else None
    coming = DAY if now < DAY.starts_at else None
    ruling = in_own_shift(OWN, mine, coming, EARLY, now)
    assert ruling.allowed is allowed
    assert ruling.articles == (OWN,)
    if not allowed:
        assert (ruling.code, ruling.override) == ("not_own_shift", "lead")
        assert ruling.allowed_at == (T0 - EARLY if now < T0 else None)


def test_one_comes_from_an_hour_before_once() -> None:
    """到岗 is said once for each shift, in [start - 60 min, end); somebody without a shift has nothing to come for."""
    hour = T0 - ARRIVES_FROM
    assert may_arrive(None, DAY, (), hour).allowed
    too_early = may_arrive(None, DAY, (), hour - MS)
    assert (too_early.code, too_early.allowed_at) == ("no_shift_to_arrive_for", hour)
    assert may_arrive(DAY, None, (), T0).allowed
    assert may_arrive(DAY, None, ("s",), T0).code == "arrived_already"
    assert may_arrive(None, None, (), T0).code == "no_shift_to_arrive_for"
    later = Shift("n", "1001", T0 + timedelta(hours=11), T0 + timedelta(hours=24))
    assert arriving_for(DAY, later, T0 + timedelta(hours=10, minutes=30)) is DAY


@pytest.mark.parametrize(
    ("last", "now", "allowed"),
    [
        (local(2026, 9, 23), local(2026, 11, 23), True),
        (local(2026, 9, 23), local(2026, 11, 23, ms=1), False),
        (local(2026, 12, 31), local(2027, 2, 28), True),  # a day that is missing is the month's last
        (local(2026, 12, 31), local(2027, 2, 28, ms=1), False),
        (local(2027, 12, 31), local(2028, 2, 29), True),
        (local(2026, 11, 1), local(2027, 1, 1), True),  # over a year's end
        (local(2026, 11, 1), local(2027, 1, 1, ms=1), False),
    ],
)
def test_exactly_two_calendar_months_off_the_post_are_allowed(last: datetime, now: datetime, allowed: bool) -> None:
    """QD 第二十三条: more than two months; local calendar months, not sixty days."""
    ruling = may_return(last, None, MONTHS, now, SHANGHAI)
    assert ruling.allowed is allowed
    assert ruling.articles == (RETRAIN,)
    assert ruling.override is None  # no agreement replaces the training


def test_months_follow_the_local_clock_through_a_change_of_it() -> None:
    """02:30 does not exist on the day New York's clocks go forward: the moment is still defined, and unique."""
    zone = ZoneInfo("America/New_York")
    last = datetime(2026, 1, 8, 2, 30, tzinfo=zone).astimezone(UTC)
    assert months_later(last, 2, zone) == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)


def test_a_retraining_after_the_last_time_on_post_lifts_it() -> None:
    """One from before does not; and who never was on post was not away from it."""
    last, now = local(2026, 1, 1), local(2026, 11, 23)
    assert may_return(last, last + MS, MONTHS, now, SHANGHAI).allowed
    assert not may_return(last, last, MONTHS, now, SHANGHAI).allowed
    assert may_return(None, None, MONTHS, now, SHANGHAI).allowed
    assert may_record("9001", "1001", (RETRAIN,), {"9001"}).allowed
    assert may_record("9001", "9001", (RETRAIN,), {"9001"}).code == "own_training"
    assert may_record("1002", "1001", (RETRAIN,), {"9001"}).code == "not_lead"


def test_counted_busy_time_is_of_the_local_day() -> None:
    """A stretch over midnight counts in each day for itself; a clock stepped back takes nothing away."""
    midnight = local(2026, 11, 23, 0)
    start = midnight - timedelta(minutes=20)
    counted = turned(Counted(midnight - timedelta(days=1)), True, start)
    over = of_day(counted, midnight)
    assert over == Counted(midnight, timedelta(0), midnight)
    assert turned(over, False, midnight + timedelta(minutes=7)).total == timedelta(minutes=7)
    assert turned(over, False, midnight - timedelta(minutes=7)).total == timedelta(0)
    assert of_day(over, midnight - timedelta(days=1)) == over

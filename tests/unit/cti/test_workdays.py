"""Deadlines in working days over real years: holidays pass, make-up days are worked, the site's file wins."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from cti.errors import BadInput
from cti.workdays import load_calendar
from queues.workdays import Calendar, working_days_after

ZONE = ZoneInfo("Asia/Shanghai")


def at(month: int, day: int, year: int = 2026) -> datetime:
    return datetime(year, month, day, 16, 0, tzinfo=ZONE)


def test_the_make_up_days_of_2026_are_worked() -> None:
    """国务院办公厅关于2026年部分节假日安排的通知: six weekend days are worked."""
    calendar = load_calendar(None, 2026)
    assert sorted(day for day in calendar.on if day.year == 2026) == [
        date(2026, 1, 4), date(2026, 2, 14), date(2026, 2, 28), date(2026, 5, 9), date(2026, 9, 20), date(2026, 10, 10)
    ]  # fmt: skip
    assert calendar.knows(2026)
    assert not calendar.knows(2035)


@pytest.mark.parametrize(
    ("answered", "days", "due"),
    [
        (at(11, 20), 1, at(11, 23)),  # Friday to Monday
        (at(9, 30), 1, at(10, 8)),  # over the National Day
        (at(9, 30), 3, at(10, 10)),  # ... and a Saturday that is worked
        (at(2, 13), 1, at(2, 14)),  # the Saturday before the Spring Festival is worked
        (at(2, 14), 1, at(2, 24)),
        (at(2, 13), 7, at(3, 2)),  # WD 第三条7
        (at(12, 31), 1, at(1, 4, 2027)),  # year end
        (at(10, 3), 1, at(10, 8)),  # answered on a holiday
    ],
)  # fmt: skip
def test_a_deadline_counts_the_days_that_are_worked(answered: datetime, days: int, due: datetime) -> None:
    """KL 第十四条 「1个工作日内」, WD 第三条7 「7个工作日内」: the same time of day, so many working days later."""
    assert working_days_after(answered, days, load_calendar(None, 2026), ZONE) == due


def test_the_sites_own_file_wins(tmp_path: Path) -> None:
    """A day off that the library calls worked, and the other way round; what it does not name stays."""
    path = tmp_path / "workdays.toml"
    path.write_text("off = [2026-02-14, 2027-02-11]\non = [2026-10-01, 2027-02-14]\n")
    calendar = load_calendar(path, 2026)
    assert [calendar.works(day) for day in (date(2026, 2, 14), date(2026, 10, 1), date(2026, 10, 2))] == [
        False, True, False
    ]  # fmt: skip
    assert calendar.works(date(2027, 2, 14))
    assert not calendar.works(date(2027, 2, 11))
    assert calendar.knows(2027)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("off = [2026-02-30]", "workdays.toml"), ('off = ["2026-02-14"]', "off: 2026-02-14 is no date"),
        ("on = [2026-02-14T08:00:00]", "on:"), ("onn = []", "onn"), ("off = [2026-01-04]\non = [2026-01-04]", "both"),
        ("on = 7", "on:"),
    ],
)  # fmt: skip
def test_a_file_that_is_wrong_is_named(tmp_path: Path, text: str, said: str) -> None:
    """It does not load, and says where."""
    path = tmp_path / "workdays.toml"
    path.write_text(text)
    with pytest.raises(BadInput, match=said):
        load_calendar(path, 2026)


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    """The setting and the path."""
    with pytest.raises(BadInput, match=r"nowhere\.toml"):
        load_calendar(tmp_path / "nowhere.toml", 2026)


def test_a_calendar_without_working_days_ends_with_an_error() -> None:
    """A mistake in a file does not hang the service."""
    never = Calendar(off=frozenset(date.fromordinal(date(2026, 1, 1).toordinal() + n) for n in range(100)))
    with pytest.raises(ValueError, match="no working day"):
        working_days_after(at(1, 1), 1, never, ZONE)

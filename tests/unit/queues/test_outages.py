"""Outage notices: when callers hear them, when they are late, what the dialplan reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from queues.outages import LONGEST, Kind, Outage, dialplan_value, is_late, may_put, said_from

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
AHEAD = timedelta(hours=48)
HOUR = timedelta(hours=1)


def test_a_planned_outage_is_said_ahead_and_a_sudden_one_at_once() -> None:
    """WD 第四条: 48 hours before; a profile without the rule says it from its beginning."""
    later = NOW + timedelta(days=3)
    assert said_from(Kind.PLANNED, later, AHEAD) == later - AHEAD
    assert said_from(Kind.PLANNED, later, None) == later
    assert said_from(Kind.SUDDEN, NOW, AHEAD) == NOW


@pytest.mark.parametrize(("before", "late"), [(AHEAD, False), (AHEAD - timedelta(microseconds=1), True)])
def test_told_later_than_the_rules_ask(before: timedelta, late: bool) -> None:
    """The edge is in time; a sudden outage is never late, nor is any without the rule."""
    assert is_late(Kind.PLANNED, NOW + before, NOW, AHEAD) is late
    assert not is_late(Kind.SUDDEN, NOW, NOW, AHEAD)
    assert not is_late(Kind.PLANNED, NOW, NOW, None)


@pytest.mark.parametrize(
    ("from_at", "until", "allowed"),
    [
        (NOW, NOW + HOUR, True),
        (NOW - HOUR, NOW, False),  # over already
        (NOW + HOUR, NOW + HOUR, False),  # ends as it begins
        (NOW, NOW + LONGEST, True),
        (NOW, NOW + LONGEST + timedelta(seconds=1), False),
    ],
)
def test_a_notice_ends_after_it_begins_and_within_thirty_days(
    from_at: datetime, until: datetime, allowed: bool
) -> None:
    """A notice that nobody ends does not tell callers for ever."""
    assert may_put(from_at, until, NOW, ()).allowed is allowed


def test_the_dialplan_reads_kind_times_and_prefixes() -> None:
    """Seconds since 1970, so that Asterisk alone knows when it ends."""
    outage = Outage("o-1", "east", Kind.SUDDEN, "水厂跳闸", NOW, NOW + HOUR, NOW, "9001", NOW)
    begin = int(NOW.timestamp())
    assert dialplan_value(outage, ["0530555", "0530556"]) == f"sudden,{begin},{begin + 3600},0530555,0530556"
    assert dialplan_value(outage, []) == f"sudden,{begin},{begin + 3600}"

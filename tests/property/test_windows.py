"""HZ 第三十二条 to the millisecond on both sides, for any shift, any window, any zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import example, given, settings
from hypothesis import strategies as st

from agents.shifts import Shift
from agents.windows import Leaving, may_leave, windows_of
from regulations import Article, Basis, Limit, Strength

ARTICLE = Article("HZ", "第三十二条", "上班后、下班前30分钟,不允许签出、示忙,如有特殊情况,需向值班长请示。")
MS = timedelta(milliseconds=1)
ZONES = st.sampled_from(["Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "UTC"])
KINDS = st.sampled_from(list(Leaving))


def limit(path: str, minutes: float) -> Limit:
    return Limit(path, timedelta(minutes=minutes), ARTICLE, Strength.MUST, Basis.TEXT)


@st.composite
def shifts(draw: st.DrawFn) -> Shift:
    """Any start of four years in any zone, over every change of its clocks; 1 minute to 26 hours of elapsed time."""
    zone = ZoneInfo(draw(ZONES))
    start = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(milliseconds=draw(st.integers(0, 4 * 366 * 86_400_000)))
    length = timedelta(milliseconds=draw(st.integers(60_000, 26 * 3_600_000)))
    return Shift("s", "1001", start.astimezone(zone), (start + length).astimezone(zone))


@settings(max_examples=1500, deadline=None)
@given(shifts(), KINDS, st.integers(1, 120), st.integers(1, 120), st.integers(-3_600_000, 30 * 3_600_000))
def test_refused_exactly_in_the_windows(shift: Shift, kind: Leaving, first: int, last: int, offset_ms: int) -> None:
    """Refused if and only if now is in [start, start + first) or [end - last, end); with article, moment and role."""
    limits = limit("busy.first", first), limit("busy.last", last)
    begins, ends = shift.starts_at.astimezone(UTC), shift.ends_at.astimezone(UTC)
    now = begins + offset_ms * MS
    mine = shift if shift.covers(now) else None
    ruling = may_leave(kind, mine, *limits, now)
    early = begins <= now < min(begins + timedelta(minutes=first), ends)
    late = max(ends - timedelta(minutes=last), begins) <= now < ends
    assert ruling.allowed is not (early or late)
    if not ruling.allowed:
        assert ruling.articles == (ARTICLE,)
        assert ruling.override == "lead"
        assert ruling.zh
        assert ruling.en
        at = ruling.allowed_at
        assert at is None or now < at <= ends
        if at is not None:
            there = shift if shift.covers(at) else None
            assert may_leave(kind, there, *limits, at).allowed
            assert not may_leave(kind, shift, *limits, at - MS).allowed
        # Nobody waits for a break until his shift is over: that is no moment at which it would be allowed.
        assert (at is None) is (kind is Leaving.BUSY and _free_from(shift, first, last, now) >= ends)


def _free_from(shift: Shift, first: int, last: int, now: datetime) -> datetime:
    """The end of the window at *now*, or of the last one when they meet."""
    over = min(shift.starts_at + timedelta(minutes=first), shift.ends_at)
    in_last = max(now, over) >= shift.ends_at - timedelta(minutes=last)
    return shift.ends_at if in_last else over


@settings(max_examples=500, deadline=None)
@given(shifts(), KINDS)
@example(Shift("s", "1", datetime(2026, 11, 23, 11, tzinfo=UTC), datetime(2026, 11, 24, tzinfo=UTC)), Leaving.BUSY)
def test_the_edges_are_closed_as_written(shift: Shift, kind: Leaving) -> None:
    """The first millisecond is in, the last before 30 minutes is in, 30 minutes is out; likewise before the end."""
    limits = limit("busy.first", 30), limit("busy.last", 30)
    begins, ends = shift.starts_at.astimezone(UTC), shift.ends_at.astimezone(UTC)

    def ok(now: datetime) -> bool:
        return may_leave(kind, shift if shift.covers(now) else None, *limits, now).allowed

    half = timedelta(minutes=30)
    assert ok(begins - MS)
    assert not ok(begins)
    assert not ok(ends - MS)
    assert ok(ends)
    if ends - begins > 2 * half + 2 * MS:
        assert not ok(begins + half - MS)
        assert ok(begins + half)
        assert ok(ends - half - MS)
        assert not ok(ends - half)


@given(shifts(), KINDS)
def test_a_rule_that_is_off_says_nothing(shift: Shift, kind: Leaving) -> None:
    """Without figures there is no window; with one alone, only that one."""
    assert may_leave(kind, shift, None, None, shift.starts_at).allowed
    assert windows_of(shift, None, None) == ()
    only_last = windows_of(shift, None, limit("busy.last", 30))
    assert [w.name for w in only_last] == ["last"]
    assert only_last[0].begins >= shift.starts_at

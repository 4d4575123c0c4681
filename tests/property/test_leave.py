"""The edges of leave, whatever the figures: to the millisecond, and to the last agent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from agents.leave import Asking, Day, Deciding, Request, RequestKind, RequestState, may_ask, may_decide
from agents.shifts import Shift
from regulations import Article, Basis, Limit, Profile, Strength

HZ19 = Article("HZ", "第十九条", "提前1天；不得高于应在岗人数的80%")
MS = timedelta(milliseconds=1)
STARTS = st.integers(0, 10 * 366 * 86_400_000).map(lambda ms: datetime(2026, 1, 1, tzinfo=UTC) + ms * MS)
ZONE = ZoneInfo("Asia/Shanghai")


def profile(ahead_s: int = 86_400, percent: int = 80) -> Profile:
    """The two figures."""
    values = {"leave.ahead": timedelta(seconds=ahead_s), "leave.cap_percent": percent}
    limits = {path: Limit(path, value, HZ19, Strength.MUST, Basis.TEXT) for path, value in values.items()}
    return Profile("x", "x", "x", "Asia/Shanghai", limits)


@given(STARTS, st.integers(0, 7 * 86_400), st.integers(-3 * 86_400_000, 3 * 86_400_000))
def test_the_time_ahead_is_closed_at_its_edge(start: datetime, ahead_s: int, off_ms: int) -> None:
    """Asked by the last moment it is in time, a millisecond later it is not; illness and a lead's entry always are."""
    shift = Shift("s", "1001", start, start + timedelta(hours=13))
    last = start - timedelta(seconds=ahead_s)
    for now in (last - MS, last, last + MS, last + off_ms * MS):
        asking = Asking(shift, RequestKind.PERSONAL, "1001", False, Day(5, 0, False))
        if now >= shift.ends_at:
            continue
        assert may_ask(asking, profile(ahead_s), ZONE, now).allowed == (now <= last)
        assert may_ask(asking._replace(kind=RequestKind.SICK), profile(ahead_s), ZONE, now).allowed
        assert may_ask(asking._replace(by="9001", leads=True), profile(ahead_s), ZONE, now).allowed


@given(st.integers(1, 200), st.integers(0, 100))
def test_the_cap_is_never_passed_and_always_reached(rostered: int, percent: int) -> None:
    """Asked and decided one after the other, as many go as the share allows, not one more."""
    start = datetime(2026, 11, 23, tzinfo=UTC)
    shift = Shift("s", "1001", start, start + timedelta(hours=11))
    request, away = Request("r", RequestKind.PERSONAL, "1001", "s", start), 0
    while away <= rostered:
        day = Day(rostered, away, False)
        asked = may_ask(
            Asking(shift, request.kind, "1001", False, day), profile(percent=percent), ZONE, start - timedelta(days=2)
        )
        decided = may_decide(
            Deciding(request, "9001", True, "x", shift, day), profile(percent=percent), start - timedelta(days=1)
        )
        assert asked.allowed == decided.allowed
        if not decided.allowed:
            break
        away += 1
    assert away == percent * rostered // 100


@given(st.sampled_from(list(RequestKind)), st.sampled_from(list(RequestState)), st.text(max_size=5), st.booleans())
def test_nobody_ever_decides_on_what_concerns_him(
    kind: RequestKind, state: RequestState, reason: str, agreed: bool
) -> None:
    """Whatever the kind, the state and the reason; and a request that is settled stays as it is."""
    start = datetime(2026, 11, 23, tzinfo=UTC)
    shift = Shift("s", "1001", start, start + timedelta(hours=11))
    request = Request("r", kind, "1001", "s", start, "1002", state)
    for by in ("1001", "1002", "9001"):
        deciding = Deciding(request, by, agreed, reason, shift, Day(5, 0, False))
        ruling = may_decide(deciding, profile(), start - timedelta(days=1))
        assert ruling.allowed == (by == "9001" and state is RequestState.PENDING)

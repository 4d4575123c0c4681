"""Any order of acts by anybody, any steps of the wall clock: what a handover never lets happen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from agents import sheet
from agents.handover import Cause, Gap, Pair, changing, ended, may_leave, moments, propose_pairs
from agents.sheet import UNSETTLED, Item, ItemKind, ItemState
from agents.shifts import Shift, ShiftState
from regulations import Article, combined

T = datetime(2026, 11, 21, 11, 0, tzinfo=UTC)
RELIEF, ITEMISED = Article("HZ", "第二十九条", "-"), Article("HZ", "第三十三条", "-")
PEOPLE = ("1001", "1002", "1003", "2001", "2002")
ACTS = st.tuples(
    st.sampled_from(("add", "take", "dispute", "order", "keep", "sign")), st.sampled_from(PEOPLE), st.integers(0, 3)
)  # fmt: skip
ALLOWED_BY = {
    "add": {"1001", "2001", "2002"}, "take": {"1002"}, "dispute": {"1002"}, "order": {"2001", "2002"},
    "keep": {"2001", "2002"}, "sign": {"1001", "1002"},
}  # fmt: skip


def act(pair: Pair, items: list[Item], kind: str, by: str, which: int, now: datetime) -> tuple[Pair, bool]:
    """As the engine does it: ruled first, then carried in. Leads rule and add; the routes let nobody else ask."""
    leads = by in ("2001", "2002")
    if kind == "add":
        if not sheet.may_add(pair, by, leads=leads, article=None).allowed:
            return pair, False
        items.append(Item(f"i{len(items)}", "h", pair.outgoing, ItemKind.NOTE, None, "备注", by, now))
        return pair, True
    if kind == "sign":
        ruling = sheet.may_sign(pair, items, by, None)
        return (sheet.signed(pair, by, now), True) if ruling.allowed else (pair, False)
    if which >= len(items) or (kind in ("order", "keep") and not leads):
        return pair, False
    item = items[which]
    rule = {"take": sheet.may_take, "dispute": sheet.may_dispute}.get(kind, sheet.may_settle)
    if not rule(pair, item, by, None).allowed:
        return pair, False
    if kind == "take":
        items[which] = sheet.taken(item, by, now)
    elif kind == "dispute":
        items[which] = sheet.disputed(item, by, "异议", now)
    else:
        items[which] = sheet.ruled(item, by, ordered=kind == "order", reason="裁定", now=now)
    return pair, True


@given(acts=st.lists(ACTS, max_size=40), permitted=st.booleans(), present=st.booleans())
def test_no_order_of_acts_breaks_the_sheet(acts: list[tuple[str, str, int]], permitted: bool, present: bool) -> None:
    """Nobody acts for another; what is decided stays; signed only when settled; one leaves iff the articles let him."""
    pair = Pair("h", "1001", "s1", "3001", "1002", "s2")
    items: list[Item] = []
    for n, (kind, by, which) in enumerate(acts):
        before, signed = list(items), pair.in_signed_at
        pair, done = act(pair, items, kind, by, which, T + timedelta(seconds=n))
        assert not done or by in ALLOWED_BY[kind]
        if pair.in_signed_at is not None:
            assert signed is not None or by == "1002"
            assert pair.out_signed_at is not None
            assert all(item.state not in UNSETTLED for item in items)
        for old, new in zip(before, items, strict=False):
            assert old.state in UNSETTLED or new == old
            assert (new.state is ItemState.DISPUTED) <= (new.decided_by == "1002" and new.settled_by is None)
        assert len(items) >= len(before)
        assert pair.out_signed_at is None or len(items) == len(before)
        said = may_leave(pair, present=present, permitted=permitted, relief=RELIEF, itemised=ITEMISED)
        assert combined(said).allowed == (permitted or (present and pair.signed))
    free = may_leave(None, present=present, permitted=permitted, relief=RELIEF, itemised=ITEMISED)
    assert combined(free).allowed


@given(
    ticks=st.lists(st.tuples(st.integers(0, 90_000), st.integers(-10_000_000, 10_000_000)), min_size=1, max_size=20),
    start=st.integers(0, 10**9),
)
def test_a_gap_is_the_monotonic_difference_whatever_the_wall_clock_does(
    ticks: list[tuple[int, int]], start: int
) -> None:
    """Time passes by *ticks* milliseconds, and the wall clock is stepped besides: it changes nothing."""
    gap = Gap("g", "h", "3001", "1001", "1002", T, start / 1000, "b", Cause.INCOMING, "1002", 30_000)
    wall, mono = T, start
    for passed, step in ticks:
        wall, mono = wall + timedelta(milliseconds=passed + step), mono + passed
    over = ended(gap, "1002", wall, mono / 1000, "b")
    assert over.ms == mono - start >= 0
    assert over.within == (mono - start <= 30_000)


SHIFTS = st.builds(
    lambda n, start, length, on: Shift(
        f"s{n}-{start}", f"10{n:02}", T + timedelta(minutes=10 * start), T + timedelta(minutes=10 * (start + length)),
        state=ShiftState.ON if on else ShiftState.LEAVE,
    ),
    st.integers(1, 8), st.integers(-40, 40), st.integers(1, 60), st.booleans(),
)  # fmt: skip


@given(shifts=st.lists(SHIFTS, max_size=16), near=st.sampled_from((0, 10, 30)))
def test_pairs_are_of_two_people_and_nobody_is_paired_twice(shifts: list[Shift], near: int) -> None:
    """For any roster: who goes has no shift that goes on, who comes does not go, and each is in one pair at most."""
    for at in moments(shifts, timedelta(minutes=near)):
        change = changing(shifts, at, timedelta(minutes=near))
        going, coming = {s.agent for s in change.outgoing}, {s.agent for s in change.incoming}
        assert going
        assert coming
        assert not going & coming
        on = [s for s in shifts if s.state is ShiftState.ON]
        assert not {s.agent for s in on if s.starts_at <= at < s.ends_at} & going
        pairs = propose_pairs(dict.fromkeys(going), dict.fromkeys(coming))
        assert set(pairs) == going
        named = [number for number in pairs.values() if number is not None]
        assert len(set(named)) == len(named) == min(len(going), len(coming))

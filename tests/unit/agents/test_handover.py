"""Who hands over to whom, when one may leave, what may be done with an item: rule by rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agents import sheet
from agents.handover import (
    Cause,
    Gap,
    Pair,
    Span,
    cause_of,
    changing,
    ended,
    held_by,
    left,
    may_leave,
    may_pair,
    moments,
    propose_pairs,
)
from agents.sheet import Item, ItemKind, ItemState
from agents.shifts import Shift, ShiftState
from regulations import Article

T = datetime(2026, 11, 21, 11, 0, tzinfo=UTC)  # 19:00 in Heze
NEAR = timedelta(minutes=10)
RELIEF = Article("HZ", "第二十九条", "接班人未到,交班人不得离岗")
SHEET = Article("HZ", "第三十三条", "确认无误再接班")
PAIR = Pair("h", "1001", "s1", "3001", "1002", "s2")
SIGNED = replace(PAIR, out_signed_at=T, in_signed_at=T)
ITEM = Item("i", "h", "1001", ItemKind.NOTE, None, "备注", "1001", T)


def day(agent: str, end: datetime = T, **more: object) -> Shift:
    return Shift(f"d{agent}", agent, end - timedelta(hours=11), end, **more)  # type: ignore[arg-type]


def night(agent: str, start: datetime = T, **more: object) -> Shift:
    return Shift(f"n{agent}", agent, start, start + timedelta(hours=13), **more)  # type: ignore[arg-type]


def agents(shifts: list[Shift]) -> list[str]:
    return [shift.agent for shift in shifts]


def test_a_handover_is_where_shifts_end_and_others_begin() -> None:
    """Leave, an end that nobody follows and a beginning that relieves nobody make none."""
    assert moments([day("1001"), night("1002")], NEAR) == [T]
    assert moments([day("1001"), night("1002", state=ShiftState.LEAVE)], NEAR) == []
    assert moments([day("1001", T - timedelta(hours=2)), night("1002")], NEAR) == []
    assert moments([night("1002")], NEAR) == []


def test_whoever_goes_on_neither_goes_nor_comes() -> None:
    """A double shift hands nothing over; the others of the crew do."""
    change = changing([day("1001"), day("1003"), night("1001"), night("1002")], T, NEAR)
    assert (agents(change.outgoing), agents(change.incoming)) == (["1003"], ["1002"])


@pytest.mark.parametrize(("early", "comes"), [(600_000, True), (600_001, False), (-600_000, True), (-600_001, False)])
def test_an_incoming_shift_may_begin_a_little_before_or_after(early: int, comes: bool) -> None:
    """Ten minutes to the millisecond on both sides (HZ 第二十七条: one is there that much before)."""
    change = changing([day("1001"), night("1002", T - timedelta(milliseconds=early))], T, NEAR)
    assert agents(change.incoming) == (["1002"] if comes else [])


def test_the_rosters_seat_goes_before_the_order_of_numbers() -> None:
    """1007 is rostered on 3001; the others follow by number; who is too many has nobody, or relieves nobody."""
    assert propose_pairs({"1001": "3001", "1002": None}, {"1005": None, "1007": "3001"}) == {
        "1001": "1007",
        "1002": "1005",
    }
    assert propose_pairs({"1001": "3001", "1002": "3002"}, {"1005": "3009"}) == {"1001": "1005", "1002": None}
    assert propose_pairs({"1002": "3002"}, {"1005": None, "1006": None}) == {"1002": "1005"}


@pytest.mark.parametrize(
    ("wanted", "by", "code"),
    [
        ({"1001": "1006"}, "2001", "ok"),
        ({"1001": None}, "2001", "ok"),
        ({"1001": "1005", "1003": "1002"}, "2001", "ok"),
        ({"1001": "1002"}, "1001", "ok"),
        ({"1001": "1006"}, "1001", "own_pair"),
        ({"1009": "1006"}, "2001", "unknown_pair"),
        ({"1001": "1009"}, "2001", "not_incoming"),
        ({"1001": "1005"}, "2001", "paired_twice"),
        ({"1004": "1006"}, "2001", "sheet_begun"),
    ],
)
def test_the_lead_assigns_seats(wanted: dict[str, str | None], by: str, code: str) -> None:
    """HZ 第二十八条; nobody arranges their own relief, no relief sits at two seats, what has begun stays."""
    pairs = [PAIR, replace(PAIR, outgoing="1003", incoming="1005"), replace(PAIR, outgoing="1004", incoming=None)]
    assert may_pair(pairs, wanted, {"1004"}, {"1002", "1005", "1006"}, by, None).code == code


@pytest.mark.parametrize(
    ("pair", "present", "permitted", "codes"),
    [
        (None, False, False, []),
        (replace(PAIR, incoming=None), False, False, []),
        (PAIR, False, False, ["relief_absent", "sheet_unsigned"]),
        (PAIR, True, False, ["sheet_unsigned"]),
        (SIGNED, False, False, ["relief_absent"]),
        (SIGNED, True, False, ["ok"]),
        (PAIR, False, True, ["ok"]),
    ],
)
def test_who_may_leave(pair: Pair | None, present: bool, permitted: bool, codes: list[str]) -> None:
    """HZ 第二十九条, 第三十三条: the relief is there and the sheet signed, or a lead let him go; each rule by name."""
    said = may_leave(pair, present=present, permitted=permitted, relief=RELIEF, itemised=SHEET)
    assert [ruling.code for ruling in said] == codes
    assert all(ruling.override == "lead" and ruling.articles for ruling in said if not ruling.allowed)


def test_a_rule_that_the_profile_lacks_is_off() -> None:
    """QD has no itemised sheet: presence alone lets one go; without either rule nobody is held."""
    assert [r.code for r in may_leave(PAIR, present=True, permitted=False, relief=RELIEF, itemised=None)] == ["ok"]
    assert all(r.allowed for r in may_leave(PAIR, present=False, permitted=False, relief=None, itemised=None))
    assert held_by(PAIR, present=False, relief=True, itemised=True) == "no_relief"
    assert held_by(PAIR, present=True, relief=True, itemised=True) == "unsigned"
    assert held_by(PAIR, present=False, relief=False, itemised=False) is None
    assert held_by(replace(PAIR, incoming=None), present=False, relief=True, itemised=True) is None


def test_who_answers_for_an_empty_seat() -> None:
    """The relief who was there; else the lead who let the other go; else the one who left."""
    assert cause_of(PAIR, present=True, let_go_by="2001") == (Cause.INCOMING, "1002")
    assert cause_of(PAIR, present=False, let_go_by="2001") == (Cause.LEAD, "2001")
    assert cause_of(PAIR, present=False, let_go_by=None) == (Cause.OUTGOING, "1001")


@pytest.mark.parametrize(("seconds", "within"), [(30.0, True), (30.0004, True), (30.001, False), (0.0, True)])
def test_exactly_the_limit_is_within(seconds: float, within: bool) -> None:
    """空档期不超过30秒: 30.000 s is within, 30.001 s is over, to the millisecond."""
    gap = Gap("g", "h", "3001", "1001", "1002", T, 100.0, "b", Cause.INCOMING, "1002", 30_000)
    over = ended(gap, "1002", T + timedelta(hours=5), 100.0 + seconds, "b")
    assert (over.ms, over.within, over.by_wall) == (round(seconds * 1000), within, False)


def test_another_boot_is_measured_by_the_wall_clock() -> None:
    """And says so; a wall clock that went back measures nothing, never less."""
    span = Span(T, 5000.0, "boot-1")
    assert span.elapsed(T + timedelta(seconds=31), 3.0, "boot-2") == (31_000, True)
    assert span.elapsed(T - timedelta(seconds=31), 3.0, "boot-2") == (0, True)
    held = replace(PAIR, overtime_why="no_relief", overtime_from=T, overtime_mono=7.0, overtime_boot="b")
    assert left(held, T, 67.25, "b").overtime_ms == 60_250
    assert left(PAIR, T, 67.25, "b").overtime_ms is None


def test_each_hand_on_the_sheet_is_its_own() -> None:
    """Only the incoming agent takes or disputes, only another lead rules, only the two of the pair sign, in order."""
    disputed = sheet.disputed(ITEM, "1002", "不清楚", T)
    assert sheet.may_take(PAIR, ITEM, "1001", SHEET).code == "not_your_sheet"
    assert sheet.may_take(PAIR, disputed, "1002", SHEET).allowed
    assert sheet.may_dispute(PAIR, sheet.taken(ITEM, "1002", T), "1002", SHEET).code == "item_decided"
    assert sheet.may_settle(PAIR, ITEM, "2001", SHEET).code == "not_disputed"
    assert sheet.may_settle(PAIR, disputed, "1001", SHEET).code == "own_matter"
    assert sheet.may_settle(PAIR, disputed, "1002", SHEET).code == "own_matter"
    assert sheet.may_settle(PAIR, disputed, "2001", SHEET).allowed
    assert sheet.may_add(PAIR, "1002", leads=False, article=SHEET).code == "not_your_sheet"
    assert sheet.may_add(PAIR, "2001", leads=True, article=SHEET).allowed
    assert sheet.may_add(SIGNED, "1001", leads=False, article=SHEET).code == "sheet_signed"
    assert sheet.may_sign(PAIR, [], "1003", SHEET).code == "not_your_sheet"
    assert sheet.may_sign(PAIR, [], "1002", SHEET).code == "outgoing_first"
    half = sheet.signed(PAIR, "1001", T)
    assert sheet.may_sign(half, [ITEM], "1001", SHEET).code == "signed_already"
    assert sheet.may_sign(half, [disputed], "1002", SHEET).code == "items_open"
    kept = sheet.ruled(disputed, "2001", ordered=False, reason="补齐", now=T)
    assert (kept.state, kept.reason, kept.settled_reason) == (ItemState.KEPT, "不清楚", "补齐")
    assert sheet.may_sign(half, [kept], "1002", SHEET).allowed
    assert sheet.signed(half, "1002", T).signed

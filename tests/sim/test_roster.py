"""The roster in the real engine, on a real database: put, asked for, decided, and still there after a restart."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from agents.shifts import Shift, ShiftState
from cti.commands import Command, Outcome
from cti.commands.roster import (
    AgreeSwap,
    AskLeave,
    AskSwap,
    DecideRequest,
    PutRotation,
    PutShifts,
    RefuseSwap,
    ShiftEntry,
    TakeShiftOff,
    WithdrawRequest,
)
from cti.engine.duty.rostering import KEPT, Rostering
from cti.errors import BadInput
from cti.store import tables as t
from tests.sim.house import MORNING, House

H = timedelta(hours=1)
SOON = MORNING.replace(microsecond=0) + 48 * H  # two days ahead, 09:00 in Shanghai
MS = timedelta(milliseconds=1)
LEADS = {"9001": "测试值班长甲", "9002": "测试值班长乙"}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Four agents, and two leads added after the start."""
    async with House(tmp_path, random.Random(5), mangle=False) as made:
        rows = [
            {"number": n, "name": name, "role": "lead", "pin_hash": "-", "active": True} for n, name in LEADS.items()
        ]
        await made.real.write(lambda c: c.execute(insert(t.people), rows))
        yield made


def roster(house: House) -> Rostering:
    """The part."""
    return next(part for part in house.engine.world.parts if isinstance(part, Rostering))


async def do(house: House, command: Command) -> Outcome:
    """The answer to a command."""
    outcome = await house.ask(command)
    assert outcome is not None
    return outcome


async def code(house: House, command: Command) -> str:
    """The ruling's code."""
    return (await do(house, command)).ruling.code


def entry(agent: str, start: datetime = SOON, hours: float = 11, **more: Any) -> ShiftEntry:
    """An entry."""
    return ShiftEntry(agent, start, start + hours * H, **more)


async def put(house: House, *entries: ShiftEntry, by: str = "9001", reason: str = "") -> Outcome:
    """Put entries."""
    return await do(house, PutShifts(by, entries, reason))


def shift_of(house: House, agent: str, start: datetime = SOON) -> Shift:
    """The agent's shift of that start."""
    found = roster(house).roster.same_start(agent, start)
    assert found is not None
    return found


async def test_a_roster_is_put_whole_and_survives_a_restart(house: House) -> None:
    """Shifts are found by agent and moment; a new process finds the same ones."""
    assert not roster(house).covered(SOON)
    outcome = await put(house, entry("1001", seat="3001"), entry("1002", SOON + 11 * H, 13, code="night", crew="甲班"))
    assert outcome.ruling.allowed
    assert outcome.data == {"put": 2}
    for _ in range(2):
        part = roster(house)
        day, night = shift_of(house, "1001"), shift_of(house, "1002", SOON + 11 * H)
        assert (day.length, night.length) == (11 * H, 13 * H)
        assert part.shift_at("1001", SOON) == day
        assert part.shift_at("1001", SOON + 11 * H) is None
        assert part.next_shift("1002", SOON) == night
        assert part.last_shift("1001", SOON + 11 * H) == day
        assert part.covered(SOON + 24 * H - MS)
        assert not part.covered(SOON + 24 * H)
        assert part.shifts_between(SOON, SOON + 12 * H) == [day, night]
        await house.kill()
        await house.boot()
    assert house.rows("select changed_by, reason from shifts") == [("9001", ""), ("9001", "")]


async def test_putting_the_same_roster_again_changes_nothing(house: House) -> None:
    """The same agent and start is the same shift: it is replaced, not doubled."""
    await put(house, entry("1001"))
    first = shift_of(house, "1001")
    assert (await put(house, entry("1001"))).data == {"put": 0}
    assert (await put(house, entry("1001", hours=12, seat="3001"))).data == {"put": 1}
    after = shift_of(house, "1001")
    assert (after.shift_id, after.length, after.seat) == (first.shift_id, 12 * H, "3001")
    assert house.rows("select count(*) from shifts") == [(1,)]


async def test_one_bad_entry_keeps_all_out_and_each_is_named(house: House) -> None:
    """Unknown agent, no length, a seat that cannot be, a name too long; nothing is put, also when only checked."""
    entries = (
        entry("1001"), entry("7777"), entry("1002", hours=0), entry("1003", seat="x" * 9), entry("1004", crew="x" * 17)
    )  # fmt: skip
    outcome = await put(house, *entries)
    assert outcome.ruling.code == "bad_entries"
    assert [(b["entry"], b["column"]) for b in outcome.data["bad"]] == [
        (1, "number"), (2, "shift"), (3, "seat"), (4, "crew")
    ]  # fmt: skip
    assert (await do(house, PutShifts("9001", (entry("1001"),), check=True))).data == {"put": 0}
    assert house.rows("select count(*) from shifts") == [(0,)]


async def test_nobody_is_in_two_shifts_and_no_seat_holds_two(house: House) -> None:
    """Among the entries, and against what is there; one that begins as the other ends is well."""
    await put(house, entry("1001", seat="3001"))
    double = await put(house, entry("1001", SOON + 10 * H))
    seat = await put(house, entry("1002", SOON + 10 * H, seat="3001"))
    both = await put(house, entry("1003"), entry("1003", SOON + H), entry("1003"))
    assert [o.ruling.code for o in (double, seat, both)] == ["bad_entries"] * 3
    assert [b["column"] for o in (double, seat) for b in o.data["bad"]] == ["shift", "seat"]
    assert {b["entry"] for b in both.data["bad"]} == {1, 2}
    next_one = await put(house, entry("1001", SOON + 11 * H, seat="3001"), entry("1002", SOON + 22 * H, seat="3001"))
    assert next_one.ruling.allowed


async def test_a_shift_is_moved_and_two_may_change_places(house: House) -> None:
    """Moving frees the old start in the same step; the rows left behind say ``off``."""
    await put(house, entry("1001", SOON, 4), entry("1001", SOON + 5 * H, 3))
    early, late = shift_of(house, "1001"), shift_of(house, "1001", SOON + 5 * H)
    moved = await put(
        house, entry("1001", SOON + 5 * H, 4, shift_id=early.shift_id), entry("1001", SOON, 3, shift_id=late.shift_id)
    )
    assert moved.data == {"put": 2}
    assert shift_of(house, "1001").length == 3 * H
    assert sorted(house.rows("select state, count(*) from shifts group by state")) == [("off", 2), ("on", 2)]
    gone = await put(house, entry("1001", SOON + 24 * H, shift_id=early.shift_id))
    assert [b["column"] for b in gone.data["bad"]] == ["shift_id"]


async def test_what_has_begun_is_changed_by_a_lead_with_a_reason_only(house: House) -> None:
    """An administrator may not, a lead without a reason may not."""
    past = MORNING.replace(microsecond=0) - H
    for by, reason in (("9999", "补录"), ("9001", "")):
        refused = await put(house, entry("1001", past), by=by, reason=reason)
        assert (refused.ruling.code, refused.ruling.override) == ("shift_begun", "lead")
    assert (await put(house, entry("1001", past), reason="补录")).ruling.allowed
    shift = shift_of(house, "1001", past)
    assert await code(house, TakeShiftOff("9999", shift.shift_id, "误排")) == "shift_begun"
    assert await code(house, TakeShiftOff("9001", shift.shift_id)) == "shift_begun"
    assert await code(house, TakeShiftOff("9001", shift.shift_id, "误排")) == "ok"
    assert roster(house).shift_at("1001", MORNING) is None
    assert house.rows("select state, reason from shifts") == [("off", "误排")]
    assert await code(house, TakeShiftOff("9001", shift.shift_id, "误排")) == "not_found"


async def test_a_lead_grants_himself_nothing_through_the_roster(house: House) -> None:
    """His own shift is neither taken off, shortened nor put on short of a day ahead by himself; another lead may."""
    await put(house, entry("9001"))
    own = shift_of(house, "9001")
    assert await code(house, TakeShiftOff("9001", own.shift_id)) == "own_shift"
    for change in (entry("9001", hours=10), entry("1001", shift_id=own.shift_id)):
        assert (await put(house, change)).ruling.code == "own_shift"
    now = house.clock.now()
    assert (await put(house, entry("9001", now + 24 * H - MS, 1))).ruling.code == "own_shift"
    assert (await put(house, entry("9001", now + 24 * H, 1))).ruling.allowed
    assert await code(house, TakeShiftOff("9002", own.shift_id)) == "ok"


async def test_a_rotation_of_four_crews_is_put(house: House) -> None:
    """Each day one crew by day and one by night; another number of crews is refused with QD 第十三条."""
    crews = tuple((name, (f"100{i}",)) for i, name in enumerate(("甲班", "乙班", "丙班", "丁班"), 1))
    start = SOON.date()
    three = await do(house, PutRotation("9001", start, 8, start, crews[:3]))
    assert (three.ruling.code, three.ruling.articles[0].cite()) == ("crews", "QD 第十三条（一）")
    with pytest.raises(BadInput, match="20000"):
        await house.ask(PutRotation("9001", start, 370, start, (("甲班", ("1001",) * 30), *crews[1:])))
    assert (await do(house, PutRotation("9001", start, 8, start, crews))).data == {"put": 16}
    at = SOON.replace(hour=0)  # 08:00 in Shanghai
    for day in range(8):
        for hour in (0, 11):
            moment = at + timedelta(days=day, hours=hour)
            on = [n for n in ("1001", "1002", "1003", "1004") if roster(house).shift_at(n, moment)]
            assert len(on) == 1
    assert shift_of(house, "1001", at).code == "day"
    assert shift_of(house, "1001", at + 35 * H).code == "night"


async def test_leave_is_asked_a_day_ahead_and_decided_by_somebody_else(house: House) -> None:
    """24 h ahead to the millisecond; the approved shift is on leave, and every step is kept with who, when and why."""
    now = house.clock.now()
    await put(house, *(entry(f"100{i}", now + 24 * H) for i in (1, 2, 3)), entry("1004", now + 24 * H - MS))
    late, soon = shift_of(house, "1004", now + 24 * H - MS), shift_of(house, "1001", now + 24 * H)
    refused = (await do(house, AskLeave("1004", "1004", late.shift_id, "personal", "家事"))).ruling
    assert (refused.code, refused.override, refused.articles[0].cite()) == ("asked_late", "lead", "HZ 第十九条")
    assert "2026-11-21 09:00" in refused.zh
    assert await code(house, AskLeave("1004", "1004", late.shift_id, "sick", "发烧")) == "ok"
    asked = await do(house, AskLeave("1001", "1001", soon.shift_id, "personal", "家事"))
    assert asked.data["state"] == "pending"
    assert await code(house, AskLeave("1001", "1001", soon.shift_id, "annual", "又")) == "already_asked"
    request = asked.data["request_id"]
    assert house.engine.board()["duty"]["roster"]["pending"] == 2
    assert await code(house, DecideRequest("1001", request, True)) == "own_request"
    with pytest.raises(BadInput, match="reason"):
        await house.ask(DecideRequest("9001", request, False))
    decided = await do(house, DecideRequest("9001", request, True, "同意"))
    assert decided.ruling.articles[0].cite() == "HZ 第二十条"
    assert shift_of(house, "1001", now + 24 * H).state is ShiftState.LEAVE
    assert roster(house).next_shift("1001", now) is None
    await house.kill()
    await house.boot()
    kept = roster(house).leaving.requests[request]
    assert [(s.kind, s.by, s.reason) for s in kept.steps] == [
        ("asked", "1001", "家事"), ("approved", "9001", "同意")
    ]  # fmt: skip
    assert all(s.at == now for s in kept.steps)
    assert await code(house, DecideRequest("9002", request, False, "改主意")) == "request_settled"
    assert (await put(house, entry("1001", now + 24 * H))).data == {"put": 0}
    assert shift_of(house, "1001", now + 24 * H).state is ShiftState.LEAVE


async def test_the_lead_enters_what_is_late_with_a_reason(house: House) -> None:
    """For the agent, and it waits for a decision as any other; a colleague asks for nobody but who is ill."""
    now = house.clock.now()
    await put(house, entry("1001", now + 2 * H), entry("1002", now + 2 * H))
    first, second = shift_of(house, "1001", now + 2 * H), shift_of(house, "1002", now + 2 * H)
    assert await code(house, AskLeave("1003", "1001", first.shift_id, "annual", "代请")) == "asked_for_another"
    assert await code(house, AskLeave("1003", "1001", first.shift_id, "sick", "昏迷")) == "ok"
    assert await code(house, AskLeave("9001", "1002", second.shift_id, "personal", "家中急事，本人来电")) == "ok"


async def test_at_most_four_fifths_are_on_personal_leave(house: House) -> None:
    """Of five, four may go: exactly 80 %; the fifth is refused, at asking and at deciding."""
    numbers = ("1001", "1002", "1003", "1004", "9002")
    await put(house, *(entry(n) for n in numbers))
    asked = [
        (await do(house, AskLeave(n, n, shift_of(house, n).shift_id, "personal", "家事"))).data["request_id"]
        for n in numbers
    ]
    for request in asked[:4]:
        assert await code(house, DecideRequest("9001", request, True)) == "ok"
    over = (await do(house, DecideRequest("9001", asked[4], True, "人手够"))).ruling
    assert (over.code, over.override) == ("leave_cap", None)
    assert await code(house, WithdrawRequest("1001", asked[4])) == "not_found"
    assert await code(house, WithdrawRequest("9002", asked[4])) == "ok"
    late = await do(house, AskLeave("9002", "9002", shift_of(house, "9002").shift_id, "personal", "家事"))
    assert late.ruling.code == "leave_cap"
    assert await code(house, AskLeave("9002", "9002", shift_of(house, "9002").shift_id, "annual", "年休")) == "ok"


async def test_a_swap_needs_the_partner_then_somebody_elses_word(house: House) -> None:
    """The partner gets a shift of his own; he does not decide, and one with a shift at that time cannot stand in."""
    await put(house, entry("1001", crew="甲班", seat="3001"), entry("1003"))
    shift = shift_of(house, "1001")
    ask = AskSwap("1001", "1001", shift.shift_id, "1002", "家事")
    assert await code(house, ask._replace(with_agent="1003")) == "partner_on_duty"
    assert await code(house, ask._replace(with_agent="1001")) == "no_partner"
    with pytest.raises(BadInput, match="with_agent"):
        await house.ask(ask._replace(with_agent="7777"))
    request = (await do(house, ask)).data["request_id"]
    assert await code(house, DecideRequest("9001", request, True)) == "partner_first"
    assert await code(house, AgreeSwap("1003", request)) == "not_found"
    assert await code(house, AgreeSwap("1002", request)) == "ok"
    assert await code(house, AgreeSwap("1002", request)) == "request_settled"
    assert await code(house, DecideRequest("1002", request, True)) == "own_request"
    assert await code(house, DecideRequest("9001", request, True)) == "ok"
    stand_in = shift_of(house, "1002")
    assert shift_of(house, "1001").state is ShiftState.SWAPPED
    assert (stand_in.state, stand_in.crew, stand_in.seat) == (ShiftState.ON, "甲班", "3001")
    assert roster(house).leaving.requests[request].stand_in == stand_in.shift_id


async def test_a_partner_who_will_not_or_can_no_more_ends_the_swap(house: House) -> None:
    """His no is kept; a shift that he got meanwhile stands against the approval."""
    await put(house, entry("1001"), entry("1003"))
    one, two = shift_of(house, "1001"), shift_of(house, "1003")
    no = (await do(house, AskSwap("1001", "1001", one.shift_id, "1002", "家事"))).data["request_id"]
    assert (await do(house, RefuseSwap("1002", no, "有事"))).data["state"] == "refused"
    yes = (await do(house, AskSwap("1003", "1003", two.shift_id, "1002", "家事"))).data["request_id"]
    await put(house, entry("1002", SOON + H))
    assert await code(house, AgreeSwap("1002", yes)) == "partner_on_duty"


async def test_peaks_need_a_reason_where_the_text_says_so(house: House) -> None:
    """Extra shifts are put beside the others, and counted as such; Heze's text says nothing of leave at peaks."""
    await put(house, entry("1001"), entry("1002", SOON + 3 * H, 4, extra=True))
    assert shift_of(house, "1002", SOON + 3 * H).extra
    assert await code(house, AskLeave("1001", "1001", shift_of(house, "1001").shift_id, "annual", "年休")) == "ok"


async def test_old_shifts_and_requests_are_forgotten_but_kept_in_the_store(house: House) -> None:
    """Memory holds five weeks back; the rows stay."""
    old = MORNING.replace(microsecond=0) - KEPT - 12 * H
    await put(house, entry("1001", old), entry("1001"), reason="补录")
    assert [s.starts_at for s in roster(house).roster.by_id.values()] == [SOON]
    assert house.rows("select count(*) from shifts") == [(2,)]
    await house.kill()
    await house.boot()
    assert [s.starts_at for s in roster(house).roster.by_id.values()] == [SOON]


@pytest.mark.parametrize("reason", ["", " ", "x" * 201, "a\x07b", "a\nb", "\u202eabc"])
async def test_reasons_are_bounded_printable_text(house: House, reason: str) -> None:
    """1 to 200 printable characters, no control or direction characters."""
    await put(house, entry("1001"))
    with pytest.raises(BadInput, match="reason"):
        await house.ask(AskLeave("1001", "1001", shift_of(house, "1001").shift_id, "sick", reason))

"""A whole handover on the virtual clock: the real engine, a real SQLite, and faults in the middle of it."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path

from agents.handover import HandoverState
from cti.app import load_profile
from cti.commands import GoReady, RequestCallback, SignIn, SignOut
from cti.commands.conduct import Arrive, AskPermit, DecidePermit
from cti.commands.handover import AddItem, DisputeItem, FinishTicket, PairSeats, SettleItem, SignSheet, TakeItem
from cti.commands.roster import PutShifts, ShiftEntry, TakeShiftOff
from tests.sim.house import House
from tests.sim.shifts import CALLER, CHANGE, CREW, Shifts, ticket_of


async def test_half_an_hour_before_the_end_the_lead_is_reminded_and_finds_it_drafted(tmp_path: Path) -> None:
    """HZ 第三十一条, to the millisecond; pairs by the roster's seats; on the sheet what is unfinished in this shift."""
    async with Shifts(tmp_path) as house:
        ticket = await ticket_of(house, "1001")
        asked = RequestCallback("1002", "1002", CALLER, None, CHANGE + timedelta(hours=3), None)
        callback = (await house.yes(asked)).data["callback_id"]
        await house.to(CHANGE - timedelta(minutes=30, milliseconds=1))
        assert house.rows("select count(*) from handovers") == [(0,)]
        await house.wait(0.001)
        assert house.alarms("handover_due") == [(-1800.0, "hotline")]
        assert house.rows("select json_extract(data, '$.minutes') from outbox where kind = 'alarm'") == [(30.0,)]
        pairs = house.rows("select outgoing, seat, incoming, paired_by from handover_pairs order by outgoing")
        assert pairs == [("1001", "3001", "1004", None), ("1002", "3002", "1003", None)]
        assert {key: state for key, (_, state) in house.items("1001").items()} == {ticket: "open"}
        assert {key: state for key, (_, state) in house.items("1002").items()} == {callback: "open"}
        later = await ticket_of(house, "1001")
        assert set(house.items("1001")) == {ticket, later}
        await house.yes(FinishTicket("1001", later))
        assert house.items("1001")[later][1] == "done"
        await house.wait(60)
        assert len(house.alarms("handover_due")) == 1


async def test_what_is_taken_moves_and_what_is_disputed_is_ruled_on(tmp_path: Path) -> None:
    """HZ 第三十三条, QD 第十二条(五): owner of ticket and callback change, the first agent (首问责任) stays."""
    async with Shifts(tmp_path, timedelta(minutes=29)) as house:
        ticket, other = await ticket_of(house, "1001"), await ticket_of(house, "1001")
        asked = RequestCallback("1001", "1001", CALLER, None, CHANGE + timedelta(hours=3), None)
        callback = (await house.yes(asked)).data["callback_id"]
        await house.yes(AddItem("1001", house.handover_id, "1001", "equipment", "3001席位耳机有杂音"))
        items = house.items("1001")
        assert set(items) == {ticket, other, callback, "3001席位耳机有杂音"}
        assert (await house.no(TakeItem("1003", items[ticket][0])))[0] == "not_your_sheet"
        assert (await house.no(SignSheet("1004", house.handover_id)))[0] == "outgoing_first"
        await house.yes(SignSheet("1001", house.handover_id))
        assert (await house.no(AddItem("1001", house.handover_id, "1001", "note", "又一条")))[0] == "sheet_signed"
        assert (await house.no(SignSheet("1004", house.handover_id))) == ("items_open", ["第三十三条"])
        await house.yes(DisputeItem("1004", items[other][0], "未写明地址"))
        assert (await house.no(SettleItem("1004", items[other][0], True, "我来定")))[0] == "own_matter"
        for item in (ticket, callback, "3001席位耳机有杂音"):
            await house.yes(TakeItem("1004", items[item][0]))
        assert (await house.no(SignSheet("1004", house.handover_id)))[0] == "items_open"
        await house.yes(SettleItem("2001", items[other][0], False, "交班人补齐"))
        await house.yes(SignSheet("1004", house.handover_id))
        assert house.items("1001")[other][1] == "kept"
        owners = dict(house.rows("select ticket_id, owner || '/' || agent from tickets"))
        assert owners == {ticket: "1004/1001", other: "1001/1001"}
        assert house.rows("select agent from callbacks") == [("1004",)]
        assert (await house.no(FinishTicket("1001", ticket)))[0] == "not_your_ticket"
        await house.kill()
        await house.boot()
        await house.yes(FinishTicket("1004", ticket))
        await house.yes(FinishTicket("2001", other))
        assert house.rows("select closed_by from tickets order by closed_at") == [("1004",), ("2001",)]
        assert (await house.no(FinishTicket("2001", other)))[0] == "not_found"


async def test_nobody_leaves_before_the_relief_is_there_and_the_sheet_is_signed(tmp_path: Path) -> None:
    """HZ 第二十九条 and 第三十三条 both speak, and by name; HZ 第三十二条 beside them until the shift is over."""
    async with Shifts(tmp_path, timedelta(minutes=10)) as house:
        code, articles = await house.no(SignOut("1001"))
        assert articles == ["第三十二条", "第二十九条", "第三十三条"]
        await house.to(CHANGE)
        assert await house.no(SignOut("1001")) == ("relief_absent", ["第二十九条", "第三十三条"])
        await house.yes(Arrive("1004"))
        assert await house.no(SignOut("1001")) == ("sheet_unsigned", ["第三十三条"])
        await house.hand_over("1001", "1004")
        await house.yes(SignOut("1001"))
        assert code


async def test_the_gap_is_measured_to_the_millisecond_and_thirty_seconds_are_within(tmp_path: Path) -> None:
    """HZ 第二十八条: 30.000 s is no finding, 30.001 s is one, against the relief who stood beside the seat."""
    async with Shifts(tmp_path) as house:
        await house.ready_to_go()
        await house.yes(SignOut("1001"))
        await house.wait(1.234)
        await house.yes(SignOut("1002"))
        await house.wait(30 - 1.234)
        await house.yes(SignIn("1004", "3001"))
        await house.wait(1.235)
        await house.yes(SignIn("1003", "3002"))
        assert house.gaps() == [
            ("3001", 30_000, 1, "incoming", "1004", 0), ("3002", 30_001, 0, "incoming", "1003", 0)
        ]  # fmt: skip
        assert house.alarms("seat_empty") == [(30.0, "3001"), (31.234, "3002")]
        found = house.rows("select agent, article from findings where kind = 'seat_empty'")
        assert found == [("1003", "第二十八条")]
        assert house.rows("select state from handovers") == [(HandoverState.CLOSED,)]
        assert house.engine.board()["duty"]["handovers"] == house.engine.board()["duty"]["gaps"] == []


async def test_the_gap_survives_a_killed_service_a_lost_link_and_a_stepped_clock(tmp_path: Path) -> None:
    """The alarm comes 30.0 s after the sign-out by the monotonic clock, whatever happens to the rest meanwhile."""
    async with Shifts(tmp_path) as house:
        await house.ready_to_go()
        await house.yes(SignOut("1001"))
        began = house.clock.monotonic()
        await house.wait(5)
        house.drop()
        await house.wait(5)
        await house.kill()
        house.clock.step(timedelta(hours=-1))
        await house.clock.advance(8, settle=0)
        await house.boot()
        shown = house.engine.board()["duty"]["gaps"][0]
        assert datetime.fromisoformat(shown["since"]) == house.clock.now() - timedelta(seconds=18)
        house.clock.step(timedelta(hours=3))
        await house.wait(11.9)
        assert not house.alarms("seat_empty")
        await house.wait(0.2)
        assert len(house.alarms("seat_empty")) == 1
        assert abs(house.clock.monotonic() - began - 30.1) < 1e-6
        await house.wait(2.4)
        await house.yes(SignIn("1004", "3001"))
        assert [gap[:3] for gap in house.gaps()] == [("3001", 32_500, 0)]


async def test_after_a_restart_of_the_machine_the_wall_clock_measures_and_the_row_says_so(tmp_path: Path) -> None:
    """Another boot id: the monotonic clock began anew and cannot be compared."""
    async with Shifts(tmp_path) as house:
        await house.ready_to_go()
        await house.yes(SignOut("1001"))
        await house.kill()
        house.clock.boot, house.clock._mono = "boot-2", 0.0
        await house.clock.advance(20, settle=0)
        await house.boot()
        await house.wait(9.9)
        assert not house.alarms("seat_empty")
        await house.wait(0.2)
        assert house.alarms("seat_empty") == [(30.0, "3001")]
        await house.yes(SignIn("1004", "3001"))
        assert house.gaps() == [("3001", 30_100, 0, "incoming", "1004", 1)]


async def test_a_service_that_was_down_at_thirty_seconds_alarms_as_it_comes_back(tmp_path: Path) -> None:
    """Late, but once, and measured by the true gap."""
    async with Shifts(tmp_path) as house:
        await house.ready_to_go()
        await house.yes(SignOut("1001"))
        await house.kill()
        await house.clock.advance(45, settle=0)
        await house.boot()
        await house.wait(0)
        assert house.alarms("seat_empty") == [(45.0, "3001")]
        await house.kill()
        await house.boot()
        await house.wait(60)
        assert len(house.alarms("seat_empty")) == 1


async def test_without_relief_the_agent_stays_and_the_overtime_is_counted(tmp_path: Path) -> None:
    """HZ 第二十九条, QD 第十四条(二): the lead is told at the end of the shift, and only another's permit lets him go.

    The gap that follows is answered for by the lead who allowed it.
    """
    async with Shifts(tmp_path) as house:
        await house.to(CHANGE - timedelta(minutes=5))
        await house.yes(Arrive("1003"))
        await house.to(CHANGE)
        assert house.alarms("no_relief") == [(0.0, "1001")]
        pairs = house.engine.board()["duty"]["handovers"][0]["pairs"]
        assert [(p["outgoing"], p["overtime_why"]) for p in pairs] == [("1001", "no_relief"), ("1002", "unsigned")]
        await house.wait(60.5)
        await house.kill()
        await house.clock.advance(30, settle=0)
        house.clock.step(timedelta(minutes=20))
        await house.boot()
        assert (await house.no(SignOut("1001")))[0] == "relief_absent"
        permit = (await house.yes(AskPermit("1001", "sign_out", "孩子生病"))).data["permit_id"]
        until = house.clock.now() + timedelta(minutes=10)
        assert (await house.no(DecidePermit("1001", permit, True, "自批", until)))[0] == "own_request"
        await house.yes(DecidePermit("2001", permit, True, "同意", until))
        await house.yes(SignOut("1001"))
        over = house.rows("select overtime_why, overtime_ms from handover_pairs where outgoing = '1001'")
        assert over == [("no_relief", 90_500)]
        await house.wait(40)
        await house.yes(SignIn("1004", "3001"))
        assert house.gaps() == [("3001", 40_000, 0, "lead", "2001", 0)]


async def test_a_relief_who_never_comes_ends_with_his_shift(tmp_path: Path) -> None:
    """The handover stays open as long as anybody waits in it; then it is closed as it stands."""
    async with Shifts(tmp_path) as house:
        await house.to(CHANGE - timedelta(minutes=5))
        await house.yes(Arrive("1003"))
        await house.hand_over("1002", "1003")
        await house.to(CHANGE)
        await house.yes(SignOut("1002"))
        await house.yes(SignIn("1003", "3002"))
        await house.to(CHANGE + timedelta(hours=9, minutes=30))
        assert house.rows("select state from handovers") == [(HandoverState.PREPARED,)]
        assert (await house.no(SignOut("1001")))[0] == "relief_absent"
        permit = (await house.yes(AskPermit("1001", "sign_out", "无人接班"))).data["permit_id"]
        await house.yes(DecidePermit("2001", permit, True, "同意", house.clock.now() + timedelta(minutes=5)))
        await house.yes(SignOut("1001"))
        await house.wait(3600)
        assert house.rows("select state from handovers") == [(HandoverState.CLOSED,)]
        assert house.gaps()[-1][3:5] == ("lead", "2001")
        assert house.rows("select ms is null from handover_gaps") == [(0,), (0,)]


async def test_whoever_comes_back_to_the_seat_holds_it_again(tmp_path: Path) -> None:
    """Let go for a moment by a lead, then back: the gap is over, and the rule holds him as before."""
    async with Shifts(tmp_path, timedelta(minutes=20)) as house:
        permit = (await house.yes(AskPermit("1001", "sign_out", "取材料"))).data["permit_id"]
        await house.yes(DecidePermit("2001", permit, True, "同意", CHANGE))
        await house.yes(SignOut("1001"))
        await house.wait(12)
        await house.yes(SignIn("1001", "3001"))
        await house.to(CHANGE)
        assert (await house.no(SignOut("1001")))[0] == "relief_absent"
        assert house.gaps() == [("3001", 12_000, 1, "lead", "2001", 0)]


async def test_the_lead_pairs_and_the_roster_follows_until_it_has_begun(tmp_path: Path) -> None:
    """HZ 第二十八条: the lead gives seats to agents whose shift begins then, one each, until the sheet has begun."""
    async with Shifts(tmp_path, timedelta(minutes=29)) as house:
        swapped = {"1001": "1003", "1002": "1004"}
        assert (await house.no(PairSeats("2001", house.handover_id, {"1001": "1003"})))[0] == "paired_twice"
        assert (await house.no(PairSeats("2001", house.handover_id, {"1001": "1002"})))[0] == "not_incoming"
        await house.yes(PairSeats("2001", house.handover_id, swapped))
        pairs = house.rows("select outgoing, incoming, paired_by from handover_pairs order by outgoing")
        assert pairs == [("1001", "1003", "2001"), ("1002", "1004", "2001")]
        await house.yes(SignSheet("1001", house.handover_id))
        back = {"1001": "1004", "1002": "1003"}
        assert await house.no(PairSeats("2001", house.handover_id, back)) == ("sheet_begun", ["第二十八条"])
        await house.yes(PairSeats("2001", house.handover_id, {"1002": None}))
        await house.to(CHANGE)
        await house.yes(SignOut("1002"))
        assert house.gaps() == []
        assert await house.no(SignOut("1001")) == ("relief_absent", ["第二十九条", "第三十三条"])


async def test_a_call_after_the_signature_is_put_on_the_sheet_at_the_sign_out(tmp_path: Path) -> None:
    """The signature closes the list, later calls hold nobody; they are his (HZ 第三十条) until they are taken."""
    async with Shifts(tmp_path) as house:
        await house.to(CHANGE - timedelta(minutes=5))
        await house.yes(Arrive("1004"))
        await house.hand_over("1001", "1004")
        late = await ticket_of(house, "1001")
        assert house.items("1001") == {}
        await house.yes(PairSeats("2001", house.handover_id, {"1002": None}))
        await house.to(CHANGE)
        for number in CREW:
            await house.yes(SignOut(number))
        await house.yes(SignIn("1004", "3001"))
        item_id, state = house.items("1001")[late]
        assert (state, house.rows("select owner from tickets")) == ("open", [("1001",)])
        assert house.rows("select state from handovers") == [(HandoverState.PREPARED,)]
        await house.yes(TakeItem("1004", item_id))
        assert house.rows("select owner from tickets") == [("1004",)]
        assert house.rows("select state from handovers") == [(HandoverState.CLOSED,)]


async def test_the_roster_moves_what_is_only_proposed(tmp_path: Path) -> None:
    """A relief taken off the roster is waited for until another is rostered; a shift made longer hands nothing over."""
    async with Shifts(tmp_path, timedelta(minutes=20)) as house:
        pairs = "select outgoing, incoming from handover_pairs where not dropped order by outgoing"
        shift = house.rows("select shift_id from shifts where agent = '1004'")[0][0]
        await house.yes(TakeShiftOff("2001", shift, "病假"))
        assert house.rows(pairs) == [("1001", "1004"), ("1002", "1003")]
        await house.yes(PutShifts("2001", (ShiftEntry("2002", CHANGE, CHANGE + timedelta(hours=9)),), "顶班"))
        assert house.rows(pairs) == [("1001", "2002"), ("1002", "1003")]
        longer = [ShiftEntry(n, CHANGE - timedelta(hours=9), CHANGE + timedelta(hours=1), "night") for n in CREW]
        await house.yes(PutShifts("2001", tuple(longer), "延长"))
        assert house.rows(pairs) == []
        assert house.rows("select state from handovers") == [(HandoverState.CANCELLED,)]
        await house.to(CHANGE)
        outcome = await house.ask(SignOut("1001"))
        assert outcome is not None
        assert "第二十九条" not in [article.article for article in outcome.ruling.articles]
        await house.to(CHANGE + timedelta(minutes=35))
        assert house.rows("select count(*) from handovers") == [(1,)]


async def test_a_site_without_a_roster_knows_no_handover(tmp_path: Path) -> None:
    """The rules sleep: signing in and out is as it was before."""
    async with House(tmp_path, random.Random(1), mangle=False) as house:
        await house.wait(3600)
        outcome = await house.ask(SignOut("1001"))
        assert outcome is not None
        assert outcome.ruling.allowed
        await house.wait(60)
        assert (
            house.rows("select count(*) from handovers") == house.rows("select count(*) from handover_gaps") == [(0,)]
        )
        assert await house.ask(GoReady("1002")) is not None


async def test_unfinished_tickets_do_not_pile_up_where_nothing_is_handed_over(tmp_path: Path) -> None:
    """A profile without a word on handovers: what nobody finishes leaves memory, and is fetched when it is finished."""
    house = Shifts(tmp_path)
    house.profile = load_profile("kl-956100")
    async with house:
        ticket = await ticket_of(house, "1001")
        assert house.handing.tickets.find(ticket) is not None
        await house.wait(48 * 3600)
        assert house.handing.tickets.find(ticket) is None
        await house.yes(FinishTicket("1001", ticket))

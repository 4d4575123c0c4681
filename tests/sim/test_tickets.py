"""Ticket stubs on the real engine and a real database: opened on answer, said of, kept, finished, over kills."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cti.commands.handover import FinishTicket
from cti.commands.sinks import ReportReply
from cti.commands.tickets import (
    AddStub,
    HandOut,
    OpenStub,
    Remind,
    ReturnStub,
    SaveNotes,
    SetParticulars,
    TakeStub,
    UnitTook,
    VerifyCaller,
)
from cti.errors import BadInput
from tests.sim.found import us
from tests.sim.house import Work
from tests.sim.missing import NUMBER, caller
from tests.sim.ticketing import LEAD, UNIT, Tickets, tickets

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Tickets]:
    """Four agents ready, at nine."""
    async with tickets(tmp_path) as made:
        yield made


async def test_an_answered_call_opens_a_stub_and_writes_no_row_for_it(house: Tickets) -> None:
    """Everything that the call itself tells is in the ticket: a stub of which nothing was said costs no row."""
    stub = await house.stub()
    ((ticket_id, call_id, opened_at),) = house.rows("select ticket_id, call_id, opened_at from tickets")
    assert (stub.ticket_id, stub.call_id, stub.agent, stub.caller) == (ticket_id, call_id, "1001", NUMBER)
    assert (us(stub.opened_at), stub.kind, stub.ordinal) == (opened_at, None, 1)
    assert house.rows("select count(*) from stubs") == [(0,)]
    assert house.rows("select count(*) from stub_steps") == [(0,)]


async def test_what_is_said_of_a_stub_outlives_the_process(house: Tickets) -> None:
    """A stub with particulars, and a young one without, are in memory again after a kill as they were before it."""
    said, bare = await house.stub(), await house.stub()
    await house.yes(SetParticulars("1001", said.ticket_id, {"kind": "repair", "area": "east", "grade": "first"}))
    await house.yes(VerifyCaller("1001", said.ticket_id, True))
    await house.yes(SaveNotes("1001", said.ticket_id, "三楼漏水\n<b>", 1))
    kept = house.now_of(said.ticket_id)
    assert (kept.kind, kept.area, kept.grade, kept.notes) == ("repair", "east", "first", "三楼漏水\n<b>")
    assert (kept.verified, kept.verified_by) == (True, "1001")
    await house.restart()
    assert house.engine.world.stubs == {said.ticket_id: kept, bare.ticket_id: bare}
    steps = house.rows("select by, act, detail from stub_steps order by rowid")
    assert steps == [("1001", "said", "kind=repair area=east grade=first"), ("1001", "verified", "")]


@pytest.mark.parametrize(
    ("values", "field"),
    [({"kind": "nonsense"}, "kind"), ({"area": "north"}, "area"), ({"caller_kind": None}, "caller_kind"),
     ({"notes": "x"}, "notes"), ({"complaint_grade": "4"}, "complaint_grade")],
)  # fmt: skip
async def test_what_the_site_does_not_know_cannot_be_said(house: Tickets, values: dict[str, str], field: str) -> None:
    """A kind, area or grade that does not exist is refused by its name, and nothing changes."""
    stub = await house.stub()
    with pytest.raises(BadInput) as wrong:
        await house.ask(SetParticulars("1001", stub.ticket_id, values))
    assert (wrong.value.field, house.now_of(stub.ticket_id)) == (field, stub)


async def test_another_agent_may_say_nothing_of_a_ticket(house: Tickets) -> None:
    """The first agent, whoever owns it, and a lead may; nobody else, and a finished ticket is nobody's."""
    stub = await house.stub()
    said = SetParticulars("1002", stub.ticket_id, {"kind": "repair"})
    for command in (said, VerifyCaller("1002", stub.ticket_id, True), SaveNotes("1002", stub.ticket_id, "x", 1),
                    HandOut("1002", stub.ticket_id, UNIT), UnitTook("1002", stub.ticket_id),
                    Remind("1002", stub.ticket_id, stub.ticket_id), AddStub("1002", stub.ticket_id, "k")):  # fmt: skip
        assert await house.no(command) == ("not_your_ticket", [])
    await house.yes(said._replace(by=LEAD))
    await house.ask(FinishTicket("1001", stub.ticket_id))
    assert await house.no(said._replace(by="1001")) == ("ticket_closed", [])


async def test_a_finished_ticket_leaves_memory(house: Tickets) -> None:
    """办结: neither this process nor the next holds it."""
    stub = await house.stub()
    await house.ask(FinishTicket("1001", stub.ticket_id))
    assert house.engine.world.stubs == {}
    await house.restart()
    assert house.engine.world.stubs == {}


async def test_memory_stays_flat_over_stubs_of_which_nothing_is_said(house: Tickets) -> None:
    """Quarter of an hour after the call a bare stub leaves; one in conversation stays; a command brings it back."""
    gone, said = await house.stub(), await house.stub()
    await house.yes(SaveNotes("1001", said.ticket_id, "记录", 1))
    call = caller(house.pbx)
    house.pbx._ring(call, "1002")
    house.pbx._connect(call)
    await house.wait(16 * 60)
    await house.quiet()
    stubs = house.engine.world.stubs.values()
    assert [stub.call_id for stub in stubs] == [said.call_id, call.call_id]
    await house.yes(VerifyCaller("1001", gone.ticket_id, True))
    assert house.now_of(gone.ticket_id).verified
    await house.wait(5 * 86400)
    await house.quiet()
    assert [stub.call_id for stub in stubs] == [call.call_id]


async def test_an_older_save_never_replaces_newer_notes(house: Tickets) -> None:
    """KL-15(1).1: what arrives late is refused, the same text twice is no conflict, and too much or unseen is named."""
    stub = await house.stub()
    await house.yes(SaveNotes("1001", stub.ticket_id, "三楼", 1))
    await house.yes(SaveNotes("1001", stub.ticket_id, "三楼漏水", 3))
    assert (await house.no(SaveNotes("1001", stub.ticket_id, "三楼漏", 2)))[0] == "notes_newer"
    assert (await house.no(SaveNotes("1001", stub.ticket_id, "别的", 3)))[0] == "notes_newer"
    await house.yes(SaveNotes("1001", stub.ticket_id, "三楼漏水", 3))
    for text, version in (("x" * 2001, 4), ("a\x00b", 4), ("\u202e", 4), ("好", 0)):
        with pytest.raises(BadInput):
            await house.ask(SaveNotes("1001", stub.ticket_id, text, version))
    assert house.rows("select notes, notes_version from stubs") == [("三楼漏水", 3)]


async def test_typing_wakes_no_other_page(house: Tickets) -> None:
    """Notes are saved several times a second by everybody on the phone: nobody's desk is drawn anew for it."""
    stub = await house.stub()
    before = house.engine.board()
    await house.yes(SaveNotes("1001", stub.ticket_id, "记", 1))
    after = house.engine.board()
    assert (after["duty"]["version"], after["agents"]) == (before["duty"]["version"], before["agents"])
    await house.yes(SetParticulars("1001", stub.ticket_id, {"kind": "repair"}))
    mine = next(line for line in house.engine.board()["agents"] if line["number"] == "1001")
    assert (mine["stub_changes"], mine["stubs_late"]) == (1, [])


async def test_no_page_asks_again_before_it_can_read_the_new(house: Tickets, monkeypatch: pytest.MonkeyPatch) -> None:
    """A board that goes out between a decision and its commit names no change yet: who asked then would read the old,
    newer than the answer to what changed it, and nothing would come after."""

    def shown() -> tuple[int, int, int]:
        board = house.engine.board()
        mine = next(line for line in board["agents"] if line["number"] == "1001")
        return board["duty"]["version"], mine["stub_changes"], board["duty"]["replies"]

    stub = await house.stub()
    while_writing: list[tuple[int, int, int]] = []
    write = house.store.write

    async def watched(work: Work) -> Any:
        while_writing.append(shown())
        return await write(work)

    monkeypatch.setattr(house.store, "write", watched)
    before = version, changes, answers = shown()
    await house.yes(SetParticulars("1001", stub.ticket_id, {"kind": "repair"}))
    assert while_writing == [before]
    assert shown() == (version, changes + 1, answers)
    await house.yes(ReportReply("oa", "token", "k-1", stub.ticket_id, "done", "已修复", house.clock.now()))
    assert while_writing[1:] == [(version, changes + 1, answers)]
    assert shown()[1:] == (changes + 1, answers + 1)
    assert shown()[0] > version  # the desk too: who is to be asked whether he is satisfied


@pytest.mark.parametrize(
    ("kind", "minutes"),
    [("consult", 20), ("repair", 5), ("service", 20), ("complaint", 5), ("report", 20), ("opinion", 20),
     ("suggestion", 20), ("praise", 20)],
)  # fmt: skip
async def test_the_hand_out_is_due_by_kind_and_alarmed_once(house: Tickets, kind: str, minutes: int) -> None:
    """KL 第十四条: counted from the demand; the lead is told once, whatever restarts; handing out stops the clock."""
    stub = await house.stub()
    await house.yes(SetParticulars("1001", stub.ticket_id, {"kind": kind}))
    assert house.now_of(stub.ticket_id).hand_out_due == stub.opened_at + minutes * MINUTE
    spent = (house.clock.now() - stub.opened_at).total_seconds()
    await house.wait(minutes * 60 - spent)
    assert house.alarms("handout_overdue") == []
    await house.wait(0.01)
    assert house.alarms("handout_overdue") == [stub.ticket_id]
    await house.restart()
    await house.wait(3600)
    assert house.alarms("handout_overdue") == [stub.ticket_id]
    mine = next(line for line in house.engine.board()["agents"] if line["number"] == "1001")
    assert mine["stubs_late"] == [stub.ticket_id]
    await house.yes(HandOut("1001", stub.ticket_id, UNIT))
    assert next(line for line in house.engine.board()["agents"] if line["number"] == "1001")["stubs_late"] == []


async def test_a_stub_handed_out_in_time_is_never_alarmed(house: Tickets) -> None:
    """The clock of the hand-out stops; those of the unit begin (WD-3(3): 10 min; KL-14(四): 3 working days)."""
    stub = await house.stub()
    assert (await house.no(HandOut("1001", stub.ticket_id, UNIT)))[0] == "kind_needed"
    assert (await house.no(UnitTook("1001", stub.ticket_id)))[0] == "not_handed_out"
    await house.yes(SetParticulars("1001", stub.ticket_id, {"kind": "repair"}))
    assert (await house.no(HandOut("1001", stub.ticket_id, "nobody")))[0] == "no_such_unit"
    await house.yes(HandOut("1001", stub.ticket_id, UNIT))
    handed = house.now_of(stub.ticket_id)
    assert handed.handed_out_at is not None
    assert handed.taken_due == handed.handed_out_at + 10 * MINUTE
    assert handed.finish_due == handed.handed_out_at + timedelta(days=4)  # a Saturday: Monday to Wednesday
    await house.yes(UnitTook("1001", stub.ticket_id))
    await house.wait(7200)
    assert (house.alarms("handout_overdue"), house.now_of(stub.ticket_id).taken_at) == ([], handed.handed_out_at)


async def test_a_returned_stub_is_to_be_handed_out_anew(house: Tickets) -> None:
    """KL 第十五条(三)1: the clock of the hand-out begins with the return, and is alarmed like the first."""
    stub = await house.handed_out()
    await house.wait(3600)
    await house.yes(ReturnStub("1001", stub.ticket_id, "不属本单位职责"))
    back = house.now_of(stub.ticket_id)
    assert (back.unit, back.finish_due, back.hand_out_due) == (None, None, house.clock.now() + 5 * MINUTE)
    assert (await house.no(ReturnStub("1001", stub.ticket_id, "再退")))[0] == "not_handed_out"
    await house.wait(301)
    assert house.alarms("handout_overdue") == [stub.ticket_id]


@pytest.mark.parametrize(("grade", "hours"), [("special", 4), ("first", 24), ("second", 48), ("third", 72)])
async def test_the_grade_of_urgency_sets_the_end(house: Tickets, grade: str, hours: int) -> None:
    """WD 第七条: 4, 24, 48 and 72 hours from the hand-out, also when the grade is said after it."""
    handed = await house.handed_out()
    await house.yes(SetParticulars("1001", handed.ticket_id, {"grade": grade}))
    assert handed.handed_out_at is not None
    assert house.now_of(handed.ticket_id).finish_due == handed.handed_out_at + timedelta(hours=hours)


async def test_a_caller_who_chases_is_explained_to_and_then_reminded_for_twice_at_most(house: Tickets) -> None:
    """KL 第十五条(四): under half of the time explain; past half a reminder, two at most, by whoever talks to him."""
    handed = await house.handed_out("complaint", complaint_grade="2")  # 24 hours
    again = await house.stub("1002")
    chase = Remind("1002", handed.ticket_id, again.ticket_id)
    assert await house.no(chase) == ("explain_first", ["第十五条(四)"])
    await house.yes(chase._replace(reason="客户表示强烈不满"))  # KL-15(4).3
    await house.wait(12 * 3600)
    again = await house.stub("1003")
    chase = Remind("1003", handed.ticket_id, again.ticket_id)
    await house.yes(chase)
    assert await house.no(chase) == ("reminders_used_up", ["第十五条(四)"])
    await house.restart()
    assert await house.no(chase) == ("reminders_used_up", ["第十五条(四)"])
    assert await house.no(chase._replace(by=LEAD)) == ("reminders_used_up", ["第十五条(四)"])
    await house.yes(chase._replace(by=LEAD, reason="已约定再催一次"))  # 原则上: a lead, with a reason
    assert house.now_of(handed.ticket_id).reminders == 3
    assert [d for a, d in house.rows("select act, detail from stub_steps order by rowid") if a == "reminded"] == [
        "客户表示强烈不满", "", "已约定再催一次",
    ]  # fmt: skip


async def test_who_talks_to_somebody_else_may_not_remind(house: Tickets) -> None:
    """Only the ticket's own people, and whoever has the same caller on the line."""
    handed = await house.handed_out()
    other = await house.stub("1002", "13800000062")
    assert (await house.no(Remind("1002", handed.ticket_id, other.ticket_id)))[0] == "not_your_ticket"


async def test_several_stubs_of_one_call_are_opened_once_each(house: Tickets) -> None:
    """KL 第十五条(一)3: one call, several units, several stubs; asked twice with one key, it is one; nine at most."""
    first = await house.stub()
    await house.yes(VerifyCaller("1001", first.ticket_id, True))
    await house.yes(SetParticulars("1001", first.ticket_id, {"kind": "repair", "area": "east"}))
    second = (await house.yes(AddStub("1001", first.ticket_id, "page-1"))).data["ticket_id"]
    assert (await house.yes(AddStub("1001", first.ticket_id, "page-1"))).data["ticket_id"] == second
    await house.restart()
    assert (await house.yes(AddStub("1001", first.ticket_id, "page-1"))).data["ticket_id"] == second
    third = (await house.yes(AddStub("1001", second, "page-2"))).data["ticket_id"]
    of_call = house.rows("select ticket_id, ordinal from tickets where call_id = ? order by 2", first.call_id or "")
    assert of_call == [(first.ticket_id, 1), (second, 2), (third, 3)]
    stub = house.now_of(third)
    assert (stub.verified, stub.area, stub.kind, stub.notes) == (True, "east", None, "")
    for n in range(4, 10):
        await house.yes(AddStub("1001", first.ticket_id, f"page-{n}"))
    assert (await house.no(AddStub("1001", first.ticket_id, "page-10")))[0] == "too_many_stubs"
    await house.ask(FinishTicket("1001", second))
    assert second not in house.engine.world.stubs
    assert house.rows("select count(*) from recordings") == [(1,)]


async def test_another_channel_opens_a_stub_once_that_an_agent_takes(house: Tickets) -> None:
    """GJ 第五条: WeChat, DingTalk, OA. Nobody has it until somebody takes it; its clock runs from the opening."""
    opened = OpenStub("wechat", "", "repair", "west", "井盖缺失", "wx-gateway", "wx-1")
    ticket_id = (await house.yes(opened)).data["ticket_id"]
    await house.restart()
    assert (await house.yes(opened)).data["ticket_id"] == ticket_id
    stub = house.now_of(ticket_id)
    assert (stub.agent, stub.call_id, stub.channel, stub.notes) == ("", None, "wechat", "井盖缺失")
    assert stub.hand_out_due == stub.opened_at + 5 * MINUTE
    assert (await house.no(SetParticulars("1002", ticket_id, {"kind": "consult"})))[0] == "not_your_ticket"
    await house.yes(TakeStub("1002", ticket_id))
    assert (await house.no(TakeStub("1001", ticket_id)))[0] == "ticket_taken"
    assert (await house.no(AddStub("1002", ticket_id, "k")))[0] == "no_call"
    await house.yes(HandOut("1002", ticket_id, UNIT))
    await house.restart()
    assert house.rows("select owner from tickets") == [("1002",)]
    outcome = await house.ask(FinishTicket("1002", ticket_id))
    assert outcome is not None
    assert outcome.ruling.allowed
    for wrong in (opened._replace(channel="fax"), opened._replace(kind="x"), opened._replace(key="")):
        with pytest.raises(BadInput):
            await house.ask(wrong._replace(key=wrong.key and "wx-2"))


async def test_a_stub_opened_by_an_agent_for_a_caller_is_his(house: Tickets) -> None:
    """QD-12(3): a new matter found on patrol is a stub of its own, with its source; who opens it keeps it."""
    opened = OpenStub("patrol", "13800000063", None, None, "", "1003", "patrol-1")
    ticket_id = (await house.yes(opened)).data["ticket_id"]
    await house.yes(SetParticulars("1003", ticket_id, {"kind": "service"}))
    assert house.now_of(ticket_id).agent == "1003"


@pytest.mark.parametrize("killed", [True, False])
async def test_a_hand_out_that_falls_due_late_is_alarmed_all_the_same(house: Tickets, killed: bool) -> None:
    """A unit that is bound by no time returns the stub on the fourth day; memory would have dropped it before."""
    stub = await house.handed_out()
    opened = (house.clock.now() - stub.opened_at).total_seconds()
    await house.wait(4 * 86_400 - opened - 60)
    await house.yes(ReturnStub("1001", stub.ticket_id, "不属本单位职责"))
    await house.wait(120)
    if killed:
        await house.restart()
    await house.ask(SetParticulars("1002", "t-none", {"kind": "repair"}))  # any batch: what is old leaves memory
    await house.wait(181)
    assert house.alarms("handout_overdue") == [stub.ticket_id]

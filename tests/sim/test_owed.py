"""What is owed on the real engine and a real database: made, merged, drawn, claimed, answered, sent back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from cti.commands import DialNow, SignIn
from cti.commands.dialling import PreviewOpened
from cti.commands.handover import FinishElsewhere
from cti.commands.owed import (
    AgreeAppointment,
    AssignCallback,
    ClaimCallback,
    CloseCallback,
    LiftSupervision,
    MarkTicket,
    NewMatter,
    OweCallback,
    RecordRefusal,
    RecordResult,
    ReleaseCallback,
    SendBack,
)
from cti.commands.tickets import OpenStub, TakeStub
from cti.errors import BadInput
from queues.sampling import commitment, list_hash, replayed
from tests.sim.missing import NUMBER
from tests.sim.owing import HOUR, Owed, owed, talking
from tests.sim.ticketing import LEAD

OTHER = "13800000062"
ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Owed]:
    """Four agents ready, on a Saturday at nine."""
    async with owed(tmp_path) as made:
        yield made


async def test_a_units_answer_makes_a_callback_due_within_a_working_day(house: Owed) -> None:
    """转办件: all of them; nobody's until claimed, dialled by the key, by Monday since it is Saturday now."""
    stub = await house.handed()
    await house.replied(stub)
    callback = house.the_one()
    assert (callback.ticket_id, callback.number, callback.agent) == (stub.ticket_id, NUMBER, "")
    assert (callback.by_key, callback.mandatory, callback.source, callback.kind) == (True, True, "ticket", "repair")
    assert callback.deadline is not None
    assert callback.deadline.astimezone(ZONE).date().isoformat() == "2026-11-23"
    assert house.verdicts() == [("mandatory", "ok", "QD 第十二条（二）")]
    await house.replied(stub)  # told again
    await house.replied(stub, "k2")  # and answered again, which nobody sent back
    assert house.callbacks() == [callback]
    await house.restart()
    assert house.callbacks() == [callback]


async def test_a_unit_that_gives_the_ticket_back_makes_none(house: Owed) -> None:
    """退单 is no answer to the caller."""
    await house.replied(await house.handed(), result="returned")
    assert house.callbacks() == []


async def test_what_is_not_called_back_is_refused_with_the_article(house: Owed) -> None:
    """Kinds that are not called, and who said no: written down with the article, and no callback."""
    await house.finished("praise")
    stub = await house.handed("complaint")
    await house.did(MarkTicket("1001", stub.ticket_id, "no_callback", True))
    await house.replied(stub)
    assert house.callbacks() == []
    refused = [("refused", "kind_not_called", "KL 第十四条(九)"), ("refused", "caller_declined", "KL 第十四条(九)")]
    assert house.verdicts() == refused
    asked = OweCallback(LEAD, "k", NUMBER, None, "consult")
    assert (await house.refusal(asked))[0] == "kind_not_called"
    assert "业务咨询" in (await house.refusal(asked))[1]


async def test_a_mark_makes_it_mandatory(house: Owed) -> None:
    """飞信件 of a kind that is otherwise not called; a mark is said by its own agent or a lead, and is a step."""
    stub = await house.stub()
    mark = MarkTicket("1002", stub.ticket_id, "flying_letter", True)
    assert (await house.refusal(mark))[0] == "not_your_ticket"
    await house.did(mark._replace(by=LEAD))
    with pytest.raises(BadInput):
        await house.ask(mark._replace(mark="nonsense"))
    await house.replied(stub)
    assert house.the_one().mandatory
    assert house.rows("select by, act, detail from stub_steps") == [(LEAD, "marked", "flying_letter")]


async def test_one_open_callback_for_each_number(house: Owed) -> None:
    """QD 第十二条（四）: a second ticket of the same number, however it is written, joins."""
    first, second = await house.handed(), await house.handed("complaint", "+8613800000061")
    other = await house.handed(number=OTHER)
    for key, stub in (("a", first), ("b", second), ("c", other)):
        await house.replied(stub, key)
    one, two = house.callbacks()
    assert (one.ticket_id, one.joined, two.joined) == (first.ticket_id, (second.ticket_id,), ())
    assert house.rows("select count(distinct callback_id), count(*) from owed_tickets") == [(2, 3)]
    await house.restart()
    assert house.callbacks() == [one, two]


async def test_who_asks_by_the_api_is_answered_once(house: Owed) -> None:
    """The same key owes one callback; it joins the open one of the number, and a ticket must be open."""
    asked = OweCallback(LEAD, "k", NUMBER, None, "repair")
    first = await house.did(asked)
    assert await house.did(asked) == first
    assert house.the_one().source == "system"
    assert (await house.refusal(asked._replace(key="k2", ticket_id="t-none")))[0] == "no_such_ticket"
    with pytest.raises(BadInput):
        await house.ask(asked._replace(key="k3", caller="110"))


async def test_two_claims_at_once_have_one_winner(house: Owed) -> None:
    """The other is told who, with the article; given back, given on by the lead, and nobody else."""
    await house.replied(await house.handed())
    callback_id = house.the_one().callback_id
    both = [house.engine.submit(ClaimCallback(agent, callback_id)) for agent in ("1002", "1003")]
    first, second = await asyncio.gather(*both)
    assert (first.ruling.allowed, second.ruling.code) == (True, "callback_claimed")
    assert "1002" in second.ruling.zh
    assert second.ruling.articles[0].article == "第十二条（四）"
    assert house.the_one().agent == "1002"
    assert (await house.refusal(ReleaseCallback("1003", callback_id)))[0] == "not_your_callback"
    assert (await house.refusal(AssignCallback("1003", callback_id, "1003")))[0] == "lead_only"
    await house.restart()
    await house.did(ReleaseCallback("1002", callback_id))
    await house.did(AssignCallback(LEAD, callback_id, "1004"))
    assert house.the_one().agent == "1004"
    steps = house.rows("select by, act, detail from callback_steps order by at, rowid")
    assert steps == [("1002", "claimed", "1002"), ("1002", "released", ""), (LEAD, "assigned", "1004")]


async def test_a_tenth_of_the_days_calls_is_drawn_and_the_draw_can_be_checked(house: Owed) -> None:
    """The commitment is told before the first ticket, the list and the secret at the shift's end; the draw repeats."""
    (opened,) = house.told("callback.draw")
    stubs = [await house.finished("repair", f"138000001{n:02}") for n in range(25)]
    progress = house.engine.board()["duty"]["owed"]
    assert progress["sample"]["listed"] == 25
    drawn = [c.ticket_id for c in house.callbacks()]
    assert progress["sample"]["drawn"] == len(drawn) >= 2
    assert {c.source for c in house.callbacks()} == {"sample"}
    await house.restart()
    assert [c.ticket_id for c in house.callbacks()] == drawn
    end = house.part.drawing.open["callback.sample_percent"].closes_at
    assert all(c.deadline == end for c in house.callbacks())  # 当班完成
    await house.wait((end - house.clock.now()).total_seconds() + 1)
    messages = house.told("callback.draw")
    assert [m["state"] for m in messages] == ["opened", "closed", "revealed", "opened"]
    listed = [stub.ticket_id for stub in stubs]
    secret = messages[2]["secret"]
    assert (commitment(secret), list_hash(listed)) == (opened["commitment"], messages[1]["list_hash"])
    again = replayed(secret, 10, True, listed)
    assert set(again) == {c.ticket_id for c in house.callbacks()}
    assert len(again) == messages[1]["drawn"] >= 3


async def test_a_list_of_a_day_is_drawn_after_it_is_closed(tmp_path: Path) -> None:
    """Without 当班抽查 nobody is drawn before midnight; then at least a tenth, from the closed list."""
    async with owed(tmp_path) as house:
        house.without("callback.same_shift")
        await house.wait(12 * 3600)  # the list of the shift that this began with ends
        await house.restart()
        end = house.part.drawing.open["callback.sample_percent"].closes_at
        await house.wait((end - house.clock.now()).total_seconds() + 1)
        for number in ("1001", "1002"):
            await house.ask(SignIn(number, f"3{number[1:]}"))
        for n in range(11):
            await house.finished("repair", f"138000001{n:02}")
        assert house.callbacks() == []
        end = house.part.drawing.open["callback.sample_percent"].closes_at
        assert end.astimezone(ZONE).time().isoformat() == "00:00:00"
        await house.wait((end - house.clock.now()).total_seconds() + 1)
        assert len(house.callbacks()) == 2
        (checked,) = house.rows("select json_array_length(drawn) from draws where closed_at is not null"
                                " and json_array_length(listed) = 11")  # fmt: skip
        assert checked == (2,)


async def test_what_the_caller_said_is_kept_with_the_conversation(house: Owed) -> None:
    """Only after he was reached, by who rang him; a lead may put it right; a cause for the dissatisfied alone."""
    await house.replied(await house.handed())
    callback_id = house.the_one().callback_id
    said = RecordResult("1001", callback_id, "satisfied", "很好")
    await house.did(ClaimCallback("1001", callback_id))
    code, wording = await house.refusal(said)
    assert code == "not_reached"
    assert wording.startswith("回访情况、服务评价、回访内容如实选择")
    await house.rings(callback_id)
    assert (await house.refusal(said._replace(by="1002")))[0] == "not_your_callback"
    with pytest.raises(BadInput):
        await house.ask(said._replace(result="dissatisfied"))
    await house.did(said)
    assert (await house.refusal(said._replace(result="neutral")))[0] == "result_known"
    await house.did(said._replace(by=LEAD, result="neutral"))
    callback = house.the_one()
    assert (callback.state, callback.result) == ("reached", "neutral")
    assert house.rows("select what, by, text from callback_results") == [("neutral", LEAD, "很好")]


async def test_dissatisfied_twice_is_listed_for_supervision(house: Owed) -> None:
    """挂牌督办: the second dissatisfied answer lists the ticket and alarms the lead, once; he lifts it."""
    stub = await house.handed()
    for n, key in enumerate(("a", "b", "c")):
        await house.replied(stub, key)
        callback_id = house.callbacks()[-1].callback_id
        await house.rings(callback_id)
        await house.did(RecordResult("1001", callback_id, "dissatisfied", "仍漏水", "handling"))
        assert len(house.alarms("callback_supervised")) == min(n, 1)
        await house.did(SendBack("1001", callback_id, stub.ticket_id, "与事实不符"))
        await house.restart()
    assert house.engine.board()["duty"]["owed"]["supervised"] == 1
    assert house.rows("select ticket_id, times from supervised_tickets") == [(stub.ticket_id, 2)]
    assert (await house.refusal(LiftSupervision("1001", stub.ticket_id, "已整改")))[0] == "lead_only"
    await house.did(LiftSupervision(LEAD, stub.ticket_id, "已整改"))
    await house.restart()
    assert house.engine.board()["duty"]["owed"]["supervised"] == 0


async def test_a_reply_that_does_not_match_goes_back_to_the_unit(house: Owed) -> None:
    """退回 with a reason, before the dial too: a step of the ticket, told to other systems; its next answer counts."""
    stub = await house.handed()
    await house.replied(stub)
    callback_id = house.the_one().callback_id
    await house.did(ClaimCallback("1001", callback_id))
    assert (await house.refusal(SendBack("1001", callback_id, "t-other", "x")))[0] == "no_such_ticket"
    await house.did(SendBack("1001", callback_id, stub.ticket_id, "反馈不实"))
    assert (house.the_one().state, house.the_one().close_reason) == ("cancelled", "反馈不实")
    assert house.told("ticket.sent_back") == [{"ticket_id": stub.ticket_id}]
    acts = house.rows("select act, detail from stub_steps where act = 'sent_back'")
    assert acts == [("sent_back", "反馈不实")]
    assert house.now_of(stub.ticket_id).handed_out_at == house.engine.world.now
    await house.restart()
    await house.replied(stub, "k2")
    assert [c.state for c in house.callbacks()] == ["due"]
    assert house.rows("select round, code from owed_tickets order by round") == [(1, "sent_back"), (2, "ok")]


async def test_a_ticket_finished_elsewhere_is_called_back_about_again_when_sent_back(house: Owed) -> None:
    """It is on nobody's list, and its unit's next answer counts all the same; one that an agent took stays his."""
    opened = await house.did(OpenStub("other", NUMBER, "repair", None, "路灯", "zammad", "zammad:1"))
    stub = house.now_of(opened["ticket_id"])
    await house.replied(stub)
    for _ in range(2):
        await house.did(FinishElsewhere("zammad", stub.ticket_id))
    assert stub.ticket_id not in house.engine.world.stubs
    callback_id = house.the_one().callback_id
    await house.did(ClaimCallback("1001", callback_id))
    await house.did(SendBack("1001", callback_id, stub.ticket_id, "反馈不实"))
    await house.restart()
    await house.replied(stub, "k2")
    assert [(c.state, c.number, c.mandatory) for c in house.callbacks()] == [("due", NUMBER, True)]
    assert house.rows("select round, code from owed_tickets order by round") == [(1, "sent_back"), (2, "ok")]
    taken = await house.did(OpenStub("other", OTHER, "repair", None, "路灯", "zammad", "zammad:2"))
    await house.did(TakeStub("1001", taken["ticket_id"]))
    await house.did(FinishElsewhere("zammad", taken["ticket_id"]))
    assert house.now_of(taken["ticket_id"]).agent == "1001"


async def test_a_new_matter_opens_a_stub_of_the_patrol(house: Owed) -> None:
    """集团巡线: once for each key, with the caller's number, only when he was reached."""
    await house.replied(await house.handed())
    callback_id = house.the_one().callback_id
    told = NewMatter("1001", callback_id, "repair", None, "路灯也坏了", "1001:k")
    await house.did(ClaimCallback("1001", callback_id))
    assert (await house.refusal(told))[0] == "not_reached"
    await house.rings(callback_id)
    first = await house.did(told)
    await house.restart()
    assert await house.did(told) == first
    rows = house.rows("select channel, caller, kind, notes from stubs where channel = 'patrol'")
    assert rows == [("patrol", NUMBER, "repair", "路灯也坏了")]


async def test_an_appointment_is_kept_to_the_minute_and_not_at_night(house: Owed) -> None:
    """The attempt is 不便, and the callback due at that time; at night for a lead's reason alone."""
    await house.replied(await house.handed())
    callback_id = house.the_one().callback_id
    await house.rings(callback_id)
    now = house.clock.now()
    asked = AgreeAppointment("1001", callback_id, now + 3 * HOUR)
    assert (await house.refusal(asked._replace(at=now + HOUR)))[0] == "too_soon"
    code, wording = await house.refusal(asked._replace(at=now + 14 * HOUR))
    assert (code, wording[:3]) == ("quiet_hours", "遇客户")
    assert (await house.refusal(asked._replace(at=now + 14 * HOUR, override="夜班")))[0] == "lead_only"
    assert (await house.refusal(asked._replace(by="1002")))[0] == "not_your_callback"
    await house.did(asked)
    await house.quiet()
    await house.restart()
    callback = house.the_one()
    assert (callback.state, callback.due_at, callback.appointment_at) == (
        "due", asked.at.replace(second=0, microsecond=0), asked.at
    )  # fmt: skip
    assert [a.outcome.value for a in callback.attempts] == ["not_convenient"]
    await house.did(asked._replace(by=LEAD, at=now + 14 * HOUR, override="客户只在夜间方便"))
    assert house.the_one().override_by == LEAD


@pytest.mark.parametrize("what", ["refused", "wrong_number"])
async def test_who_will_not_talk_is_not_rung_again(house: Owed, what: str) -> None:
    """He said no, or it is somebody else: the attempt has that outcome, the callback ends so, with the words kept."""
    await house.replied(await house.handed())
    callback_id = house.the_one().callback_id
    await house.rings(callback_id)
    await house.did(RecordRefusal("1001", callback_id, what, "不需要"))
    await house.quiet()
    callback = house.the_one()
    assert (callback.state, [a.outcome.value for a in callback.attempts]) == (what, [what])
    assert house.rows("select what, text from callback_results") == [(what, "不需要")]


async def test_what_is_said_while_he_talks_outlives_the_process(house: Owed) -> None:
    """A refusal is recorded, the process dies before the conversation ends: the callback ends as it was said."""
    await house.replied(await house.handed())
    callback_id = house.the_one().callback_id
    await house.did(ClaimCallback("1001", callback_id))
    await house.did(PreviewOpened("1001", callback_id))
    await house.did(DialNow("1001", callback_id))
    await house.quiet()
    await house.wait(0)
    running = talking(house.pbx)
    await house.quiet()
    await house.did(RecordRefusal("1001", callback_id, "refused", "不需要"))
    assert house.the_one().state == "placing"
    await house.restart()
    house.pbx._end_dial(running)
    await house.look()
    await house.quiet()
    assert house.the_one().state == "refused"


async def test_three_in_vain_are_closed_with_a_reason_and_not_before(house: Owed) -> None:
    """Fewer than three attempts in vain: refused with the article; after three the reason is written down."""
    await house.replied(await house.handed())
    callback_id = house.the_one().callback_id
    for n in range(3):
        if n:
            assert (await house.refusal(CloseCallback("1001", callback_id, "无人接听")))[0] == "too_few_attempts"
        await house.rings(callback_id, "NOANSWER")
        await house.wait(2 * 3600 + 60)
    await house.did(CloseCallback("1001", callback_id, "三次无人接听"))
    callback = house.the_one()
    assert (callback.state, callback.close_reason, len(callback.attempts)) == ("exhausted", "三次无人接听", 3)


async def test_progress_shows_while_the_shift_runs(house: Owed) -> None:
    """Owed, made, mandatory left, late past the deadline, without anybody asking."""
    await house.replied(await house.handed(), "a")
    await house.replied(await house.handed(number=OTHER), "b")
    await house.rings(house.callbacks()[0].callback_id)
    far = house.engine.board()["duty"]["owed"]
    assert (far["open"], far["made"], far["unclaimed"], far["mandatory_left"], far["late"]) == (1, 1, 1, 1, 0)
    await house.wait(timedelta(days=3).total_seconds())
    assert house.engine.board()["duty"]["owed"]["late"] == 1


async def test_at_night_the_sample_is_due_in_the_next_shift(tmp_path: Path) -> None:
    """Who calls at 23:00 cannot be rung before eight: due then, by the end of the shift that begins then."""
    async with owed(tmp_path, datetime(2026, 11, 21, 15, tzinfo=ZoneInfo("UTC"))) as house:
        for n in range(10):
            await house.finished("repair", f"138000001{n:02}")
        first = house.callbacks()[0]
        assert first.due_at is not None
        assert first.deadline is not None
        assert first.due_at.astimezone(ZONE).time().isoformat() == "08:00:00"
        assert first.deadline > first.due_at

"""Emergencies on the real engine and a real database: raised, told until acknowledged, their unit rung, over kills."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cti.ami import events as ami
from cti.commands import SignOut
from cti.commands.emergency import AcknowledgeEmergency, LiftCall, PutFront, RaiseEmergency, RemoveFront, RingUnit
from cti.commands.tickets import SaveNotes, SetParticulars
from cti.engine.inputs import Lift
from cti.errors import BadInput
from queues.emergency import Why
from tests.sim.emergencies import FALL_BACK, FIRST, SECOND, SECOND_LEAD, Emergent, emergent
from tests.sim.found import us
from tests.sim.missing import NUMBER, caller
from tests.sim.moving import dialled, rings
from tests.sim.ticketing import LEAD


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Emergent]:
    """Four agents ready, at nine."""
    async with emergent(tmp_path) as made:
        yield made


async def ok(house: Emergent, command: object) -> None:
    outcome = await house.ask(command)  # type: ignore[arg-type]
    assert outcome is not None
    assert outcome.ruling.allowed, outcome.ruling


async def refusal(house: Emergent, command: object) -> str:
    outcome = await house.ask(command)  # type: ignore[arg-type]
    assert outcome is not None
    return outcome.ruling.code if not outcome.ruling.allowed else "allowed"


async def talked(house: Emergent) -> None:
    """A caller who pressed the key is answered by 1001 after 3 s and talks for 20 s."""
    call = await house.front()
    house.pbx._ring(call, "1001")
    await house.wait(3)
    house.pbx._connect(call)
    await house.quiet()
    await house.wait(20)
    house.pbx._complete(call)
    await house.quiet()


async def test_a_caller_at_the_front_is_told_at_once_and_every_moment_is_kept(house: Emergent) -> None:
    """Joined, offered, answered, unit dialled, unit answered, acknowledged: each in the row, and the ticket marked."""
    nine = house.clock.now()
    await talked(house)
    one = house.only()
    assert (one.why, one.agent, house.told("emergency")) == (Why.MENU, "1001", [(0, LEAD)])
    assert house.engine.world.stubs[one.ticket_id or ""].emergency
    await ok(house, RingUnit("1001", one.emergency_id))
    await house.goes("ANSWER")
    await ok(house, AcknowledgeEmergency(LEAD, one.emergency_id, "已通知抢修"))
    (row,) = house.rows(
        "select joined_at, offered_at, answered_at, call_ended_at, dialled_at, reached_at, acknowledged_at"
        " from emergencies"
    )
    after = [round((moment - us(nine)) / 1e6, 1) for moment in row]
    assert after == [0.0, 0.0, 3.0, 23.0, 23.0, 30.0, 60.0]
    assert house.rows("select acknowledged_by, note, reached_unit from emergencies") == [
        (LEAD, "已通知抢修", "pipes-east")
    ]
    assert house.rows("select state from recordings where call_id like 'ctieu-%'") == [("ok",)]


async def test_the_ladder_is_told_lead_by_lead_until_one_acknowledges(house: Emergent) -> None:
    """After 60 s, then every 60 s, each time the next lead; from the acknowledgement on it is silent."""
    await talked(house)
    await house.wait(36)  # 59 s since it was raised
    assert house.told("emergency_again") == []
    await house.wait(1)
    assert house.told("emergency_again") == [(1, SECOND_LEAD)]
    await house.wait(60)
    assert house.told("emergency_again") == [(1, SECOND_LEAD), (2, LEAD)]
    assert await refusal(house, AcknowledgeEmergency("1001", house.only().emergency_id, "")) == "emergency_lead_only"
    await ok(house, AcknowledgeEmergency(LEAD, house.only().emergency_id, ""))
    await house.wait(600)
    assert len(house.told("emergency_again")) == 2
    assert house.engine.board()["duty"]["emergencies"] == []


async def test_the_ladder_goes_on_after_a_kill_and_stays_silent_after_an_acknowledgement(house: Emergent) -> None:
    """The step comes when it would have come; what was acknowledged is not told again by a new process."""
    await talked(house)
    await house.wait(20)
    await house.restart()
    await house.wait(16.9)
    assert house.told("emergency_again") == []
    await house.wait(0.2)
    assert house.told("emergency_again") == [(1, SECOND_LEAD)]
    await ok(house, AcknowledgeEmergency(LEAD, house.only().emergency_id, ""))
    await house.restart()
    await house.wait(600)
    assert len(house.told("emergency_again")) == 1


async def test_the_next_number_rings_when_the_first_does_not_answer(house: Emergent) -> None:
    """Unit of kind and area first, its second number at once, the fall-back last; each attempt has its row."""
    await talked(house)
    one = house.only()
    await house.yes(SetParticulars("1001", one.ticket_id or "", {"area": "east"}))
    await ok(house, RingUnit("1001", one.emergency_id))
    assert await refusal(house, RingUnit("1002", one.emergency_id)) == "unit_dial_running"
    await house.goes("NOANSWER", "ANSWER")
    assert house.units[0].numbers == (FIRST, SECOND, FALL_BACK)
    assert house.tried() == [(FIRST, "no_answer"), (SECOND, "answered"), (FALL_BACK, "not_tried")]
    (times,) = house.rows("select (ended_at - began_at) / 1000000 from unit_calls where number = ?", SECOND)
    assert times == (5,)
    assert (house.only().reached_unit, house.told("unit_not_reached")) == ("gas", [])


async def test_nobody_reached_is_told_to_the_lead_at_once(house: Emergent) -> None:
    """All numbers in vain, or the agent's own phone not answered; it can be rung again, and an untouched ticket is
    no hindrance."""
    await talked(house)
    one = house.only()
    await ok(house, RingUnit("1001", one.emergency_id))
    await house.goes("BUSY")
    assert len(house.told("unit_not_reached")) == 1
    assert house.rows("select count(*) from stubs where kind is not null or notes <> ''") == [(0,)]
    await ok(house, RingUnit("1002", one.emergency_id))
    channel = house.units[-1].channel_id
    house.tell(ami.OriginateResponse(house.clock.now(), channel, False, 3, None))
    await house.quiet()
    assert house.tried() == [(FALL_BACK, "busy"), (FALL_BACK, "agent_away")]
    assert len(house.told("unit_not_reached")) == 2


async def test_a_unit_that_nobody_rings_is_told_after_the_call(house: Emergent) -> None:
    """60 s after the call's end and not before, once; a dial stops it."""
    await talked(house)
    await house.wait(59.5)
    assert house.alarms("emergency_not_rung") == []
    await house.wait(1)
    await house.wait(600)
    assert house.alarms("emergency_not_rung") == [house.only().emergency_id]


async def test_words_and_the_kind_make_an_emergency_once(house: Emergent) -> None:
    """The word as it is saved in the notes, 报警 as the kind, the agent's own key; and never two for one ticket."""
    words, kind, key = [await house.stub(number=f"1380000006{n}") for n in (1, 2, 3)]
    await house.yes(SaveNotes("1001", words.ticket_id, "咨询缴费", 1))
    assert house.part.by_id == {}
    await house.yes(SaveNotes("1001", words.ticket_id, "楼道里有燃气味，住户说漏气", 2))
    await house.yes(SaveNotes("1001", words.ticket_id, "漏气，地址待问", 3))
    await house.yes(SetParticulars("1001", kind.ticket_id, {"kind": "emergency"}))
    await ok(house, RaiseEmergency("1001", key.ticket_id))
    await ok(house, RaiseEmergency("1001", key.ticket_id))
    found = {e.ticket_id: (e.why, e.word) for e in house.part.by_id.values()}
    assert found == {
        words.ticket_id: (Why.WORDS, "漏气"), kind.ticket_id: (Why.KIND, ""), key.ticket_id: (Why.KIND, "")
    }  # fmt: skip
    assert all(house.now_of(ticket).emergency for ticket in found)
    assert len(house.told("emergency")) == 3


async def test_a_waiting_call_is_lifted_by_the_lead_alone(house: Emergent) -> None:
    """One key: it becomes an emergency and Asterisk is asked to move it; who waits no more is not lifted."""
    call = caller(house.pbx)
    await house.quiet()
    assert await refusal(house, LiftCall("1001", call.call_id)) == "emergency_lead_only"
    await ok(house, LiftCall(LEAD, call.call_id))
    assert (house.lifts, house.only().why) == ([Lift(call.call_id)], Why.LEAD)
    house.pbx._abandon(call)
    await house.quiet()
    assert await refusal(house, LiftCall(LEAD, call.call_id)) == "not_waiting"


async def test_the_list_of_numbers_reaches_the_dialplan_in_every_form(house: Emergent) -> None:
    """A caller on the list is raised as one; the list outlives a kill; taken off, its switch is cleared."""
    await ok(house, PutFront(LEAD, "138 0000 0061", "泵站"))
    await ok(house, PutFront(LEAD, "5550077", "学校"))
    forms = {"CTI_FRONT_13800000061": "yes", "CTI_FRONT_05305550077": "yes", "CTI_FRONT_5550077": "yes"}
    await house.restart()
    assert forms.items() <= house.engine.world.switches.items()
    await house.front("+8613800000061")
    assert house.only().why is Why.CALLER
    await ok(house, RemoveFront(LEAD, "05305550077"))
    assert house.engine.world.switches["CTI_FRONT_5550077"] == ""
    await house.restart()  # killed, perhaps, before Asterisk was told: it is told again
    assert house.engine.world.switches["CTI_FRONT_5550077"] == ""
    assert house.engine.world.switches["CTI_FRONT_13800000061"] == "yes"
    with pytest.raises(BadInput):
        await house.ask(PutFront(LEAD, "00441632960001", "x"))


async def test_who_may_ring_a_unit(house: Emergent) -> None:
    """Signed in, not in a call; without the link, or a unit that fits, the refusal says so and nothing is dialled."""
    await house.front()
    one = house.only().emergency_id
    other = caller(house.pbx, "13800000062")
    house.pbx._ring(other, "1001")
    house.pbx._connect(other)
    await house.quiet()
    assert await refusal(house, RingUnit("1001", one)) == "agent_in_call"
    await house.ask(SignOut("1003"))
    assert await refusal(house, RingUnit("1003", one)) == "not_signed_in"
    assert await refusal(house, RingUnit("1002", "e-none")) == "no_such_emergency"
    house.drop()
    await house.quiet()
    assert await refusal(house, RingUnit("1002", one)) == "link_down"
    assert house.units == []


async def test_during_the_call_the_key_consults_one_number_after_the_other(house: Emergent) -> None:
    """The caller is held; in vain the agent has him back and the key rings the next number; each press is timed."""
    call = await house.front()
    one = house.only().emergency_id
    house.pbx._ring(call, "1001")
    house.pbx._connect(call)
    await house.quiet()
    await house.yes(SetParticulars("1001", house.only().ticket_id or "", {"area": "east"}))
    for leg, status in (("1795284829.901", "BUSY"), ("1795284829.902", "ANSWER")):
        await ok(house, RingUnit("1001", one))
        assert await refusal(house, RingUnit("1001", one)) == "unit_dial_running"
        house.tell(rings(house, call, "x", leg, "1795284829.900"))
        await house.wait(5)
        house.tell(dialled(house, call, "x", leg, status, "1795284829.900"))
        await house.quiet()
    assert house.tried() == [(FIRST, "busy"), (SECOND, "answered")]
    assert [move.exten for move in house.moves] == [FIRST, SECOND]
    assert (house.only().reached_unit, house.units) == ("gas", [])


async def test_a_consultation_of_which_nothing_is_heard_may_be_begun_anew(house: Emergent) -> None:
    """Asterisk took it and nothing rang: after 7 s the key works again, for the same number."""
    call = await house.front()
    house.pbx._ring(call, "1001")
    house.pbx._connect(call)
    await house.quiet()
    await ok(house, RingUnit("1001", house.only().emergency_id))
    await house.wait(6.9)
    assert house.only().running is not None
    await house.wait(0.2)
    assert house.tried() == [(FALL_BACK, "unknown")]
    await ok(house, RingUnit("1001", house.only().emergency_id))


async def test_a_dial_that_ended_while_we_were_dead_is_closed_as_unknown(house: Emergent) -> None:
    """Its leg is not among the living: the agent may ring again, and the lead hears that nobody is known reached."""
    await talked(house)
    await ok(house, RingUnit("1001", house.only().emergency_id))
    await house.kill()
    await house.clock.advance(60, settle=0)
    await house.boot()
    assert house.tried() == [(FALL_BACK, "unknown")]
    assert house.only().running is None
    assert len(house.told("unit_not_reached")) == 1


async def test_callers_numbers_are_in_no_alarm(house: Emergent) -> None:
    """Alarms go to MQTT and to every lead's page: codes, ids and agents, no number, no note."""
    await house.front(NUMBER)
    await house.wait(130)
    assert all(NUMBER not in str(row) for row in house.rows("select data from outbox where kind = 'alarm'"))

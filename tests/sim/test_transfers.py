"""Transfers through the engine: begun here, at the phone or by a program; the outcome is what events tell."""

from __future__ import annotations

import pytest

from agents.presence import presence
from cti.ami import events as ami
from cti.commands import SignOut
from cti.commands.directory import PutUnit, RemoveUnit
from cti.commands.transfers import BeginTransfer, CancelTransfer, CompleteTransfer, TransferRefused
from cti.engine.inputs import Move, SetGlobal
from tests.sim.house import House
from tests.sim.moving import blind, completed, dialled, gone, joined, kept, moves, rings, talking, told
from tests.sim.pbx import SimCall

LEG, CONSULT = "1795284829.901", "1795284829.900"
UNIT = PutUnit("9001", "gas", "燃气抢修", "Gas repair", "outside", (), (), (("05305550001", "", ""),))


def state(house: House, number: str) -> str:
    """What the board says of an agent."""
    return presence(house.engine.world.agents[number], house.clock.now())[0].value


async def refused(house: House, *asked: str) -> str:
    """The code of a refusal."""
    outcome = await house.ask(BeginTransfer(*asked))
    assert outcome is not None
    assert not outcome.ruling.allowed
    return outcome.ruling.code


async def consulting(house: House) -> tuple[SimCall, str]:
    """1001 consults 1002, who has answered."""
    call = await talking(house)
    outcome = await house.ask(BeginTransfer("1001", "consult", "agent", "1002"))
    assert outcome is not None
    assert outcome.ruling.allowed
    (begun,) = moves(house)
    assert begun == Move(outcome.data["transfer_id"], "begin", call.leg, "3002")
    await told(house, rings(house, call, "3002", LEG, CONSULT))
    await house.wait(2)
    await told(house, dialled(house, call, "3002", LEG, by=CONSULT))
    return call, begun.transfer_id


async def test_a_consultation_is_completed_and_everything_stays_joined(house: House) -> None:
    """One call, one ticket of the first agent; the second talks, then the first is free; the page of the second shows
    the same ticket; the consultation has a recording of the same ticket."""
    call, _ = await consulting(house)
    assert (state(house, "1001"), state(house, "1002")) == ("talking", "talking")
    (ticket,) = house.rows("select ticket_id, agent from tickets")
    assert ticket[1] == "1001"
    pops = house.rows("select subject, audience from outbox where kind = 'ticket.transferred'")
    assert pops == [(ticket[0], "agent:1002")]
    await house.wait(4)
    assert (await house.ask(CompleteTransfer("1001"))).ruling.allowed  # type: ignore[union-attr]
    assert [move.step for move in moves(house)] == ["complete"]
    await told(house, joined(house, call), completed(house, call), gone(house, call.leg, call))
    assert (state(house, "1001"), state(house, "1002")) == ("wrap_up", "talking")
    await house.wait(30)
    await told(house, gone(house, LEG, call), gone(house, CONSULT, call), gone(house, call.call_id, call))
    assert state(house, "1002") == "wrap_up"
    assert kept(house) == [("1001", "consult", "1002", "done", "")]
    assert house.rows("select agent, ending, json_array_length(transfers) from calls") == [("1001", "transferred", 1)]
    assert house.rows("select agent, outcome from offers order by ordinal") == [
        ("1001", "answered"), ("1002", "answered"),
    ]  # fmt: skip
    recordings = house.rows("select call_id, ticket_id, state from recordings order by call_id")
    assert recordings == [(call.call_id, ticket[0], "ok"), (CONSULT, ticket[0], "ok")]
    assert house.engine.world.watched == set()


async def test_the_caller_is_taken_back(house: House) -> None:
    """The key, or the target's own hang-up: the first agent talks on, the second is free, and the page says why."""
    call, _ = await consulting(house)
    assert (await house.ask(CancelTransfer("1001"))).ruling.allowed  # type: ignore[union-attr]
    assert [move.step for move in moves(house)] == ["cancel"]
    await told(house, gone(house, CONSULT, call), gone(house, LEG, call))
    assert (state(house, "1001"), state(house, "1002")) == ("talking", "wrap_up")
    assert kept(house) == [("1001", "consult", "1002", "returned", "cancelled")]
    assert house.engine.board()["agents"][0]["transfer"]["state"] == "returned"
    assert (await house.ask(CancelTransfer("1001"))).ruling.code == "no_consult"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("status", "why"), [("NOANSWER", "no_answer"), ("BUSY", "busy"), ("CHANUNAVAIL", "unavailable")]
)
async def test_a_unit_that_does_not_answer_gives_the_caller_back(house: House, status: str, why: str) -> None:
    """Warm transfer: the outcome and its reason are told, and another may be tried at once."""
    await house.ask(UNIT)
    call = await talking(house)
    assert (await house.ask(BeginTransfer("1001", "consult", "unit", "gas"))).ruling.allowed  # type: ignore[union-attr]
    assert [move.exten for move in moves(house)] == ["05305550001"]
    await told(house, rings(house, call, "x", LEG, CONSULT))
    assert (await house.ask(CompleteTransfer("1001"))).ruling.code == "consult_not_answered"  # type: ignore[union-attr]
    await told(house, dialled(house, call, "x", LEG, status, CONSULT))
    assert kept(house) == [("1001", "consult", "gas", "returned", why)]
    assert state(house, "1001") == "talking"
    assert (await house.ask(BeginTransfer("1001", "blind", "agent", "1002"))).ruling.allowed  # type: ignore[union-attr]


async def test_a_blind_transfer_that_nobody_takes_comes_back(house: House) -> None:
    """The dialplan rings the agent whom the caller came from; he talks with him again."""
    call = await talking(house)
    await house.ask(BeginTransfer("1001", "blind", "agent", "1002"))
    assert [(m.step, m.exten) for m in moves(house)] == [("blind", "3002")]
    await house.wait(5)
    await told(house, blind(house, call, "3002"), completed(house, call), gone(house, call.leg, call))
    assert state(house, "1001") == "wrap_up"
    await told(house, rings(house, call, "3002", LEG), dialled(house, call, "3002", LEG, "NOANSWER"))
    again = "1795284829.950"
    await house.wait(1)
    await told(house, rings(house, call, "3001", again), dialled(house, call, "3001", again))
    assert kept(house) == [("1001", "blind", "1002", "returned", "no_answer")]
    assert (state(house, "1001"), state(house, "1002")) == ("talking", "ready")
    await told(house, gone(house, again, call), gone(house, call.call_id, call))
    assert state(house, "1001") == "wrap_up"
    assert house.rows("select count(*) from tickets") == [(1,)]


async def test_what_the_phone_begins_is_followed_as_well(house: House) -> None:
    """A feature code, a REFER, a Redirect of another program: the same rows, states and pops, marked as the phone's."""
    one = await talking(house)  # its blind key
    await told(house, blind(house, one, "3002"), completed(house, one), gone(house, one.leg, one))
    await told(house, rings(house, one, "3002", LEG), dialled(house, one, "3002", LEG))
    assert state(house, "1002") == "talking"
    await told(house, gone(house, LEG, one), gone(house, one.call_id, one))
    await house.wait(10)
    two = await talking(house, number="13800000062")  # its transfer key: a call of its own, then joined
    target = "1795284829.960"
    await told(house, joined(house, two, "1795284829.955", target, "Local/3003@lab-seats-00000012;1"))
    await told(house, completed(house, two), gone(house, two.leg, two))
    assert (state(house, "1001"), state(house, "1003")) == ("wrap_up", "talking")
    await told(house, gone(house, target, two), gone(house, two.call_id, two))
    assert state(house, "1003") == "wrap_up"
    await house.wait(10)
    three = await talking(house, number="13800000063")  # F18, Redirect: no event but the dial
    await told(house, gone(house, three.leg, three), rings(house, three, "3004", "1795284829.970"))
    assert state(house, "1001") == "wrap_up"
    await told(house, dialled(house, three, "3004", "1795284829.970"))
    assert state(house, "1004") == "talking"
    await told(house, gone(house, "1795284829.970", three), gone(house, three.call_id, three))
    assert kept(house) == [
        ("1001", "blind", "1002", "done", ""), ("1001", "consult", "1003", "done", ""),
        ("1001", "blind", "1004", "done", ""),
    ]  # fmt: skip
    assert house.rows("select distinct by_phone from transfers") == [(1,)]
    assert house.rows("select distinct agent from tickets") == [("1001",)]


async def test_an_acknowledged_action_that_does_nothing_is_noticed(house: House) -> None:
    """F17: after six seconds without a sign the transfer has failed, on the agent's page and the lead's."""
    await talking(house)
    await house.ask(BeginTransfer("1001", "consult", "agent", "1002"))
    await house.wait(5)
    assert kept(house)[0][3] == "asked"
    await house.wait(2)
    assert kept(house) == [("1001", "consult", "1002", "failed", "not_started")]
    assert house.engine.world.alarms[-1].data["code"] == "transfer_failed"
    outcome = await house.ask(BeginTransfer("1001", "blind", "agent", "1002"))
    assert outcome is not None
    await house.ask(TransferRefused(outcome.data["transfer_id"]))
    assert kept(house)[1][3:] == ("failed", "refused")


async def test_who_may_be_reached(house: House) -> None:
    """Only while talking; not oneself, not who is signed out or on a call; only units of the directory."""
    assert await refused(house, "1001", "blind", "agent", "1002") == "not_talking"
    await talking(house)
    await talking(house, "1003", "13800000064")
    await house.ask(SignOut("1004"))
    for code, why in (("1001", "transfer_to_oneself"), ("1003", "target_busy"), ("1004", "target_signed_out"),
                      ("7777", "no_such_target")):  # fmt: skip
        assert await refused(house, "1001", "consult", "agent", code) == why
    assert await refused(house, "1001", "consult", "unit", "gas") == "no_such_target"
    await house.ask(BeginTransfer("1001", "consult", "agent", "1002"))
    assert await refused(house, "1001", "blind", "agent", "1002") == "transfer_under_way"


async def test_only_numbers_of_the_directory_may_be_dialled(house: House) -> None:
    """Toll fraud: a global for each number of a unit, cleared when the unit goes; nothing else is ever named."""
    house.seen.clear()
    await house.ask(UNIT)
    await house.ask(RemoveUnit("9001", "gas"))
    named = [e for e in house.seen if isinstance(e, SetGlobal) and e.name.startswith("CTI_TO_")]
    assert named == [SetGlobal("CTI_TO_05305550001", "yes"), SetGlobal("CTI_TO_05305550001", "")]


async def test_the_caller_gives_up_and_a_gap_hides_the_end(house: House) -> None:
    """A caller who hangs up while he waits; an outcome that nobody saw is told as unseen, never guessed."""
    call, _ = await consulting(house)
    await told(house, gone(house, call.call_id, call))
    assert kept(house)[0][3] == "given_up"
    await told(house, gone(house, LEG, call), gone(house, CONSULT, call), gone(house, call.leg, call))
    await house.wait(10)
    await consulting(house)
    await house.kill()
    await house.boot()
    assert [row[3] for row in kept(house)] == ["given_up", "unseen"]


async def test_two_calls_on_one_agent_are_both_kept(house: House) -> None:
    """F20: an alarm, a ticket each; when the second is over he still talks in the first, and is free after both."""
    one = await talking(house)
    await house.wait(2)
    two = await talking(house, number="13800000065")
    assert [m.data["code"] for m in house.engine.world.alarms].count("two_calls") == 1
    assert house.rows("select agent from tickets") == [("1001",), ("1001",)]
    await told(house, gone(house, two.leg, two), gone(house, two.call_id, two))
    agent = house.engine.world.agents["1001"]
    assert (state(house, "1001"), agent.talking) == ("talking", one.call_id)
    await told(house, gone(house, one.leg, one), gone(house, one.call_id, one))
    assert state(house, "1001") == "wrap_up"


async def test_a_local_channel_that_is_optimised_away_frees_nobody(house: House) -> None:
    """F19: the agent's leg is from then on the one that stands in its place."""
    call = await talking(house)
    await told(house, ami.LocalOptimizationBegin(house.clock.now(), call.leg, "1795284829.2", LEG))
    await told(house, gone(house, call.leg, call))
    assert state(house, "1001") == "talking"
    await told(house, gone(house, LEG, call))
    assert state(house, "1001") == "wrap_up"


async def test_a_long_consultation_alarms_nobody(house: House) -> None:
    """The target answers within the six seconds in which a sign must come, and the two speak on: nothing failed."""
    call, _ = await consulting(house)
    await house.wait(30)
    assert [alarm for alarm in house.engine.world.alarms if alarm.data["code"] == "transfer_failed"] == []
    await told(house, gone(house, CONSULT, call), gone(house, LEG, call))
    assert kept(house) == [("1001", "consult", "1002", "returned", "target_gone")]
    await house.ask(BeginTransfer("1001", "consult", "agent", "1003"))
    await told(house, rings(house, call, "3003", "1795284829.911", "1795284829.910"))
    await told(house, dialled(house, call, "3003", "1795284829.911", by="1795284829.910"))
    await house.ask(CompleteTransfer("1001"))
    await house.wait(7)
    assert house.engine.world.alarms[-1].data["code"] == "transfer_failed"  # asked for, acknowledged, and not over


async def test_legs_that_end_in_a_gap_are_not_watched_for_ever(house: House) -> None:
    """Their hang-ups are never told."""
    await consulting(house)
    assert house.engine.world.watched == {LEG, CONSULT}
    house.drop()
    await house.quiet()
    await house.connect()
    assert house.engine.world.watched == set()


@pytest.mark.parametrize("taken", [True, False])
async def test_a_caller_whom_nobody_takes_waits_again_with_the_same_id(house: House, taken: bool) -> None:
    """Sent on, taken by nobody, in the queue again: one call and one ticket of the first agent, never a missed caller;
    whoever takes him talks until he hangs up, and a phone that rang in vain is free again."""
    call = await talking(house)
    await house.ask(BeginTransfer("1001", "blind", "agent", "1002"))
    await told(house, blind(house, call, "3002"), completed(house, call), gone(house, call.leg, call))
    await told(house, rings(house, call, "3002", LEG), dialled(house, call, "3002", LEG, "NOANSWER"))
    await told(house, rings(house, call, "3001", CONSULT), dialled(house, call, "3001", CONSULT, "NOANSWER"))
    await house.wait(40)
    now = house.clock.now()
    again = ami.QueueCallerJoin(now, "hotline", 1, 1, "13800000061", call.call_id, call.call_id, "Local/x")
    await told(house, again, again)
    await house.wait(1)
    house.pbx._ring(call, "1003")
    await house.quiet()
    assert (state(house, "1001"), state(house, "1003")) == ("ready", "ringing")
    board = house.engine.board()
    assert [(w["entered_at"], w["ringing"]) for w in board["waiting"]] == [(now.isoformat(), ["1003"])]
    assert board["queue"]["waiting"] == 1
    if taken:
        house.pbx._connect(call)
        await house.quiet()
        assert house.engine.board()["waiting"] == []
        assert state(house, "1003") == "talking"
        await house.wait(5)
        house.pbx._complete(call)
    else:
        house.pbx._abandon(call)
    await house.quiet()
    assert state(house, "1003") == ("wrap_up" if taken else "ready")
    outcome = ("returned", "queue") if taken else ("given_up", "")
    assert kept(house) == [("1001", "blind", "1002", *outcome)]
    assert house.rows("select agent, ending from calls") == [("1001", "transferred")]
    assert house.rows("select agent from tickets") == [("1001",)]
    assert house.rows("select count(*) from missed_calls") == [(0,)]
    assert house.engine.world.open_calls() == []

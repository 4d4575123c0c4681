"""Transfers for the tests: what Asterisk tells of them, in the order and with the ids that 22.10 was seen to give."""

from __future__ import annotations

from cti.ami import events as ami
from cti.engine.inputs import Move
from tests.sim.house import House
from tests.sim.missing import NUMBER, caller
from tests.sim.pbx import SimCall


async def talking(house: House, agent: str = "1001", number: str = NUMBER) -> SimCall:
    """*number* rings and *agent* answers."""
    call = caller(house.pbx, number)
    house.pbx._ring(call, agent)
    await house.wait(3)
    house.pbx._connect(call)
    await house.quiet()
    return call


def moves(house: House) -> list[Move]:
    """The steps that were sent to Asterisk since the last look."""
    found = [effect for effect in house.seen if isinstance(effect, Move)]
    house.seen.clear()
    return found


async def told(house: House, *events: ami.Event) -> None:
    """Asterisk tells *events*."""
    for event in events:
        house.engine.hear(event)
    await house.quiet()


def rings(house: House, call: SimCall, seat: str, leg: str, by: str = "") -> ami.DialBegin:
    """A seat's phone begins to ring; *by*: the channel of a consultation, or the caller's own."""
    return ami.DialBegin(
        house.clock.now(), by or call.call_id, call.call_id, leg, call.call_id, f"Local/{seat}@lab-seats-00000009;1"
    )


def dialled(house: House, call: SimCall, seat: str, leg: str, status: str = "ANSWER", by: str = "") -> ami.DialEnd:
    """It stops ringing."""
    return ami.DialEnd(
        house.clock.now(), by or call.call_id, call.call_id, leg, call.call_id, f"Local/{seat}@lab-seats-00000009;1",
        status, f"Local/{seat}@cti-transfer-0000000a;2",
    )  # fmt: skip


def blind(house: House, call: SimCall, exten: str) -> ami.BlindTransfer:
    """The caller is sent on, and the agent is out of it."""
    return ami.BlindTransfer(
        house.clock.now(), "Success", call.leg, call.call_id, call.call_id, call.call_id, "cti-transfer", exten
    )


def joined(house: House, call: SimCall, linked: str = "", target: str = "", channel: str = "") -> ami.AttendedTransfer:
    """The agent has joined the two."""
    return ami.AttendedTransfer(
        house.clock.now(), "Success", call.leg, call.call_id, call.leg, linked or call.call_id, call.call_id,
        call.call_id, target or "1795284828.77", channel or "Local/3002@cti-transfer-0000000a;1",
    )  # fmt: skip


def completed(house: House, call: SimCall) -> ami.AgentComplete:
    """The queue is done with the agent."""
    return ami.AgentComplete(
        house.clock.now(), "hotline", call.agent, "", 1, 1, "transfer", call.call_id, call.call_id, call.leg,
        call.call_id,
    )  # fmt: skip


def gone(house: House, channel_id: str, call: SimCall) -> ami.Hangup:
    """A leg is gone."""
    return ami.Hangup(house.clock.now(), channel_id, call.call_id, "Local/x", 16)


def kept(house: House) -> list[tuple[str, ...]]:
    """The transfers of the database: agent, how, target, outcome and why."""
    return house.rows("select agent, how, target, state, why from transfers order by asked_at")

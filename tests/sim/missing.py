"""Callers in vain for the tests of missed calls: who rings, gives up, is answered, is called back."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime
from typing import Any

from cti.ami import events as ami
from cti.engine.inputs import Dial
from queues.facts import Answered, CallFact, Ending, Entered, Left
from tests.sim.house import House
from tests.sim.pbx import QUEUE, SimCall, SimPbx

NUMBER = "13800000061"


def caller(pbx: SimPbx, number: str = NUMBER) -> SimCall:
    """*number* becomes a queue entry."""
    call = SimCall(pbx._new_id(), pbx.clock.now())
    pbx.calls[call.call_id] = call
    pbx.say(
        call.call_id,
        ami.QueueCallerJoin(call.entered_at, QUEUE, 1, 1, number, call.call_id, call.call_id, "Local/x"),
    )
    pbx._log(Entered(call.call_id, call.entered_at, QUEUE, number))
    return call


async def in_vain(house: House, number: str = NUMBER, ending: Ending = Ending.ABANDONED, waits: float = 9) -> SimCall:
    """*number* rings and is not answered; queue_log tells the reason when it is read."""
    call = caller(house.pbx, number)
    await house.wait(waits)
    give_up(house.pbx, call, ending)
    await house.quiet()
    return call


def give_up(pbx: SimPbx, call: SimCall, ending: Ending = Ending.ABANDONED) -> None:
    """Asterisk says QueueCallerAbandon for each of the ways to leave unanswered; queue_log has the true one."""
    pbx._abandon(call)
    fact = pbx.log.pop()
    assert isinstance(fact, Left)
    pbx.log.append(fact._replace(ending=ending))


async def answered(house: House, agent: str = "1001", number: str = NUMBER) -> SimCall:
    """*number* rings, *agent* answers; both talk and hang up."""
    call = caller(house.pbx, number)
    house.pbx._ring(call, agent)
    await house.wait(3)
    house.pbx._connect(call)
    await house.wait(20)
    house.pbx._complete(call)
    await house.quiet()
    return call


async def dialled(house: House, dial: Dial, status: str) -> None:
    """The agent picks up; the caller's phone ends with *status*; a conversation lasts 30 s."""
    pbx, channel = house.pbx, dial.channel_id
    running = pbx.dials[channel]
    now = house.clock.now()
    pbx._say_dial(channel, ami.OriginateResponse(now, channel, True, 4, channel))
    running.state, running.rang_at, running.status = "caller", now, status
    await house.wait(5)
    now = house.clock.now()
    pbx._say_dial(channel, ami.DialEnd(now, channel, channel, "1.1", channel, "PJSIP/t", status))
    if status == "ANSWER":
        running.state, running.answered_at = "talking", now
        await house.wait(30)
    pbx._end_dial(running)
    await house.quiet()


def duties(house: House, state: str | None = None) -> list[dict[str, Any]]:
    """Rows, the oldest first."""
    names = (
        "missed_id", "number", "first_at", "last_at", "tries", "latest", "state", "claimed_by", "callback_id",
        "callback_state", "closed_at", "closed_by", "end_reason", "end_text",
    )  # fmt: skip
    rows = house.rows(
        "select missed_id, number, first_at, last_at, tries, latest, state, claimed_by, callback_id, callback_state,"
        " closed_at, closed_by, end_reason, end_text from missed_calls order by first_at, missed_id"
    )
    found = [dict(zip(names, row, strict=True)) for row in rows]
    for row in found:
        row["latest"] = [call_id for call_id, _ in json.loads(row["latest"])]
    return [row for row in found if state in (None, row["state"])]


def owed(log: list[CallFact]) -> dict[str, set[str]]:
    """What queue_log alone says: number -> calls in vain since the number was last spoken with."""
    number, at = {}, {}
    answered: set[str] = set()
    over: set[str] = set()
    spoken: dict[str, datetime] = {}
    for fact in log:
        match fact:
            case Entered():
                number[fact.call_id], at[fact.call_id] = fact.caller, fact.at
            case Answered():
                answered.add(fact.call_id)
                spoken[number[fact.call_id]] = max(fact.at, spoken.get(number[fact.call_id], fact.at))
            case Left():
                over.add(fact.call_id)
    found: dict[str, set[str]] = defaultdict(set)
    for call_id in over - answered:
        who = number[call_id]
        if who and not (who in spoken and at[call_id] <= spoken[who]):
            found[who].add(call_id)
    return dict(found)

"""A house at work for the tests of findings, and what is found in it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from agents.shifts import Shift
from cti.ami import events as ami
from cti.engine.duty.finding import Findings
from cti.engine.duty.rostering import Rostering
from cti.engine.inputs import Due
from tests.sim.house import House
from tests.sim.pbx import QUEUE, SimCall

HOUR = timedelta(hours=1)


def part(house: House) -> Findings:
    """The part under test, in the process that runs now."""
    return next(p for p in house.engine.world.parts if isinstance(p, Findings))


async def roster(house: House, agent: str, start: datetime, hours: float = 11, **more: Any) -> Shift:
    """Put a shift into the roster and let the part look."""
    rostering = next(p for p in house.engine.world.parts if isinstance(p, Rostering))
    shift = Shift(f"s-{agent}-{start:%d%H%M}", agent, start, start + hours * HOUR, **more)
    rostering.put([shift])
    house.engine.put(Due("adherence:"))
    await house.quiet()
    return shift


def found(house: House, kind: str | None = None) -> list[dict[str, Any]]:
    """Committed findings, the oldest first."""
    names = ("finding_id", "kind", "agent", "began_at", "ended_at", "state", "evidence", "steps", "document", "article")
    rows = house.rows(
        "select finding_id, kind, agent, began_at, ended_at, state, evidence, steps, document, article"
        " from findings order by began_at, finding_id"
    )
    listed = [dict(zip(names, row, strict=True)) for row in rows]
    for row in listed:
        row["evidence"], row["steps"] = json.loads(row["evidence"]), json.loads(row["steps"])
    return [row for row in listed if kind in (None, row["kind"])]


def us(moment: datetime) -> int:
    """As the store has it."""
    return (moment - datetime.fromtimestamp(0, moment.tzinfo)) // timedelta(microseconds=1)


def alarms(house: House) -> list[dict[str, Any]]:
    """What the lead was told of findings."""
    rows = house.rows("select data from outbox where kind = 'alarm' order by seq")
    return [data for (text,) in rows if (data := json.loads(text))["code"] == "finding"]


async def ring(house: House, agent: str) -> SimCall:
    """A caller rings at *agent*."""
    house.pbx.enter()
    call = house.pbx.open_calls()[-1]
    house.pbx._ring(call, agent)
    await house.quiet()
    return call


async def miss(house: House, call: SimCall, seconds: float = 15) -> None:
    """The ring runs out."""
    await house.wait(seconds)
    house.pbx._ring_no_answer(call)
    await house.quiet()


async def reject(house: House, call: SimCall) -> None:
    """The phone refuses at once: Asterisk says 0 ms."""
    await house.wait(0.02)
    house.pbx.say(
        call.call_id,
        ami.AgentRingNoAnswer(house.clock.now(), QUEUE, call.agent, "x", 0, call.call_id, call.call_id, call.leg),
    )
    house.pbx._gone(call.leg, call.call_id)
    call.state = "waiting"
    await house.quiet()


async def pause(house: House, agent: str, paused: bool) -> None:
    now = house.clock.now()
    interface = house.engine.world.agents[agent].interface or ""
    house.engine.hear(
        ami.QueueMemberPause(now, QUEUE, agent, interface, 1, paused, "lunch" if paused else "", False, None, now, 0)
    )
    await house.quiet()

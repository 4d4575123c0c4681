"""Voice keys, ratings and outage notices in the engine: durable before they act, alive over a restart, never twice."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cti.commands.outage import EndOutage, PutOutage
from cti.commands.voice import Announce, EndWith
from cti.engine.inputs import EndTalk, Read, SetGlobal, Speak
from cti.errors import BadInput
from queues.facts import Rated
from tests.sim.house import House
from tests.sim.missing import caller


def sent(house: House, *kinds: type[Any]) -> list[Any]:
    """Effects of these kinds since the last look."""
    found = [effect for effect in house.seen if isinstance(effect, kinds)]
    house.seen.clear()
    return found


async def talking(house: House, agent: str = "1001") -> str:
    """*agent* talks with a caller."""
    call = caller(house.pbx)
    house.pbx._ring(call, agent)
    await house.wait(2)
    house.pbx._connect(call)
    await house.quiet()
    return call.call_id


async def test_keys_speak_to_ones_own_caller_alone(tmp_path: Path) -> None:
    """A prompt and an end are effects of the agent who talks; a silent call's first stub says so before the end."""
    async with House(tmp_path, random.Random(3), mangle=False) as house:
        call_id = await talking(house)
        sent(house)
        refused = await house.ask(Announce("1002", call_id, "nuisance"))
        assert refused is not None
        assert refused.ruling.code == "not_talking"
        assert sent(house, Speak, EndTalk) == []
        await house.ask(Announce("1001", call_id, "nuisance"))
        (speak,) = sent(house, Speak)
        assert speak[1:] == (call_id, "nuisance", "1001")
        await house.ask(EndWith("1001", call_id, "silent"))
        (end,) = sent(house, EndTalk)
        assert (end.call_id, end.after, end.agent) == (call_id, "silent", "1001")
        assert house.rows("select caller_kind from stubs") == [("silent",)]
        for command in (Announce("1001", call_id, "../../etc"), EndWith("1001", call_id, "gone")):
            with pytest.raises(BadInput):
                await house.ask(command)


async def test_a_rating_is_kept_once_however_often_it_is_read(tmp_path: Path) -> None:
    """Also for a call that memory does not hold: queue_log was read after a restart."""
    async with House(tmp_path, random.Random(3), mangle=False) as house:
        fact = Rated("1700000000.77", house.clock.now(), "hotline", "1001", 3)
        for _ in range(2):
            house.engine.put(Read((fact, fact._replace(queue="elsewhere", rating=1)), {}))
            await house.quiet()
            await house.kill()
            await house.boot()
        assert house.rows("select call_id, agent, rating from ratings") == [("1700000000.77", "1001", 3)]


async def test_an_outage_lives_over_a_restart_and_ends_by_itself(tmp_path: Path) -> None:
    """One open notice an area; the dialplan is told again at every start; at its end the slot is cleared."""
    async with House(tmp_path, random.Random(3), mangle=False) as house:
        now = house.clock.now()
        first = await house.ask(PutOutage("", "sudden", "水厂跳闸", None, now + timedelta(hours=1), "9001"))
        second = await house.ask(PutOutage("", "planned", "检修", now + timedelta(hours=2), None, "9001"))
        assert first is not None
        assert second is not None
        assert second.data["late"] is False  # the profile in force has no such rule
        begin = int((now + timedelta(hours=2)).timestamp())
        value = f"planned,{begin},{begin + 24 * 3600}"
        assert sent(house, SetGlobal)[-1] == SetGlobal("CTI_OUTAGE_0", value)
        await house.kill()
        await house.boot()
        told = sent(house, SetGlobal)
        assert SetGlobal("CTI_OUTAGE", "0") in told
        assert SetGlobal("CTI_OUTAGE_0", value) in told
        assert house.engine.board()["duty"]["outages"] == []  # not said yet
        await house.wait(2 * 3600 + 1)
        assert [o["text"] for o in house.engine.board()["duty"]["outages"]] == ["检修"]
        await house.wait(24 * 3600)
        assert house.engine.board()["duty"]["outages"] == []
        assert SetGlobal("CTI_OUTAGE", "") in sent(house, SetGlobal)
        over = await house.ask(EndOutage(second.data["outage_id"], "9001"))
        assert over is not None
        assert over.ruling.code == "no_such_outage"
        closed = house.rows("select text, closed_by from outages order by put_at, text desc")
        assert sorted(closed, key=lambda row: row[0]) == [("检修", None), ("水厂跳闸", "9001")]

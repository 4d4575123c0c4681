"""What stands before a dial, on the real engine and a real database: kept over restarts, and shown on the board."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from cti.commands import DialNow, GoBusy, Outcome, RequestCallback
from cti.commands.dialling import AllowQuiet, ConfirmClock, FolderSeen, PreviewOpened, SetInboundFirst
from cti.engine.gating import DialGate
from cti.engine.inputs import Checked, DropDial, LookAtFolder
from cti.errors import BadInput
from queues.dialgate import RATES, Caps
from tests.sim.house import ZONE, House
from tests.sim.missing import caller

NUMBER = "13800000061"
NIGHT = datetime(2026, 11, 21, 22, 30, tzinfo=ZONE)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Four agents ready, at nine."""
    async with House(tmp_path, random.Random(5), mangle=False) as made:
        made.rng.random = lambda: 0.5  # type: ignore[method-assign]  # every Originate is taken
        yield made


async def said(house: House, command: object) -> Outcome:
    outcome = await house.ask(command)  # type: ignore[arg-type]
    assert outcome is not None
    return outcome


async def owed(house: House, number: str = NUMBER, agent: str = "1001", *, by_key: bool = True) -> str:
    """A callback that waits for the key of *agent*, as the desk has it."""
    later = house.clock.now() + timedelta(hours=1)
    outcome = await said(house, RequestCallback("2001", agent, number, None, later, None))
    callback_id = str(outcome.data["callback_id"])
    world = house.engine.world
    world.callbacks[callback_id] = replace(world.callbacks[callback_id], by_key=by_key)
    return callback_id


async def test_the_key_needs_the_preview_and_whoever_claimed_it(house: House) -> None:
    """Kept with who and when, once, and known again after a restart."""
    callback_id = await owed(house)
    assert (await said(house, DialNow("1001", callback_id))).ruling.code == "preview_first"
    assert (await said(house, PreviewOpened("1002", callback_id))).ruling.code == "callback_claimed"
    assert (await said(house, PreviewOpened("1001", "c-none"))).ruling.code == "not_found"
    for _ in range(2):
        assert (await said(house, PreviewOpened("1001", callback_id))).ruling.allowed
    assert len(house.rows("select * from callback_previews")) == 1
    assert any(isinstance(effect, LookAtFolder) for effect in house.seen)
    assert "callback_claimed" in (await said(house, DialNow("2001", callback_id))).ruling.code
    await said(house, SetInboundFirst("2001", 7))
    house.engine.world.put_callback(house.engine.world.callbacks[callback_id])
    await house.kill()
    await house.boot()
    assert house.engine.board()["duty"]["dialling"]["waiting_most"] == 7
    world = house.engine.world
    world.callbacks[callback_id] = replace(world.callbacks[callback_id], by_key=True)
    assert (await said(house, DialNow("1001", callback_id))).ruling.allowed
    assert house.rows("select pressed_by from dials") == [("1001",)]


async def test_it_is_never_dialled_by_itself(house: House) -> None:
    """by_key: its time comes and goes; only the key dials."""
    await owed(house)
    await house.wait(7200)
    assert house.dialled == []


async def test_an_agent_who_is_busy_reading_may_dial_by_his_key(house: House) -> None:
    """示忙 keeps callers from him while he reads; the key is his own."""
    callback_id = await owed(house)
    await said(house, GoBusy("1001", "ticket"))
    await said(house, PreviewOpened("1001", callback_id))
    assert (await said(house, DialNow("1001", callback_id))).ruling.allowed


async def test_callers_go_first_within_what_the_lead_sets(house: House) -> None:
    """0 by the settings; the lead's figure has bounds."""
    callback_id = await owed(house)
    await said(house, PreviewOpened("1001", callback_id))
    caller(house.pbx, "13800000099")
    await house.quiet()
    assert (await said(house, DialNow("1001", callback_id))).ruling.code == "inbound_first"
    for waiting in (-1, 51):
        with pytest.raises(BadInput, match="waiting"):
            await house.ask(SetInboundFirst("2001", waiting))
    await said(house, SetInboundFirst("2001", 1))
    assert (await said(house, DialNow("1001", callback_id))).ruling.allowed


async def test_a_second_dial_to_the_same_number_waits_for_the_first(house: House) -> None:
    """Two callers at different extensions, one line."""
    company = "0530-5550001转800"
    first, second = await owed(house, f"{company}1"), await owed(house, f"{company}2", "1002")
    for agent, callback_id in (("1001", first), ("1002", second)):
        await said(house, PreviewOpened(agent, callback_id))
    assert (await said(house, DialNow("1001", first))).ruling.allowed
    assert (await said(house, DialNow("1002", second))).ruling.code == "number_running"


async def test_a_caller_who_rings_in_wins_and_nothing_is_counted(house: House) -> None:
    """The dial gives way at once, both are linked, and no later dial while he is there."""
    callback_id = await owed(house)
    await said(house, PreviewOpened("1001", callback_id))
    await said(house, DialNow("1001", callback_id))
    house.pbx.step_dial(house.pbx.dials[house.dialled[0].channel_id])  # the agent picked up; the caller's phone rings
    house.seen.clear()
    call = caller(house.pbx, NUMBER)
    await house.quiet()
    channel_id = house.dialled[0].channel_id
    assert house.rows("select outcome from attempts") == [("caller_came",)]
    assert house.rows("select call_id from dials") == [(call.call_id,)]
    assert DropDial(channel_id) in house.seen
    callback = house.engine.world.callbacks[callback_id]
    assert (callback.state, sum(a.counts for a in callback.attempts)) == ("due", 0)
    assert (await said(house, DialNow("1001", callback_id))).ruling.code in ("caller_is_here", "inbound_first")
    house.seen.clear()
    await house.kill()
    await house.boot()  # our leg lives on: we went down before it was hung up
    assert DropDial(channel_id) in house.seen


async def test_nothing_is_dialled_while_nothing_can_be_recorded(house: House) -> None:
    """QD 第十二条（三）; told once, looked at again, and over when the folder is well."""
    callback_id = await owed(house)
    await said(house, PreviewOpened("1001", callback_id))
    for _ in range(2):
        await said(house, FolderSeen("full"))
    ruling = (await said(house, DialNow("1001", callback_id))).ruling
    assert (ruling.code, [a.article for a in ruling.articles]) == ("not_recorded", ["第十二条（三）"])
    alarms = [m for m in house.engine.board()["alarms"] if m.get("code") == "callbacks_unrecorded"]
    assert len(alarms) == 1
    house.seen.clear()
    await house.wait(31)
    assert LookAtFolder() in house.seen
    await said(house, FolderSeen(""))
    assert (await said(house, DialNow("1001", callback_id))).ruling.allowed


async def test_a_callback_without_its_recording_stops_the_next(house: House) -> None:
    """Checked afterwards: one that is missing holds every dial for callback.recording_hold_s."""
    callback_id = await owed(house)
    await said(house, PreviewOpened("1001", callback_id))
    await said(house, DialNow("1001", callback_id))
    dial = house.pbx.dials[house.dialled[0].channel_id]
    house.pbx.rng.choice = lambda options: "ANSWER"  # type: ignore[method-assign,assignment]
    house.pbx.step_dial(dial)
    house.pbx.step_dial(dial)
    await house.quiet()
    house.engine.put(Checked(dial.dial.channel_id, "missing", None, None, None, "there is no file"))
    await house.quiet()
    other = await owed(house, "13800000062", "1002")
    await said(house, PreviewOpened("1002", other))
    assert (await said(house, DialNow("1002", other))).ruling.code == "not_recorded"
    await house.wait(301)
    assert (await said(house, DialNow("1002", other))).ruling.allowed


async def test_a_lead_lets_one_attempt_be_made_at_night(tmp_path: Path) -> None:
    """原则上: by a lead who neither asked for it nor makes it, with a reason, for one attempt, kept with that one."""
    async with House(tmp_path, random.Random(5), NIGHT, mangle=False) as house:
        house.rng.random = lambda: 0.5  # type: ignore[method-assign]
        callback_id = await owed(house)
        await said(house, PreviewOpened("1001", callback_id))
        assert (await said(house, DialNow("1001", callback_id))).ruling.code == "quiet_hours"
        for by in ("1001", "2001"):
            assert (await said(house, AllowQuiet(by, callback_id, "紧急"))).ruling.code == "own_request"
        with pytest.raises(BadInput, match="reason"):
            await house.ask(AllowQuiet("2002", callback_id, "\n"))
        assert (await said(house, AllowQuiet("2002", callback_id, "来电人要求夜间回访"))).ruling.allowed
        assert (await said(house, DialNow("1001", callback_id))).ruling.allowed
        assert house.rows("select override_by, override_reason from dials") == [("2002", "来电人要求夜间回访")]
        assert house.engine.world.callbacks[callback_id].override_by is None


async def test_a_step_of_the_clock_stops_dialling_until_a_lead_has_looked(house: House) -> None:
    """Fail closed, over a restart too; told once."""
    callback_id = await owed(house)
    await said(house, PreviewOpened("1001", callback_id))
    house.clock.step(timedelta(minutes=-20))
    for _ in range(2):
        assert (await said(house, DialNow("1001", callback_id))).ruling.code == "clock_stepped"
    await house.kill()
    await house.boot()
    assert not house.engine.board()["duty"]["dialling"]["clock_trusted"]
    assert sum(m.get("code") == "clock_stepped" for m in house.engine.board()["alarms"]) == 1
    await said(house, ConfirmClock("2001"))
    assert house.rows("select trusted, confirmed_by from dial_house") == [(1, "2001")]
    assert (await said(house, DialNow("1001", callback_id))).ruling.code != "clock_stepped"


async def test_a_step_within_an_attempt_is_seen_though_the_clock_is_right_again_after_it(house: House) -> None:
    """Else its end, told by a clock that was an hour back, would let the next begin too soon."""
    callback_id = await owed(house)
    await said(house, PreviewOpened("1001", callback_id))
    assert (await said(house, DialNow("1001", callback_id))).ruling.allowed
    house.clock.step(timedelta(hours=-1))
    while running := [dial for dial in house.pbx.dials.values() if dial.state != "over"]:
        house.pbx.step_dial(running[0])
        await house.quiet()
    house.clock.step(timedelta(hours=1))
    assert sum(m.get("code") == "clock_stepped" for m in house.engine.board()["alarms"]) == 1
    stepped_at = house.engine.world.stepped_at
    assert stepped_at is not None
    assert stepped_at >= house.clock.now() - timedelta(hours=1)


async def test_many_requests_for_one_number_are_one_callback_and_its_extensions_three(house: House) -> None:
    """S8: callback.number_open; whoever asks, under whatever key. Another extension is another caller."""
    for n in range(20):
        assert (await said(house, RequestCallback(f"20{n:02}", "1001", NUMBER, None, None, f"k-{n}"))).ruling.allowed
    assert len(house.engine.world.callbacks) == 1
    company = [RequestCallback("2001", "1001", f"0530-5550001转80{n:02}", None, None, f"e-{n}") for n in range(20)]
    codes = [(await said(house, request)).ruling.code for request in company]
    assert codes.count("number_owed") == 17
    assert len(house.engine.world.callbacks) == 4


async def test_a_cap_that_is_hit_again_and_again_is_told_to_the_lead(house: House) -> None:
    """S8: third refusal within an hour, once an hour for each cap and agent; no caller's number is in it."""
    gate = next(part for part in house.engine.world.parts if isinstance(part, DialGate))
    gate.caps = Caps(agent_hourly=1, hourly=600, number_daily=8)
    first, second = await owed(house), await owed(house, "13800000062")
    for callback_id in (first, second):
        await said(house, PreviewOpened("1001", callback_id))
    assert (await said(house, DialNow("1001", first))).ruling.allowed
    placed = house.clock.now()
    told = "select data from outbox where kind = 'alarm' and data like '%_dials%'"
    for times in range(1, 6):
        ruling = (await said(house, DialNow("1001", second))).ruling
        assert (ruling.code, ruling.allowed_at) == ("agent_dials", placed + timedelta(hours=1))
        assert len(house.rows(told)) == (times >= 3)
    await house.wait(3599)
    await said(house, DialNow("1001", second))
    assert [json.loads(row[0]) for row in house.rows(told)] == [{"code": "agent_dials", "agent": "1001"}]
    gate.caps = Caps(agent_hourly=40, hourly=600, number_daily=8)
    await house.wait(5)
    assert (await said(house, DialNow("1001", second))).ruling.code not in RATES

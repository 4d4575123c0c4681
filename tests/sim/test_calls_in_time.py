"""Figures and escalation by the real engine: the same after any restart, alarmed as they near, at their moments."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cti.commands import GoBusy, GoReady
from cti.store.figures_reads import calls_between
from queues.figures import tallied
from tests.sim.house import AGENTS, House
from tests.sim.pbx import SimCall

LIMIT = timedelta(seconds=15)
DAY = timedelta(hours=24)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Four agents at their seats, no roster."""
    async with House(tmp_path, random.Random(7), mangle=False) as made:
        await made.wait(5)
        yield made


def connection(house: House) -> dict[str, Any]:
    """What the board shows of the rolling rate."""
    found: dict[str, Any] = house.engine.board()["duty"]["figures"]["connection"]
    return found


def told(house: House, *codes: str) -> list[tuple[str, str, str | None]]:
    """(code, subject, what) of the alarms in these, in order."""
    rows = house.rows("select subject, data from outbox where kind = 'alarm' order by seq")
    alarms = [(json.loads(data), subject) for subject, data in rows]
    return [(d["code"], subject, d.get("what")) for d, subject in alarms if d["code"] in codes]


def rate_alarms(house: House) -> list[tuple[str, str | None]]:
    """The alarms of the connection rate."""
    found = told(house, "connection_near", "connection_missed", "connection_regained")
    return [(code, what) for code, _, what in found]


async def enter(house: House) -> SimCall:
    """A caller waits."""
    house.pbx.enter()
    await house.quiet()
    return house.pbx.open_calls()[-1]


async def served(house: House, calls: int = 1) -> None:
    """So many callers are answered and hang up, one after the other."""
    for _ in range(calls):
        house.pbx.enter()
        call = house.pbx.open_calls()[-1]
        house.pbx._ring(call, "1001")
        house.pbx._connect(call)
        house.pbx._complete(call)
        await house.quiet()


async def gives_up(house: House) -> None:
    """A caller gives up."""
    call = await enter(house)
    house.pbx._abandon(call)
    await house.quiet()


async def test_the_rate_is_alarmed_as_it_nears_and_when_it_is_missed_and_does_not_flap(house: House) -> None:
    """Under 97 % a warning, under 95 % an alarm, once each; better only a point above the bound."""
    await served(house, 39)
    await gives_up(house)  # 39 of 40: 97.5 %
    assert rate_alarms(house) == []
    await gives_up(house)  # 39 of 41: 95.1 %
    assert rate_alarms(house) == [("connection_near", "whole")]
    await gives_up(house)  # 39 of 42: 92.9 %
    await served(house, 18)  # 57 of 60: 95.0 %, and not yet a point above
    assert rate_alarms(house)[1:] == [("connection_missed", "whole")]
    assert connection(house)["level"] == "missed"
    await served(house, 15)  # 72 of 75: 96.0 %
    assert rate_alarms(house)[2:] == [("connection_near", "whole")]
    assert (connection(house)["connected"], connection(house)["decided"]) == (72, 75)


async def test_a_restart_in_the_middle_has_the_same_figures_and_tells_nothing_twice(house: House) -> None:
    """Killed between two calls, and in the middle of one: same rate, same level, no second alarm."""
    await served(house, 19)
    await gives_up(house)
    await gives_up(house)  # 19 of 21
    call = await enter(house)
    before = connection(house)
    for _ in range(2):
        await house.kill()
        await house.boot()
        after = connection(house)
        assert {**after, "gap": False} == {**before, "gap": False}
    assert rate_alarms(house) == [("connection_near", "whole"), ("connection_missed", "whole")]
    house.pbx._ring(call, "1001")
    house.pbx._connect(call)
    await house.quiet()
    assert (connection(house)["connected"], connection(house)["decided"]) == (20, 22)


async def test_a_call_leaves_the_window_after_24_hours_by_itself(house: House) -> None:
    """Nobody rings: the window moves all the same, at the microsecond of the oldest entry."""
    await served(house)
    entered = house.rows("select entered_at from calls")[0][0] / 1e6
    await house.wait(entered + DAY.total_seconds() - house.clock.now().timestamp() - 0.001)
    assert connection(house)["decided"] == 1
    await house.wait(0.001)
    assert (connection(house)["decided"], connection(house)["rate"]) == (0, None)


async def test_nothing_is_alarmed_from_inside_a_gap_and_what_follows_one_says_so(house: House) -> None:
    """The link is lost, callers are not answered for all we know; afterwards queue_log tells, and the alarm too."""
    await served(house, 20)
    house.drop()
    await house.quiet()
    for _ in range(4):
        house.pbx.enter()
        house.pbx._abandon(house.pbx.open_calls()[-1])
    house.read()
    await house.quiet()
    assert connection(house)["decided"] == 24  # read back already, but the stream is not live
    assert rate_alarms(house) == []
    assert connection(house)["gap"]
    await house.wait(5)
    await house.connect()
    assert rate_alarms(house) == [("connection_missed", "with_gap")]


async def test_lost_calls_are_named_and_count_as_not_connected(house: House) -> None:
    """Asterisk knows a caller no more and nobody saw the end: lost, by its id, in any figure that holds it."""
    await served(house)
    call = await enter(house)
    call.state = "over"
    await house.wait(1)
    await house.look()
    assert (connection(house)["rate"], connection(house)["lost"]) == (0.5, 1)
    async with house.real.read() as database:
        rows = await calls_between(database, "pbx1", "hotline", house.clock.now() - DAY, house.clock.now())
    assert tallied(rows, LIMIT).lost == [call.call_id]


async def test_the_window_and_the_boards_day_equal_a_recount_of_the_rows(tmp_path: Path) -> None:
    """A mangled hour with kills and lost links: memory, a recount of table calls, and queue_log are one."""
    rng = random.Random(11)
    async with House(tmp_path, rng) as house:
        for n in range(150):
            await house.wait(rng.uniform(1, 20))
            calls = house.pbx.open_calls()
            if not calls or rng.random() < 0.4:
                house.pbx.enter()
            else:
                house.pbx.step(rng.choice(calls))
            if n % 50 == 49:
                await house.kill()
                await house.boot()
        for call in house.pbx.open_calls():
            while call.state != "over":
                house.pbx.step(call, ending=True)
        house.pbx.flush()
        await house.look()
        async with house.real.read() as database:
            rows = await calls_between(database, "pbx1", "hotline", house.clock.now() - DAY, house.clock.now())
        tally = tallied(rows, LIMIT)
        shown, today = connection(house), house.engine.board()["today"]
        assert (shown["connected"], shown["decided"]) == (tally.answered, tally.decided)
        assert tally.answered == len(house.pbx.answered)
        assert tally.decided == tally.entered == len(house.pbx.calls)
        assert (today["answered"], today["entered"]) == (tally.answered, tally.entered)
        assert today["within_limit"] == tally.within


def steps(house: House) -> list[tuple[str, str, int, list[str]]]:
    """Call, step, how long it had waited, who was asked."""
    rows = house.rows("select call_id, step, waited_ms, asked from escalations order by at, step")
    return [(call_id, step, waited, json.loads(asked)) for call_id, step, waited, asked in rows]


def line(house: House, agent: str) -> dict[str, Any]:
    """The agent's line of the board."""
    return next(line for line in house.engine.board()["agents"] if line["number"] == agent)


async def test_each_step_is_taken_at_its_moment_and_kept(house: House) -> None:
    """10.000 s: the lead; 12.000 s: who is 示忙 with work that can wait; nothing for who is answered in time."""
    for agent, reason in (("1001", "break"), ("1002", "ticket"), ("1003", "meeting")):
        await house.ask(GoBusy(agent, reason))
        await house.quiet()
    call = await enter(house)
    await house.wait(9.999)
    assert steps(house) == []
    await house.wait(0.001)
    assert steps(house) == [(call.call_id, "lead", 10_000, [])]
    assert told(house, "caller_waiting", "pool_asked") == [("caller_waiting", call.call_id, None)]
    assert house.engine.board()["duty"]["escalated"] == {call.call_id: ["lead"]}
    assert not line(house, "1002")["asked_back"]
    await house.wait(2)
    assert steps(house)[1:] == [(call.call_id, "pool", 12_000, ["1002", "1003"])]
    assert [line(house, a)["asked_back"] for a in ("1001", "1002", "1003", "1004")] == [False, True, True, False]
    await house.ask(GoReady("1002"))
    assert not line(house, "1002")["asked_back"]
    house.pbx._ring(call, "1004")
    house.pbx._connect(call)
    await house.quiet()
    assert house.engine.board()["duty"]["escalated"] == {}
    assert not line(house, "1003")["asked_back"]
    await enter(house)
    house.pbx._abandon(house.pbx.open_calls()[-1])
    await house.wait(60)
    assert len(steps(house)) == 2


async def test_steps_are_taken_once_whatever_dies_and_not_from_inside_a_gap(house: House) -> None:
    """A restart knows what was told; a caller who waited through a gap is looked at when it ends."""
    first = await enter(house)
    await house.wait(11)
    await house.kill()
    await house.boot()
    await house.wait(30)
    assert [(c, s) for c, s, _, _ in steps(house)] == [(first.call_id, "lead"), (first.call_id, "pool")]
    assert told(house, "caller_waiting") == [("caller_waiting", first.call_id, None)]
    second = await enter(house)
    house.drop()
    await house.wait(20)
    assert second.call_id not in {c for c, *_ in steps(house)}
    await house.connect()
    assert [(c, s, w) for c, s, w, _ in steps(house) if c == second.call_id] == [
        (second.call_id, "lead", 20_000), (second.call_id, "pool", 20_000)
    ]  # fmt: skip


async def test_one_deadline_serves_every_caller_and_a_lost_one_is_asked_for_again(house: House) -> None:
    """Many who wait are each looked at in their own moment; a wake dropped with a full inbox silences nobody."""
    calls = []
    for agent in AGENTS:
        await house.ask(GoBusy(agent, "ticket"))
    for _ in range(3):
        calls.append(await enter(house))
        await house.wait(1)
    assert [key for key in house.timers if key.startswith("escalate")] == ["escalate:"]
    house.pbx._abandon(calls[0])
    await house.wait(10)
    assert [(c, w) for c, step, w, _ in steps(house) if step == "lead"] == [
        (calls[1].call_id, 10_000), (calls[2].call_id, 10_000)
    ]  # fmt: skip
    house.pbx._abandon(calls[1])
    house.pbx._abandon(calls[2])
    await enter(house)
    assert house.timers.pop("escalate:")
    await house.wait(15)
    late = await enter(house)
    await house.wait(10)
    assert (late.call_id, "lead", 10_000) in [found[:3] for found in steps(house)]


async def test_a_profile_without_the_figures_escalates_nothing_and_rates_nothing(tmp_path: Path) -> None:
    """Off is off: the rate is still shown, against nothing."""
    house = House(tmp_path, random.Random(7), mangle=False)
    gone = ("escalate.", "connection.")
    limits = {k: v for k, v in house.profile.limits.items() if not k.startswith(gone)}
    house.profile = replace(house.profile, limits=limits)
    async with house:
        for _ in range(30):
            await gives_up(house)
        await enter(house)
        await house.wait(60)
        assert steps(house) == []
        assert rate_alarms(house) == []
        assert (connection(house)["rate"], connection(house)["least_percent"]) == (0, None)

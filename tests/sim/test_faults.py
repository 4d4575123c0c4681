"""One short scripted day with a fault at each of its writes, and a database that somebody else holds."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cti.ami import events as ami
from cti.commands import RequestCallback
from tests.sim.house import House

CALLBACK = RequestCallback("2001", "1002", "13800000009", None, None, "once")


async def script(house: House) -> None:
    """An answered call, an abandoned one, and a callback whose caller is reached."""
    pbx = house.pbx
    pbx.enter()
    await house.quiet()
    call = pbx.open_calls()[0]
    for act in (lambda: pbx._ring(call, "1001"), lambda: pbx._connect(call), lambda: pbx._complete(call)):
        act()
        await house.quiet()
        await house.wait(3)
    pbx.enter()
    pbx._abandon(pbx.open_calls()[0])
    await house.quiet()
    await house.ask(CALLBACK)
    await house.ask(CALLBACK)  # the page asks again, as after a lost answer; the key is the same
    await house.wait(1)
    while running := [d for d in pbx.dials.values() if d.state != "over"]:
        pbx.step_dial(running[0])
        await house.quiet()
        await house.wait(1)
    await house.look()
    await house.look()


def right(house: House) -> None:
    """Nothing lost, nothing doubled."""
    assert house.rows("select call_id from tickets") == [(house.pbx.answered[0],)]
    assert house.rows("select count(*), max(state) from recordings where call_id not like 'cticb-%'") == [(1, "ok")]
    assert house.rows("select call_id from recordings where state <> 'ok'") == [], "a callback's is judged as well"
    assert house.rows("select ending from calls order by call_id") == [("completed",), ("abandoned",)]
    assert house.rows("select count(*) from callbacks") == [(1,)]
    numbers = [row[0] for row in house.rows("select seq from outbox order by seq")]
    assert numbers == list(range(1, len(numbers) + 1))
    opened = house.rows("select count(*) from outbox where kind = 'ticket.opened'")
    assert opened == [(1,)]
    assert len({dial.channel_id for dial in house.dialled}) == len(house.dialled)
    assert house.rows("select count(*) from attempts where outcome = 'placing'") == [(0,)]
    rang = [d for d in house.pbx.dials.values() if d.rang_at is not None]
    assert len(rang) <= 1


async def writes_of_the_script(folder: Path) -> tuple[int, int]:
    async with House(folder, random.Random(1), mangle=False) as house:
        begun = house.store.writes
        await script(house)
        right(house)
        return begun, house.store.writes


@pytest.mark.parametrize("fault", ["before", "after", "busy"])
async def test_a_fault_at_any_write(fault: str, tmp_path: Path) -> None:
    """Killed before or after each commit, or refused by the disk at each: nothing is lost, told or dialled twice."""
    (tmp_path / "whole").mkdir()
    first, last = await writes_of_the_script(tmp_path / "whole")
    assert last - first > 10
    for number in range(first + 1, last + 1):
        folder = tmp_path / str(number)
        folder.mkdir()
        async with House(folder, random.Random(1), mangle=False) as house:
            house.store.faults[number] = fault
            await script(house)
            assert not house.store.faults, f"write {number} was never made"
            right(house)


async def test_a_locked_database_delays_and_loses_nothing(tmp_path: Path) -> None:
    """While somebody else writes for long, tickets wait, the page's answer waits, and then both come."""
    async with House(tmp_path, random.Random(2), mangle=False) as house:
        _do_not_wait(house)
        with closing(sqlite3.connect(house.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            for _ in range(3):
                house.pbx.enter()
            for call in house.pbx.open_calls():
                house.pbx._ring(call, house.pbx.free()[0])
                house.pbx._connect(call)
            third = house.store.reached[house.store.writes + 3] = asyncio.Event()
            answer = asyncio.ensure_future(house.engine.submit(CALLBACK))
            await third.wait()  # tried, refused, and tried again
            assert not answer.done()
            assert house.rows("select count(*) from tickets") == [(0,)]
            other.execute("ROLLBACK")
        assert (await answer).ruling.allowed
        assert house.rows("select count(*) from tickets") == [(3,)]
        assert house.rows("select count(*) from callbacks") == [(1,)]


def _do_not_wait(house: House) -> None:
    """Be refused at once instead of after SQLite's own 30 s."""
    connection = house.real._connection
    assert connection is not None
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute("PRAGMA busy_timeout=0")


async def test_a_hang_up_alone_does_not_say_that_nobody_was_rung(tmp_path: Path) -> None:
    """The link was away while the caller rang, and only the end is heard: Asterisk's records decide, not a guess."""
    async with House(tmp_path, random.Random(1), mangle=False) as house:
        await house.ask(CALLBACK)
        await house.wait(1)
        (channel_id, dialled), *_ = house.pbx.dials.items()
        house.pbx.link_up = False  # the events are lost, but nobody has noticed yet
        while dialled.rang_at is None:
            house.pbx.step_dial(dialled)
        dialled.state, dialled.status, dialled.ended_at = "over", "NOANSWER", house.clock.now()
        house.pbx.link_up = True
        house.engine.hear(ami.Hangup(house.clock.now(), channel_id, channel_id, "Local/x", 16))
        await house.quiet()
        assert house.rows("select outcome from attempts") == [("no_answer",)]
        await house.wait(7100)
        assert len(house.dialled) == 1

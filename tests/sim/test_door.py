"""Callers turned away at the door, on the real engine and a real database: owed an answer, counted, and once."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from queues.facts import Door, ShutOut
from tests.sim.house import House
from tests.sim.missing import NUMBER, answered, duties, in_vain
from tests.sim.pbx import QUEUE
from tests.sim.test_findings import us

DOOR = "select call_id, why, withheld from shut_outs order by at, call_id"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Four agents ready, at nine."""
    async with House(tmp_path, random.Random(5), mangle=False) as made:
        yield made


def shut_out(house: House, number: str = NUMBER, why: Door = Door.FULL, queue: str = QUEUE) -> ShutOut:
    """*number* rings and is turned away: Asterisk says nothing of him but one line of queue_log."""
    fact = ShutOut(house.pbx._new_id(), house.clock.now().replace(microsecond=0), queue, number, why)
    house.pbx.log.append(fact)  # type: ignore[arg-type]
    return fact


async def heard(house: House) -> None:
    """The service reads queue_log."""
    house.read()
    await house.quiet()


@pytest.mark.parametrize("why", list(Door))
async def test_whoever_is_turned_away_is_owed_an_answer(house: House, why: Door) -> None:
    """Whatever was full: one duty with his later call in vain, as old as the first try; no call of the queue's own."""
    first = shut_out(house, why=why)
    await heard(house)
    assert house.rows("select count(*) from calls") == [(0,)]
    assert house.rows(DOOR) == [(first.call_id, why.value, 0)]
    await house.wait(60)
    again = await in_vain(house)
    (duty,) = duties(house, "open")
    assert (duty["number"], duty["first_at"], duty["latest"]) == (NUMBER, us(first.at), [first.call_id, again.call_id])
    await answered(house)
    assert [d["state"] for d in duties(house)] == ["came_through"]


async def test_a_line_that_is_read_again_counts_once(house: House) -> None:
    """A log read from its start again makes no second duty, though the first was settled; nor after a restart."""
    shut_out(house)
    shut_out(house, "")
    await heard(house)
    await house.wait(60)
    await answered(house)
    told = [(d["missed_id"], d["state"]) for d in duties(house)]
    rows = house.rows(DOOR)
    for _ in range(2):
        house.pbx.log += house.pbx.log[:2]
        await heard(house)
        assert [(d["missed_id"], d["state"]) for d in duties(house)] == told
        assert house.rows(DOOR) == rows
        assert house.engine.board()["duty"]["missed"]["withheld"] == 1
        await house.kill()
        await house.boot()
        assert house.engine.board()["duty"]["missed"]["withheld"] == 1


async def test_turned_away_before_a_conversation_that_is_known(house: House) -> None:
    """He rang, was turned away, rang again and was answered, all before his line is read: nothing is owed."""
    line = shut_out(house)
    await house.wait(2)
    await answered(house)
    await heard(house)
    assert duties(house) == []
    assert house.rows("select call_id from shut_outs") == [(line.call_id,)]


async def test_another_queue_is_not_ours(house: House) -> None:
    """A line of somebody else's queue is neither counted nor owed."""
    shut_out(house, queue="other")
    await heard(house)
    assert (house.rows(DOOR), duties(house)) == ([], [])

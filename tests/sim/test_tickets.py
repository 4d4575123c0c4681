"""Ticket stubs on the real engine and a real database: opened on answer, said of, kept, finished, over kills."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cti.commands.handover import FinishTicket
from queues.stubs import Stub
from tests.sim.house import House
from tests.sim.missing import NUMBER, answered, caller


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Four agents ready, at nine."""
    async with House(tmp_path, random.Random(5), mangle=False) as made:
        yield made


async def the_stub(house: House) -> Stub:
    """A caller was answered by 1001: the stub that this opened."""
    before = set(house.engine.world.stubs)
    await answered(house)
    (ticket_id,) = set(house.engine.world.stubs) - before
    return house.engine.world.stubs[ticket_id]


async def test_an_answered_call_opens_a_stub_and_writes_no_row_for_it(house: House) -> None:
    """Everything that the call itself tells is in the ticket: a stub of which nothing was said costs no row."""
    stub = await the_stub(house)
    ((ticket_id, call_id, opened_at),) = house.rows("select ticket_id, call_id, opened_at from tickets")
    assert (stub.ticket_id, stub.call_id, stub.agent, stub.caller) == (ticket_id, call_id, "1001", NUMBER)
    assert (stub.opened_at.timestamp() * 1e6, stub.kind, stub.ordinal) == (pytest.approx(opened_at), None, 1)
    assert house.rows("select count(*) from stubs") == [(0,)]


async def test_a_finished_ticket_leaves_memory(house: House) -> None:
    """办结: neither this process nor the next holds it."""
    stub = await the_stub(house)
    await house.ask(FinishTicket("1001", stub.ticket_id))
    assert house.engine.world.stubs == {}
    await house.kill()
    await house.boot()
    assert house.engine.world.stubs == {}


async def test_memory_stays_flat_over_stubs_of_which_nothing_is_said(house: House) -> None:
    """Quarter of an hour after the call a bare stub leaves; one in conversation stays; a command brings it back."""
    gone = await the_stub(house)
    call = caller(house.pbx)
    house.pbx._ring(call, "1002")
    house.pbx._connect(call)
    await house.wait(16 * 60)
    await house.quiet()
    assert [stub.call_id for stub in house.engine.world.stubs.values()] == [call.call_id]
    await house.ask(FinishTicket("1003", gone.ticket_id))  # refused: it is 1001's
    assert house.engine.world.stubs[gone.ticket_id] == gone

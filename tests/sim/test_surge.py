"""Surges on the real engine and a real database: one alarm, one group that loses nobody, over kills and to the edge."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cti.commands.surge import TakeOutOfSurge
from cti.commands.tickets import SetParticulars
from cti.engine.surging import Surging
from queues.stubs import Stub
from tests.sim.ticketing import LEAD, Tickets, tickets


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Tickets]:
    """Four agents ready, at nine; Heze's figures: ten in ten minutes, over at three."""
    async with tickets(tmp_path) as made:
        yield made


async def of(house: Tickets, count: int, area: str = "east", **more: str) -> list[Stub]:
    """*count* tickets of *area*, 23 s apart."""
    made = []
    for _ in range(count):
        stub = await house.stub()
        await house.yes(SetParticulars("1001", stub.ticket_id, {"area": area, **more}))
        made.append(stub)
    return made


def group(house: Tickets) -> set[str]:
    """Tickets of the one group, by its rows, without those that were taken out."""
    return {row[0] for row in house.rows("select ticket_id from surge_tickets where out_at is null")}


def part(house: Tickets) -> Surging:
    """The part of the engine that runs now."""
    return next(one for one in house.engine.world.parts if isinstance(one, Surging))


async def test_the_tenth_ticket_raises_one_alarm_and_later_ones_join(house: Tickets) -> None:
    """Nine are none; the tenth groups all ten; the eleventh joins without a word; another area is no part of it."""
    first = await of(house, 9)
    await of(house, 2, area="west")
    assert house.alarms("surge") == []
    first += await of(house, 1)
    assert len(house.alarms("surge")) == 1
    first += await of(house, 1)
    assert len(house.alarms("surge")) == 1
    assert group(house) == {stub.ticket_id for stub in first}
    (shown,) = house.engine.board()["duty"]["surges"]
    assert (shown["by"], shown["code"], shown["tickets"]) == ("area", "east", 11)


async def test_a_surge_of_one_kind_is_one_of_its_own(house: Tickets) -> None:
    """Ten repairs from two areas: a surge of the kind, none of an area."""
    await of(house, 5, area="east", kind="repair")
    await of(house, 5, area="west", kind="repair")
    assert house.rows('select "by", code from surges') == [("kind", "repair")]


async def test_it_ends_by_itself_when_three_are_left_and_can_begin_anew(house: Tickets) -> None:
    """At the moment at which the count falls to three, not a second before; the group stays on record."""
    made = await of(house, 10)  # opened 3 s after each call, 23 s apart: at 3, 26, ... 210 s
    await house.wait((made[6].opened_at - house.clock.now()).total_seconds() + 599.9)
    assert len(part(house).active) == 1
    await house.wait(0.2)
    assert part(house).active == {}
    assert house.rows("select most, ended_at is not null from surges") == [(10, 1)]
    assert len(group(house)) == 10
    await of(house, 9)
    assert len(house.alarms("surge")) == 1  # the three have grown old meanwhile
    await of(house, 1)
    assert len(house.alarms("surge")) == 2


async def test_a_kill_neither_repeats_the_alarm_nor_loses_a_ticket(house: Tickets) -> None:
    """The new process counts on from the rows: no second alarm, the same group, the same end."""
    made = await of(house, 10)
    before = group(house)
    await house.restart()
    assert group(house) == before == set(part(house).active.popitem()[1].tickets)
    await house.restart()
    made += await of(house, 1)
    assert len(house.alarms("surge")) == 1
    assert group(house) == {stub.ticket_id for stub in made}
    await house.wait(700)
    assert part(house).active == {}


async def test_below_the_figure_a_kill_forgets_no_ticket(house: Tickets) -> None:
    """Nine, a kill, and one more: the tenth raises it."""
    await of(house, 9)
    await house.restart()
    await of(house, 1)
    assert len(house.alarms("surge")) == 1


async def test_a_lead_takes_a_ticket_out_for_good(house: Tickets) -> None:
    """An agent cannot; what is out stays out, over a kill, and who took it out is on record."""
    made = await of(house, 10)
    (surge,) = part(house).active.values()
    ticket = made[3].ticket_id
    outcome = await house.ask(TakeOutOfSurge("1001", surge.surge_id, ticket))
    assert outcome is not None
    assert outcome.ruling.code == "surge_lead_only"
    outcome = await house.ask(TakeOutOfSurge(LEAD, surge.surge_id, ticket))
    assert outcome is not None
    assert outcome.ruling.allowed
    await house.restart()
    await of(house, 1)
    assert ticket not in group(house)
    assert house.rows("select ticket_id, out_by from surge_tickets where out_at is not null") == [(ticket, LEAD)]
    outcome = await house.ask(TakeOutOfSurge(LEAD, "g-none", ticket))
    assert outcome is not None
    assert outcome.ruling.code == "no_such_surge"


async def test_a_corrected_area_counts_where_it_is_now(house: Tickets) -> None:
    """Nine east and one west that becomes east: the tenth."""
    await of(house, 9)
    (late,) = await of(house, 1, area="west")
    assert house.alarms("surge") == []
    await house.yes(SetParticulars("1001", late.ticket_id, {"area": "east"}))
    assert len(house.alarms("surge")) == 1

"""Callbacks are put where there are people to make them, from the first attempt on: on the real engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from cti.commands import SignIn, SignOut
from cti.commands.owed import AgreeAppointment, OweCallback
from cti.commands.roster import PutShifts, ShiftEntry
from queues.planning import quarter_of
from tests.sim.house import AGENTS
from tests.sim.owing import Owed, owed
from tests.sim.ticketing import LEAD

ZONE = ZoneInfo("Asia/Shanghai")
EIGHT = datetime(2026, 11, 23, 8, tzinfo=ZONE)  # on the Monday


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Owed]:
    """Four agents ready, on a Saturday at nine: twenty callbacks in a quarter-hour."""
    async with owed(tmp_path) as made:
        yield made


async def owes(house: Owed, count: int, start: int = 0) -> None:
    """So many callers are owed a callback."""
    for n in range(start, start + count):
        await house.did(OweCallback(LEAD, f"k-{n}", f"138000{n:05}", None, "repair"))


def due(house: Owed) -> dict[str, int]:
    """Local start of a quarter-hour -> callbacks due in it."""
    moments = [c.due_at for c in house.callbacks() if c.due_at is not None]
    return dict(sorted(Counter(f"{quarter_of(at).astimezone(ZONE):%d %H:%M}" for at in moments).items()))


async def test_first_attempts_are_laid_out_by_the_planner(house: Owed) -> None:
    """As many in a quarter-hour as its agents can make; planned again after a restart where they were."""
    await owes(house, 45)
    assert due(house) == {"21 09:00": 20, "21 09:15": 20, "21 09:30": 5}
    await house.restart()
    await owes(house, 16, 45)
    assert due(house) == {"21 09:00": 20, "21 09:15": 20, "21 09:30": 20, "21 09:45": 1}


async def test_the_next_attempt_goes_to_another_part_of_the_day(house: Owed) -> None:
    """Nine in vain: noon, and then the evening; three attempts in three parts of the day."""
    await house.replied(await house.handed())
    callback_id = house.the_one().callback_id
    times = []
    for _ in range(3):
        at = house.the_one().due_at
        assert at is not None
        await house.wait(max((at - house.clock.now()).total_seconds() + 1, 0))
        times.append(f"{at.astimezone(ZONE):%H}")
        await house.rings(callback_id, "NOANSWER")
    assert times == ["09", "12", "18"]


async def test_an_agreed_time_is_the_planners_as_well(house: Owed) -> None:
    """To the minute, after the conversation in which it was agreed; and no other callback moves it."""
    await house.replied(await house.handed())
    callback_id = house.the_one().callback_id
    agreed = datetime(2026, 11, 21, 15, 20, 30, tzinfo=ZONE)
    await house.rings(callback_id)
    await house.did(AgreeAppointment("1001", callback_id, agreed))
    assert house.the_one().due_at == agreed.replace(second=0)


async def test_the_roster_says_who_is_there_tomorrow(house: Owed) -> None:
    """At night one agent is signed in; by the roster four come at eight, and tomorrow is planned for four."""
    shifts = tuple(ShiftEntry(agent, EIGHT, EIGHT + timedelta(hours=12), "day", "") for agent in AGENTS)
    await house.wait((EIGHT - timedelta(hours=11) - house.clock.now()).total_seconds())
    for agent in AGENTS[1:]:
        await house.ask(SignOut(agent))
    await owes(house, 7)
    assert due(house) == {"23 08:00": 5, "23 08:15": 2}
    await house.did(PutShifts(LEAD, shifts, "排班"))
    await owes(house, 20, 7)
    assert due(house) == {"23 08:00": 20, "23 08:15": 7}


def unfit(house: Owed) -> tuple[int, int]:
    """What the board says."""
    found = house.engine.board()["duty"]["callbacks_fit"]
    return found["by_rules"], found["by_crew"]


async def test_the_lead_is_told_once_when_they_do_not_fit_until_they_do(house: Owed) -> None:
    """With nobody signed in one is reckoned a quarter-hour: 105 to Monday nine. With one agent there are five."""
    for agent in AGENTS:
        await house.ask(SignOut(agent))
    await owes(house, 112)
    await house.wait(61)
    assert unfit(house) == (0, 7)
    await owes(house, 2, 112)
    await house.wait(61)
    assert unfit(house) == (0, 9)
    assert len(house.alarms("callbacks_do_not_fit")) == 1
    await house.ask(SignIn("1001", "3001"))
    await house.wait(61)
    assert unfit(house) == (0, 0)
    await house.ask(SignOut("1001"))
    await house.wait(61)
    assert len(house.alarms("callbacks_do_not_fit")) == 2


async def test_time_that_passes_is_told_as_well(house: Owed) -> None:
    """Nobody changes anything: on Sunday at seven three attempts two hours apart fit no more before Monday nine."""
    await owes(house, 1)
    assert unfit(house) == (0, 0)
    await house.wait((EIGHT - timedelta(hours=13, minutes=30) - house.clock.now()).total_seconds())
    assert house.alarms("callbacks_do_not_fit") == []
    await house.wait(3600)
    assert unfit(house) == (1, 0)
    assert len(house.alarms("callbacks_do_not_fit")) == 1

"""Callbacks on the handover sheet (QD 第十二条(五)): the lead hands over what nobody has claimed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from cti.commands import GoReady, RequestCallback, SignIn, SignOut
from cti.commands.handover import PairSeats, SignSheet, TakeItem
from cti.commands.roster import PutShifts, ShiftEntry
from cti.engine.records import Callback
from cti.store.handovers import handovers_in_hand
from tests.sim.shifts import CALLER, CHANGE, LEADS, Shifts

MASKED = "138****0001"


async def on_the_desk(house: Shifts, agent: str, number: str = CALLER) -> str:
    """A callback that is dialled by the key; *agent* has claimed it, or nobody."""
    asked = RequestCallback("1001", "1001", number, None, CHANGE + timedelta(hours=3), None)
    callback_id = str((await house.yes(asked)).data["callback_id"])
    await change(house, callback_id, agent=agent, by_key=True)
    return callback_id


async def change(house: Shifts, callback_id: str, **values: object) -> None:
    """Other facts of a callback, put within a batch, as a command of the desk does."""
    world, handing = house.engine.world, house.handing
    batched = handing.batched

    def changed(now: datetime) -> None:
        callback: Callback = world.callbacks[callback_id]
        world.put_callback(replace(callback, **values))  # type: ignore[arg-type]
        batched(now)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(handing, "batched", changed)
        await house.ask(GoReady("1002"))
    await house.quiet()


async def leads_change(house: Shifts) -> None:
    """The day's lead 2001 hands over to the night's lead 2002."""
    day = ShiftEntry(LEADS[0], CHANGE - timedelta(hours=9), CHANGE, "night", seat="3009")
    night = ShiftEntry(LEADS[1], CHANGE, CHANGE + timedelta(hours=9), seat="3009")
    await house.yes(PutShifts(LEADS[1], (day,), "排班"))
    await house.yes(PutShifts(LEADS[0], (night,), "排班"))
    await house.yes(SignIn(LEADS[0], "3009"))


async def test_what_nobody_has_claimed_goes_to_the_night_lead(tmp_path: Path) -> None:
    """On the lead's sheet alone, to be read there; taken, it is the night lead's; claimed meanwhile, it settles."""
    async with Shifts(tmp_path, timedelta(minutes=29)) as house:
        await leads_change(house)
        free, claimed = await on_the_desk(house, ""), await on_the_desk(house, "1001", "13800000002")
        assert [key for key, (_, state) in house.items("1001").items() if state == "open"] == [claimed]
        assert set(house.items(LEADS[0])) == {free}
        other = await on_the_desk(house, "", "13800000003")
        assert house.items(LEADS[0])[other][1] == "open"
        await change(house, other, agent="1002")
        assert (house.items(LEADS[0])[other][1], house.items("1002")[other][1]) == ("done", "open")
        async with house.real.read() as connection:
            (handover,) = await handovers_in_hand(connection, house.engine.settings.pbx_id)
        (pair,) = [pair for pair in handover.pairs if pair.outgoing == LEADS[0]]
        line = next(item.callback for item in pair.items if item.subject == free)
        assert line is not None
        assert (line.number, line.attempts, line.due_at) == (MASKED, 0, CHANGE + timedelta(hours=3))
        await house.yes(SignSheet(LEADS[0], house.handover_id))
        await house.yes(TakeItem(LEADS[1], house.items(LEADS[0])[free][0]))
        assert house.rows("select agent from callbacks where callback_id = ?", free) == [(LEADS[1],)]


async def test_who_has_no_relief_leaves_his_callbacks_to_everybody(tmp_path: Path) -> None:
    """Else they would stay claimed by somebody who went home; what rings an agent by itself stays his."""
    async with Shifts(tmp_path, timedelta(minutes=29)) as house:
        await leads_change(house)
        desk = await on_the_desk(house, "1001")
        by_itself = await on_the_desk(house, "1001", "13800000002")
        await change(house, by_itself, by_key=False)
        await house.yes(PairSeats(LEADS[0], house.handover_id, {"1001": None}))
        await house.to(CHANGE)
        await house.yes(SignOut("1001"))
        agents = dict(house.rows("select callback_id, agent from callbacks"))
        assert agents == {desk: "", by_itself: "1001"}
        assert house.items(LEADS[0])[desk][1] == "open"

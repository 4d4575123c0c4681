"""Lateness, early presence and early leaving, measured against the roster by the real engine on a virtual clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from agents.shifts import ShiftState
from cti.commands import SignIn, SignOut
from cti.engine.duty.rostering import Rostering
from cti.engine.inputs import Due
from cti.engine.part import ActKind
from tests.sim.found import HOUR, found, roster, us
from tests.sim.house import MORNING, House

START = MORNING.replace(microsecond=0) + timedelta(minutes=30)


@pytest.mark.parametrize(("late_ms", "kinds"), [(0, []), (1, ["late"]), (125_000, ["late"])])
async def test_late_is_after_the_start_by_the_millisecond(house: House, late_ms: int, kinds: list[str]) -> None:
    """迟到: a sign-in at the start is in time, one a millisecond later is not; the finding says by how much."""
    await house.ask(SignOut("1001"))
    await roster(house, "1001", START)
    house.engine.put(Due("adherence:"))
    await say_arrived(house, "1001")
    await house.wait((START - house.clock.now()).total_seconds() + late_ms / 1000)
    await house.ask(SignIn("1001", "3001"))
    await house.wait(5)
    assert [f["kind"] for f in found(house)] == kinds
    for finding in found(house):
        assert (finding["began_at"], finding["evidence"]["late_ms"]) == (us(START), late_ms)
    kept = house.rows("select signed_in_at, ready_at, starts_at from attendance where agent = '1001'")
    assert [(s - start, r - start) for s, r, start in kept] == [(late_ms * 1000, late_ms * 1000)]


async def say_arrived(house: House, agent: str) -> None:
    """到岗, as conduct tells it."""
    house.engine.world.acted(ActKind.ARRIVED, agent, house.clock.now())


async def test_late_goes_on_and_who_never_comes_is_absent(house: House) -> None:
    """缺岗: shown as lateness while the shift runs, one finding from start to end; arriving late ends at the start."""
    await house.ask(SignOut("1001"))
    shift = await roster(house, "1001", START, hours=2)
    await house.wait((START - house.clock.now()).total_seconds() + 3)
    assert [f["kind"] for f in house.engine.board()["duty"]["findings"]] == ["late"]
    await house.wait(2 * 3600)
    early, absent = found(house)
    assert (early["kind"], early["ended_at"] - early["began_at"]) == ("arrived_late", 600_000_000)
    assert (absent["kind"], absent["state"]) == ("absent", "found")
    assert (absent["began_at"], absent["ended_at"]) == (us(START), us(shift.ends_at))
    assert absent["steps"][0]["what"] == "was_late"


@pytest.mark.parametrize(("before_s", "kinds"), [(600.0, []), (599.999, ["arrived_late"])])
async def test_being_there_ten_minutes_early(house: House, before_s: float, kinds: list[str]) -> None:
    """HZ 第二十七条, to the millisecond on both sides."""
    await house.ask(SignOut("1001"))
    await roster(house, "1001", START)
    await house.wait((START - house.clock.now()).total_seconds() - before_s)
    await house.ask(SignIn("1001", "3001"))
    await house.wait(605)
    assert [f["kind"] for f in found(house)] == kinds


@pytest.mark.parametrize(("gap_s", "kinds"), [(30.0, []), (30.001, ["late"])])
async def test_nobody_is_late_for_a_seat_that_is_still_held(house: House, gap_s: float, kinds: list[str]) -> None:
    """The relief is there in time and waits; from the outgoing agent's sign-out he has the 30 s of a handover."""
    await house.ask(SignOut("1001"))
    await roster(house, "1001", START, seat="3002")
    await roster(house, "1002", START - 2 * HOUR, hours=2)
    await say_arrived(house, "1001")
    await house.wait((START - house.clock.now()).total_seconds() + 240)
    assert found(house) == []
    await house.ask(SignOut("1002"))
    await house.wait(gap_s)
    await house.ask(SignIn("1001", "3002"))
    await house.wait(5)
    assert [f["kind"] for f in found(house)] == kinds


async def test_a_seat_that_was_left_and_not_taken_shows_who_is_late_for_it(house: House) -> None:
    """30 s after the outgoing agent's sign-out the lateness goes on live; it begins where the 30 s end."""
    await house.ask(SignOut("1001"))
    await roster(house, "1001", START, seat="3002")
    await say_arrived(house, "1001")
    await house.wait((START - house.clock.now()).total_seconds() + 60)
    await house.ask(SignOut("1002"))
    left = house.clock.now()
    await house.wait(31.9)
    assert house.engine.board()["duty"]["findings"] == []
    await house.wait(0.2)
    (live,) = house.engine.board()["duty"]["findings"]
    assert (live["kind"], live["since"]) == ("late", (left + timedelta(seconds=30)).isoformat())


async def test_a_shift_taken_out_of_the_roster_makes_nobody_late_any_more(house: House) -> None:
    """Leave granted while he is late: the lateness ends there, and nobody is absent at the end."""
    await house.ask(SignOut("1001"))
    await say_arrived(house, "1001")
    shift = await roster(house, "1001", START, hours=2, seat="3001")
    await house.wait((START - house.clock.now()).total_seconds() + 60)
    assert [f["kind"] for f in house.engine.board()["duty"]["findings"]] == ["late"]
    rostering = next(p for p in house.engine.world.parts if isinstance(p, Rostering))
    rostering.put([replace(shift, state=ShiftState.LEAVE)])
    house.engine.put(Due("adherence:"))
    await house.quiet()
    assert house.engine.board()["duty"]["findings"] == []
    await house.wait(3 * 3600)
    assert [f["kind"] for f in found(house) if f["kind"] != "arrived_late"] == ["late"]


async def test_left_early(house: House) -> None:
    """早退: found when the shift is over, for who was gone by then; a change of seats in between is none."""
    await roster(house, "1001", START, hours=2)
    await roster(house, "1002", START, hours=2)
    await house.wait((START - house.clock.now()).total_seconds() + 3600)
    await house.ask(SignOut("1002"))
    await house.wait(20)
    await house.ask(SignIn("1002", "3012"))
    await house.ask(SignOut("1001"))
    gone = house.clock.now()
    await house.wait(3600)
    (finding,) = found(house)
    assert (finding["kind"], finding["agent"], finding["began_at"]) == ("left_early", "1001", us(gone))
    assert finding["evidence"]["left_early_ms"] == (START + 2 * HOUR - gone) // timedelta(milliseconds=1)

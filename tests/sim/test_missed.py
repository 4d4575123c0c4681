"""Missed callers on the real engine and a real database: made, merged, settled, called back, over kills and gaps."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from cti.commands import GoBusy, Outcome, SignOut
from cti.commands.missed import CallBackMissed, ClaimMissed, CloseMissed, ReleaseMissed
from cti.engine.missed import MissedCallers
from cti.engine.world import PROVE_QUEUE
from cti.errors import BadInput
from queues.facts import Ending, Entered, Left
from tests.sim.house import House, local
from tests.sim.missing import NUMBER, answered, caller, dialled, duties, give_up, in_vain, owed
from tests.sim.test_findings import us
from tests.sim.test_histories import Day, something

NIGHT = datetime(2026, 11, 21, 14, 30, tzinfo=ZoneInfo("UTC"))  # 22:30 in Shanghai
OTHER = "13800000062"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Four agents ready, at nine."""
    async with House(tmp_path, random.Random(5), mangle=False) as made:
        made.rng.random = lambda: 0.5  # type: ignore[method-assign]  # every Originate is taken
        yield made


async def asked(house: House, command: ClaimMissed | ReleaseMissed | CloseMissed | CallBackMissed) -> Outcome:
    outcome = await house.ask(command)
    assert outcome is not None
    return outcome


def part(house: House) -> MissedCallers:
    return next(p for p in house.engine.world.parts if isinstance(p, MissedCallers))


@pytest.mark.parametrize("ending", [e for e in Ending if e not in (Ending.COMPLETED, Ending.TRANSFERRED, Ending.LOST)])
async def test_every_end_without_an_answer_is_one_duty(house: House, ending: Ending) -> None:
    """Given up, timed out, turned away, taken out: one duty at once, and the true reason, told later, adds none."""
    call = await in_vain(house, ending=ending)
    (duty,) = duties(house, "open")
    assert (duty["number"], duty["first_at"], duty["latest"]) == (NUMBER, us(call.entered_at), [call.call_id])
    await house.look()
    assert house.rows("select ending from calls") == [(ending.value,)]
    assert duties(house) == [duty]
    assert house.engine.board()["duty"]["missed"] == {
        "open": 1, "oldest_since": call.entered_at.isoformat(), "withheld": 0
    }  # fmt: skip


async def test_tries_of_one_number_are_one_duty_as_old_as_the_first(house: House) -> None:
    """However his exchange writes the number: counted, the age the first try's; another number is another duty."""
    first = await in_vain(house)
    await house.wait(600)
    await in_vain(house, "+8613800000061")
    last = await in_vain(house, "13800000061", Ending.TIMED_OUT)
    await in_vain(house, OTHER)
    one, two = duties(house, "open")
    assert (one["tries"], one["first_at"], one["last_at"]) == (3, us(first.entered_at), us(last.entered_at))
    assert (two["number"], two["tries"]) == (OTHER, 1)


async def test_a_withheld_number_is_counted_and_no_duty(house: House) -> None:
    """Nobody can be called back; the figure is of the local day and survives a restart."""
    await in_vain(house, "")
    await in_vain(house, "")
    assert duties(house) == []
    assert house.engine.board()["duty"]["missed"] == {"open": 0, "oldest_since": None, "withheld": 2}
    await house.kill()
    await house.boot()
    assert house.engine.board()["duty"]["missed"]["withheld"] == 2
    await house.wait(24 * 3600)
    assert house.engine.board()["duty"]["missed"]["withheld"] == 0


async def test_who_comes_through_later_is_owed_nothing(house: House) -> None:
    """An answered call of the same number settles the duty, claimed or not; a try after it is a new duty."""
    await in_vain(house)
    missed_id = duties(house)[0]["missed_id"]
    assert (await asked(house, ClaimMissed("1002", missed_id))).ruling.allowed
    await answered(house, "1001")
    (duty,) = duties(house)
    assert (duty["state"], duty["closed_by"]) == ("came_through", "1001")
    assert house.engine.board()["duty"]["missed"]["open"] == 0
    again = await in_vain(house)
    assert [d["first_at"] for d in duties(house, "open")] == [us(again.entered_at)]


async def test_one_agent_claims_and_the_others_see_who(house: House) -> None:
    """Claimed by another: refused with the name and the article; given back, or left behind at 签出, it is free."""
    await in_vain(house)
    missed_id = duties(house)[0]["missed_id"]
    assert (await asked(house, ClaimMissed("1001", missed_id))).ruling.allowed
    second = (await asked(house, ClaimMissed("1002", missed_id))).ruling
    assert (second.code, second.articles[0].article) == ("missed_claimed", "第二十一条")
    assert "1001" in second.zh
    assert (await asked(house, ReleaseMissed("1002", missed_id))).ruling.code == "missed_claimed"
    assert (await asked(house, CallBackMissed("1002", missed_id))).ruling.code == "missed_claimed"
    assert (await asked(house, ReleaseMissed("1001", missed_id))).ruling.allowed
    assert (await asked(house, ClaimMissed("1002", missed_id))).ruling.allowed
    await house.ask(SignOut("1002"))
    assert duties(house)[0]["claimed_by"] is None
    assert (await asked(house, ClaimMissed("1002", missed_id))).ruling.code == "missed_not_signed_in"


async def test_a_reasoned_end_needs_the_claim_a_reason_and_words(house: House) -> None:
    """No end without a reason of the list and words of one's own; 联系不上 only when the attempts are used up."""
    await in_vain(house)
    missed_id = duties(house)[0]["missed_id"]
    assert (await asked(house, CloseMissed("1001", missed_id, "nuisance", "骚扰"))).ruling.code == "missed_not_claimed"
    await asked(house, ClaimMissed("1001", missed_id))
    for reason, text in (("nuisance", " "), ("nuisance", "x" * 201), ("bored", "不想打"), ("other", "a\nb")):
        with pytest.raises(BadInput):
            await house.ask(CloseMissed("1001", missed_id, reason, text))
    refused = (await asked(house, CloseMissed("1001", missed_id, "unreachable", "没打"))).ruling
    assert refused.code == "missed_not_tried"
    assert duties(house, "open") != []
    assert (await asked(house, CloseMissed("1001", missed_id, "nuisance", "无声骚扰"))).ruling.allowed
    (duty,) = duties(house)
    assert (duty["state"], duty["end_reason"], duty["end_text"], duty["closed_by"]) == (
        "ended", "nuisance", "无声骚扰", "1001"
    )  # fmt: skip
    assert (await asked(house, ClaimMissed("1001", missed_id))).ruling.code == "no_such_missed"


async def test_a_callback_that_reaches_closes_it(house: House) -> None:
    """By the one way that callbacks go: dialled at once by day, and once; closed by the conversation."""
    call = await in_vain(house)
    missed_id = duties(house)[0]["missed_id"]
    first = await asked(house, CallBackMissed("1001", missed_id))
    again = await asked(house, CallBackMissed("1001", missed_id))
    assert first.ruling.allowed
    assert first.data["callback_id"] == again.data["callback_id"]
    assert house.rows("select requested_at from callbacks") == [(us(call.entered_at),)]  # he keeps his place
    assert (await asked(house, ReleaseMissed("1001", missed_id))).ruling.code == "missed_planned"
    await house.wait(1)
    (dial,) = house.dialled
    assert dial.caller == NUMBER
    await dialled(house, dial, "ANSWER")
    (duty,) = duties(house)
    assert (duty["state"], duty["closed_by"], duty["callback_state"]) == ("reached", "1001", "reached")


async def test_three_attempts_in_vain_need_a_reasoned_end(house: House) -> None:
    """Two hours apart, three at most; exhausted is no end: the duty stays until somebody says why it ends."""
    await in_vain(house)
    missed_id = duties(house)[0]["missed_id"]
    await asked(house, CallBackMissed("1001", missed_id))
    for n in range(3):
        await house.wait(2.5 * 3600 if n else 1)
        await dialled(house, house.dialled[n], "NOANSWER")
    await house.wait(12 * 3600)
    assert len(house.dialled) == 3
    (duty,) = duties(house, "open")
    assert duty["callback_state"] == "exhausted"
    assert (await asked(house, CallBackMissed("1001", missed_id))).ruling.code == "missed_exhausted"
    assert (await asked(house, CloseMissed("1001", missed_id, "unreachable", "三次未接通"))).ruling.allowed
    assert duties(house)[0]["state"] == "ended"


async def test_who_comes_through_is_not_called_back(house: House) -> None:
    """A planned callback is cancelled, and one whose phone rings already is not tried again."""
    await in_vain(house)
    await in_vain(house, OTHER)
    one, two = (d["missed_id"] for d in duties(house))
    await house.ask(GoBusy("1001", "meal"))
    await asked(house, CallBackMissed("1001", one))
    await asked(house, CallBackMissed("1003", two))
    await house.wait(1)
    assert [d.caller for d in house.dialled] == [OTHER]
    await answered(house, "1002")
    await answered(house, "1002", OTHER)
    await dialled(house, house.dialled[0], "NOANSWER")
    assert [d["state"] for d in duties(house)] == ["came_through", "came_through"]
    assert house.rows("select state from callbacks order by callback_id") == [("cancelled",), ("cancelled",)]
    await house.wait(20 * 3600)
    assert len(house.dialled) == 1


async def test_at_night_a_return_waits_and_the_eldest_goes_first(tmp_path: Path) -> None:
    """KL 第十四条(九): nothing in [21:00, 08:00), over a restart too; at eight who rang first is rung first."""
    async with House(tmp_path, random.Random(5), NIGHT, mangle=False) as house:
        house.rng.random = lambda: 0.5  # type: ignore[method-assign]
        await in_vain(house, OTHER)
        await in_vain(house, NUMBER)
        ids = {d["number"]: d["missed_id"] for d in duties(house)}
        await asked(house, CallBackMissed("1001", ids[NUMBER]))  # asked for in the other order
        await asked(house, CallBackMissed("1001", ids[OTHER]))
        await house.kill()
        await house.boot()
        await house.wait(9.4 * 3600)
        assert house.dialled == []
        await house.wait(0.2 * 3600)
        assert [d.caller for d in house.dialled] == [OTHER]
        await dialled(house, house.dialled[0], "ANSWER")
        await house.wait(120)
        assert [d.caller for d in house.dialled] == [OTHER, NUMBER]
        assert local(house.pbx.dials[house.dialled[0].channel_id].at) < timedelta(hours=8, minutes=1)


@pytest.mark.parametrize("lost", [False, True])
async def test_calls_while_the_service_was_dead_are_read_back(house: House, lost: bool) -> None:
    """Abandoned while nobody listened: the same duties, once, however often it is read; who was answered is owed none.

    ``lost``: the caller was still there when Asterisk crashed, so that nothing told his end.
    """
    await in_vain(house, OTHER)
    left = caller(house.pbx, "13800000063") if lost else None
    await house.kill()
    first = caller(house.pbx)
    give_up(house.pbx, first)
    await house.clock.advance(30, settle=0)
    give_up(house.pbx, caller(house.pbx), Ending.EMPTY)
    through = caller(house.pbx, OTHER)
    house.pbx._ring(through, "1001")
    house.pbx._connect(through)
    house.pbx._complete(through)
    if lost:
        house.pbx.restart()
    await house.boot()
    expected = owed(house.pbx.log) | ({"13800000063": {left.call_id}} if left else {})
    for _ in range(2):
        found = {d["number"]: set(d["latest"]) for d in duties(house, "open")}
        assert found == expected
        assert [d["number"] for d in duties(house, "came_through")] == [OTHER]
        await house.kill()
        await house.boot()


async def test_a_call_in_vain_told_after_the_conversation_makes_no_duty(house: House) -> None:
    """Live events overtake what is read back: who was spoken with since is owed nothing, also over a restart."""
    house.drop()
    give_up(house.pbx, caller(house.pbx))
    await house.clock.advance(60, settle=0)
    kept, house.pbx.log = house.pbx.log, []
    await house.connect()
    await answered(house)
    await house.kill()
    await house.boot()
    house.pbx.log = [*house.pbx.log, *kept]
    await house.look()
    assert house.rows("select count(*) from calls where ending = 'abandoned'") == [(1,)]
    assert duties(house) == []


async def test_a_proof_that_fails_is_no_missed_caller(house: House) -> None:
    """The calls of ``cti prove`` have a queue of their own: they are kept as calls, and owe nobody an answer."""
    prove = Entered("1795284828.900", house.clock.now(), PROVE_QUEUE, NUMBER, exact=False)
    house.pbx.log += [prove, Left(prove.call_id, prove.at + timedelta(seconds=9), Ending.ABANDONED, exact=False)]
    await house.look()
    assert house.rows("select queue, ending from calls") == [(PROVE_QUEUE, "abandoned")]
    assert duties(house) == []


async def test_what_an_agent_who_left_had_planned_is_taken_over_with_its_attempts(house: House) -> None:
    """The callback goes to the new holder and rings there; it is the same one, so attempts are not counted anew."""
    await in_vain(house)
    missed_id = duties(house)[0]["missed_id"]
    await asked(house, CallBackMissed("1001", missed_id))
    await house.wait(1)
    await dialled(house, house.dialled[0], "NOANSWER")
    await house.ask(SignOut("1001"))
    assert duties(house)[0]["claimed_by"] == "1001"  # its callback is his until somebody takes it
    assert (await asked(house, ClaimMissed("1002", missed_id))).ruling.allowed
    await house.wait(2.5 * 3600)
    agents = house.rows("select ordinal, agent from attempts order by ordinal")
    assert agents == [(1, "1001"), (2, "1002")]
    assert house.rows("select agent from callbacks") == [("1002",)]
    assert duties(house)[0]["claimed_by"] == "1002"


async def test_a_rule_that_is_off_keeps_nothing(house: House) -> None:
    """A hotline whose text does not ask for it has no duties."""
    house.engine.world.profile.limits.pop("missed.return")
    await in_vain(house)
    assert duties(house) == []


async def test_memory_is_flat(house: House) -> None:
    """Closed duties leave memory; conversations are kept for a day."""
    for n in range(40):
        number = f"138000001{n:02}"
        await in_vain(house, number, waits=1)
        await answered(house, number=number)
    assert (part(house).open, part(house)._number_of) == ({}, {})
    await house.wait(25 * 3600)
    await answered(house, number="13800000200")
    assert len(part(house)._spoken) == 1


class StillDay(Day):
    """No clock is set and Asterisk does not crash: then queue_log itself would not know."""

    def step(self, by: timedelta) -> None:
        """Left out."""

    def crash(self) -> None:
        """Left out."""


@pytest.mark.parametrize("seed", range(12))
async def test_any_day_owes_what_queue_log_says(seed: int, tmp_path: Path) -> None:
    """Seeded days of calls, kills, gaps, repeats, swapped events: open duties are the calls in vain of queue_log."""
    rng = random.Random(1000 + seed)
    async with StillDay(tmp_path, rng) as house:
        for _ in range(60):
            await house.wait(1.1)  # queue_log has whole seconds: in one second it cannot tell before from after
            if rng.random() < 0.4:
                caller(house.pbx, f"1380000006{rng.randrange(4)}")
            else:
                await something(house, rng)
        house.store.faults.clear()
        await house.quiet()
        if not house.pbx.link_up:
            await house.connect()
        while house.pbx.open_calls():
            for call in house.pbx.open_calls():
                house.pbx.step(call, ending=True)
            await house.wait(1)
        house.pbx.flush()
        await house.look()
        found = {d["number"]: set(d["latest"]) for d in duties(house, "open")}
        assert found == owed(house.pbx.log)
        assert {d["tries"] for d in duties(house)} == {len(d["latest"]) for d in duties(house)}

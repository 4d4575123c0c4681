"""Whoever asks for a callback to a number that has an open one joins it: on the real engine and a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from cti.commands import GoBusy, RequestCallback
from cti.commands.missed import CallBackMissed
from cti.commands.owed import ClaimCallback, OweCallback, RecordResult, ReleaseCallback, SendBack
from tests.sim.missing import NUMBER, answered, duties, in_vain
from tests.sim.owing import Owed, owed
from tests.sim.ticketing import LEAD

HOURS = timedelta(hours=1)
WRITTEN = "+86 138 0000 0061"  # NUMBER, as a person writes it


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Owed]:
    """Four agents ready, on a Saturday at nine."""
    async with owed(tmp_path) as made:
        yield made


def asked(key: str | None, agent: str = "1002", ticket_id: str | None = None, number: str = WRITTEN) -> RequestCallback:
    return RequestCallback(agent, agent, number, ticket_id, None, key)


async def test_a_persons_request_joins_what_is_owed_to_the_number(house: Owed) -> None:
    """However it is written: the ticket joins, plan, deadline and duty stay, who asked makes it; the key asks once."""
    first, second = await house.handed(), await house.stub()
    await house.replied(first)
    before = house.the_one()
    answer = await house.did(asked("1002:k", ticket_id=second.ticket_id))
    assert (answer["callback_id"], answer["joined"], answer["agent"]) == (before.callback_id, True, "1002")
    joined = house.the_one()
    assert (joined.ticket_id, joined.joined) == (first.ticket_id, (second.ticket_id,))
    assert (joined.deadline, joined.due_at, joined.mandatory) == (before.deadline, before.due_at, True)
    steps = house.rows("select by, act, detail, request_key from callback_steps")
    assert steps == [("1002", "joined", second.ticket_id, "1002:k")]
    await house.restart()
    assert house.the_one() == joined
    assert await house.did(asked("1002:k", ticket_id=second.ticket_id)) == answer
    assert house.the_one() == joined
    assert house.rows("select count(*) from callback_steps") == [(1,)]


async def test_who_holds_it_keeps_it_and_the_asker_is_told_who(house: Owed) -> None:
    """QD 第十二条（四）: 互通; a second one is not made, and none is taken away."""
    await house.replied(await house.handed())
    callback_id = house.the_one().callback_id
    await house.did(ClaimCallback("1003", callback_id))
    answer = await house.did(asked("1002:k"))
    assert (answer["callback_id"], answer["joined"], answer["agent"]) == (callback_id, True, "1003")
    assert house.the_one().agent == "1003"


async def test_what_is_owed_joins_what_a_person_asked_for(house: Owed) -> None:
    """The other way round: it becomes mandatory, with the earliest deadline; still rung by itself, when it was."""
    answer = await house.did(RequestCallback("1002", "1002", NUMBER, None, house.clock.now() + 5 * HOURS, "1002:k"))
    assert answer["joined"] is False
    stub = await house.handed()
    await house.replied(stub)
    callback = house.the_one()
    assert (callback.ticket_id, callback.mandatory, callback.by_key, callback.agent) == (
        stub.ticket_id, True, False, "1002"
    )  # fmt: skip
    assert callback.deadline is not None
    due_at = callback.due_at
    sooner = await house.did(RequestCallback("1003", "1003", NUMBER, None, house.clock.now() + HOURS, "1003:k"))
    assert (sooner["callback_id"], sooner["agent"]) == (answer["callback_id"], "1002")
    again = house.the_one().due_at
    assert due_at is not None
    assert again is not None
    assert due_at - again > 3 * HOURS


async def test_attempts_that_were_made_count_for_who_joins(house: Owed) -> None:
    """Asking anew never begins from nought: the fourth is refused, whoever asked under whatever key."""
    await house.replied(await house.handed())
    callback_id = house.the_one().callback_id
    for n in range(2):
        await house.rings(callback_id, "NOANSWER")
        await house.did(asked(f"1002:{n}"))
        await house.wait(2.5 * 3600)
    assert [len(c.attempts) for c in house.callbacks()] == [2]
    await house.rings(callback_id, "NOANSWER")
    assert house.the_one().state == "exhausted"


async def test_the_same_key_of_another_system_joins_once(house: Owed) -> None:
    """OweCallback as well: told again, also after a restart, it owes nothing more."""
    await house.replied(await house.handed())
    request = OweCallback(LEAD, "oa-1", NUMBER, None, "repair")
    first = await house.did(request)
    assert first["callback_id"] == house.the_one().callback_id
    rows = house.rows("select count(*) from owed_tickets")
    await house.restart()
    assert await house.did(request) == first
    assert house.rows("select count(*) from owed_tickets") == rows


async def test_a_key_that_joined_is_known_when_the_callback_is_over(house: Owed) -> None:
    """A late retry, on another day, is answered with the callback that it joined, and makes none."""
    await house.replied(await house.handed())
    callback_id = house.the_one().callback_id
    await house.did(asked("1001:k", "1001"))
    await house.rings(callback_id)
    await house.did(RecordResult("1001", callback_id, "satisfied", ""))
    await house.wait(26 * 3600)
    await house.restart()
    assert house.callbacks() == []
    assert (await house.did(asked("1001:k", "1001")))["callback_id"] == callback_id


async def test_a_missed_callers_callback_is_the_open_one_and_reaching_him_closes_both(house: Owed) -> None:
    """The duty shows it and whose it is, over a restart; its attempt is the duty's; the conversation settles both."""
    stub = await house.handed()
    await house.replied(stub)
    await in_vain(house)
    missed_id = duties(house)[0]["missed_id"]
    outcome = await house.ask(CallBackMissed("1002", missed_id))
    callback = house.the_one()
    assert outcome is not None
    assert (outcome.data["callback_id"], outcome.data["joined"]) == (callback.callback_id, True)
    assert callback.agent == "1002"
    (duty,) = duties(house, "open")
    assert (duty["callback_id"], duty["callback_state"], duty["claimed_by"]) == (callback.callback_id, "due", "1002")
    await house.restart()
    await house.did(ReleaseCallback("1002", callback.callback_id))
    assert duties(house)[0]["claimed_by"] is None
    await house.rings(callback.callback_id, "ANSWER", "1003")
    (duty,) = duties(house)
    assert (duty["state"], duty["closed_by"], duty["callback_state"]) == ("reached", "1003", "reached")


async def test_attempts_in_vain_of_a_joined_callback_are_the_missed_callers(house: Owed) -> None:
    """「联系不上」 is open to the duty once the joined callback is used up; no second callback is made for it."""
    await house.replied(await house.handed())
    callback_id = house.the_one().callback_id
    await in_vain(house)
    missed_id = duties(house)[0]["missed_id"]
    await house.did(CallBackMissed("1001", missed_id))
    for _ in range(3):
        await house.rings(callback_id, "NOANSWER")
        await house.wait(2.5 * 3600)
    assert duties(house, "open")[0]["callback_state"] == "exhausted"
    assert (await house.refusal(CallBackMissed("1001", missed_id)))[0] == "missed_exhausted"


async def test_who_comes_through_leaves_what_others_asked_for(house: Owed) -> None:
    """The duty is settled by his own call; the ticket of the joined callback is still to be called back about.

    Both ways: the duty joined, or the ticket joined the duty's.
    """
    await house.replied(await house.handed())
    await in_vain(house)
    await house.did(CallBackMissed("1002", duties(house)[0]["missed_id"]))
    await answered(house, "1001")
    assert duties(house)[0]["state"] == "came_through"
    assert house.the_one().state == "due"


async def test_a_missed_callers_own_callback_stays_when_a_ticket_joined_it(house: Owed) -> None:
    """As long as there is a ticket; and when the ticket goes back to the unit, the caller is still to be rung."""
    stub = await house.handed()
    await in_vain(house)
    missed_id = duties(house)[0]["missed_id"]
    await house.ask(GoBusy("1002", "meal"))  # nobody is rung yet
    await house.did(CallBackMissed("1002", missed_id))
    await house.replied(stub)
    callback = house.the_one()
    assert callback.ticket_id == stub.ticket_id
    await house.did(SendBack(LEAD, callback.callback_id, stub.ticket_id, "与事实不符"))
    assert (house.the_one().state, house.the_one().ticket_id) == ("due", None)
    await house.replied(stub, "k2")
    await answered(house, "1001")
    assert duties(house)[0]["state"] == "came_through"
    assert (house.the_one().state, house.the_one().ticket_id) == ("due", stub.ticket_id)

"""The caller's own key after a callback: it counts once, over a dead process, and only for a conversation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cti.commands import DialNow
from cti.commands.dialling import PreviewOpened
from cti.commands.owed import ClaimCallback, RecordRefusal, RecordResult
from cti.commands.voice import InviteRating
from cti.engine.inputs import EndTalk, Read
from queues.facts import Rated
from tests.sim.owing import Owed, owed, talking

RESULTS = 'select what, "by", cause, text from callback_results'


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Owed]:
    """A callback is owed for a unit's answer."""
    async with owed(tmp_path) as made:
        await made.replied(await made.handed())
        yield made


async def pressed(house: Owed, key: int) -> None:
    """queue_log tells the key of the only callback's last conversation; once more for a reader that came back."""
    ((channel_id,),) = house.rows("select channel_id from attempts order by ordinal desc limit 1")
    fact = Rated(channel_id, house.clock.now(), "hotline", "1001", key)
    house.engine.put(Read((fact, fact), {}))
    await house.quiet()


async def test_the_key_is_the_callers_judgement(house: Owed) -> None:
    """1, 2, 3 stand as in the survey of calls in; who pressed stands with it, and it is one judgement."""
    await house.rings(house.the_one().callback_id)
    await pressed(house, 3)
    assert (house.the_one().state, house.the_one().result) == ("reached", "dissatisfied")
    assert house.rows(RESULTS) == [("dissatisfied", "keypad", "", "")]
    assert house.rows("select \"by\", detail from callback_steps where act = 'result'") == [("keypad", "dissatisfied")]
    await house.did(RecordResult("1001", house.the_one().callback_id, "dissatisfied", "仍漏水", "handling"))
    assert house.rows(RESULTS) == [("dissatisfied", "1001", "handling", "仍漏水")]


async def test_it_is_read_after_a_restart_in_which_the_callback_was_closed(house: Owed) -> None:
    """He pressed while the process was dead; memory holds open callbacks alone, and the judgement is not lost."""
    callback_id = house.the_one().callback_id
    await house.rings(callback_id)
    await house.restart()
    assert house.callbacks() == []
    await pressed(house, 1)
    assert house.rows("select state, result from callbacks") == [("reached", "satisfied")]


async def test_the_agents_words_stay_where_both_say_the_same_and_the_caller_holds_where_not(house: Owed) -> None:
    """The agent writes down what he hears; the caller's own key is the better witness."""
    callback_id = house.the_one().callback_id
    await house.rings(callback_id)
    await house.did(RecordResult("1001", callback_id, "satisfied", "很好"))
    await pressed(house, 1)
    assert house.rows(RESULTS) == [("satisfied", "1001", "", "很好")]
    await pressed(house, 2)
    assert house.rows(RESULTS) == [("neutral", "keypad", "", "")]
    assert house.the_one().result == "neutral"


async def test_who_refused_gave_no_judgement(house: Owed) -> None:
    """拒绝回访 stays the outcome, whatever is pressed; the key itself is kept with the other ratings."""
    callback_id = house.the_one().callback_id
    await house.rings(callback_id)
    await house.did(RecordRefusal("1001", callback_id, "refused", "不需要"))
    await house.quiet()
    await pressed(house, 1)
    assert house.rows(RESULTS) == [("refused", "1001", "", "不需要")]
    assert house.rows("select rating from ratings") == [(1,)]


async def test_a_leg_that_rang_nobody_is_not_rated(house: Owed) -> None:
    """A line of queue_log about an attempt that reached nobody makes no judgement, nor does one of a call in."""
    await house.rings(house.the_one().callback_id, "BUSY")
    await pressed(house, 3)
    assert house.rows("select result from callbacks") == [(None,)]
    assert house.rows(RESULTS) == []


async def test_the_agents_key_ends_his_own_talk_alone(house: Owed) -> None:
    """Before the caller answers, after the talk and for another agent there is nobody to be asked."""
    callback_id = house.the_one().callback_id
    for command in (ClaimCallback("1001", callback_id), PreviewOpened("1001", callback_id)):
        await house.did(command)
    await house.did(DialNow("1001", callback_id))
    await house.quiet()
    assert (await house.refusal(InviteRating("1001", callback_id)))[0] == "not_talking"
    running = talking(house.pbx)
    await house.quiet()
    assert (await house.refusal(InviteRating("1002", callback_id)))[0] == "not_talking"
    await house.did(InviteRating("1001", callback_id))
    (end,) = [effect for effect in house.seen if isinstance(effect, EndTalk)]
    assert end[1:] == ("", running.dial.channel_id, "rate", "1001")
    house.pbx._end_dial(running)
    await house.quiet()
    assert (await house.refusal(InviteRating("1001", callback_id)))[0] == "not_talking"
    assert (await house.refusal(InviteRating("1001", "c-none")))[0] == "not_talking"

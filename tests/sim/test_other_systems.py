"""Other systems at the engine: units' answers are kept once, and the lead hears which sink stays away."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cti.commands import RequestCallback
from cti.commands.sinks import ReportReply, SinkStood
from cti.errors import BadInput
from tests.sim.house import House
from tests.sim.missing import answered


async def a_ticket(house: House) -> str:
    """The ticket of an answered call."""
    await answered(house)
    return str(house.rows("select ticket_id from tickets")[0][0])


def reply(house: House, ticket_id: str, key: str = "k-1", text: str = "已修复", result: str = "done") -> ReportReply:
    return ReportReply("oa", "k-token", key, ticket_id, result, text, house.clock.now() - timedelta(minutes=5))


async def test_an_answer_is_kept_once_with_its_ticket(house: House) -> None:
    """The same key and words change nothing, also after a crash; the same key with other words is refused."""
    first = reply(house, await a_ticket(house))
    for _ in range(2):
        outcome = await house.ask(first)
        assert outcome is not None
        assert outcome.ruling.allowed
    assert house.engine.board()["duty"]["replies"] == 1, "pages that show the ticket ask again, once"
    await house.kill()
    await house.boot()
    assert (await house.ask(first)).ruling.allowed  # type: ignore[union-attr]
    other = await house.ask(first._replace(text="未修复"))
    assert other is not None
    assert other.ruling.code == "key_used"
    assert house.rows("select result, text, reported_by from replies") == [("done", "已修复", "oa")]


async def test_an_answer_to_no_ticket_is_refused(house: House) -> None:
    """And an unusable field is named."""
    outcome = await house.ask(reply(house, "t-none"))
    assert outcome is not None
    assert outcome.ruling.code == "no_such_ticket"
    good = reply(house, await a_ticket(house))
    for wrong, field in (
        (good._replace(at=house.clock.now() + timedelta(hours=1)), "at"),
        (good._replace(result="perhaps"), "result"),
        (good._replace(text="\x07"), "text"),
    ):
        with pytest.raises(BadInput) as error:
            await house.engine.submit(wrong)
        assert error.value.field == field
    assert house.rows("select count(*) from replies") == [(0,)]


async def test_the_lead_hears_of_a_sink_that_stays_away(house: House) -> None:
    """An alarm with the sink's name and nothing else; the board says who is away until it is back."""
    await house.ask(SinkStood("w-1", "oa", "away"))
    assert house.engine.board()["duty"]["sinks_away"] == ["oa"]
    alarm = house.engine.board()["alarms"][0]
    assert (alarm["code"], alarm["what"]) == ("sink_away", "oa")
    await house.ask(SinkStood("w-1", "oa", "back"))
    assert house.engine.board()["duty"]["sinks_away"] == []


async def test_another_systems_callback_is_one_like_any_other(house: House) -> None:
    """By the one way that callbacks go; asked again with its key it is the same one."""
    ticket_id = await a_ticket(house)
    asked = RequestCallback("oa", "1001", "13800000061", ticket_id, None, "k-token:k-1")
    first, second = await house.ask(asked), await house.ask(asked)
    assert first is not None
    assert second is not None
    assert first.data["callback_id"] == second.data["callback_id"]
    assert house.rows("select requested_by from callbacks") == [("oa",)]

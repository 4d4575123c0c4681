"""Nuisance and media callers through the engine: marked, asked for, decided by another, in force, and over in time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert

from cti.ami import events as ami
from cti.commands import Command, Outcome, PeopleChanged
from cti.commands.nuisance import AskBlock, DecideBlock, EndBlock
from cti.commands.tickets import SetParticulars
from cti.engine.inputs import SetGlobal
from cti.errors import BadInput
from cti.store import tables as t
from tests.sim.house import House
from tests.sim.missing import NUMBER, answered

LEADS = ("2001", "2002")
SWITCH = f"CTI_BLOCK_{NUMBER}"


@pytest.fixture
async def marked(house: House) -> tuple[House, str]:
    """Two leads, and a ticket of 1001 whose caller is marked as a nuisance."""
    people = [{"number": n, "name": f"值班{n}", "role": "lead", "pin_hash": "-", "active": True} for n in LEADS]
    await house.real.write(lambda c: c.execute(insert(t.people), people))
    await house.ask(PeopleChanged("2001"))
    await answered(house)
    ((ticket_id,),) = house.rows("select ticket_id from tickets")
    await did(house, SetParticulars("1001", ticket_id, {"caller_kind": "nuisance"}))
    return house, ticket_id


async def did(house: House, command: Command) -> Outcome:
    """What was asked for was allowed."""
    outcome = await house.ask(command)
    assert outcome is not None
    assert outcome.ruling.allowed, outcome.ruling.code
    return outcome


async def code(house: House, command: Command) -> str:
    """The code of a refusal."""
    outcome = await house.ask(command)
    assert outcome is not None
    return outcome.ruling.code


def switched(house: House) -> list[str]:
    """The values that the block's global was set to since the last look."""
    found = [e.value for e in house.seen if isinstance(e, SetGlobal) and e.name == SWITCH]
    house.seen.clear()
    return found


def kept(house: House) -> list[tuple[str, ...]]:
    """The blocks of the database."""
    return house.rows("select state, asked_by, decided_by, ended_by, tries from blocks order by asked_at")


def tries(house: House) -> ami.Hangup:
    """The blocked caller rings and is turned away."""
    return ami.Hangup(house.clock.now(), "1795284828.88", "1795284828.88", "PJSIP/t", 16, "cti-blocked", NUMBER)


async def test_a_block_from_the_request_to_its_end(marked: tuple[House, str]) -> None:
    """Another decides, within the days of the rules; the dialplan has its end; tries are counted; then it is over."""
    house, ticket_id = marked
    block_id = (await did(house, AskBlock("1001", ticket_id, "反复骚扰"))).data["block_id"]
    assert house.engine.world.alarms[-1].data["code"] == "block_asked"
    assert NUMBER not in str(house.engine.board())
    assert await code(house, AskBlock("1001", ticket_id, "再申请")) == "block_known"
    assert await code(house, DecideBlock("1001", block_id, True, None, "同意")) == "not_the_lead"
    with pytest.raises(BadInput, match="30"):
        await house.ask(DecideBlock("2001", block_id, True, 31, "同意"))
    house.seen.clear()
    await did(house, DecideBlock("2001", block_id, True, None, "同意"))
    until = house.clock.now() + timedelta(days=7)
    assert switched(house) == [str(int(until.timestamp()))]
    for _ in range(2):
        house.engine.hear(tries(house))
    await house.quiet()
    assert kept(house) == [("active", "1001", "2001", None, 2)]
    await house.kill()
    house.seen.clear()
    await house.boot()
    assert switched(house) == [str(int(until.timestamp()))]
    await house.wait(7 * 86_400 - 60)
    assert kept(house)[0][0] == "active"
    await house.wait(61)
    assert kept(house) == [("expired", "1001", "2001", None, 2)]
    assert switched(house)[-1] == ""


async def test_declined_ended_early_and_never_by_the_one_who_asked(marked: tuple[House, str]) -> None:
    """A lead who asks does not decide; a declined request may be made again; an early end is cleared after a crash."""
    house, ticket_id = marked
    first = (await did(house, AskBlock("2001", ticket_id, "反复骚扰"))).data["block_id"]
    assert await code(house, DecideBlock("2001", first, True, 1, "同意")) == "own_request"
    await did(house, DecideBlock("2002", first, False, None, "证据不足"))
    second = (await did(house, AskBlock("1001", ticket_id, "又来骚扰"))).data["block_id"]
    await did(house, DecideBlock("2001", second, True, 3, "同意"))
    assert await code(house, EndBlock("1001", second)) == "not_the_lead"
    await did(house, EndBlock("2002", second))
    assert kept(house) == [("declined", "2001", "2002", None, 0), ("ended", "1001", "2001", "2002", 0)]
    house.seen.clear()
    await house.kill()
    await house.boot()
    assert switched(house) == [""]


async def test_who_is_not_marked_is_not_blocked_and_media_is_the_leads(marked: tuple[House, str]) -> None:
    """Another's ticket is none; a withheld number is never blocked; the mark of the press alarms the lead once."""
    house, ticket_id = marked
    assert await code(house, AskBlock("1002", ticket_id, "骚扰")) == "no_such_ticket"
    await answered(house, "1002", "")
    ((other,),) = house.rows("select ticket_id from tickets where agent = '1002'")
    assert await code(house, AskBlock("1002", other, "骚扰")) == "not_marked"
    await did(house, SetParticulars("1002", other, {"caller_kind": "nuisance"}))
    assert await code(house, AskBlock("1002", other, "骚扰")) == "no_number"
    for _ in range(2):
        await did(house, SetParticulars("1002", other, {"caller_kind": "media"}))
    media = [m.data for m in house.engine.world.alarms if m.data["code"] == "media_caller"]
    assert media == [{"code": "media_caller", "agent": "1002", "ticket_id": other}]

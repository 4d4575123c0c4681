"""The API of emergencies, the real engine behind it: who raises, lifts, rings and acknowledges, and what is shown."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cti.commands import GoReady, SignIn
from cti.commands.directory import PutUnit
from cti.engine.inputs import DialUnit, Lift
from tests.sim.missing import NUMBER, caller
from tests.unit.cti.web.test_missed_api import as_
from tests.web.duty import DutySite, duty_site
from tests.web.ticketing import answered


@pytest.fixture
async def duty(tmp_path: Path) -> AsyncIterator[DutySite]:
    """09:00, two agents signed in, one unit in the directory."""
    async with duty_site(tmp_path) as site:
        for number in ("1001", "1002"):
            await site.ask(SignIn(number, f"3{number[1:]}"))
        numbers = (("0530 5550001", "", ""), ("0530 5550002", "", ""))
        await site.ask(PutUnit("9001", "gas", "燃气抢修", "Gas repair", "emergency", (), (), numbers))
        yield site


async def test_a_waiting_call_is_lifted_its_unit_rung_and_the_lead_acknowledges(duty: DutySite) -> None:
    """Lead alone lifts and acknowledges; agent or lead rings; each refusal is a problem with the article."""
    agent, lead, auditor = [await as_(duty, n) for n in ("1001", "9001", "9500")]
    call = caller(duty.pbx)
    await duty.ask(GoReady("1002"))  # taken behind what was heard before
    asked = {"call_id": call.call_id}
    assert (await agent.post("/api/v1/emergencies/lift", json=asked)).status_code == 403
    one = (await lead.post("/api/v1/emergencies/lift", json=asked)).json()
    assert (one["why"], one["call_id"], duty.effects[-1]) == ("lead", call.call_id, Lift(call.call_id))
    path = f"/api/v1/emergencies/{one['emergency_id']}"
    rung = (await agent.post(f"{path}/ring")).json()
    assert [(c["unit"], c["number"], c["outcome"]) for c in rung["unit_calls"]] == [
        ("gas", "05305550001", None), ("gas", "05305550002", None)
    ]  # fmt: skip
    assert "dialled_at" in rung["seconds"]
    dial = duty.effects[-1]
    assert isinstance(dial, DialUnit)
    assert (dial.numbers, dial.interface) == (("05305550001", "05305550002"), "Local/3001@lab-seats/n")
    again = await lead.post(f"{path}/ring")
    assert (again.status_code, again.json()["code"]) == (409, "unit_dial_running")
    assert "对紧急需求事件" in again.text  # HZ 第四十八条
    assert (await agent.post(f"{path}/acknowledge", json={"note": ""})).status_code == 403
    done = (await lead.post(f"{path}/acknowledge", json={"note": "已派人"})).json()
    assert (done["acknowledged_by"], done["note"]) == ("9001", "已派人")
    assert (await lead.get("/api/v1/emergencies")).json() == []
    assert len((await lead.get("/api/v1/emergencies?closed=true")).json()) == 1
    assert (await auditor.get("/api/v1/emergencies")).status_code == 403
    for client in (agent, lead, auditor):
        await client.aclose()


async def test_the_board_of_an_agent_shows_no_emergency(duty: DutySite) -> None:
    """The bar is the leads'; no number is in it."""
    agent, lead = [await as_(duty, n) for n in ("1001", "9001")]
    call = caller(duty.pbx)
    await duty.ask(GoReady("1002"))
    await lead.post("/api/v1/emergencies/lift", json={"call_id": call.call_id})
    shown = (await lead.get("/api/v1/board")).json()
    assert [e["call_id"] for e in shown["duty"]["emergencies"]] == [call.call_id]
    assert NUMBER not in str(shown)
    assert "emergencies" not in (await agent.get("/api/v1/board")).json()["duty"]
    for client in (agent, lead):
        await client.aclose()


async def test_the_list_of_numbers_is_the_leads(duty: DutySite) -> None:
    """Put, shown, taken off by a body, never by a URL; what is no Chinese line is refused."""
    agent, lead = [await as_(duty, n) for n in ("1001", "9001")]
    asked = {"number": "138 0000 0061", "reason": "泵站值班"}
    assert (await agent.post("/api/v1/front-callers", json=asked)).status_code == 403
    (row,) = (await lead.post("/api/v1/front-callers", json=asked)).json()
    assert (row["number"], row["reason"], row["changed_by"]) == (NUMBER, "泵站值班", "9001")
    assert (await lead.post("/api/v1/front-callers", json={**asked, "number": "+1 202 5550100"})).status_code == 422
    assert (await lead.post("/api/v1/front-callers/remove", json={"number": NUMBER})).json() == []
    assert (await lead.get("/api/v1/front-callers")).json() == []
    for client in (agent, lead):
        await client.aclose()


async def test_anothers_emergency_looks_like_none(duty: DutySite) -> None:
    """Its agent and the leads see it; to another agent its ticket cannot be told from one that does not exist."""
    ticket_id = await answered(duty, "1001", NUMBER, over=False)
    owner, other, lead = [await as_(duty, n) for n in ("1001", "1002", "9001")]
    assert (await other.post("/api/v1/emergencies", json={"ticket_id": ticket_id})).status_code == 404
    assert (await owner.post("/api/v1/emergencies", json={"ticket_id": ticket_id})).status_code == 201
    assert (await other.get("/api/v1/emergencies", params={"ticket_id": ticket_id})).status_code == 404
    assert (await other.get("/api/v1/emergencies")).json() == []
    for client in (owner, lead):
        for asked in ({}, {"ticket_id": ticket_id}):
            (one,) = (await client.get("/api/v1/emergencies", params=asked)).json()
            assert one["ticket_id"] == ticket_id
    for client in (owner, other, lead):
        await client.aclose()

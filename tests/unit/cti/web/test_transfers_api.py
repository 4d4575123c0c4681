"""The API of transfers and blocked numbers, the real engine behind it: who may, what is refused, who sees what."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from cti.commands import GoReady, SignIn
from cti.commands.tickets import SetParticulars
from tests.sim.missing import NUMBER, caller
from tests.unit.cti.web.conftest import browser
from tests.web.conftest import PIN
from tests.web.duty import DutySite, duty_site

ME = "/api/v1/me/transfer"
COLLEAGUE = {"how": "consult", "kind": "agent", "code": "1002"}


@pytest.fixture
async def duty(tmp_path: Path) -> AsyncIterator[DutySite]:
    """09:00, two agents signed in, the first in conversation."""
    async with duty_site(tmp_path) as site:
        site.pbx.mangle = False
        for number in ("1001", "1002"):
            await site.ask(SignIn(number, f"3{number[1:]}"))
        call = caller(site.pbx)
        site.pbx._ring(call, "1001")
        site.leap(3)
        site.pbx._connect(call)
        await site.ask(GoReady("1002"))
        yield site


async def as_(site: DutySite, number: str) -> httpx.AsyncClient:
    """Somebody's logged-in client."""
    client = browser(site.app)
    answer = await client.post("/api/v1/session", json={"number": number, "pin": PIN})
    assert answer.status_code == 201
    return client


async def ticket_of(site: DutySite) -> str:
    """The ticket of the conversation."""
    async with site.store.read() as connection:
        return str((await connection.exec_driver_sql("select ticket_id from tickets")).scalar_one())


async def test_a_transfer_is_asked_for_by_whom_and_to_whom(duty: DutySite) -> None:
    """No telephone number and no context can be named; refusals have codes; another's transfers are not found."""
    agent, other, auditor = [await as_(duty, n) for n in ("1001", "1002", "9500")]
    for wrong in ({}, {**COLLEAGUE, "how": "redirect"}, {**COLLEAGUE, "kind": "number"}, {**COLLEAGUE, "code": "1,W=1"},
                  {**COLLEAGUE, "context": "x"}, {**COLLEAGUE, "code": "a\r\nb"}):  # fmt: skip
        assert (await agent.post(ME, json=wrong)).status_code == 422
    assert (await other.post(ME, json=COLLEAGUE)).json()["code"] == "not_talking"
    assert (await auditor.post(ME, json=COLLEAGUE)).status_code == 403
    assert (await agent.post(f"{ME}/complete")).json()["code"] == "no_consult"
    unknown = {"how": "blind", "kind": "unit", "code": "05305550001"}
    assert (await agent.post(ME, json=unknown)).json()["code"] == "no_such_target"
    begun = await agent.post(ME, json=COLLEAGUE)
    assert begun.status_code == 200
    refused = (await agent.post(ME, json=COLLEAGUE)).json()
    assert (refused["code"], refused["articles"][0]["article"]) == ("transfer_under_way", "第四十四条")
    path = f"/api/v1/tickets/{await ticket_of(duty)}/transfers"
    (row,) = (await agent.get(path)).json()
    assert (row["transfer_id"], row["state"]) == (begun.json()["transfer_id"], "asked")
    assert (await other.get(path)).status_code == 404
    assert (await auditor.get(path)).status_code == 403
    for client in (agent, other, auditor):
        await client.aclose()


async def test_blocks_are_the_leads(duty: DutySite) -> None:
    """An agent asks and sees no list; a lead decides once, within the days of the rules; no problem has the number."""
    agent, other, lead = [await as_(duty, n) for n in ("1001", "1002", "9001")]
    path = f"/api/v1/tickets/{await ticket_of(duty)}/block"
    why = {"reason": "反复骚扰"}
    assert (await agent.post(path, json=why)).json()["code"] == "not_marked"
    await duty.ask(SetParticulars("1001", await ticket_of(duty), {"caller_kind": "nuisance"}))
    assert (await other.post(path, json=why)).status_code == 404
    assert (await agent.post(path, json={"reason": ""})).status_code == 422
    block_id = (await agent.post(path, json=why)).json()["block_id"]
    assert (await agent.get("/api/v1/blocks")).status_code == 403
    decide = f"/api/v1/blocks/{block_id}/decide"
    yes = {"agree": True, "words": "同意"}
    assert (await agent.post(decide, json=yes)).status_code == 403
    assert (await lead.post(decide, json={**yes, "days": 31})).status_code == 422
    (view,) = (await lead.post(decide, json={**yes, "days": 2})).json()
    assert (view["number"], view["state"], view["decided_by"]) == (NUMBER, "active", "9001")
    again = await lead.post(decide, json=yes)
    assert (again.json()["code"], NUMBER in again.text) == ("no_such_block", False)
    assert (await lead.post(f"/api/v1/blocks/{block_id}/end")).json() == []
    assert [b["state"] for b in (await lead.get("/api/v1/blocks?over=true")).json()] == ["ended"]
    assert NUMBER not in (await other.get("/api/v1/board")).text
    for client in (agent, other, lead):
        await client.aclose()

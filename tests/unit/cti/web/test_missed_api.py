"""The API of missed callers, the real engine behind it: who sees which number, who may do what, how it ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from cti.commands import GoReady, SignIn
from tests.sim.missing import NUMBER, caller, give_up
from tests.unit.cti.web.conftest import browser
from tests.web.conftest import PIN
from tests.web.duty import DutySite, duty_site

MASKED = "138****0061"
END = {"reason": "nuisance", "text": "<b>骚扰</b>"}


@pytest.fixture
async def duty(tmp_path: Path) -> AsyncIterator[DutySite]:
    """09:00, two agents signed in, one caller missed."""
    async with duty_site(tmp_path) as site:
        for number in ("1001", "1002"):
            await site.ask(SignIn(number, f"3{number[1:]}"))
        await missed(site)
        yield site


async def missed(site: DutySite, number: str = NUMBER) -> None:
    """A caller gives up."""
    give_up(site.pbx, caller(site.pbx, number))
    await site.ask(GoReady("1002"))  # taken behind what was heard before


async def as_(site: DutySite, number: str) -> httpx.AsyncClient:
    """Somebody's logged-in client."""
    client = browser(site.app)
    answer = await client.post("/api/v1/session", json={"number": number, "pin": PIN})
    assert answer.status_code == 201
    return client


async def the_one(client: httpx.AsyncClient, closed: bool = False) -> dict[str, Any]:
    (view,) = (await client.get(f"/api/v1/missed?closed={closed}")).json()
    found: dict[str, Any] = view
    return found


async def test_who_sees_the_number(duty: DutySite) -> None:
    """Leads and administrators do, an agent when the claim is his, an auditor never; the board has counts alone."""
    agent, other, lead = [await as_(duty, n) for n in ("1001", "1002", "9001")]
    admin, auditor = [await as_(duty, n) for n in ("9999", "9500")]
    view = await the_one(agent)
    assert (view["number"], view["tries"], view["state"], view["claimed_by"]) == (MASKED, 1, "open", None)
    claimed = (await agent.post(f"/api/v1/missed/{view['missed_id']}/claim")).json()
    assert (claimed["number"], claimed["claimed_by"]) == (NUMBER, "1001")
    clients = (agent, other, lead, admin, auditor)
    assert [(await the_one(c))["number"] for c in clients] == [NUMBER, MASKED, NUMBER, NUMBER, MASKED]
    board = (await other.get("/api/v1/board")).json()
    since = datetime.fromisoformat(board["duty"]["missed"]["oldest_since"])
    assert (board["duty"]["missed"]["open"], since) == (1, datetime.fromisoformat(view["first_at"]))
    assert NUMBER not in str(board)
    for client in clients:
        await client.aclose()


async def test_claimed_given_back_and_ended(duty: DutySite) -> None:
    """Refusals are problem documents with the article; an end needs a reason of the list and words."""
    agent, other, lead, auditor = [await as_(duty, n) for n in ("1001", "1002", "9001", "9500")]
    path = f"/api/v1/missed/{(await the_one(lead))['missed_id']}"
    assert (await agent.post(f"{path}/claim")).status_code == 200
    refused = await other.post(f"{path}/claim")
    assert (refused.status_code, refused.json()["code"]) == (409, "missed_claimed")
    assert refused.json()["articles"][0]["wording"] == "未接来电应及时回复"
    assert (await other.post(f"{path}/release")).status_code == 409
    assert (await lead.post(f"{path}/release")).json()["claimed_by"] is None
    for body in ({}, {"reason": "bored", "text": "x"}, {"reason": "other", "text": ""}, {**END, "more": 1}):
        assert (await lead.post(f"{path}/close", json=body)).status_code == 422
    assert (await lead.post(f"{path}/close", json={"reason": "other", "text": "a\u202eb"})).status_code == 422
    assert (await auditor.post(f"{path}/close", json=END)).status_code == 403
    assert (await lead.post(f"{path}/close", json=END)).json()["state"] == "ended"
    assert (await lead.post(f"{path}/close", json=END)).json()["code"] == "no_such_missed"
    closed = await the_one(lead, closed=True)
    assert (closed["closed_by"], closed["end_reason"], closed["end_text"]) == ("9001", "nuisance", "<b>骚扰</b>")
    assert [(await the_one(c, closed=True))["end_text"] for c in (other, auditor)] == ["", ""]  # they may name him
    assert (await lead.get("/api/v1/missed")).json() == []
    assert (await agent.post("/api/v1/missed/m-none/claim")).status_code == 404
    for client in (agent, other, lead, auditor):
        await client.aclose()


async def test_a_callback_is_planned_once_and_is_the_agents(duty: DutySite) -> None:
    """It claims, plans by the rules of callbacks, and appears among the agent's callbacks with the caller's age."""
    agent, other = await as_(duty, "1001"), await as_(duty, "1002")
    view = await the_one(agent)
    path = f"/api/v1/missed/{view['missed_id']}/callback"
    first, again = (await agent.post(path)).json(), (await agent.post(path)).json()
    assert (first["claimed_by"], first["callback_id"]) == ("1001", again["callback_id"])
    assert first["callback_state"] in ("due", "placing")
    assert (await other.post(path)).json()["code"] == "missed_claimed"
    (owed,) = (await agent.get("/api/v1/callbacks")).json()
    assert (owed["number"], owed["requested_at"]) == (NUMBER, view["first_at"])
    await missed(duty, "95588")  # a service number: it cannot be dialled
    short = next(v for v in (await agent.get("/api/v1/missed")).json() if v["tries"] and v["callback_id"] is None)
    refused = await agent.post(f"/api/v1/missed/{short['missed_id']}/callback")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "number")
    assert "95588" not in refused.text
    for client in (agent, other):
        await client.aclose()

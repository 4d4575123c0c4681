"""The API of voice keys, ratings and outage notices: who may, what is refused, what is shown."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cti.commands import GoReady, SignIn
from cti.engine.inputs import Read
from queues.facts import Rated
from tests.sim.missing import caller
from tests.unit.cti.web.test_missed_api import as_
from tests.web.duty import DutySite, duty_site

NOTICE = {"kind": "sudden", "text": "水厂跳闸"}


@pytest.fixture
async def duty(tmp_path: Path) -> AsyncIterator[DutySite]:
    """09:00, an agent at her seat."""
    async with duty_site(tmp_path) as site:
        await site.ask(SignIn("1001", "3001"))
        yield site


async def test_keys_are_the_talking_agents(duty: DutySite) -> None:
    """Another agent is refused by a ruling, an auditor by his role, an unknown prompt by its name."""
    agent, other, auditor = [await as_(duty, n) for n in ("1001", "1002", "9500")]
    call = caller(duty.pbx)
    duty.pbx._ring(call, "1001")
    duty.pbx._connect(call)
    await duty.ask(GoReady("1001"))
    path, body = f"/api/v1/calls/{call.call_id}/announce", {"prompt": "nuisance"}
    assert (await agent.post(path, json=body)).status_code == 202
    refused = await other.post(path, json=body)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_talking")
    assert (await auditor.post(path, json=body)).status_code == 403
    assert (await agent.post(path, json={"prompt": "shell"})).status_code == 422
    ended = f"/api/v1/calls/{call.call_id}/end"
    assert (await other.post(ended, json={"ending": "rate"})).status_code == 409
    assert (await agent.post(ended, json={"ending": "rate"})).status_code == 202
    for client in (agent, other, auditor):
        await client.aclose()


async def test_a_rating_is_on_the_ticket_for_whoever_sees_the_ticket(duty: DutySite) -> None:
    """Nothing before it is given; another agent's ticket is none."""
    agent, other, lead = [await as_(duty, n) for n in ("1001", "1002", "9001")]
    call = caller(duty.pbx)
    duty.pbx._ring(call, "1001")
    duty.pbx._connect(call)
    await duty.ask(GoReady("1001"))
    (ticket_id,) = duty.engine.world.stubs
    path = f"/api/v1/tickets/{ticket_id}/rating"
    assert (await agent.get(path)).json() == {"rating": None, "agent": None, "at": None}
    duty.engine.put(Read((Rated(call.call_id, duty.clock.now(), "hotline", "1001", 1),), {}))
    await duty.ask(GoReady("1001"))
    assert [(await c.get(path)).json()["rating"] for c in (agent, lead)] == [1, 1]
    assert (await other.get(path)).status_code == 404
    for client in (agent, other, lead):
        await client.aclose()


async def test_notices_are_the_leads_and_everybody_sees_them(duty: DutySite) -> None:
    """Put and ended by the lead alone; an unknown area, a text of nothing and a past end are named."""
    agent, lead = [await as_(duty, n) for n in ("1001", "9001")]
    assert (await agent.post("/api/v1/outages", json=NOTICE)).status_code == 403
    put = await lead.post("/api/v1/outages", json=NOTICE)
    assert put.status_code == 201
    (view,) = (await agent.get("/api/v1/outages")).json()
    assert (view["text"], view["area"], view["put_by"], view["closed_at"]) == ("水厂跳闸", "", "9001", None)
    board = (await agent.get("/api/v1/board")).json()
    assert [o["text"] for o in board["duty"]["outages"]] == ["水厂跳闸"]
    for bad in ({"area": "nowhere"}, {"text": "\x07"}, {"kind": "none"}, {"from_at": "2026-11-23T10:00:00"}):
        assert (await lead.post("/api/v1/outages", json=NOTICE | bad)).status_code == 422
    past = await lead.post("/api/v1/outages", json=NOTICE | {"until": "2020-01-01T00:00:00Z"})
    assert (past.status_code, past.json()["code"]) == (409, "outage_times")
    end = f"/api/v1/outages/{view['outage_id']}/end"
    assert (await agent.post(end)).status_code == 403
    assert (await lead.post(end)).status_code == 204
    assert (await lead.post(end)).json()["code"] == "no_such_outage"
    (closed,) = (await agent.get("/api/v1/outages?closed=true")).json()
    assert closed["closed_by"] == "9001"
    for client in (agent, lead):
        await client.aclose()

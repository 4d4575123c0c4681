"""The handover over HTTP, in front of the real engine: roles, own pairs, refusals with articles, hostile words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import insert

from cti.commands import SignOut
from cti.commands.conduct import Arrive
from cti.engine import engine
from cti.settings import make_settings
from cti.store import tables as t
from cti.web.app import make_app
from cti.web.context import COOKIE, hash_token
from tests.sim.house import ZONE
from tests.sim.shifts import CHANGE, Shifts, ticket_of

OTHERS = {"3001": "auditor", "9999": "admin"}


class Desk:
    """The application over a house in the middle of a handover, and everybody's logged-in client."""

    def __init__(self, house: Shifts) -> None:
        self.house = house
        settings = make_settings({"ami": {"secret": "x"}})
        app = make_app(house.engine, house.real, settings, house.clock, lambda: "token", zone=ZONE)
        self._transport = httpx.ASGITransport(app)

    async def ask(self, number: str, method: str, path: str, body: Any = None) -> httpx.Response:
        """One request of *number*."""
        async with httpx.AsyncClient(
            transport=self._transport, base_url="https://cti.test", headers={"X-CTI-Request": "test"},
            cookies={COOKIE: f"token-{number}"},
        ) as client:  # fmt: skip
            answer = await client.request(method, f"/api/v1/{path}", json=body)
        await self.house.quiet()
        return answer

    async def pairs(self, number: str) -> list[dict[str, Any]]:
        """What this person sees of the handovers in preparation."""
        answer = await self.ask(number, "GET", "handovers/current")
        assert answer.status_code == 200
        return [pair for handover in answer.json()["handovers"] for pair in handover["pairs"]]


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    """20 minutes before the change of shifts."""
    monkeypatch.setattr(engine, "GATHER_S", 0.0)
    async with Shifts(tmp_path, timedelta(minutes=20)) as house:
        numbers = ["1001", "1002", "1003", "1004", "2001", *OTHERS]
        people = [
            {"number": n, "name": f"测试{n}", "role": r, "pin_hash": "-", "active": True} for n, r in OTHERS.items()
        ]
        now = house.clock.now()
        sessions = [
            {"token_hash": hash_token(f"token-{n}"), "number": n, "created_at": now,
             "expires_at": now + timedelta(days=1)} for n in numbers
        ]  # fmt: skip
        await house.real.write(lambda c: c.execute(insert(t.people), people))
        await house.real.write(lambda c: c.execute(insert(t.sessions), sessions))
        yield Desk(house)


async def test_everybody_sees_what_is_theirs(desk: Desk) -> None:
    """An agent finds the own pair alone, on the board too; lead, administrator, auditor find all; nobody a caller."""
    await ticket_of(desk.house, "1001")
    assert [p["outgoing"] for p in await desk.pairs("1004")] == ["1001"]
    assert [p["outgoing"] for p in await desk.pairs("1002")] == ["1002"]
    for number in ("2001", "3001", "9999"):
        assert [p["outgoing"] for p in await desk.pairs(number)] == ["1001", "1002"]
    whole = (await desk.ask("2001", "GET", "board")).json()["duty"]["handovers"][0]
    assert (await desk.ask("3001", "GET", "board")).json()["duty"]["handovers"] == [whole]
    own = (await desk.ask("1004", "GET", "board")).json()["duty"]["handovers"][0]
    assert ([p["outgoing"] for p in whole["pairs"]], whole["candidates"]) == (["1001", "1002"], ["1003", "1004"])
    assert ([p["outgoing"] for p in own["pairs"]], own["candidates"]) == (["1001"], [])
    assert "1380000" not in (await desk.ask("2001", "GET", "handovers/current")).text
    for number, status in (("1001", 403), ("2001", 200), ("3001", 200), ("9999", 200)):
        answer = await desk.ask(number, "GET", "handovers?from=2026-11-01T00:00:00Z&to=2026-12-01T00:00:00Z")
        assert answer.status_code == status
    late = await desk.ask("2001", "GET", "handovers?from=2026-01-01T00:00:00Z&to=2026-12-01T00:00:00Z")
    assert (late.status_code, late.json()["errors"][0]["field"]) == (422, "to")


async def test_the_sheet_over_http(desk: Desk) -> None:
    """Taken, disputed, settled, signed; whoever is to take a ticket over may read it before, nobody else may."""
    house, ticket = desk.house, await ticket_of(desk.house, "1001")
    handover = f"handovers/{house.handover_id}"
    note = {"outgoing": "1001", "kind": "note", "text": "<img src=x onerror=alert(1)> 水压低"}
    assert (await desk.ask("1002", "POST", f"{handover}/items", note)).json()["code"] == "not_your_sheet"
    assert (await desk.ask("1001", "POST", f"{handover}/items", note)).status_code == 201
    bad = await desk.ask("1001", "POST", f"{handover}/items", {**note, "text": "一\u202e二"})
    assert (bad.status_code, bad.json()["errors"][0]["field"]) == (422, "text")
    assert (await desk.ask("1001", "POST", f"{handover}/items", {**note, "kind": "ticket"})).status_code == 422
    seen = {n: (await desk.ask(n, "GET", f"tickets/{ticket}")).status_code for n in ("1001", "1002", "1003", "1004")}
    assert seen == {"1001": 200, "1002": 404, "1003": 404, "1004": 200}
    items = {item["kind"]: item["item_id"] for item in (await desk.pairs("1004"))[0]["items"]}
    assert (await desk.ask("1001", "POST", f"handovers/items/{items['ticket']}/take")).json()[
        "code"
    ] == "not_your_sheet"
    assert (await desk.ask("1004", "POST", f"handovers/items/{items['ticket']}/take")).status_code == 204
    why = {"reason": "不清楚"}
    assert (await desk.ask("1004", "POST", f"handovers/items/{items['note']}/dispute", why)).status_code == 204
    ruling = {"ordered": True, "reason": "按此办理"}
    assert (await desk.ask("1004", "POST", f"handovers/items/{items['note']}/settle", ruling)).status_code == 403
    assert (await desk.ask("2001", "POST", f"handovers/items/{items['note']}/settle", ruling)).status_code == 204
    early = await desk.ask("1004", "POST", f"{handover}/sign")
    assert (early.status_code, early.json()["code"], early.json()["articles"][0]["article"]) == (
        409, "outgoing_first", "第三十三条"
    )  # fmt: skip
    for number in ("1001", "1004"):
        assert (await desk.ask(number, "POST", f"{handover}/sign")).status_code == 204
    pair = (await desk.pairs("1001"))[0]
    assert {item["kind"]: item["state"] for item in pair["items"]} == {"ticket": "taken", "note": "ordered"}
    assert pair["out_signed_at"] <= pair["in_signed_at"]
    view = (await desk.ask("1004", "GET", f"tickets/{ticket}")).json()
    assert (view["agent"], view["owner"], view["closed_at"]) == ("1001", "1004", None)
    assert (await desk.ask("1001", "POST", f"tickets/{ticket}/finish")).status_code == 409
    assert (await desk.ask("1004", "POST", f"tickets/{ticket}/finish")).status_code == 204
    assert (await desk.ask("1001", "GET", f"tickets/{ticket}")).json()["closed_at"] is not None


async def test_only_the_lead_pairs_and_a_refusal_names_every_article(desk: Desk) -> None:
    """HZ 第二十八条, 二十九条, 三十三条 in the problem document, in both languages, with who may override."""
    pairs = {"pairs": [{"outgoing": "1001", "incoming": "1003"}, {"outgoing": "1002", "incoming": "1004"}]}
    handover = f"handovers/{desk.house.handover_id}"
    for number in ("1001", "3001", "9999"):
        assert (await desk.ask(number, "POST", f"{handover}/pairs", pairs)).status_code == 403
    assert (await desk.ask("2001", "POST", "handovers/h-none/pairs", pairs)).json()["code"] == "not_found"
    twice = {"pairs": [{"outgoing": "1001", "incoming": "1003"}]}
    refused = (await desk.ask("2001", "POST", f"{handover}/pairs", twice)).json()
    assert (refused["code"], refused["articles"][0]["article"]) == ("paired_twice", "第二十八条")
    assert (await desk.ask("2001", "POST", f"{handover}/pairs", pairs)).status_code == 204
    await desk.house.to(CHANGE)
    problem = (await desk.ask("1001", "POST", "me/sign-out")).json()
    assert [a["article"] for a in problem["articles"]] == ["第二十九条", "第三十三条"]
    assert (problem["override"], "1003未到" in problem["detail"], "1003" in problem["detail_en"]) == (
        "lead",
        True,
        True,
    )


async def test_a_closed_handover_stays_to_be_read(desk: Desk) -> None:
    """Pairs, items, signatures, gaps in milliseconds with their cause: gone from the desk, kept in the history."""
    house = desk.house
    await house.to(CHANGE - timedelta(minutes=5))
    for going, coming, seat in (("1001", "1004", "3001"), ("1002", "1003", "3002")):
        await house.yes(Arrive(coming))
        await house.hand_over(going, coming)
        if house.clock.now() < CHANGE:
            await house.to(CHANGE)
        await house.yes(SignOut(going))
        await house.wait(2.5)
        assert (await desk.ask(coming, "POST", "me/sign-in", {"seat": seat})).status_code == 200
    assert await desk.pairs("2001") == []
    answer = await desk.ask("3001", "GET", "handovers?from=2026-11-21T00:00:00Z&to=2026-11-22T00:00:00Z")
    kept = answer.json()
    assert [(h["state"], len(h["pairs"])) for h in kept["handovers"]] == [("closed", 2)]
    gaps = [(g["seat"], g["ms"], g["within"], g["cause"]) for p in kept["handovers"][0]["pairs"] for g in p["gaps"]]
    assert gaps == [("3001", 2500, True, "incoming"), ("3002", 2500, True, "incoming")]
    assert kept["names"]["1004"] == "测试1004"

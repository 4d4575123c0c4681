"""The API of ticket stubs, the real engine behind it: who may say what, clocks, repeats, chasing, several of a call."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from cti.commands import SignIn
from cti.commands.tickets import OpenStub
from tests.unit.cti.web.conftest import browser
from tests.web.conftest import PIN
from tests.web.duty import DutySite, duty_site
from tests.web.ticketing import AREAS, UNIT, answered, put_unit

NUMBER = "13800000061"


class Desk:
    """Clients that are logged in, and tickets from calls."""

    def __init__(self, site: DutySite) -> None:
        self.site = site
        self.clients: dict[str, httpx.AsyncClient] = {}

    async def ask(self, number: str, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """A request of *number*'s."""
        if number not in self.clients:
            client = self.clients[number] = browser(self.site.app)
            answer = await client.post("/api/v1/session", json={"number": number, "pin": PIN})
            assert answer.status_code == 201
        return await self.clients[number].request(method, f"/api/v1/{path}", json=body, headers=headers)

    async def view(self, number: str, method: str, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
        """The answer, which is no refusal."""
        answer = await self.ask(number, method, path, body, **headers)
        assert answer.status_code in (200, 201), answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def refused(self, number: str, method: str, path: str, body: Any = None) -> tuple[int, str, list[str]]:
        """Status, code and articles of a refusal."""
        answer = await self.ask(number, method, path, body)
        problem = answer.json()
        return answer.status_code, problem["code"], [a["article"] for a in problem.get("articles", ())]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """09:00 on a Monday, two agents at their seats, one unit in the directory."""
    async with duty_site(tmp_path, settings=AREAS) as site:
        for number in ("1001", "1002"):
            await site.ask(SignIn(number, f"3{number[1:]}"))
        await put_unit(site)
        made = Desk(site)
        yield made
        for client in made.clients.values():
            await client.aclose()


async def test_a_ticket_shows_its_particulars(desk: Desk) -> None:
    """Kind, area, verified with who and when, notes, and the clock; hostile words come back as they are."""
    ticket = f"tickets/{await answered(desk.site, '1001', NUMBER)}"
    assert (await desk.view("1001", "GET", ticket))["stub"]["kind"] is None
    view = await desk.view("1001", "PATCH", ticket, {"kind": "repair", "area": "east"})
    opened = datetime.fromisoformat(view["opened_at"])
    assert datetime.fromisoformat(view["stub"]["hand_out_due"]) == opened + timedelta(minutes=5)
    stub = (await desk.view("1001", "PUT", f"{ticket}/verified", {"verified": True}))["stub"]
    assert (stub["verified"], stub["verified_by"], stub["verified_at"] is not None) == (True, "1001", True)
    text = '<script>alert(1)</script>\n{"$": "三楼"}'
    assert await desk.view("1001", "PUT", f"{ticket}/notes", {"text": text, "version": 1}) == {"version": 1}
    view = await desk.view("1001", "POST", f"{ticket}/handout", {"unit": UNIT})
    assert (view["stub"]["notes"], view["stub"]["unit"]) == (text, UNIT)
    assert (await desk.view("1001", "POST", f"{ticket}/taken"))["stub"]["taken_at"] is not None
    view = await desk.view("1001", "POST", f"{ticket}/return", {"reason": "不属本单位"})
    assert (view["stub"]["unit"], view["stub"]["returned_at"] is not None) == (None, True)


async def test_what_cannot_be_taken_is_named(desk: Desk) -> None:
    """422 with the field: an unknown kind or area, notes too long or with what cannot be shown, an unknown field."""
    ticket = f"tickets/{await answered(desk.site, '1001', NUMBER)}"
    for method, path, body, field in (
        ("PATCH", "", {"kind": "x"}, "kind"), ("PATCH", "", {"area": "x"}, "area"),
        ("PATCH", "", {"agent": "1"}, "agent"),
        ("PUT", "/notes", {"text": "字" * 2001, "version": 1}, "text"),
        ("PUT", "/notes", {"text": "\u202e", "version": 1}, "text"),
    ):  # fmt: skip
        answer = await desk.ask("1001", method, ticket + path, body)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    long = {"text": "字" * 2000, "version": 1}
    assert (await desk.ask("1001", "PUT", f"{ticket}/notes", long)).status_code == 200
    assert (await desk.refused("1001", "PUT", f"{ticket}/notes", {"text": "旧", "version": 1}))[:2] == (
        409,
        "notes_newer",
    )


async def test_anothers_ticket_looks_like_none(desk: Desk) -> None:
    """404 for another agent, 403 for an auditor; a lead may."""
    ticket = f"tickets/{await answered(desk.site, '1001', NUMBER)}"
    assert (await desk.refused("1002", "PATCH", ticket, {"kind": "repair"}))[0] == 404
    assert (await desk.refused("1002", "POST", f"{ticket}/stubs"))[0] == 400
    assert (await desk.refused("9500", "PATCH", ticket, {"kind": "repair"}))[0] == 403
    assert (await desk.view("9001", "PATCH", ticket, {"kind": "repair"}))["stub"]["kind"] == "repair"


async def test_the_fifth_complaint_of_one_caller_suggests_the_gravest_grade(desk: Desk) -> None:
    """KL 第十四条(六): counted from calls; several stubs of one call count once; the agent sets the grade."""
    for n in range(1, 6):
        ticket = f"tickets/{await answered(desk.site, '1001', NUMBER)}"
        view = await desk.view("1001", "PATCH", ticket, {"kind": "complaint", "area": "east"})
        assert (view["repeats"]["same_caller"], view["repeats"]["different"], view["calls_in_month"]) == (n, 1, n)
        assert view["repeats"]["grade"] == ("1" if n >= 5 else "3")
        more = await desk.view("1001", "POST", f"{ticket}/stubs", **{"Idempotency-Key": f"k{n}"})
        more = await desk.view("1001", "PATCH", f"tickets/{more['ticket_id']}", {"kind": "complaint"})
        assert more["repeats"]["same_caller"] == n
    assert view["repeats"]["articles"][0]["article"] == "KL 第十四条(六)"
    assert view["stub"]["complaint_grade"] is None
    assert (await desk.view("1001", "PATCH", ticket, {"complaint_grade": "1"}))["stub"]["complaint_grade"] == "1"


async def test_five_different_complainants_in_a_month_suggest_the_second_grade(desk: Desk) -> None:
    """KL 第十四条(六): the same area and kind; another area, and what is older than a month, do not count."""
    for n in range(1, 6):
        if n == 2:
            desk.site.leap(32 * 86400)  # the first is too old by then, and so is the login
            await desk.clients.pop("1001").aclose()
        ticket = f"tickets/{await answered(desk.site, '1001', f'1380000007{n}')}"
        area = "west" if n == 3 else "east"
        view = await desk.view("1001", "PATCH", ticket, {"kind": "complaint", "area": area})
    assert (view["repeats"]["different"], view["repeats"]["grade"]) == (3, "3")
    for n in (6, 7):
        ticket = f"tickets/{await answered(desk.site, '1001', f'1380000007{n}')}"
        view = await desk.view("1001", "PATCH", ticket, {"kind": "complaint", "area": "east"})
    assert (view["repeats"]["different"], view["repeats"]["grade"]) == (5, "2")


async def test_who_chases_sees_age_against_limit_and_two_reminders(desk: Desk) -> None:
    """KL 第十五条(四): under half explain, past half remind, refused with its article after the second."""
    first = f"tickets/{await answered(desk.site, '1001', NUMBER)}"
    await desk.view("1001", "PATCH", first, {"kind": "complaint", "complaint_grade": "2"})
    await desk.view("1001", "POST", f"{first}/handout", {"unit": UNIT})
    desk.site.leap(3600)
    again = f"tickets/{await answered(desk.site, '1002', NUMBER)}"
    (chased,) = (await desk.view("1002", "GET", again))["open_tickets"]
    assert (chased["advice"], chased["limit_s"], chased["reminders"]) == ("explain", 86400, 0)
    assert 3600 <= chased["age_s"] < 3700
    assert chased["share"] == pytest.approx(3600 / 86400, rel=0.05)
    asked = {"of": chased["ticket_id"]}
    refused = await desk.refused("1002", "POST", f"{again}/reminders", asked)
    assert refused == (409, "explain_first", ["第十五条(四)"])
    desk.site.leap(12 * 3600)
    for n in (1, 2):
        (chased,) = (await desk.view("1002", "POST", f"{again}/reminders", asked))["open_tickets"]
        assert (chased["reminders"], chased["advice"]) == (n, "remind" if n == 1 else "exhausted")
    refused = await desk.refused("1002", "POST", f"{again}/reminders", asked)
    assert refused == (409, "reminders_used_up", ["第十五条(四)"])


async def test_several_stubs_of_one_call_share_its_recording(desk: Desk) -> None:
    """KL 第十五条(一)3: each shows the same recording and its siblings; one key opens one stub."""
    first = await answered(desk.site, "1001", NUMBER)
    key = {"Idempotency-Key": "page-1"}
    second = await desk.view("1001", "POST", f"tickets/{first}/stubs", **key)
    assert (await desk.view("1001", "POST", f"tickets/{first}/stubs", **key))["ticket_id"] == second["ticket_id"]
    for ticket_id in (first, second["ticket_id"]):
        view = await desk.view("1001", "GET", f"tickets/{ticket_id}")
        assert [(s["ticket_id"], s["ordinal"]) for s in view["stubs"]] == [(first, 1), (second["ticket_id"], 2)]
        assert view["recording"] == "ok"
    call = (await desk.ask("1001", "GET", f"calls/{second['call_id']}")).json()
    assert (call["ticket_id"], len((await desk.ask("1001", "GET", "me/calls")).json())) == (first, 1)
    assert (await desk.ask("1001", "POST", f"tickets/{second['ticket_id']}/finish")).status_code == 204
    assert (await desk.refused("1001", "PATCH", f"tickets/{second['ticket_id']}", {"kind": "repair"}))[
        1
    ] == "ticket_closed"


async def test_a_stub_of_another_channel_is_taken_and_finished(desk: Desk) -> None:
    """GJ 第五条: nobody's until somebody takes it; then his like any other."""
    opened = await desk.site.ask(OpenStub("oa", NUMBER, "service", "west", "报装", "oa-gateway", "oa-1"))
    ticket = f"tickets/{opened.data['ticket_id']}"
    assert (await desk.refused("1001", "GET", ticket))[0] == 404
    waiting = await desk.ask("1001", "GET", "stubs/unowned")
    assert [row["ticket_id"] for row in waiting.json()] == [opened.data["ticket_id"]]
    assert NUMBER not in waiting.text
    view = await desk.view("1001", "POST", f"{ticket}/take")
    assert (view["agent"], view["owner"], view["call_id"], view["stub"]["channel"]) == ("1001", "1001", None, "oa")
    assert (await desk.ask("1001", "GET", "stubs/unowned")).json() == []
    assert (await desk.ask("1001", "POST", f"{ticket}/finish")).status_code == 204


async def test_the_words_of_a_stub_are_the_sites(desk: Desk) -> None:
    """Kinds with their keys and the article of their clock, areas, units; for all who see callers."""
    words = await desk.view("1001", "GET", "stub-words")
    repair = next(k for k in words["kinds"] if k["code"] == "repair")
    assert (repair["zh"], repair["key"], repair["hand_out"]["article"]) == ("故障报修", "4", "KL 第十四条(四)")
    assert len({k["key"] for k in words["kinds"]}) == len(words["kinds"]) == 10
    assert ([a["code"] for a in words["areas"]], [u["code"] for u in words["units"]]) == (["east", "west"], [UNIT])
    assert (await desk.refused("9500", "GET", "stub-words"))[0] == 403

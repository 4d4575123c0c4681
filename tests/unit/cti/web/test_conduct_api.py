"""Conduct over the API, with the real engine behind it: who may what, refusals as problems, the duty log."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.cti.web.conftest import browser
from tests.web.conftest import PIN
from tests.web.duty import NINE, DutySite, duty_site

Person = Callable[[str], Awaitable[httpx.AsyncClient]]


@pytest.fixture
async def duty(tmp_path: Path) -> AsyncIterator[DutySite]:
    """09:00; the day shift of 1001 and 1002 began at 08:45."""
    async with duty_site(tmp_path) as site:
        for agent in ("1001", "1002", "9001"):
            site.on_duty(agent, NINE - timedelta(minutes=15))
        yield site


@pytest.fixture
async def person(duty: DutySite) -> AsyncIterator[Person]:
    """Logs somebody in."""
    opened: list[httpx.AsyncClient] = []

    async def log_in(number: str) -> httpx.AsyncClient:
        client = browser(duty.app)
        opened.append(client)
        assert (await client.post("/api/v1/session", json={"number": number, "pin": PIN})).status_code == 201
        return client

    yield log_in
    for client in opened:
        await client.aclose()


async def post(client: httpx.AsyncClient, path: str, body: Any = None) -> tuple[int, Any]:
    answer = await client.post(f"/api/v1/{path}", json=body)
    return answer.status_code, answer.json() if answer.content else None


async def get(client: httpx.AsyncClient, path: str) -> Any:
    answer = await client.get(f"/api/v1/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_refusal_names_articles_moment_and_role(person: Person) -> None:
    """RFC 9457, in Chinese and English: every article that speaks, when it is allowed, who may allow it."""
    agent = await person("1001")
    assert (await post(agent, "me/sign-in", {"seat": "3001"}))[0] == 200
    status, problem = await post(agent, "me/busy", {"reason": "break"})
    assert (status, problem["code"], problem["override"]) == (409, "first_minutes", "lead")
    assert [(a["document"], a["article"]) for a in problem["articles"]] == [
        ("HZ", "第三十二条"), ("QD", "第十九条"), ("HOUSE", "离岗轮席最少在席")
    ]  # fmt: skip
    assert all(a["wording"] for a in problem["articles"])
    assert "30分钟" in problem["detail"]
    assert "30 minutes" in problem["detail_en"]
    status, problem = await post(agent, "me/sign-out")
    assert (status, problem["allowed_at"]) == (409, (NINE + timedelta(minutes=15)).isoformat().replace("+00:00", "Z"))


async def test_from_request_to_decision_and_nobody_decides_his_own(person: Person, duty: DutySite) -> None:
    """The lead's own request needs the other lead; agents cannot even see the list; every step is in the ledger."""
    agent, lead, other = await person("1001"), await person("9001"), await person("9002")
    assert (await post(agent, "me/sign-in", {"seat": "3001"}))[0] == 200
    assert (await post(lead, "me/sign-in", {"seat": "3009"}))[0] == 200
    status, asked = await post(agent, "me/permits", {"kind": "busy", "reason": "头疼<b>"})
    assert (status, asked["state"]) == (201, "asked")
    _, own = await post(lead, "me/permits", {"kind": "sign_out", "reason": "家中有事"})
    assert [p["agent"] for p in await get(lead, "permits?waiting=true")] == ["1001", "9001"]
    decide = {"agreed": True, "reason": "可以", "minutes": 20}
    assert (await post(lead, f"permits/{own['permit_id']}/decide", decide))[1]["code"] == "own_request"
    for path in (f"permits/{own['permit_id']}/decide", f"permits/{asked['permit_id']}/decide"):
        assert (await post(agent, path, decide))[0] == 403
        assert (await post(other, path, decide))[0] == 200
    assert (await post(other, f"permits/{own['permit_id']}/decide", decide))[1]["code"] == "not_open"
    assert (await agent.get("/api/v1/permits")).status_code == 403
    assert (await post(agent, "me/busy", {"reason": "ticket"}))[0] == 200
    rows = await get(await person("9500"), "permits")
    assert {(p["agent"], p["state"], p["decided_by"], p["used_at"] is not None) for p in rows} == {
        ("1001", "agreed", "9002", True), ("9001", "agreed", "9002", False)
    }  # fmt: skip
    until = (duty.clock.now() + timedelta(minutes=20)).timestamp()
    assert all(abs(until - _moment(p["until"])) < 60 for p in rows)
    assert duty.engine.board()["duty"]["requests"] == 0


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("me/permits", {"kind": "nap", "reason": "x"}, "kind"),
        ("me/permits", {"kind": "busy", "reason": ""}, "reason"),
        ("me/permits", {"kind": "busy", "reason": "x" * 201}, "reason"),
        ("me/permits", {"kind": "busy", "reason": "   "}, "reason"),
        ("me/permits", {"kind": "busy", "reason": "a\u0007b"}, "reason"),
        ("me/permits", {"kind": "busy", "reason": "x", "agent": "1002"}, "agent"),
        ("permits/p-1/decide", {"agreed": True, "reason": "x", "minutes": 0}, "minutes"),
        ("permits/p-1/decide", {"agreed": True, "reason": "x", "minutes": 1441}, "minutes"),
        ("trainings", {"number": "x", "note": "y"}, "number"),
    ],
)
async def test_a_field_that_cannot_be_taken_is_named(
    person: Person, path: str, body: dict[str, Any], field: str
) -> None:
    """422 with the field; what was sent is not repeated."""
    status, problem = await post(await person("9001"), path, body)
    assert status == 422
    assert problem["errors"][0]["field"].endswith(field)


async def test_own_duty_is_ones_own(person: Person) -> None:
    """The page's picture: shift, windows, arrival, requests; and no route takes another agent's number."""
    agent = await person("1001")
    own = await get(agent, "me/duty")
    assert own["can_arrive"] is True
    assert [w["name"] for w in own["windows"]] == ["first", "last"]
    assert (await agent.post("/api/v1/me/arrive")).status_code == 204
    assert (await post(agent, "me/arrive"))[1]["code"] == "arrived_already"
    own = await get(agent, "me/duty")
    assert own["arrived_at"] is not None
    _, asked = await post(agent, "me/permits", {"kind": "sign_out", "reason": "有事"})
    stranger = await person("1002")
    assert (await post(stranger, f"me/permits/{asked['permit_id']}/withdraw"))[1]["code"] == "not_found"
    assert (await get(stranger, "me/duty"))["permits"] == []
    assert (await post(agent, f"me/permits/{asked['permit_id']}/withdraw"))[1]["state"] == "withdrawn"
    assert (await agent.delete("/api/v1/me/break-line")).json()["code"] == "not_in_line"


async def test_an_agent_sees_nothing_of_what_waits_for_the_lead(person: Person) -> None:
    """The board's duty part: requests and who is over his time are the lead's."""
    agent, lead = await person("1001"), await person("9001")
    assert {"requests", "over_time", "break_line"} <= set((await get(lead, "board"))["duty"])
    assert not {"requests", "over_time"} & set((await get(agent, "board"))["duty"])


async def test_busy_reasons_say_what_they_count_as(person: Person) -> None:
    """code -> both names, counted, rotates; and each line of the board has the counted time of today."""
    agent = await person("1001")
    reasons = (await get(agent, "me"))["busy_reasons"]
    assert reasons["break"] == {"zh": "离岗休息", "en": "Break", "counted": True, "rotates": True}
    assert reasons["ticket"] == {"zh": "处理工单", "en": "Ticket work", "counted": False, "rotates": False}
    assert (await get(agent, "board"))["busy_reasons"] == reasons
    assert {line["busy_counted_ms"] for line in (await get(agent, "board"))["agents"]} == {0}


async def test_the_duty_log_by_time_and_agent(person: Person, duty: DutySite) -> None:
    """For lead, admin and auditor; from is included, to is not; pages follow one another by seq."""
    agent, second, lead = await person("1001"), await person("1002"), await person("9001")
    for client, seat in ((agent, "3001"), (second, "3002")):
        assert (await post(client, "me/sign-in", {"seat": seat}))[0] == 200
    duty.leap(3600)
    assert (await post(agent, "me/busy", {"reason": "meeting"}))[0] == 200
    everything = await get(lead, "duty-log")
    assert [(row["agent"], row["act"], row["reason"]) for row in everything] == [
        ("1001", "signed_in", None), ("1002", "signed_in", None), ("1001", "busy", "meeting")
    ]  # fmt: skip
    assert [row["seq"] for row in await get(lead, "duty-log?agent=1001")] == [1, 3]
    assert [row["seq"] for row in await get(lead, "duty-log?after=2")] == [3]
    query = httpx.QueryParams({"from": everything[1]["at"], "to": everything[2]["at"]})
    assert [row["seq"] for row in await get(lead, f"duty-log?{query}")] == [2]
    for number in ("9500", "9999"):
        assert len(await get(await person(number), "duty-log")) == 3
    assert (await agent.get("/api/v1/duty-log")).status_code == 403
    assert (await lead.get("/api/v1/duty-log?from=2026-11-23T09:00:00")).status_code == 422  # no zone, no moment


async def test_retraining_is_recorded_by_a_lead_for_others(person: Person) -> None:
    """Not by an agent, not for oneself, and read by the auditor."""
    agent, lead = await person("1001"), await person("9001")
    done = {"number": "1001", "note": "业务考核通过"}
    assert (await post(agent, "trainings", done))[0] == 403
    assert (await post(lead, "trainings", {**done, "number": "9001"}))[1]["code"] == "own_training"
    assert (await lead.post("/api/v1/trainings", json=done)).status_code == 204
    rows = await get(await person("9500"), "trainings")
    assert [(row["agent"], row["by"], row["note"]) for row in rows] == [("1001", "9001", "业务考核通过")]

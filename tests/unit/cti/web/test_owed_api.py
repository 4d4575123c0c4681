"""The API of owed callbacks, the real engine behind it: who may do what, refusals with articles, draws checked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from cti.commands import DialNow, GoReady, SignIn
from cti.commands.dialling import PreviewOpened
from cti.commands.owed import ClaimCallback, OweCallback
from cti.engine.inputs import Dial, Due
from tests.sim.missing import NUMBER
from tests.sim.owing import talking
from tests.unit.cti.web.test_missed_api import as_
from tests.web.duty import DutySite, duty_site

WORDS = "<b>仍漏水</b>"
KEY = {"Idempotency-Key": "k1"}


@pytest.fixture
async def duty(tmp_path: Path) -> AsyncIterator[DutySite]:
    """Monday, 09:00, two agents signed in, one callback owed."""
    async with duty_site(tmp_path) as site:
        for number in ("1001", "1002"):
            await site.ask(SignIn(number, f"3{number[1:]}"))
        await site.ask(OweCallback("9001", "9001:first", NUMBER, None, "repair"))
        yield site


@pytest.fixture
async def all_(duty: DutySite) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    """Everybody's logged-in client."""
    clients = {number: await as_(duty, number) for number in ("1001", "1002", "9001", "9500", "9999")}
    yield clients
    for client in clients.values():
        await client.aclose()


def path_of(duty: DutySite) -> str:
    """The callback's address."""
    (callback,) = duty.engine.world.callbacks.values()
    return f"/api/v1/owed/{callback.callback_id}"


async def reached(duty: DutySite, agent: str = "1001") -> None:
    """*agent* claims it, rings, and has talked with the caller."""
    (callback,) = duty.engine.world.callbacks.values()
    for command in (ClaimCallback(agent, callback.callback_id), PreviewOpened(agent, callback.callback_id),
                    DialNow(agent, callback.callback_id)):  # fmt: skip
        outcome = await duty.ask(command)
        assert outcome.ruling.allowed, outcome.ruling
    (dial,) = [effect for effect in duty.effects if isinstance(effect, Dial)]
    duty.pbx.place(dial)
    running = talking(duty.pbx)
    duty.pbx._end_dial(running)
    await duty.ask(GoReady("1002"))  # taken behind what was heard before


async def test_claim_release_assign(duty: DutySite, all_: dict[str, httpx.AsyncClient]) -> None:
    """One wins; the other's refusal names him and the article; only a lead assigns; auditors change nothing."""
    path = path_of(duty)
    won = (await all_["1001"].post(f"{path}/claim")).json()
    assert (won["agent"], won["state"], "number" in won) == ("1001", "due", False)
    lost = await all_["1002"].post(f"{path}/claim")
    assert (lost.status_code, lost.json()["code"]) == (409, "callback_claimed")
    assert lost.json()["articles"][0]["wording"] == "各回访人员要做到信息互通，尽可能避免或减少重复回访用户。"
    assert (await all_["1002"].post(f"{path}/release")).status_code == 409
    assert (await all_["1002"].post(f"{path}/assign", json={"agent": "1002"})).status_code == 403
    assert (await all_["9500"].post(f"{path}/claim")).status_code == 403
    assert (await all_["9001"].post(f"{path}/assign", json={"agent": "1002"})).json()["agent"] == "1002"
    assert (await all_["1002"].post(f"{path}/release")).json()["agent"] == ""
    assert (await all_["1001"].post("/api/v1/owed/c-none/claim")).status_code == 409
    assert (await all_["1001"].post(f"{path}/claim", json={})).status_code == 200


async def test_a_lead_asks_for_one(duty: DutySite, all_: dict[str, httpx.AsyncClient]) -> None:
    """The same key owes once; an agent may not; a kind that is not called is refused with the article."""
    body: dict[str, Any] = {"caller": "13800000062", "kind": "repair"}
    assert (await all_["9001"].post("/api/v1/owed", json=body)).status_code == 400  # no key
    first = await all_["9001"].post("/api/v1/owed", json=body, headers=KEY)
    again = await all_["9001"].post("/api/v1/owed", json=body, headers=KEY)
    assert (first.status_code, first.json()) == (201, again.json())
    assert (await all_["1001"].post("/api/v1/owed", json=body, headers=KEY)).status_code == 403
    refused = await all_["9001"].post("/api/v1/owed", json=body | {"kind": "praise"}, headers={"Idempotency-Key": "k2"})
    assert (refused.status_code, refused.json()["code"]) == (409, "kind_not_called")
    assert "表扬类" in refused.json()["articles"][0]["wording"]


async def test_a_result_is_said_after_the_talk_alone(duty: DutySite, all_: dict[str, httpx.AsyncClient]) -> None:
    """Refused before with the article; the words go to the holder and leads; an auditor has the list without words."""
    path = path_of(duty)
    said = {"result": "dissatisfied", "text": WORDS, "cause": "handling"}
    await all_["1001"].post(f"{path}/claim")
    early = await all_["1001"].post(f"{path}/result", json=said)
    assert (early.status_code, early.json()["code"]) == (409, "not_reached")
    await reached(duty)
    assert (await all_["1001"].post(f"{path}/result", json=said | {"cause": None})).status_code == 422
    assert (await all_["1001"].post(f"{path}/result", json=said | {"result": "bad"})).status_code == 422
    assert (await all_["1001"].post(f"{path}/result", json=said)).json()["result"] == "dissatisfied"
    lists = {n: await all_[n].get("/api/v1/owed/dissatisfied") for n in ("1001", "9001", "9500", "9999")}
    assert {n: answer.status_code for n, answer in lists.items()} == {
        "1001": 403,
        "9001": 200,
        "9500": 200,
        "9999": 200,
    }
    (view,) = lists["9001"].json()
    assert (view["cause"], view["text"], view["recording"]) == ("handling", WORDS, "ok")
    assert [step["act"] for step in view["steps"]] == ["claimed", "result"]
    assert (lists["9500"].json()[0]["text"], lists["9500"].json()[0]["steps"][1]["detail"]) == ("", "")
    steps = [(await all_[n].get(f"{path}/steps")).json()[1]["detail"] for n in ("1001", "1002")]
    assert steps == ["dissatisfied handling", ""]


async def test_an_appointment_at_night_is_refused_with_the_article(
    duty: DutySite, all_: dict[str, httpx.AsyncClient]
) -> None:
    """The refusal says when it would be allowed and who may allow it all the same."""
    path = path_of(duty)
    await all_["1001"].post(f"{path}/claim")
    night = (duty.clock.now() + timedelta(hours=13)).isoformat()
    refused = await all_["1001"].post(f"{path}/appointment", json={"at": night})
    assert (refused.status_code, refused.json()["code"]) == (409, "quiet_hours")
    assert [a["article"] for a in refused.json()["articles"]] == ["第十四条(九)", "第十四条(九)"]
    noon = duty.clock.now() + timedelta(hours=3)
    agreed = await all_["1001"].post(f"{path}/appointment", json={"at": noon.isoformat()})
    assert (agreed.status_code, agreed.json()["state"]) == (200, "due")
    assert (await all_["1001"].post(f"{path}/appointment", json={"at": "2026-11-23T12:00"})).status_code == 422


async def test_close_send_back_refusal_and_matter(duty: DutySite, all_: dict[str, httpx.AsyncClient]) -> None:
    """Each is refused with its code while the facts are not there; a new matter is a stub of the patrol, once."""
    path, agent = path_of(duty), all_["1001"]
    await agent.post(f"{path}/claim")
    asked = {
        "close": ({"reason": "无人"}, "too_few_attempts"), "sendback": ({"reason": "不符"}, "no_such_ticket"),
        "refusal": ({"what": "refused"}, "not_reached"),
    }  # fmt: skip
    for name, (body, code) in asked.items():
        answer = await agent.post(f"{path}/{name}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, code)
        assert (await all_["9500"].post(f"{path}/{name}", json=body)).status_code == 403
    await reached(duty)
    told = {"text": WORDS, "kind": "repair"}
    first = await agent.post(f"{path}/matters", json=told, headers=KEY)
    again = await agent.post(f"{path}/matters", json=told, headers=KEY)
    assert (first.status_code, first.json()) == (201, again.json())
    assert duty.engine.world.stubs[first.json()["ticket_id"]].channel == "patrol"
    assert (await agent.post(f"{path}/refusal", json={"what": "wrong_number"})).json()["state"] == "wrong_number"


async def test_progress_draws_verdicts_and_supervision(duty: DutySite, all_: dict[str, httpx.AsyncClient]) -> None:
    """Everybody sees the progress and the commitment, nobody the secret of an open list."""
    far = (await all_["1002"].get("/api/v1/owed/progress")).json()
    assert (far["open"], far["mandatory_left"]) == (1, 1)
    (draw,) = (await all_["1002"].get("/api/v1/owed/draws")).json()
    assert (len(draw["commitment"]), draw["secret"], draw["checked"]) == (64, None, None)
    duty.leap(12 * 3600)
    duty.engine.put(Due("draw:callback.sample_percent"))
    await duty.ask(OweCallback("9001", "9001:second", "13800000063", None, None))
    closed = [d for d in (await all_["1002"].get("/api/v1/owed/draws")).json() if d["draw_id"] == draw["draw_id"]]
    assert [(d["checked"], len(d["secret"])) for d in closed] == [(True, 32)]
    one = await all_["1002"].get(f"/api/v1/owed/draws/{draw['draw_id']}")
    assert one.json() == closed[0]
    assert (await all_["1002"].get("/api/v1/owed/draws/d-none")).status_code == 404
    assert (await all_["1002"].get("/api/v1/owed/verdicts")).status_code == 403
    assert [v["code"] for v in (await all_["9500"].get("/api/v1/owed/verdicts")).json()] == ["ok", "ok"]
    assert (await all_["9001"].get("/api/v1/owed/supervised")).json() == []
    lifted = await all_["9001"].post("/api/v1/owed/supervised/t-1/lift", json={"reason": "已整改"})
    assert (lifted.status_code, lifted.json()["code"]) == (409, "not_supervised")
    marked = await all_["1001"].put("/api/v1/owed/tickets/t-none/marks/no_callback", json={"on": True})
    assert marked.status_code == 404

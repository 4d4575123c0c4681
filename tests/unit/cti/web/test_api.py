"""The API: commands with their rulings, tickets and calls by role, callbacks, people, OpenAPI."""

from __future__ import annotations

import httpx
import pytest
from sqlalchemy import insert

from cti.clock import VirtualClock
from cti.commands import GoBusy, GoReady, Popped, RequestCallback, SignIn, SignOut
from cti.errors import Unavailable
from cti.store.db import Store
from cti.store.tables import calls
from tests.unit.cti.web.conftest import PINS, Login
from tests.web.fake import PBX, FakeEngine

CALLER = "13800000001"
KEY = {"Idempotency-Key": "k-1"}


async def one_call(engine: FakeEngine, call_id: str = "c1", number: str = "1001", caller: str = CALLER) -> str:
    engine.enter(call_id, caller, waited_s=6)
    return await engine.answer(call_id, number)


async def test_own_state_goes_through_sign_in_busy_ready_sign_out(login: Login, engine: FakeEngine) -> None:
    """Each command is the agent's own, whatever the body says, and answers with the new state."""
    client = await login("1001")
    seen = []
    for path, body in (
        ("sign-in", {"seat": "8001"}), ("busy", {"reason": "meal"}), ("ready", None), ("sign-out", None)
    ):  # fmt: skip
        seen.append((await client.post(f"/api/v1/me/{path}", json=body)).json()["state"]["state"])
    assert seen == ["ready", "busy", "ready", "signed_out"]
    assert engine.commands == [
        SignIn("1001", "8001"), GoBusy("1001", "meal"), GoReady("1001"), SignOut("1001")
    ]  # fmt: skip


async def test_a_refusal_names_sentence_and_article(login: Login) -> None:
    """409 with both languages, the article and its wording (HZ 第十八条)."""
    await (await login("1002")).post("/api/v1/me/sign-in", json={"seat": "8001"})
    answer = await (await login("1001")).post("/api/v1/me/sign-in", json={"seat": "8001"})
    said = answer.json()
    assert (answer.status_code, said["code"]) == (409, "seat_taken")
    assert said["detail"] == "席位8001已由1002号话务员签入"
    assert said["detail_en"] == "Seat 8001 is held by agent 1002"
    assert said["articles"] == [{"document": "HZ", "article": "第十八条", "wording": "不许他人代签"}]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("me/sign-in", {}, "seat"),
        ("me/sign-in", {"seat": "8001\r\nAction: Originate"}, "seat"),
        ("me/sign-in", {"seat": "8001", "number": "1002"}, "number"),
        ("me/busy", {"reason": "a b"}, "reason"),
        ("callbacks", {"number": "123&PJSIP/900"}, "number"),
        ("callbacks", {"number": "13800000001\n"}, "number"),
        ("callbacks", {"number": CALLER, "not_before": "2026-11-21T10:00:00"}, "not_before"),
    ],
)
async def test_bad_fields_are_named(login: Login, engine: FakeEngine, path: str, body: object, field: str) -> None:
    """422 names the field in both languages and repeats nothing of what was sent; the engine hears nothing."""
    client = await login("1001")
    answer = await client.post(f"/api/v1/{path}", json=body, headers=KEY)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_input")
    assert [e["field"] for e in answer.json()["errors"]] == [field]
    assert "PJSIP" not in answer.text
    assert engine.commands == []


async def test_a_missing_part_is_503(login: Login, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of the shell is translated; its text stays inside."""

    async def away(_command: object) -> None:
        raise Unavailable("ami: link down at 10.1.2.3")

    monkeypatch.setattr(engine, "submit", away)
    answer = await (await login("1001")).post("/api/v1/me/ready")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert "10.1.2.3" not in answer.text


async def test_roles(login: Login, visitor: httpx.AsyncClient) -> None:
    """Admins take no calls, agents administer nobody, and nobody at all sees anything but health."""
    agent, lead, admin = await login("1001"), await login("9001"), await login("9999")
    person = {"number": "1003", "name": "测试话务员丁", "role": "agent", "pin": "240103"}
    for client, method, path, body, status in (
        (agent, "POST", "people", person, 403),
        (lead, "POST", "people", person, 403),
        (agent, "GET", "people", None, 403),
        (admin, "POST", "me/ready", None, 403),
        (admin, "GET", "callbacks", None, 403),
        (admin, "GET", "board", None, 200),
        (lead, "GET", "board", None, 200),
        (visitor, "GET", "board", None, 401),
        (visitor, "GET", "stream", None, 401),
        (visitor, "GET", "tickets/x", None, 401),
        (visitor, "POST", "people", person, 401),
        (visitor, "GET", "health", None, 200),
        (admin, "POST", "people", person, 201),
    ):
        answer = await client.request(method, f"/api/v1/{path}", json=body)
        assert answer.status_code == status, (method, path)


async def test_ticket_shows_call_and_earlier_calls_of_the_same_number(
    login: Login, engine: FakeEngine, clock: VirtualClock, store: Store
) -> None:
    """Newest first, at most five, never the call itself nor another number's, with how each ended."""
    for n in range(7):
        await one_call(engine, f"h{n}")
        await engine.hang_up(f"h{n}", "1001")
        await clock.advance(60)
    await one_call(engine, "other", caller="13800000002")
    await engine.hang_up("other", "1001")
    row = {
        "pbx_id": PBX, "call_id": "gone", "linkedid": "gone", "queue": "hotline", "caller": CALLER,
        "entered_at": clock.now(), "exact": True, "answer_exact": False, "ending": "abandoned", "transfers": [],
    }  # fmt: skip
    await store.write(lambda c: c.execute(insert(calls).values(row)))
    await clock.advance(60)
    ticket_id = await one_call(engine, "now")
    view = (await (await login("1001")).get(f"/api/v1/tickets/{ticket_id}")).json()
    assert (view["caller"], view["wait_ms"], view["ring_ms"], view["hotline"]) == (CALLER, 6000, 3120, "12319")
    assert [(e["result"], e["ticket_id"]) for e in view["history"]] == [
        ("abandoned", None), ("answered", "t-h6"), ("answered", "t-h5"), ("answered", "t-h4"), ("answered", "t-h3")
    ]  # fmt: skip


async def test_withheld_numbers_share_no_history(login: Login, engine: FakeEngine, clock: VirtualClock) -> None:
    """Two callers without a number are not the same caller."""
    await one_call(engine, "a", caller="anonymous")
    await engine.hang_up("a", "1001")
    await clock.advance(60)
    ticket_id = await one_call(engine, "b", caller="anonymous")
    assert (await (await login("1001")).get(f"/api/v1/tickets/{ticket_id}")).json()["history"] == []


async def test_another_agents_ticket_looks_like_none(login: Login, engine: FakeEngine) -> None:
    """404 with the same body as an unknown id, for reading, popping and calling back; a lead sees it."""
    ticket_id = await one_call(engine)
    stranger, lead = await login("1002"), await login("9001")
    unknown = await stranger.get("/api/v1/tickets/t-none")
    for answer in (
        await stranger.get(f"/api/v1/tickets/{ticket_id}"),
        await stranger.post(f"/api/v1/tickets/{ticket_id}/popped"),
        await stranger.post("/api/v1/callbacks", json={"ticket_id": ticket_id}, headers=KEY),
        await stranger.get("/api/v1/calls/c1"),
    ):
        assert (answer.status_code, answer.content) == (404, unknown.content)
    assert (await lead.get(f"/api/v1/tickets/{ticket_id}")).json()["caller"] == CALLER
    assert (await lead.post(f"/api/v1/tickets/{ticket_id}/popped")).status_code == 403
    assert engine.commands == []


async def test_popped_is_told_to_the_engine_once(login: Login, engine: FakeEngine, clock: VirtualClock) -> None:
    """A second tab, or a repeat, changes nothing."""
    ticket_id = await one_call(engine)
    client = await login("1001")
    for _ in range(2):
        assert (await client.post(f"/api/v1/tickets/{ticket_id}/popped")).status_code == 204
    assert engine.commands == [Popped("1001", ticket_id)]
    assert (await client.get(f"/api/v1/tickets/{ticket_id}")).json()["popped_at"] == "2026-11-21T02:00:00Z"


async def test_own_calls_are_todays_with_recording(login: Login, engine: FakeEngine, clock: VirtualClock) -> None:
    """From local midnight on: a call of yesterday evening is not in the list."""
    await clock.advance(13.9 * 3600)  # 23:54 in Heze
    await one_call(engine, "yesterday")
    await engine.hang_up("yesterday", "1001")
    await clock.advance(600)
    await one_call(engine, "today")
    await engine.hang_up("today", "1001", "short")
    rows = (await (await login("1001")).get("/api/v1/me/calls")).json()
    assert [(r["call_id"], r["recording"], r["caller"]) for r in rows] == [("today", "short", CALLER)]
    assert (await (await login("1002")).get("/api/v1/me/calls")).json() == []


async def test_call_shows_offers_and_recording(login: Login, engine: FakeEngine) -> None:
    """Offers in order with ring time in milliseconds, and what is known of the recording."""
    await one_call(engine)
    await engine.hang_up("c1", "1001")
    view = (await (await login("1001")).get("/api/v1/calls/c1")).json()
    assert [(o["agent"], o["ring_ms"], o["outcome"]) for o in view["offers"]] == [("1001", 3120, "answered")]
    assert (view["recording"]["state"], view["ticket_id"]) == ("ok", "t-c1")


async def test_agents_get_the_board_without_other_agents_call_ids(login: Login, engine: FakeEngine) -> None:
    """And nobody gets a whole number from it."""
    await one_call(engine, "c1", "1001")
    await one_call(engine, "c2", "1002")
    engine.enter("c3", CALLER)
    views = [(await (await login(n)).get("/api/v1/board")) for n in ("1001", "9001")]
    assert [[line["call_id"] for line in v.json()["agents"]] for v in views] == [["c1", None], ["c1", "c2"]]
    assert all(CALLER not in v.text and "138****0001" in v.text for v in views)


async def test_health_tells_no_more_than_a_word(visitor: httpx.AsyncClient, engine: FakeEngine) -> None:
    """ok while the link is up, degraded otherwise."""
    assert (await visitor.get("/api/v1/health")).json() == {"status": "ok"}
    engine.link = "down"
    assert (await visitor.get("/api/v1/health")).json() == {"status": "degraded"}


async def test_callback_for_a_ticket_goes_to_its_agent_with_a_key_of_their_own(
    login: Login, engine: FakeEngine
) -> None:
    """The number comes from the ticket, not from the page; a lead's request is for the ticket's agent."""
    ticket_id = await one_call(engine)
    for number in ("1001", "9001"):
        answer = await (await login(number)).post("/api/v1/callbacks", json={"ticket_id": ticket_id}, headers=KEY)
        assert answer.status_code == 201
    assert engine.commands == [
        RequestCallback("1001", "1001", CALLER, ticket_id, None, "1001:k-1"),
        RequestCallback("9001", "1001", CALLER, ticket_id, None, "9001:k-1"),
    ]
    mine = (await (await login("1001")).get("/api/v1/callbacks")).json()
    assert [(c["number"], c["agent"], c["attempts"]) for c in mine] == [(CALLER, "1001", 0)] * 2
    assert (await (await login("1002")).get("/api/v1/callbacks")).json() == []


async def test_callback_refused_at_night_says_when_and_who_may_override(login: Login, engine: FakeEngine) -> None:
    """The service's clock decides; the page shows the article and the earliest moment."""
    engine.night = True
    client = await login("9001")
    answer = await client.post("/api/v1/callbacks", json={"number": CALLER, "agent": "1001"}, headers=KEY)
    said = answer.json()
    assert (answer.status_code, said["code"], said["override"]) == (409, "quiet_hours", "lead")
    assert (said["allowed_at"], said["articles"][0]["article"]) == ("2026-11-21T11:00:00Z", "第十四条(九)")


async def test_callback_needs_a_key_a_target_and_a_right(login: Login, engine: FakeEngine) -> None:
    """No key 400, no or two targets 422, for another agent 403, a lead who names nobody 422."""
    agent, lead = await login("1001"), await login("9001")
    target = {"number": CALLER}
    for client, body, headers, status in (
        (agent, target, {}, 400),
        (agent, target, {"Idempotency-Key": "a b"}, 400),
        (agent, {}, KEY, 422),
        (agent, {**target, "ticket_id": "t-1"}, KEY, 422),
        (agent, target, KEY, 403),  # S9, HZ 25: no private calls, so no call without a ticket
        (agent, {"ticket_id": "t-none"}, KEY, 404),
        (agent, {**target, "agent": "1002"}, KEY, 403),
        (lead, target, KEY, 422),
        (lead, {**target, "agent": "1002"}, KEY, 201),
    ):
        answer = await client.post("/api/v1/callbacks", json=body, headers=headers)
        assert answer.status_code == status, answer.text


async def test_callback_requests_are_limited_per_person(login: Login, engine: FakeEngine, clock: VirtualClock) -> None:
    """S8. Twenty a minute; then 429 with Retry-After, and room again after it."""
    client, other = await login("9001"), await login("1001")
    ticket_id = await one_call(engine)

    async def ask(who: httpx.AsyncClient, n: int) -> httpx.Response:
        return await who.post("/api/v1/callbacks", json={"ticket_id": ticket_id}, headers={"Idempotency-Key": f"n-{n}"})

    answers = [await ask(client, n) for n in range(21)]
    assert [a.status_code for a in answers] == [201] * 20 + [429]
    assert (await ask(other, 1)).status_code == 201
    await clock.advance(int(answers[-1].headers["Retry-After"]))
    assert (await ask(client, 99)).status_code == 201


async def test_only_its_agent_or_a_lead_dials_a_callback(login: Login, engine: FakeEngine) -> None:
    """For others it does not exist; the list counts attempts and tells the last outcome."""
    agent, stranger, lead = await login("1001"), await login("1002"), await login("9001")
    body = {"number": CALLER, "agent": "1001"}
    made = (await lead.post("/api/v1/callbacks", json=body, headers=KEY)).json()["callback_id"]
    await engine.try_callback(made, 1, "no_answer", engine.clock.now())
    await engine.try_callback(made, 2, "busy", engine.clock.now())
    assert (await stranger.post(f"/api/v1/callbacks/{made}/dial")).status_code == 404
    assert (await stranger.post("/api/v1/callbacks/none/dial")).status_code == 404
    assert (await agent.post(f"/api/v1/callbacks/{made}/dial")).status_code == 200
    assert (await lead.post(f"/api/v1/callbacks/{made}/dial")).status_code == 200
    listed = (await lead.get("/api/v1/callbacks")).json()
    assert [(c["attempts"], c["last_outcome"]) for c in listed] == [(2, "busy")]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"number": "1"}, "number"), ({"number": "1001"}, "number"), ({"number": "10a3"}, "number"),
        ({"name": " "}, "name"), ({"name": "a\u202eb"}, "name"), ({"name": "x" * 65}, "name"),
        ({"role": "root"}, "role"), ({"pin": "12345"}, "pin"), ({"pin": "111111"}, "pin"), ({"pin": "abcdef"}, "pin"),
    ],
)  # fmt: skip
async def test_bad_people_are_refused_by_field(login: Login, change: dict[str, str], field: str) -> None:
    """Number, name, role and PIN are checked, and the answer names which."""
    person = {"number": "1003", "name": "测试话务员丁", "role": "agent", "pin": "240103", **change}
    answer = await (await login("9999")).post("/api/v1/people", json=person)
    assert (answer.status_code, [e["field"] for e in answer.json()["errors"]]) == (422, [field])


async def test_admin_adds_and_shuts_out(login: Login, visitor: httpx.AsyncClient, engine: FakeEngine) -> None:
    """The new person logs in; shut out, session and seat are gone; an admin cannot shut himself out."""
    admin = await login("9999")
    person = {"number": "1003", "name": "测试话务员丁", "role": "agent", "pin": "240103"}
    assert (await admin.post("/api/v1/people", json=person)).json() == {
        "number": "1003", "name": "测试话务员丁", "role": "agent", "active": True
    }  # fmt: skip
    await visitor.post("/api/v1/session", json={"number": "1003", "pin": "240103"})
    assert (await visitor.get("/api/v1/me")).status_code == 200
    assert (await admin.put("/api/v1/people/1003/active", json={"active": False})).status_code == 204
    assert (await visitor.get("/api/v1/me")).status_code == 401
    assert engine.commands[-1] == SignOut("1003", "9999")
    assert (await admin.put("/api/v1/people/9999/active", json={"active": False})).status_code == 403
    assert (await admin.put("/api/v1/people/4444/active", json={"active": False})).status_code == 404
    assert {p["number"] for p in (await admin.get("/api/v1/people")).json()} == {*PINS, "1003"}


async def test_openapi_is_served_and_names_every_route(visitor: httpx.AsyncClient) -> None:
    """3.1, problems declared, and no page that loads from a public network."""
    document = (await visitor.get("/api/v1/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    assert {"/api/v1/session", "/api/v1/me/busy", "/api/v1/stream", "/api/v1/callbacks/{callback_id}/dial"} <= set(
        document["paths"]
    )
    assert "ProblemBody" in document["components"]["schemas"]
    for path in ("/docs", "/redoc"):
        assert (await visitor.get(path)).status_code == 404

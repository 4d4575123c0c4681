"""What other systems ask, and administrators of sinks and tokens: who may, what is refused, what is never shown."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from cti.clock import VirtualClock
from cti.commands import Command, Outcome, RequestCallback
from cti.commands.sinks import ReportReply
from cti.commands.tickets import OpenStub
from cti.store.db import Store
from cti.store.sinks_tables import api_tokens, api_uses, replies, sinks
from regulations import allowed
from tests.unit.cti.web.conftest import Login
from tests.unit.cti.web.test_api import CALLER, one_call
from tests.web.fake import FakeEngine

STUB = {"channel": "wechat", "caller": "13800000072", "kind": "repair", "area": "east", "text": "路灯不亮"}
REPLY = {"at": "2026-11-21T09:30:00+08:00", "result": "done", "text": "已修复"}
SCOPES = ["stub:open", "reply:report", "callback:ask"]
WEBHOOK = {"name": "oa", "url": "https://oa.example.org/in", "kinds": ["call.ended"]}


class Ext:
    """Another system: its token, and nothing that a browser would send."""

    def __init__(self, app: FastAPI, token: str) -> None:
        transport = httpx.ASGITransport(app, client=("10.0.0.7", 40000))
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.client = httpx.AsyncClient(transport=transport, base_url="https://cti.test", headers=headers)

    async def post(self, path: str, body: dict[str, Any], key: str = "key-1") -> httpx.Response:
        headers = {"Idempotency-Key": key} if key else {}
        return await self.client.post(f"/api/v1/ext/{path}", json=body, headers=headers)


@pytest.fixture
def taken(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> list[Command]:
    """The fake engine takes the commands that it has no rules for; the others go its own way."""
    commands: list[Command] = []
    ruled = engine.submit

    async def submit(command: Command) -> Outcome:
        commands.append(command)
        if isinstance(command, OpenStub | ReportReply):
            return Outcome(allowed(), {"ticket_id": "t-1"})
        return await ruled(command)

    monkeypatch.setattr(engine, "submit", submit)
    return commands


async def token_of(login: Login, scopes: list[str] = SCOPES) -> tuple[str, str]:
    """A new token's id, and the token."""
    admin = await login("9999")
    answer = await admin.post("/api/v1/tokens", json={"name": "wechat", "scopes": scopes})
    assert answer.status_code == 201, answer.text
    return answer.json()["token_id"], answer.json()["token"]


@pytest.fixture
async def ext(app: FastAPI, login: Login, taken: list[Command]) -> AsyncIterator[Ext]:
    """A system that may do everything that a token may."""
    made = Ext(app, (await token_of(login))[1])
    yield made
    await made.client.aclose()


async def uses(store: Store) -> list[tuple[str, str, str]]:
    """The lines that uses of tokens left."""
    async with store.read() as connection:
        rows = (await connection.execute(api_uses.select())).mappings()
        return [(row["action"], row["outcome"], row["subject"]) for row in rows]


async def test_another_system_opens_a_stub(ext: Ext, store: Store, taken: list[Command]) -> None:
    """The command says who brought it; the key is the token's own; the line says so without the caller's words."""
    answer = await ext.post("stubs", STUB)
    assert (answer.status_code, answer.json()) == (201, {"ticket_id": "t-1"})
    command = taken[-1]
    assert isinstance(command, OpenStub)
    assert command[:6] == ("wechat", "13800000072", "repair", "east", "路灯不亮", "wechat")
    assert command.key.endswith(":key-1")
    assert len(command.key) <= 80
    assert await uses(store) == [("stub:open", "ok", "t-1")]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"channel": "phone"}, "channel"), ({"caller": "abc"}, "caller"), ({"text": ""}, "text"),
        ({"text": "x" * 2001}, "text"), ({"kind": "Repair!"}, "kind"), ({"agent": "1001"}, "agent"),
    ],
)  # fmt: skip
async def test_a_wrong_field_is_named(ext: Ext, taken: list[Command], change: dict[str, str], field: str) -> None:
    """422 that names it; nothing reaches the engine."""
    answer = await ext.post("stubs", STUB | change)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert not taken


@pytest.mark.parametrize("key", ["", "a b", "x" * 51, "k_1"])
async def test_a_key_is_needed(ext: Ext, taken: list[Command], key: str) -> None:
    """Without one a repeated request would open a second stub."""
    for path, body in (("stubs", STUB), ("tickets/t-1/replies", REPLY), ("tickets/t-1/callbacks", {})):
        answer = await ext.post(path, body, key)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "Idempotency-Key")
    assert not taken


async def test_another_system_reports_the_units_answer(ext: Ext, taken: list[Command]) -> None:
    """When, how it stands, in its words; a time needs its zone."""
    assert (await ext.post("tickets/t-1/replies", REPLY)).status_code == 201
    command = taken[-1]
    assert isinstance(command, ReportReply)
    assert (command.by, command.ticket_id, command.result, command.text) == ("wechat", "t-1", "done", "已修复")
    for change, field in (({"at": "2026-11-21T09:30:00"}, "at"), ({"result": "perhaps"}, "result")):
        answer = await ext.post("tickets/t-1/replies", REPLY | change)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_another_system_asks_for_a_callback(
    ext: Ext, engine: FakeEngine, store: Store, taken: list[Command]
) -> None:
    """To the ticket's own caller, by its owner; a refusal brings its article; what is unknown is not found."""
    ticket_id = await one_call(engine)
    answer = await ext.post(f"tickets/{ticket_id}/callbacks", {})
    assert answer.status_code == 201
    command = taken[-1]
    assert isinstance(command, RequestCallback)
    assert command[:4] == ("wechat", "1001", CALLER, ticket_id)
    engine.night = True
    refused = await ext.post(f"tickets/{ticket_id}/callbacks", {}, "key-2")
    assert (refused.status_code, refused.json()["code"]) == (409, "quiet_hours")
    assert refused.json()["articles"][0]["article"] == "第十四条(九)"
    assert (await ext.post("tickets/t-none/callbacks", {})).status_code == 404
    assert [line[1] for line in await uses(store)] == ["ok", "quiet_hours", "not_found"]


async def test_a_token_may_do_what_its_scope_says(app: FastAPI, login: Login, taken: list[Command]) -> None:
    """403 beyond it, and the line says that it was tried."""
    token_id, token = await token_of(login, ["reply:report"])
    ext = Ext(app, token)
    answer = await ext.post("stubs", STUB)
    assert (answer.status_code, answer.json()["code"], taken) == (403, "scope", [])
    seen = await (await login("9999")).get(f"/api/v1/tokens/{token_id}/uses")
    assert [(use["action"], use["outcome"]) for use in seen.json()] == [("stub:open", "scope")]
    await ext.client.aclose()


@pytest.mark.parametrize("token", ["", "cti_none", "Bearer", "token-1"])
async def test_no_token_no_answer(app: FastAPI, login: Login, taken: list[Command], token: str) -> None:
    """401; and a lead's cookie opens nothing here."""
    lead = await login("9001")
    ext = Ext(app, token)
    for client in (ext.client, lead):
        headers = {"Idempotency-Key": "k", "X-CTI-Request": "1"}
        answer = await client.post("/api/v1/ext/stubs", json=STUB, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "bad_token")
    assert not taken
    await ext.client.aclose()


async def test_a_page_of_another_site_cannot_use_a_token(ext: Ext, taken: list[Command]) -> None:
    """A foreign origin is refused whatever it carries."""
    ext.client.headers["Origin"] = "https://elsewhere.example"
    answer = await ext.post("stubs", STUB)
    assert (answer.status_code, answer.json()["code"], taken) == (403, "cross_site", [])


async def test_an_ended_token_is_over_at_once(app: FastAPI, login: Login, taken: list[Command]) -> None:
    """And cannot be ended twice."""
    token_id, token = await token_of(login)
    ext, admin = Ext(app, token), await login("9999")
    assert (await ext.post("stubs", STUB)).status_code == 201
    assert (await admin.delete(f"/api/v1/tokens/{token_id}")).status_code == 204
    assert (await ext.post("stubs", STUB, "key-2")).status_code == 401
    assert (await admin.delete(f"/api/v1/tokens/{token_id}")).status_code == 404
    await ext.client.aclose()


async def test_sixty_a_minute_and_no_more(ext: Ext, clock: VirtualClock) -> None:
    """429 with Retry-After; a minute later it goes on."""
    statuses = [(await ext.post("stubs", STUB, f"k-{n}")).status_code for n in range(61)]
    assert statuses == [201] * 60 + [429]
    await clock.advance(61)
    assert (await ext.post("stubs", STUB)).status_code == 201


async def test_a_token_is_kept_as_a_hash_and_shown_once(login: Login, store: Store) -> None:
    """Neither the list nor the database has it."""
    _, token = await token_of(login)
    listed = await (await login("9999")).get("/api/v1/tokens")
    assert token not in listed.text
    async with store.read() as connection:
        assert token not in str((await connection.execute(api_tokens.select())).all())


async def test_replies_stand_on_the_ticket(app: FastAPI, login: Login, engine: FakeEngine, store: Store) -> None:
    """For whoever may see the ticket, the newest first."""
    ticket_id = await one_call(engine)
    for minute, text in ((1, "已派人"), (9, "已修复")):
        at = engine.clock.now().replace(minute=minute)
        row = {
            "token_id": "k-1", "request_key": str(minute), "ticket_id": ticket_id, "result": "done", "text": text,
            "at": at, "reported_at": at, "reported_by": "wechat",
        }  # fmt: skip
        await store.write(lambda c, row=row: c.execute(replies.insert(), [row]))  # type: ignore[misc]
    shown = await (await login("1001")).get(f"/api/v1/tickets/{ticket_id}/replies")
    assert [reply["text"] for reply in shown.json()] == ["已修复", "已派人"]
    assert (await (await login("1002")).get(f"/api/v1/tickets/{ticket_id}/replies")).status_code == 404


async def test_a_webhook_is_made_changed_rotated_and_ended(app: FastAPI, login: Login, store: Store) -> None:
    """Its secret is shown when it is made and never again; whoever tells sinks hears of each change."""
    changes: list[int] = []
    app.state.web.sinks_changed = lambda: changes.append(1)
    admin = await login("9999")
    made = (await admin.post("/api/v1/sinks", json=WEBHOOK)).json()
    path = f"/api/v1/sinks/{made['sink_id']}"
    assert made["secret"].startswith("whsec_")
    assert (await admin.put(path, json={"with_numbers": True})).status_code == 204
    rotated = (await admin.post(f"{path}/secret")).json()
    assert rotated["secret"] != made["secret"]
    listed = await admin.get("/api/v1/sinks")
    assert [(s["name"], s["state"], s["with_numbers"], s["owed"]) for s in listed.json()] == [("oa", "up", True, 0)]
    assert "whsec_" not in listed.text
    async with store.read() as connection:
        row = (await connection.execute(sinks.select())).mappings().one()
    assert (row["secret"], row["former_secret"]) == (rotated["secret"], made["secret"])
    assert (await admin.delete(path)).status_code == 204
    assert (await admin.put(path, json={"with_numbers": False})).status_code == 404
    assert len(changes) == 4


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"url": "http://oa.example.org/in"}, "url"), ({"url": "https://10.0.0.8/"}, "url"),
        ({"kinds": ["call.everything"]}, "kinds"), ({"name": "13800000072"}, "name"), ({"secret": "mine"}, "secret"),
    ],
)  # fmt: skip
async def test_a_wrong_subscription_is_named(login: Login, change: dict[str, Any], field: str) -> None:
    """Nothing is kept, and the address is not repeated."""
    admin = await login("9999")
    answer = await admin.post("/api/v1/sinks", json=WEBHOOK | change)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert (await admin.get("/api/v1/sinks")).json() == []


def test_no_library_writes_addresses_into_the_log() -> None:
    """httpx tells each request with its address at INFO; the service's log begins at WARNING for libraries."""
    logging.basicConfig(level=logging.WARNING)
    assert not logging.getLogger("httpx").isEnabledFor(logging.INFO)

"""Who may use which route: the committed matrix is the routers', and every route is asked as every role."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends, FastAPI
from sqlalchemy import Table, insert
from starlette.routing import Route

from cti.clock import VirtualClock
from cti.commands import Command, Outcome, SignOut
from cti.store.db import Statements, Store
from cti.store.findings_tables import findings
from cti.store.handover_tables import handovers, items, pairs
from cti.store.missed_tables import missed_calls
from cti.store.people import Pins, Role, add_person, set_role
from cti.store.tables import callbacks
from cti.web.app import routed
from cti.web.context import AnyoneDep, LedgerDep, Needs, Who, hash_token, session_of
from cti.web.roles import DOCUMENT, Access, RolesUnknown, matrix, shipped
from queues.board import mask
from regulations import refused
from tests.unit.cti.web.conftest import HEADERS, PINS, Login, browser
from tests.unit.cti.web.test_api import CALLER, one_call
from tests.unit.cti.web.test_stream import Reader
from tests.web.fake import PBX, FakeEngine

ROUTES = matrix(routed())
AUDITOR, AUDITORS_PIN = "8001", "248001"
NUMBERS = {Role.AGENT: "1001", Role.LEAD: "9001", Role.ADMIN: "9999", Role.AUDITOR: AUDITOR}
SESSION = {("POST", "/api/v1/session"), ("DELETE", "/api/v1/session")}


@pytest.fixture(autouse=True)
async def auditor(store: Store, pins: Pins) -> str:
    """The fourth role, beside the people of every web test."""
    await add_person(store, pins, AUDITOR, "测试督查员戊", "auditor", AUDITORS_PIN)
    return AUDITOR


async def logged_in(app: FastAPI, number: str) -> httpx.AsyncClient:
    """A browser with this person's session."""
    client = browser(app)
    pin = {**PINS, AUDITOR: AUDITORS_PIN}[number]
    answer = await client.post("/api/v1/session", json={"number": number, "pin": pin})
    assert answer.status_code == 201, answer.text
    return client


async def status_of(app: FastAPI, access: Access, cookie: str | None) -> int:
    """The status that *app* answers with; its body, which a stream never ends, is not waited for."""
    path = re.sub(r"\{[^}]*\}", "none-such", access.path)
    headers = {**HEADERS, "host": "cti.test", "content-type": "application/json", "content-length": "2"}
    if cookie is not None:
        headers["cookie"] = f"cti_session={cookie}"
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": access.method, "scheme": "https",
        "path": path, "raw_path": path.encode(), "root_path": "", "query_string": b"", "client": ("10.0.0.5", 40000),
        "server": ("cti.test", 443),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    started: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    body = [{"type": "http.request", "body": b"{}", "more_body": False}]

    async def receive() -> dict[str, Any]:
        if body:
            return body.pop()
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start" and not started.done():
            started.set_result(message["status"])

    asking = asyncio.ensure_future(app(scope, receive, send))
    await asyncio.wait({asking, started}, return_when=asyncio.FIRST_COMPLETED)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    if not started.done():  # no answer at all: what it died of is told
        asking.result()
    return started.result()


async def test_every_route_lets_in_whom_it_names_and_nobody_else(
    app: FastAPI, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked by nobody and by each role: 401 or 403 for those shut out, anything else for those let in.

    A route for tokens of other systems lets in no session of whatever role.
    """

    async def refusing(_command: Command) -> Outcome:
        return Outcome(refused("asked", "已询问", "asked"))

    monkeypatch.setattr(engine, "submit", refusing)
    browsers = {role: await logged_in(app, number) for role, number in NUMBERS.items()}
    wrong = {}
    for access in ROUTES:
        told: dict[str, int] = {"nobody": await status_of(app, access, None)}
        for role, client in browsers.items():
            told[role] = await status_of(app, access, client.cookies["cti_session"])
        if not lets_in_as_named(access, told):
            wrong[f"{access.method} {access.path}"] = told
        if (access.method, access.path) == ("DELETE", "/api/v1/session"):
            browsers = {role: await logged_in(app, number) for role, number in NUMBERS.items()}
    assert wrong == {}
    for client in browsers.values():
        await client.aclose()


def lets_in_as_named(access: Access, told: dict[str, int]) -> bool:
    """Does what each was *told* agree with the route's row of the matrix?"""
    wanted = {"nobody": not access.login, **{role: role in access.roles for role in Role}}
    let_in = {who: status not in (401, 403) for who, status in told.items()} == wanted
    return let_in and all(status < 500 for status in told.values()) and (told["nobody"] == 401 or not access.login)


def test_tokens_may_use_the_routes_of_other_systems_alone() -> None:
    """Each has one scope, or asks for a signature, and has no role; no other route takes a token."""
    assert {(a.method, a.path): (a.scope, a.roles) for a in ROUTES if a.scope} == {
        ("POST", "/api/v1/ext/stubs"): ("stub:open", frozenset()),
        ("POST", "/api/v1/ext/tickets/{ticket_id}/replies"): ("reply:report", frozenset()),
        ("POST", "/api/v1/ext/tickets/{ticket_id}/callbacks"): ("callback:ask", frozenset()),
        ("POST", "/api/v1/ext/zammad/tickets"): ("x-hub-signature", frozenset()),
    }
    assert not [a.path for a in ROUTES if a.path.startswith("/api/v1/ext/") and not a.scope]


def test_the_committed_matrix_is_the_routers() -> None:
    """docs/roles.md says what the code does; made by: python -m cti roles > docs/roles.md."""
    assert DOCUMENT.read_text(encoding="utf-8") == shipped()


def test_an_auditor_changes_nothing() -> None:
    """No method that could change anything lets an auditor in, but logging in and out."""
    unsafe = {(a.method, a.path) for a in ROUTES if a.changes and Role.AUDITOR in a.roles}
    assert unsafe == SESSION


def test_what_needs_no_login_holds_no_data() -> None:
    """Without login: the pages' files, the API's description, the health word, logging in."""
    assert {a.path for a in ROUTES if not a.login and a.path.startswith("/api/")} == {
        "/api/v1/openapi.json", "/api/v1/health", "/api/v1/session"
    }  # fmt: skip


def one_route(endpoint: Any) -> FastAPI:
    """An application of one route."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.add_api_route("/api/v1/new", endpoint, methods=["POST"])
    return app


async def _ledger(who: LedgerDep) -> None:
    """Reads the ledger's roles."""


async def _anyone(who: AnyoneDep) -> None:
    """Every role."""


async def _both(who: LedgerDep, lead: Annotated[Who, Depends(Needs(Role.LEAD, Role.AGENT))]) -> None:
    """Two conditions, both of which must hold."""


async def _forgotten() -> None:
    """Declares no role."""


@pytest.mark.parametrize(
    ("endpoint", "roles"),
    [
        (_ledger, {Role.LEAD, Role.ADMIN, Role.AUDITOR}),
        (_anyone, set(Role)),
        (_both, {Role.LEAD}),
    ],
)
def test_roles_are_read_from_what_a_route_declares(endpoint: Any, roles: set[Role]) -> None:
    """One condition, none, or several: all must hold."""
    assert matrix(one_route(endpoint)) == [Access("POST", "/api/v1/new", frozenset(roles), login=True)]


def test_a_route_whose_roles_cannot_be_read_is_named() -> None:
    """A new route without a role, or of a kind that declares none, is a fault and not an open door."""
    with pytest.raises(RolesUnknown, match="POST /api/v1/new"):
        matrix(one_route(_forgotten))
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.routes.append(Route("/plain", lambda request: None))
    with pytest.raises(RolesUnknown, match="GET /plain"):
        matrix(app)
    app.routes.clear()
    app.add_api_websocket_route("/socket", _forgotten)
    with pytest.raises(RolesUnknown, match="cannot be read"):
        matrix(app)


async def test_nobody_gives_himself_a_role(login: Login, store: Store) -> None:
    """Not even an administrator; nor does he shut himself out or let himself in."""
    admin = await login("9999")
    for path, body in (("role", {"role": "lead"}), ("active", {"active": False}), ("active", {"active": True})):
        answer = await admin.put(f"/api/v1/people/9999/{path}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert (await admin.get("/api/v1/me")).json()["person"]["role"] == "admin"


async def test_a_new_role_ends_the_persons_sessions_and_seat(app: FastAPI, login: Login, engine: FakeEngine) -> None:
    """Pages opened in the former role are over at once; the person logs in anew, in the new one."""
    admin, agent = await login("9999"), await login("1001")
    assert (await admin.put("/api/v1/people/1001/role", json={"role": "auditor"})).status_code == 204
    assert (await agent.get("/api/v1/me")).status_code == 401
    assert engine.commands[-1] == SignOut("1001", "9999")
    assert (await (await login("1001")).get("/api/v1/me")).json()["person"]["role"] == "auditor"
    assert (await (await login("1001")).get("/api/v1/callbacks")).status_code == 403


@pytest.mark.parametrize(
    ("number", "body", "status", "field"),
    [
        ("1001", {"role": "emperor"}, 422, "role"),
        ("1001", {"role": ""}, 422, "role"),
        ("1001", {}, 422, "role"),
        ("1001", {"role": "lead", "pin": "1"}, 422, "pin"),
        ("4444", {"role": "lead"}, 404, None),
    ],
)
async def test_a_wrong_role_is_named_and_changes_nothing(
    login: Login, number: str, body: dict[str, str], status: int, field: str | None
) -> None:
    """BadInput names ``role``; an unknown person is 404; the sessions of the one concerned go on."""
    admin, agent = await login("9999"), await login("1001")
    answer = await admin.put(f"/api/v1/people/{number}/role", json=body)
    assert answer.status_code == status
    assert [e["field"] for e in answer.json().get("errors", [])] == ([] if field is None else [field])
    assert (await agent.get("/api/v1/me")).json()["person"]["role"] == "agent"


async def callers_everywhere(store: Store, at: datetime) -> None:
    """A row of each kind that an auditor reads and that leads to a caller: the number, or the id of who has it."""
    missed: dict[str, Any] = {
        "pbx_id": PBX, "number": CALLER, "first_at": at, "last_at": at, "tries": 1, "latest": [["c1", at.isoformat()]],
        "callback_id": "cb-1", "end_text": f"{CALLER} 已电话答复",
    }  # fmt: skip
    callback = {
        "callback_id": "cb-1", "pbx_id": PBX, "number": CALLER, "agent": "1001", "state": "due", "requested_at": at,
        "requested_by": "1001",
    }  # fmt: skip
    finding = {
        "finding_id": "f-1", "pbx_id": PBX, "kind": "not_answering", "agent": "1001", "document": "HZ",
        "article": "第七条", "wording": "-", "began_at": at, "found_at": at, "state": "found",
        "evidence": {"events": [{"call_id": "c1"}]}, "steps": [],
    }  # fmt: skip
    handover = {"handover_id": "h-1", "pbx_id": PBX, "at": at, "until": at, "prepared_at": at, "state": "prepared"}
    item = {
        "item_id": "i-1", "handover_id": "h-1", "outgoing": "1001", "kind": "callback", "subject": "cb-1", "text": "",
        "added_at": at, "state": "open", "reason": "", "settled_reason": "",
    }  # fmt: skip
    pair = {"handover_id": "h-1", "outgoing": "1001", "outgoing_shift": "sh-1", "dropped": False}
    rows: tuple[tuple[Table, dict[str, Any]], ...] = (
        (missed_calls, {**missed, "missed_id": "m-1", "state": "open"}),
        (missed_calls, {**missed, "missed_id": "m-2", "state": "ended", "closed_at": at, "closed_by": "1001"}),
        (callbacks, callback), (findings, finding), (handovers, handover), (pairs, pair), (items, item),
    )  # fmt: skip

    async def put(connection: Statements) -> None:
        for table, row in rows:
            await connection.execute(insert(table), [row])

    await store.write(put)


async def test_an_auditor_sees_no_callers_number(
    app: FastAPI, engine: FakeEngine, store: Store, clock: VirtualClock
) -> None:
    """Whatever he may read names none: the board is masked; tickets, calls and callbacks are shut."""
    await callers_everywhere(store, clock.now())
    ticket_id = await one_call(engine, "c1")
    engine.enter("c2", CALLER)
    auditor = await logged_in(app, AUDITOR)
    period = {"from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z"}
    read = {}
    for path in [a.path for a in ROUTES if Role.AUDITOR in a.roles and a.method == "GET" and "{" not in a.path]:
        if path != "/api/v1/stream":
            answer = await auditor.get(path, params=period)
            assert answer.status_code == (307 if path in ("/", "/static") else 200), path
            read[path] = answer.text
    read["closed"] = (await auditor.get("/api/v1/missed?closed=true")).text
    assert [path for path, text in read.items() if CALLER in text] == []
    shown = {"missed": "m-1", "findings": "f-1", "handovers": "i-1", "handovers/current": "cb-1"}
    assert {path: row in read[f"/api/v1/{path}"] for path, row in shown.items()} == dict.fromkeys(shown, True)
    assert "m-2" in read["closed"]
    assert mask(CALLER) in (await auditor.get("/api/v1/board")).text
    for path in (f"tickets/{ticket_id}", "calls/c1", "me/calls", "callbacks"):
        assert (await auditor.get(f"/api/v1/{path}")).status_code == 403
    await auditor.aclose()


@pytest.mark.parametrize("role", [Role.AGENT, Role.AUDITOR])
async def test_an_agent_who_became_an_auditor_gets_no_pop_of_former_calls(
    app: FastAPI, engine: FakeEngine, store: Store, clock: VirtualClock, role: Role
) -> None:
    """A stream taken up again brings the pops missed since; to an auditor none."""
    await one_call(engine, "c1")
    await set_role(store, "1001", role)
    client = await logged_in(app, "1001")
    token_hash = hash_token(client.cookies["cti_session"])
    await client.aclose()
    found = await session_of(app.state.web, token_hash)
    assert found is not None
    reader = Reader(app.state.web, Who(found[0], token_hash), clock, after=0)
    assert ("pop" in await reader.none_for(10)) is (role is Role.AGENT)
    await reader.close()

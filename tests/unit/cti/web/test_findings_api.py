"""The API of findings: who sees what, appeals and rulings through the engine, adherence of a day."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import insert

from cti.commands import Outcome
from cti.commands.findings import Appeal, RuleOnAppeal
from cti.store.db import Store
from cti.store.findings_tables import attendance, findings
from cti.store.people import Person, Pins, Role, add_person
from cti.store.tables import calls, gaps, offers
from cti.web.board import duty_for
from cti.web.context import Who
from regulations import allowed
from tests.unit.cti.web.conftest import PINS, Login
from tests.web.fake import PBX, FakeEngine

TEN = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)  # 10:00 in Heze, as the clock of these tests
START = TEN - timedelta(hours=2)
MS = timedelta(milliseconds=1)


def finding(finding_id: str, agent: str = "1001", **more: Any) -> dict[str, Any]:
    """A row."""
    return {
        "finding_id": finding_id, "pbx_id": PBX, "kind": "not_answering", "agent": agent, "document": "HZ",
        "article": "第二十一条", "wording": "签入不接听电话", "began_at": TEN - timedelta(minutes=5),
        "ended_at": TEN - timedelta(minutes=4), "found_at": TEN - timedelta(minutes=4), "state": "found",
        "evidence": {"events": [{"event": "AgentRingNoAnswer", "call_id": "1.1", "ring_ms": 15000}], "missed": 1},
        "steps": [], **more,
    }  # fmt: skip


@pytest.fixture
async def ledger(store: Store, pins: Pins) -> AsyncIterator[Store]:
    """Findings of two agents, one of them going on since yesterday; and an auditor."""
    await add_person(store, pins, "9500", "测试督查员", "auditor", PINS.setdefault("9500", "249500"))
    rows = [
        finding("f-1"), finding("f-2", "1002", kind="late", state="appealed"),
        finding("f-3", began_at=TEN - timedelta(days=1), ended_at=None, state="running", kind="busy_refusing"),
    ]  # fmt: skip
    await store.write(lambda c: c.execute(insert(findings), rows))
    yield store
    del PINS["9500"]


async def ids(client: httpx.AsyncClient, query: str = "") -> list[str]:
    answer = await client.get(f"/api/v1/findings{query}")
    assert answer.status_code == 200, answer.text
    return [row["finding_id"] for row in answer.json()]


@pytest.mark.usefixtures("ledger")
async def test_the_ledger_is_for_lead_admin_and_auditor(login: Login) -> None:
    """What goes on comes first, then the newest; agents have only their own."""
    for number in ("9001", "9999", "9500"):
        assert await ids(await login(number)) == ["f-3", "f-1", "f-2"]
    agent = await login("1002")
    assert (await agent.get("/api/v1/findings")).status_code == 403
    assert (await agent.get("/api/v1/adherence")).status_code == 403
    own = (await agent.get("/api/v1/me/findings")).json()
    assert [(row["finding_id"], row["article"], row["wording"]) for row in own] == [
        ("f-2", "第二十一条", "签入不接听电话")
    ]  # fmt: skip
    assert (await (await login("9500")).get("/api/v1/me/findings")).status_code == 403


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("?agent=1002", ["f-2"]),
        ("?kind=late", ["f-2"]),
        ("?state=found", ["f-1"]),
        ("?from=2026-11-21T00:00:00Z", ["f-3", "f-1", "f-2"]),  # what goes on is never too old
        ("?to=2026-11-21T00:00:00Z", ["f-3"]),
        ("?from=2026-11-21T02:00:00%2B00:00&agent=1002", []),
    ],
)
async def test_findings_are_chosen_by_time_agent_kind_and_state(login: Login, query: str, wanted: list[str]) -> None:
    """Every filter, alone and together."""
    assert await ids(await login("9001"), query) == wanted


@pytest.mark.parametrize("query", ["?agent=x", "?kind=nonsense", "?state=gone", "?from=2026-11-21T00:00:00"])
async def test_a_filter_that_cannot_be_is_named(login: Login, query: str) -> None:
    """422 with the field."""
    answer = await (await login("9001")).get(f"/api/v1/findings{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == query[1:].split("=")[0]


@pytest.mark.usefixtures("ledger")
async def test_an_appeal_is_the_agents_own(login: Login, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another's finding looks as one that does not exist; the reason is limited; the command names the asker."""
    heard = _listen(engine, monkeypatch)
    client = await login("1001")
    path = "/api/v1/me/findings/{}/appeal"
    assert (await client.post(path.format("f-2"), json={"reason": "无"})).status_code == 404
    assert (await client.post(path.format("f-9"), json={"reason": "无"})).status_code == 404
    for reason in ("", "x" * 201):
        assert (await client.post(path.format("f-1"), json={"reason": reason})).status_code == 422
    assert (await client.post(path.format("f-1"), json={"reason": "无", "number": "1002"})).status_code == 422
    answer = await client.post(path.format("f-1"), json={"reason": "电话有故障"})
    assert (answer.status_code, answer.json()["finding_id"]) == (200, "f-1")
    assert heard == [Appeal("1001", "f-1", "电话有故障")]


@pytest.mark.usefixtures("ledger")
async def test_ruling_is_the_leads(login: Login, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither agent nor administrator nor auditor rules."""
    heard = _listen(engine, monkeypatch)
    body = {"upheld": False, "reason": "经查属实"}
    for number in ("1001", "9999", "9500"):
        assert (await (await login(number)).post("/api/v1/findings/f-2/rule", json=body)).status_code == 403
    lead = await login("9001")
    assert (await lead.post("/api/v1/findings/f-9/rule", json=body)).status_code == 404
    assert (await lead.post("/api/v1/findings/f-2/rule", json={"reason": "无"})).status_code == 422
    assert (await lead.post("/api/v1/findings/f-2/rule", json=body)).status_code == 200
    assert heard == [RuleOnAppeal("9001", "f-2", False, "经查属实")]


def _listen(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The commands that arrive; each is allowed."""
    heard: list[Any] = []

    async def submit(command: Any) -> Outcome:
        heard.append(command)
        return Outcome(allowed())

    monkeypatch.setattr(engine, "submit", submit)
    return heard


async def test_adherence_of_a_day(login: Login, store: Store) -> None:
    """Early, late, ready, gone early in milliseconds; offers against answers in the shift; a gap is marked."""
    shift = {"pbx_id": PBX, "code": "day", "seat": None, "out_allowed": False, "starts_at": START}
    nothing = dict.fromkeys(("arrived_at", "signed_in_at", "ready_at", "signed_out_at"))
    rows = [
        {**shift, **nothing, "agent": "1001", "shift_id": "s1", "ends_at": TEN - timedelta(hours=1),
         "arrived_at": START - timedelta(minutes=12), "signed_in_at": START + 1500 * MS,
         "ready_at": START + 61_500 * MS, "signed_out_at": TEN - timedelta(hours=1, minutes=1)},
        {**shift, **nothing, "agent": "1002", "shift_id": "s2", "ends_at": TEN + timedelta(hours=9)},
        {**shift, **nothing, "agent": "1003", "shift_id": "s3", "starts_at": START - timedelta(days=1),
         "ends_at": TEN - timedelta(days=1)},
        {**shift, **nothing, "agent": "1004", "shift_id": "s4", "starts_at": TEN + timedelta(hours=1),
         "ends_at": TEN + timedelta(hours=9)},
    ]  # fmt: skip
    call = {
        "pbx_id": PBX, "linkedid": "x", "queue": "hotline", "caller": "", "entered_at": START, "exact": True,
        "answer_exact": True, "transfers": [],
    }  # fmt: skip
    offered = [("c1", 1, "answered"), ("c2", 1, "no_answer"), ("c2", 2, "rejected"), ("c3", 1, "cancelled")]
    rung = [
        {"pbx_id": PBX, "call_id": c, "ordinal": n, "agent": "1001", "offered_at": START + n * MS, "outcome": end}
        for c, n, end in offered
    ]
    gap = {
        "pbx_id": PBX,
        "began_at": TEN - timedelta(minutes=30),
        "ended_at": TEN - timedelta(minutes=29),
        "reason": "",
    }
    await store.write(lambda c: c.execute(insert(attendance), rows))
    await store.write(lambda c: c.execute(insert(calls), [{**call, "call_id": c} for c in ("c1", "c2", "c3")]))
    await store.write(lambda c: c.execute(insert(offers), rung))
    await store.write(lambda c: c.execute(insert(gaps), [gap]))
    lead = await login("9001")
    first, second = (await lead.get("/api/v1/adherence")).json()
    figures = ("early_ms", "late_ms", "to_ready_ms", "left_early_ms", "offers", "answered", "missed", "gap")
    assert [first[name] for name in figures] == [720_000, 1500, 61_500, 60_000, 4, 1, 2, False]
    assert [second[name] for name in figures] == [None, 7_200_000, None, None, 0, 0, 0, True]
    yesterday = (await lead.get("/api/v1/adherence?day=2026-11-20")).json()
    assert [line["agent"] for line in yesterday] == ["1003"]
    assert (await lead.get("/api/v1/adherence?day=9999-12-31")).status_code == 422


def test_an_agents_board_shows_no_other_agents_findings() -> None:
    """The board's findings that go on: all to a lead, to an agent his own alone."""
    duty = {"version": 3, "findings": [{"agent": "1001", "kind": "late"}, {"agent": "1002", "kind": "late"}]}
    seen = duty_for(Who(Person("1002", "测试", Role.AGENT, True), ""), duty)
    assert {key: seen[key] for key in duty} == {"version": 3, "findings": [{"agent": "1002", "kind": "late"}]}

"""The API of figures: a day by its rows, each interval, each agent; who may see what."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Table, insert

from cti.store.conduct_tables import duty_log
from cti.store.db import Store
from cti.store.door_tables import shut_outs
from cti.store.escalation_tables import escalations
from cti.store.people import Person, Pins, Role, add_person
from cti.store.tables import calls, gaps, offers
from cti.web.board import duty_for
from cti.web.context import Who
from tests.unit.cti.web.conftest import PINS, Login
from tests.web.fake import PBX

TEN = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)  # 10:00 in Heze, as the clock of these tests
MIDNIGHT = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def call(call_id: str, at: datetime, wait_s: float = 0, agent: str | None = None, **more: Any) -> dict[str, Any]:
    """A row."""
    answered = at + wait_s * SECOND if agent else None
    return {
        "pbx_id": PBX, "call_id": call_id, "linkedid": call_id, "queue": "hotline", "caller": "13800000001",
        "entered_at": at, "exact": True, "agent": agent, "answered_at": answered, "answer_exact": True,
        "wait_ms": int(wait_s * 1000) if agent else 1000, "ring_ms": 3000 if agent else None, "talk_ended_at": None,
        "ended_at": at + 100 * SECOND, "ending": "completed" if agent else "abandoned", "transfers": [], **more,
    }  # fmt: skip


def offer(call_id: str, at: datetime, outcome: str, ring_s: int, talk_s: int | None = None) -> dict[str, Any]:
    """A row of an offer to 1001."""
    ended = at + ring_s * SECOND
    return {
        "pbx_id": PBX, "call_id": call_id, "ordinal": 1, "agent": "1001", "leg": None, "offered_at": at,
        "ended_at": ended, "outcome": outcome, "ring_ms": ring_s * 1000,
        "talk_ended_at": None if talk_s is None else ended + talk_s * SECOND,
    }  # fmt: skip


async def fill(store: Store, table: Table, rows: list[dict[str, Any]]) -> None:
    """Write *rows*."""
    await store.write(lambda c: c.execute(insert(table), rows))


@pytest.fixture
async def day(store: Store, pins: Pins) -> AsyncIterator[Store]:
    """Six calls of today, one of yesterday, one in a queue that is not the hotline's; 1001 on the queue for 1000 s."""
    await add_person(store, pins, "9500", "测试督查员", "auditor", PINS.setdefault("9500", "249500"))
    nine = TEN - timedelta(hours=1)
    rows = [
        call("1.1", nine, 15.0, "1001"), call("1.2", nine + 60 * SECOND, 15.001, "1001", exact=False),
        call("1.3", TEN - 60 * SECOND), call("1.4", TEN - 50 * SECOND, ending="lost"),
        call("1.5", TEN - 5 * SECOND, ending=None, ended_at=None, wait_ms=None),
        call("1.6", MIDNIGHT, 2.0, "1002"), call("1.7", MIDNIGHT - timedelta(microseconds=1)),
        call("1.8", nine, queue="cti-prove"),
    ]  # fmt: skip
    rung = [
        offer("1.1", nine, "answered", 3, 100), offer("1.2", nine + 200 * SECOND, "no_answer", 15),
        offer("1.3", TEN - 60 * SECOND, "cancelled", 1), offer("1.8", nine, "answered", 1, 100),
    ]  # fmt: skip
    acts = [("signed_in", nine), ("busy", nine + 600 * SECOND), ("ready", nine + 700 * SECOND),
            ("signed_out", nine + 1100 * SECOND)]  # fmt: skip
    log = [{"seq": n, "pbx_id": PBX, "at": at, "agent": "1001", "act": act} for n, (act, at) in enumerate(acts, 1)]
    blind = {"pbx_id": PBX, "began_at": MIDNIGHT - 60 * SECOND, "ended_at": MIDNIGHT + 30 * SECOND, "reason": "lost"}
    step = {"pbx_id": PBX, "call_id": "1.3", "step": "lead", "at": TEN - 50 * SECOND, "waited_ms": 10000, "asked": []}
    turned = [
        {"pbx_id": pbx, "call_id": f"2.{n}", "at": at, "why": why, "withheld": False}
        for n, (pbx, at, why) in enumerate(
            [(PBX, TEN, "full"), (PBX, MIDNIGHT, "lines"), (PBX, MIDNIGHT - SECOND, "full"), ("another", TEN, "full")]
        )
    ]
    for table, made in (
        (shut_outs, turned),
        (calls, rows),
        (offers, rung),
        (duty_log, log),
        (gaps, [blind]),
        (escalations, [step]),
    ):
        await fill(store, table, made)
    yield store
    del PINS["9500"]


@pytest.mark.usefixtures("day")
async def test_a_day_has_each_figure_with_its_denominator_and_its_clock(login: Login) -> None:
    """Three of five decided were answered, two in time: whoever waits, yesterday and the proof's queue are left out."""
    answer = await (await login("9001")).get("/api/v1/figures?day=2026-11-21&interval=30")
    body = answer.json()
    total = body["total"]
    assert (total["entered"], total["decided"], total["answered"], total["within"]) == (6, 5, 3, 2)
    assert total["unanswered"] == {"abandoned": 1, "lost": 1}
    assert (total["lost_calls"], total["rounded"]) == (["1.4"], 1)
    assert total["figures"]["rate_within"] == {"value": 0.4, "of": 5, "clock": "caller"}
    assert total["figures"]["answer_rate"] == {"value": 0.6, "of": 5, "clock": "caller"}
    assert total["figures"]["abandon_rate"] == {"value": 0.2, "of": 5, "clock": "caller"}
    assert total["figures"]["ring_within"] == {"value": 1.0, "of": 3, "clock": "agent"}
    assert total["figures"]["asa_ms"] == {"value": (15000 + 15001 + 2000) / 3, "of": 3, "clock": "caller"}
    assert total["shut_out"] == {"full": 1, "lines": 1}
    assert total["figures"]["reached_rate"] == {"value": 3 / 7, "of": 7, "clock": "caller"}
    assert [p["shut_out"] for p in body["intervals"] if p["shut_out"]] == [{"lines": 1}, {"full": 1}]
    assert (body["day"], body["limit_s"], body["steps"]) == ("2026-11-21", 15, {"lead": 1})
    filled = {part["since"][11:16]: part["entered"] for part in body["intervals"] if part["entered"]}
    assert filled == {"16:00": 1, "01:00": 2, "01:30": 3}
    assert len(body["intervals"]) == 21  # up to now
    assert [(u["began_at"][:19], u["ended_at"][:19]) for u in body["unseen"]] == [
        ("2026-11-20T16:00:00", "2026-11-20T16:00:30")
    ]
    assert "1380000" not in answer.text


@pytest.mark.usefixtures("day")
async def test_an_agents_day_by_the_agents_clock(login: Login) -> None:
    """1000 s on the queue: 100 s of talk, wrap-up after it, the rest idle; the agent sees the own alone."""
    lines = (await (await login("9500")).get("/api/v1/figures/agents")).json()
    assert [line["agent"] for line in lines] == ["1001"]
    line = lines[0]
    assert (line["offers"], line["answered"], line["missed"], line["cancelled"]) == (3, 1, 1, 1)
    assert (line["talk_ms"], line["wrap_up_ms"], line["idle_ms"], line["on_queue_ms"]) == (
        100_000, 5_000, 895_000, 1_000_000
    )  # fmt: skip
    assert line["figures"]["occupancy"] == {"value": 0.105, "of": 1_000_000, "clock": "agent"}
    assert line["figures"]["answer_rate"] == {"value": 0.5, "of": 2, "clock": "agent"}
    agent = await login("1001")
    assert (await agent.get("/api/v1/me/figures")).json() == line
    none = (await (await login("1002")).get("/api/v1/me/figures")).json()
    assert (none["agent"], none["offers"], none["figures"]["occupancy"]["value"]) == ("1002", 0, None)


async def test_who_may_see_the_figures_of_all(login: Login) -> None:
    """Leads, administrators and auditors; an agent the own; nobody another interval or a day that is none."""
    agent, lead = await login("1001"), await login("9001")
    for path in ("figures", "figures/agents"):
        assert (await agent.get(f"/api/v1/{path}")).status_code == 403
        assert (await lead.get(f"/api/v1/{path}")).status_code == 200
    assert (await lead.get("/api/v1/me/figures")).status_code == 200
    assert (await (await login("9999")).get("/api/v1/me/figures")).status_code == 403
    for query in ("interval=7", "day=1999-12-31", "day=tomorrow"):
        assert (await lead.get(f"/api/v1/figures?{query}")).status_code == 422


def test_who_waits_too_long_is_the_leads_to_see() -> None:
    """An agent's board has the rate, and no list of escalated callers."""
    duty = {"escalated": {"1.1": ["lead"]}, "figures": {"connection": {"rate": 1.0}}}
    shown = duty_for(Who(Person("1001", "测试话务员甲", Role.AGENT, True), ""), duty)
    assert "escalated" not in shown
    assert shown["figures"] == duty["figures"]

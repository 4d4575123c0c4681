"""Toll fraud, S4 to S10 of the threat list: nothing that a page can send makes the hotline ring where it should not.

The real engine stands behind the API; what would be sent to Asterisk is looked at. What the real Asterisk does with it
is in tests/asterisk/test_callback_desk.py, what the encoder refuses in tests/unit/cti/ami/test_actions.py.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from cti.commands import RequestCallback, SignIn
from cti.engine.inputs import Dial
from tests.sim.house import ZONE
from tests.unit.cti.web.test_missed_api import as_
from tests.web.duty import DutySite, duty_site

NUMBER = "13800000061"
BREAKS = ("\r\nAction: Originate", "\n", "\r", "\x00", "\x7f", "\x1b[2J", "\u2028")
NOT_A_LINE = (
    "123&PJSIP/900", "13800000061&13800000062", "13800000061@cti-inbound", "Local/1@x", "13800000061/n",
    "13800000061,W=1", "13800000061,60,g", "13800000061^2", "${SHELL(id)}", "13800000061;2", "13800000061|x",
    "１３８００００００６１", "abc", "138abc00061", "p13800000061", "w1380000w", "*72", "#1#", "1" * 40,
)  # fmt: skip
NOT_OURS = (
    "008520000000", "+12025550100", "0085255500001", "16800000001", "110", "119", "120", "122", "12345", "95588",
    "4008000000", "8008100000", "13800000061转8", "110转8001", "0530-5550001转8&9", "0530-5550001转8,1", "转8001",
)  # fmt: skip
FORGED = {
    "context": "default", "application": "System", "data": "id", "channel": "PJSIP/900", "channel_id": "cticb-1",
    "variables": {"DB(a/b)": "1"}, "variable": "W=1", "caller_id": "110", "exten": "900", "priority": 2,
    "timeout_ms": 1, "interface": "PJSIP/900", "now": "2026-11-23T10:00:00+08:00", "by": "9002",
}  # fmt: skip


@pytest.fixture
async def duty(tmp_path: Path) -> AsyncIterator[DutySite]:
    """Monday, 09:00; one agent at a seat."""
    async with duty_site(tmp_path) as site:
        await site.ask(SignIn("1001", "3001"))
        yield site


@pytest.fixture
async def lead(duty: DutySite) -> AsyncIterator[httpx.AsyncClient]:
    """A lead: who may give a number."""
    client = await as_(duty, "9001")
    yield client
    await client.aclose()


def key(n: int) -> dict[str, str]:
    """A header that asks once."""
    return {"Idempotency-Key": f"k-{n}"}


def rung(duty: DutySite) -> list[Dial]:
    """What Asterisk would be asked to dial."""
    return [effect for effect in duty.effects if isinstance(effect, Dial)]


async def all_refused(duty: DutySite, client: httpx.AsyncClient, bodies: list[tuple[str, dict[str, Any], str]]) -> None:
    """422 that names the field and repeats nothing, and nobody is owed a call or rung."""
    for n, (path, body, name) in enumerate(bodies):
        answer = await client.post(f"/api/v1/{path}", json=body, headers=key(n))
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_input"), (path, body, answer.text)
        named = {error["field"] for error in answer.json()["errors"]}
        assert name in named or named == {"caller"}, (path, body)
        assert "PJSIP" not in answer.text
        assert "Originate" not in answer.text
        duty.clock.leap(60)
    assert duty.engine.world.callbacks == {}
    assert rung(duty) == []


async def test_s4_no_line_end_or_control_byte_passes(duty: DutySite, lead: httpx.AsyncClient) -> None:
    """Every field on its way to AMI: numbers, seat, reason for 示忙, reason of an override."""
    agent = await as_(duty, "1001")
    for bad in BREAKS:
        await all_refused(duty, lead, [
            ("callbacks", {"number": f"{NUMBER}{bad}", "agent": "1001"}, "number"),
            ("callbacks", {"number": NUMBER, "agent": f"1001{bad}"}, "agent"),
            ("owed", {"caller": f"{NUMBER}{bad}"}, "number"),
        ])  # fmt: skip
        await all_refused(duty, agent, [
            ("me/sign-in", {"seat": f"3001{bad}"}, "seat"), ("me/busy", {"reason": f"meal{bad}"}, "reason"),
        ])  # fmt: skip
    await agent.aclose()


async def test_s5_s6_only_a_line_of_an_allowed_class_is_called_back(duty: DutySite, lead: httpx.AsyncClient) -> None:
    """No &, comma, @, /, letter or expression; not abroad, premium, emergency or a class that is not on the list."""
    await all_refused(duty, lead, [
        (path, {name: number, **more}, "number")
        for number in (*NOT_A_LINE, *NOT_OURS)
        for path, name, more in (("callbacks", "number", {"agent": "1001"}), ("owed", "caller", {}))
    ])  # fmt: skip


async def test_s6_a_class_that_the_site_took_off_its_list_is_not_called(tmp_path: Path) -> None:
    """callback.allow = fixed: a mobile is refused by field, whether typed or a caller's own."""
    async with duty_site(tmp_path, settings={"callback": {"allow": ["fixed"]}}) as duty:
        client = await as_(duty, "9001")
        await all_refused(duty, client, [
            ("callbacks", {"number": NUMBER, "agent": "1001"}, "number"), ("owed", {"caller": NUMBER}, "number"),
        ])  # fmt: skip
        fixed = {"number": "0530-5550001转8001", "agent": "1001"}
        assert (await client.post("/api/v1/callbacks", json=fixed, headers=key(99))).status_code == 201
        assert [c.number for c in duty.engine.world.callbacks.values()] == ["05305550001"]
        await client.aclose()


async def test_s7_nothing_but_the_number_is_anybodys_to_choose(duty: DutySite, lead: httpx.AsyncClient) -> None:
    """Forged names are unknown fields; beside a dial they are nothing: what is sent is ours alone."""
    await all_refused(duty, lead, [
        (path, {**body, name: value}, name)
        for name, value in FORGED.items()
        for path, body in (("callbacks", {"number": NUMBER, "agent": "1001"}), ("owed", {"caller": NUMBER}))
    ])  # fmt: skip
    later = duty.clock.now() + timedelta(hours=1)
    owed = await duty.ask(RequestCallback("9001", "1001", NUMBER, None, later, None))
    path = f"/api/v1/callbacks/{owed.data['callback_id']}/dial"
    forged = {name: str(value) for name, value in FORGED.items()}
    answer = await lead.post(path, json=FORGED, params=forged, headers={"Variable": "W=1", "Channel": "PJSIP/900"})
    assert answer.status_code == 200
    (dial,) = rung(duty)
    assert dial.channel_id.startswith("cticb-")
    assert dial.channel_id != FORGED["channel_id"]
    assert (dial.interface, dial.caller) == ("Local/3001@lab-seats/n", NUMBER)


async def test_s8_whoever_asks_too_often_waits(duty: DutySite, lead: httpx.AsyncClient) -> None:
    """Twenty a minute of one person, on whichever page he asks; then 429 with Retry-After."""
    body = {"callbacks": {"number": NUMBER, "agent": "1001"}, "owed": {"caller": NUMBER}}
    answers = [
        await lead.post(f"/api/v1/{path}", json=body[path], headers=key(n))
        for n, path in enumerate(("callbacks", "owed") * 11)
    ]
    slow = [answer for answer in answers if answer.status_code == 429]
    assert len(slow) == 2
    assert {answer.json()["code"] for answer in slow} == {"callback_rate"}
    assert all(0 < int(answer.headers["Retry-After"]) <= 60 for answer in slow)


async def test_s8_only_so_many_dials_run_at_once(tmp_path: Path) -> None:
    """callback.in_flight, whatever the agents press."""
    async with duty_site(tmp_path, settings={"callback": {"in_flight": 1}}) as duty:
        client = await as_(duty, "9001")
        codes = []
        for n, agent in enumerate(("1001", "1002")):
            await duty.ask(SignIn(agent, f"3{agent[1:]}"))
            later = duty.clock.now() + timedelta(hours=1)
            owed = await duty.ask(RequestCallback("9001", agent, f"1380000006{n}", None, later, None))
            codes.append((await client.post(f"/api/v1/callbacks/{owed.data['callback_id']}/dial")).json().get("code"))
        assert codes == [None, "too_many_dials"]
        assert len(rung(duty)) == 1
        await client.aclose()


async def test_s9_no_ticket_or_anothers_ticket_rings_nobody_and_is_logged(duty: DutySite) -> None:
    """An agent calls back about a ticket that is his; the log names him and no number."""
    agent = await as_(duty, "1001")
    with capture_logs() as lines:
        bare = await agent.post("/api/v1/callbacks", json={"number": NUMBER}, headers=key(1))
        foreign = await agent.post("/api/v1/callbacks", json={"ticket_id": "t-none"}, headers=key(2))
    assert (bare.status_code, foreign.status_code) == (403, 404)
    assert [(line["event"], line["agent"]) for line in lines if line["log_level"] == "warning"] == [
        ("callback_without_ticket", "1001"), ("callback_foreign_ticket", "1001"),
    ]  # fmt: skip
    assert NUMBER not in str(lines)
    assert duty.engine.world.callbacks == {}
    await agent.aclose()


async def test_s10_the_services_clock_decides(tmp_path: Path) -> None:
    """At 22:00 a page that says it is ten in the morning gets the refusal and the next morning."""
    night = datetime(2026, 11, 23, 22, 0, tzinfo=ZONE)
    async with duty_site(tmp_path, night) as duty:
        await duty.ask(SignIn("1001", "3001"))
        client = await as_(duty, "9001")
        forged = {"Date": "Mon, 23 Nov 2026 02:00:00 GMT", "X-Time": "2026-11-23T10:00:00+08:00"}
        for n, before in enumerate((None, "2026-11-23T10:00:00+08:00", "1970-01-01T00:00:00Z")):
            body = {"number": f"1380000006{n}", "agent": "1001", "not_before": before}
            made = await client.post("/api/v1/callbacks", json=body, headers={**key(n), **forged})
            assert made.status_code == 201
            due = datetime.fromisoformat(made.json()["due_at"]).astimezone(ZONE)
            assert (due.day, due.hour, due.minute) == (24, 8, 0)
            dial = f"/api/v1/callbacks/{made.json()['callback_id']}/dial"
            refused = await client.post(dial, json={"now": forged["X-Time"]}, headers=forged)
            assert (refused.status_code, refused.json()["code"]) == (409, "quiet_hours")
        assert rung(duty) == []
        await client.aclose()

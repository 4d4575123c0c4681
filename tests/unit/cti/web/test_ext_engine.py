"""Other systems over the API, with the real engine behind it: a stub, its unit's answer, a callback by the rules."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from cti.commands import SignIn
from cti.commands.tickets import TakeStub
from cti.store.sinks_tables import replies
from tests.unit.cti.web.conftest import browser
from tests.unit.cti.web.test_ext_api import REPLY, SCOPES, Ext
from tests.web.conftest import PIN
from tests.web.duty import DutySite, duty_site

STUB = {"channel": "dingtalk", "caller": "13800000073", "kind": "repair", "text": "水管漏水\n第二行"}


@pytest.fixture
async def duty(tmp_path: Path) -> AsyncIterator[DutySite]:
    """09:00, an agent at his seat."""
    async with duty_site(tmp_path) as site:
        await site.ask(SignIn("1001", "3001"))
        yield site


@pytest.fixture
async def ext(duty: DutySite) -> AsyncIterator[Ext]:
    """A system with a token that an administrator made."""
    async with browser(duty.app) as admin:
        assert (await admin.post("/api/v1/session", json={"number": "9999", "pin": PIN})).status_code == 201
        made = await admin.post("/api/v1/tokens", json={"name": "oa", "scopes": SCOPES})
        system = Ext(duty.app, made.json()["token"])
        yield system
        await system.client.aclose()


async def test_from_the_stub_to_the_units_answer_and_the_callback(duty: DutySite, ext: Ext) -> None:
    """Twice asked is once done; nobody has the stub until it is taken; the callback keeps to the rules."""
    opened = [await ext.post("stubs", STUB) for _ in range(2)]
    assert [answer.status_code for answer in opened] == [201, 201]
    ticket_id = opened[0].json()["ticket_id"]
    assert opened[1].json()["ticket_id"] == ticket_id
    stub = duty.engine.world.stubs[ticket_id]
    assert (stub.agent, stub.channel, stub.caller, stub.kind) == ("", "dingtalk", "13800000073", "repair")
    nobody = await ext.post(f"tickets/{ticket_id}/callbacks", {})
    assert (nobody.status_code, nobody.json()["errors"][0]["field"]) == (422, "agent")
    assert (await duty.ask(TakeStub("1001", ticket_id))).ruling.allowed
    reported = REPLY | {"at": (duty.clock.now() - timedelta(minutes=5)).isoformat()}
    assert (await ext.post(f"tickets/{ticket_id}/replies", reported)).status_code == 201
    other = await ext.post(f"tickets/{ticket_id}/replies", reported | {"text": "未修复"})
    assert (other.status_code, other.json()["code"]) == (409, "key_used")
    unknown = await ext.post("tickets/t-none/replies", reported, "key-9")
    assert (unknown.status_code, unknown.json()["code"]) == (409, "no_such_ticket")
    async with duty.store.read() as connection:
        kept = [row["text"] for row in (await connection.execute(replies.select())).mappings()]
    assert kept == ["已修复"]
    planned = [await ext.post(f"tickets/{ticket_id}/callbacks", {}) for _ in range(2)]
    assert [answer.status_code for answer in planned] == [201, 201]
    assert planned[0].json()["callback_id"] == planned[1].json()["callback_id"]
    callback = duty.engine.world.callbacks[planned[0].json()["callback_id"]]
    joined = planned[0].json()["joined"]  # one repair in ten is drawn to be called back about, and then joined
    assert (callback.agent, callback.number, callback.requested_by) == ("1001", "13800000073", "" if joined else "oa")


async def test_a_callback_asked_for_at_night_waits_for_the_morning(duty: DutySite, ext: Ext) -> None:
    """KL 第十四条(九): between 21:00 and 08:00 nobody is rung, whoever asks."""
    ticket_id = (await ext.post("stubs", STUB)).json()["ticket_id"]
    duty.leap(13 * 3600)
    answer = await ext.post(f"tickets/{ticket_id}/callbacks", {"agent": "1001"})
    assert answer.json()["due_at"] == "2026-11-24T00:00:00+00:00"
    strange = await ext.post(f"tickets/{ticket_id}/callbacks", {"agent": "4444"}, "key-2")
    assert (strange.status_code, strange.json()["code"]) == (409, "unknown_agent")


@pytest.mark.parametrize(("change", "field"), [({"kind": "no-such"}, "kind"), ({"area": "no-such"}, "area")])
async def test_a_code_that_the_site_does_not_have_is_named(
    duty: DutySite, ext: Ext, change: dict[str, str], field: str
) -> None:
    """The field, and not what was sent."""
    answer = await ext.post("stubs", STUB | change)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert "no-such" not in answer.text
    assert not duty.engine.world.stubs

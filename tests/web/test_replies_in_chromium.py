"""The unit's answer on the agent's ticket, with the real engine behind it: at once, and as text whatever it holds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from cti.commands import SignIn
from cti.commands.sinks import ReportReply, SinkStood
from tests.sim.missing import caller
from tests.web.conftest import Complaints, log_in
from tests.web.duty import DutySite, duty_site

HOSTILE = '<img src=x onerror="alert(1)">已修复'


@pytest.fixture
async def duty(tmp_path: Path) -> AsyncIterator[DutySite]:
    """09:00, an agent at his seat."""
    async with duty_site(tmp_path) as site:
        await site.ask(SignIn("1001", "3001"))
        yield site


async def test_an_answer_appears_on_the_open_ticket(browser: Browser, duty: DutySite, complaints: Complaints) -> None:
    """Nothing before it comes; then its words, without asking for the page anew. The lead hears of a sink away."""
    context, agent = await log_in(browser, duty, "1001", complaints)
    lead_context, lead = await log_in(browser, duty, "9001", complaints, "/board")
    call = caller(duty.pbx)
    duty.pbx._ring(call, "1001")
    duty.pbx._connect(call)
    await expect(agent.get_by_test_id("pop")).to_be_visible()
    await expect(agent.get_by_test_id("replies")).to_have_count(0)
    ticket_id = next(iter(duty.engine.world.stubs))
    at = duty.clock.now() - timedelta(minutes=1)
    await duty.ask(ReportReply("oa", "k-1", "key-1", ticket_id, "done", HOSTILE, at))
    await expect(agent.get_by_test_id("replies")).to_contain_text(HOSTILE)
    await expect(agent.get_by_test_id("replies")).to_contain_text("已办理")
    await duty.ask(SinkStood("w-1", "oa", "away"))
    await expect(lead.locator("body")).to_contain_text("对接系统 oa 已超过5分钟无法送达")
    assert complaints == []
    for one in (context, lead_context):
        await one.close()

"""The agent's voice keys and the outage notices on the pages, the real engine behind them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from cti.commands import GoReady, SignIn
from cti.engine.inputs import EndTalk, Read, Speak
from queues.facts import Rated
from tests.sim.missing import NUMBER, caller
from tests.web.conftest import Complaints, log_in
from tests.web.duty import DutySite, duty_site

HOSTILE = '<img src=x onerror="alert(1)">水厂跳闸'


@pytest.fixture
async def duty(tmp_path: Path) -> AsyncIterator[DutySite]:
    """09:00, an agent at her seat."""
    async with duty_site(tmp_path) as site:
        await site.ask(SignIn("1001", "3001"))
        yield site


async def test_the_keys_of_a_talk_and_the_notices_of_the_lead(
    browser: Browser, duty: DutySite, complaints: Complaints
) -> None:
    """By keyboard alone: warn, invite to rate; the lead's notice is on the pop at once, as text; the rating comes."""
    agent_context, agent = await log_in(browser, duty, "1001", complaints)
    lead_context, lead = await log_in(browser, duty, "9001", complaints, "/desk")
    call = caller(duty.pbx, NUMBER)
    duty.pbx._ring(call, "1001")
    duty.pbx._connect(call)
    await expect(agent.get_by_test_id("voice")).to_be_visible()
    await lead.get_by_test_id("outage-text").fill(HOSTILE)
    await lead.get_by_test_id("outage-put").press("Enter")
    await expect(lead.get_by_test_id("outage-desk").get_by_test_id("outage")).to_contain_text(HOSTILE)
    await expect(agent.get_by_test_id("outages")).to_contain_text(HOSTILE)
    await expect(agent.get_by_test_id("outages")).to_contain_text("全市 · 突发停供")
    await agent.get_by_test_id("voice-nuisance").press("Enter")
    await expect(agent.get_by_test_id("voice-said")).to_contain_text("骚扰警告")
    await agent.get_by_test_id("voice-rate").press("Enter")
    await expect(agent.get_by_test_id("voice-said")).to_contain_text("邀请评价")
    done = [(type(e), e[1]) for e in await duty.acted() if isinstance(e, Speak | EndTalk)]
    assert done == [(Speak, call.call_id), (EndTalk, call.call_id)]
    duty.pbx._complete(call)
    duty.engine.put(Read((Rated(call.call_id, duty.clock.now(), "hotline", "1001", 2),), {}))
    await duty.ask(GoReady("1001"))
    await expect(agent.get_by_test_id("rating")).to_contain_text("一般")
    await expect(agent.get_by_test_id("voice")).to_have_count(0)
    await lead.get_by_test_id("outage-end").press("Enter")
    await expect(agent.get_by_test_id("outages")).to_have_count(0)
    await lead.get_by_test_id("language").click()
    await expect(lead.get_by_test_id("outage-desk")).to_contain_text("Outage notices")
    assert complaints == []
    for context in (agent_context, lead_context):
        await context.close()

"""Emergencies on the pages, the real engine behind them: one key rings the unit, the ladder goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from cti.ami import events as ami
from cti.commands import GoReady, SignIn
from cti.commands.directory import PutUnit
from cti.engine.inputs import DialUnit, Lift
from tests.sim.missing import caller
from tests.web.conftest import Complaints, log_in
from tests.web.duty import DutySite, duty_site

HOSTILE = '<img src=x onerror="alert(1)">已派人'


@pytest.fixture
async def duty(tmp_path: Path) -> AsyncIterator[DutySite]:
    """09:00, two agents at their seats, one unit with two numbers."""
    async with duty_site(tmp_path) as site:
        for number in ("1001", "1002"):
            await site.ask(SignIn(number, f"3{number[1:]}"))
        numbers = (("0530 5550001", "", ""), ("0530 5550002", "", ""))
        await site.ask(PutUnit("9001", "gas", "燃气抢修", "Gas repair", "emergency", (), (), numbers))
        yield site


async def heard(site: DutySite) -> None:
    """What was told before has been taken."""
    await site.ask(GoReady("1002"))


async def test_one_key_rings_the_unit_and_the_lead_acknowledges(
    browser: Browser, duty: DutySite, complaints: Complaints
) -> None:
    """Alt+U with an empty ticket: raised and rung at once, each number listed; the bar stays until it is said so."""
    agent_context, agent = await log_in(browser, duty, "1001", complaints)
    lead_context, lead = await log_in(browser, duty, "9001", complaints, "/desk")
    call = caller(duty.pbx)
    duty.pbx._ring(call, "1001")
    duty.pbx._connect(call)
    await heard(duty)
    await expect(agent.get_by_test_id("pop")).to_be_visible()
    await expect(lead.get_by_test_id("emergency-bar")).to_have_count(0)
    duty.pbx._complete(call)
    await heard(duty)
    await agent.keyboard.press("Alt+U")
    await expect(agent.get_by_test_id("unit-call")).to_have_count(2)
    await expect(lead.get_by_test_id("emergency")).to_contain_text("正在呼叫责任单位")
    dial = (await duty.acted())[-1]
    assert isinstance(dial, DialUnit)
    now, channel = duty.clock.now(), dial.channel_id
    duty.engine.hear(ami.OriginateResponse(now, channel, True, 4, channel))
    for end in ("BUSY", "ANSWER"):
        duty.engine.hear(ami.DialEnd(now, channel, channel, "1.1", channel, "PJSIP/t", end))
    await expect(agent.get_by_test_id("unit-call").first).to_contain_text("占线")
    await expect(agent.get_by_test_id("unit-call").last).to_contain_text("已接通")
    await expect(agent.get_by_test_id("timed-reached_at")).to_contain_text("单位接听")
    await expect(lead.get_by_test_id("emergency")).to_contain_text("责任单位已接通")
    duty.leap(61)
    await expect(lead.get_by_test_id("emergency-step")).to_contain_text("1")
    await lead.get_by_test_id("emergency-note").fill(HOSTILE)
    await lead.get_by_test_id("emergency-note").press("Enter")
    await expect(lead.get_by_test_id("emergency-bar")).to_have_count(0)
    await expect(agent.get_by_test_id("timed-acknowledged_at")).to_be_visible()
    assert complaints == []
    for context in (agent_context, lead_context):
        await context.close()


async def test_the_lead_lifts_a_waiting_call_from_the_board(
    browser: Browser, duty: DutySite, complaints: Complaints
) -> None:
    """One key beside the caller; an agent's board has none."""
    lead_context, lead = await log_in(browser, duty, "9001", complaints, "/board")
    agent_context, agent = await log_in(browser, duty, "1001", complaints, "/board")
    call = caller(duty.pbx)
    await heard(duty)
    await expect(agent.get_by_test_id("waiting-caller")).to_have_count(1)
    await expect(agent.get_by_test_id("lift")).to_have_count(0)
    await lead.get_by_test_id("lift").click()
    await expect(lead.get_by_test_id("emergency")).to_contain_text("值班长提前")
    assert Lift(call.call_id) in await duty.acted()
    await lead.get_by_test_id("language").click()
    await expect(lead.get_by_test_id("emergency")).to_contain_text("Lifted by the lead")
    assert complaints == []
    for context in (agent_context, lead_context):
        await context.close()


async def test_the_lead_keeps_the_directory(browser: Browser, duty: DutySite, complaints: Complaints) -> None:
    """A unit with hours and a night line is put by the form; what cannot be dialled is refused in words."""
    context, lead = await log_in(browser, duty, "9001", complaints, "/desk")
    await lead.get_by_test_id("directory").locator("summary").click()
    fields = {"code": "water", "zh": "供水抢修", "en": "Water", "numbers": "05305550003, 13800000071 20:00-08:00"}
    for name, value in fields.items():
        await lead.get_by_test_id(f"directory-{name}").fill(value)
    await lead.get_by_test_id("unit-put").click()
    await expect(lead.get_by_test_id("unit")).to_have_count(2)
    await expect(lead.get_by_test_id("unit").last).to_contain_text("13800000071 20:00-08:00")
    for name, value in {**fields, "code": "abroad", "numbers": "00441632960001"}.items():
        await lead.get_by_test_id(f"directory-{name}").fill(value)
    await lead.get_by_test_id("unit-put").click()
    await expect(lead.get_by_test_id("directory").get_by_test_id("notice")).to_be_visible()
    await expect(lead.get_by_test_id("unit")).to_have_count(2)
    await lead.get_by_test_id("unit-remove").last.click()
    await expect(lead.get_by_test_id("unit")).to_have_count(1)
    assert [text for text in complaints if "422" not in text] == []
    await context.close()

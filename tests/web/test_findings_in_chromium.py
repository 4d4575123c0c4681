"""Findings on the pages, the real engine behind them: live with a timer, evidence on demand, appeal and ruling."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from cti.commands import GoBusy, GoReady, SignIn
from cti.engine.inputs import Due
from tests.sim.pbx import SimCall
from tests.web.conftest import Complaints, log_in
from tests.web.duty import NINE, DutySite, duty_site

HOSTILE = '<img src=x onerror="alert(1)">电话有故障'


@pytest.fixture
async def duty(tmp_path: Path) -> AsyncIterator[DutySite]:
    """09:00, two agents signed in at their seats; 1003 should have been there since 08:00."""
    async with duty_site(tmp_path) as site:
        for number in ("1001", "1002"):
            site.on_duty(number, NINE - timedelta(hours=2))
            await site.ask(SignIn(number, f"3{number[1:]}"))
        yield site


async def ring(site: DutySite, agent: str) -> SimCall:
    """A caller rings at *agent*."""
    site.pbx.enter()
    call = site.pbx.open_calls()[-1]
    site.pbx._ring(call, agent)
    await site.ask(GoReady("1002"))  # taken behind what was heard before
    return call


async def refuse(site: DutySite) -> None:
    """示忙 by 1001 as a call rings there; over the 2 s in which the link might be lost."""
    await ring(site, "1001")
    assert (await site.ask(GoBusy("1001", "ticket"))).ruling.allowed
    site.leap(3)


async def opened(page: Page, kind: str) -> None:
    """Open the evidence of the finding of this kind."""
    await page.locator(f"[data-kind={kind}]").get_by_test_id("finding-open").click()


async def test_a_running_finding_is_live_on_the_desk_and_ends(
    browser: Browser, duty: DutySite, complaints: Complaints
) -> None:
    """The desk shows it with its timer, article and evidence while it goes on; ready ends it; the board alarms."""
    context, desk = await log_in(browser, duty, "9001", complaints, "/desk")
    await expect(desk.get_by_test_id("findings-running")).to_have_text("0")
    await refuse(duty)
    line = desk.locator("[data-kind=busy_refusing]")
    await expect(line).to_have_attribute("data-state", "running")
    await expect(line.get_by_test_id("finding-timer")).to_have_text("00:05")
    await opened(desk, "busy_refusing")
    await expect(line.get_by_test_id("evidence")).to_contain_text("第二十一条")
    await expect(line.get_by_test_id("evidence")).to_contain_text("来电振铃")
    await expect(line.get_by_test_id("evidence")).to_contain_text("1795284828.1")  # the call, by its id
    assert "1380000" not in await desk.content()  # and never by the caller's number
    await duty.ask(GoReady("1001"))
    await expect(line).to_have_attribute("data-state", "found")
    await desk.goto(f"{duty.url}/board")
    await expect(desk.get_by_test_id("alarms")).to_contain_text("1001号话务员：示忙拒接")
    assert complaints == []
    await context.close()


async def test_an_agent_appeals_and_a_lead_rules(browser: Browser, duty: DutySite, complaints: Complaints) -> None:
    """The agent sees his own and nobody else's; his words arrive as text; the ruling is on both pages at once."""
    await refuse(duty)
    await duty.ask(GoReady("1001"))
    agent_context, agent = await log_in(browser, duty, "1001", complaints)
    lead_context, desk = await log_in(browser, duty, "9001", complaints, "/desk")
    other_context, other = await log_in(browser, duty, "1002", complaints)
    own = agent.get_by_test_id("own-findings")
    await opened(agent, "busy_refusing")
    await own.get_by_test_id("appeal-reason").fill(HOSTILE)
    await own.get_by_test_id("appeal-send").click()
    await expect(own.locator("[data-kind=busy_refusing]")).to_have_attribute("data-state", "appealed")
    case = desk.locator("[data-kind=busy_refusing]")
    await expect(case).to_contain_text(HOSTILE)
    await case.get_by_test_id("ruling-reason").fill("经查属实")
    await case.get_by_test_id("ruling-revoke").click()
    for page in (agent, desk):
        await expect(page.locator("[data-kind=busy_refusing]")).to_have_attribute("data-state", "revoked")
    await expect(own.get_by_test_id("step").last).to_contain_text("经查属实")
    await expect(other.get_by_test_id("own-findings")).to_have_count(0)
    assert complaints == []
    for context in (agent_context, lead_context, other_context):
        await context.close()


async def test_attendance_of_today(browser: Browser, duty: DutySite, complaints: Complaints) -> None:
    """Who is there and who is not, while he is late and when he has come; an auditor reads it."""
    duty.on_duty("1003", NINE + timedelta(seconds=60))
    duty.engine.put(Due("adherence:"))
    await duty.ask(GoReady("1001"))
    duty.leap(70)
    context, desk = await log_in(browser, duty, "9500", complaints, "/desk")
    late = desk.locator("[data-test=adherence-line][data-agent='1003']")
    await expect(late).to_contain_text("测试话务员丙")
    await expect(desk.locator("[data-kind=late]")).to_have_attribute("data-state", "running")
    await duty.ask(SignIn("1003", "3003"))
    await expect(desk.locator("[data-kind=late]")).to_have_attribute("data-state", "found")
    await expect(late).to_contain_text(re.compile("00:[1-5][0-9]"))  # ten seconds, and what this machine took since
    assert complaints == []
    await context.close()

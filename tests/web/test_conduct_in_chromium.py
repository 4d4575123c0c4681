"""Asking the lead, the windows, the break line and coming to the post, on the pages and with the real engine."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from cti.app import load_profile
from cti.commands import SignIn
from cti.commands.conduct import SeatUnproved
from cti.engine.inputs import RingSeat
from tests.web.conftest import Complaints, log_in
from tests.web.duty import NINE, DutySite, duty_site

pytestmark = pytest.mark.browser
HOSTILE = "<img src=x onerror=alert(1)>头疼&amp;'\";"


@pytest.fixture
async def duty(tmp_path: Path) -> AsyncIterator[DutySite]:
    """Monday 09:00 in Heze; the day shift of 1001 to 1003 began at 08:45."""
    async with duty_site(tmp_path) as site:
        for agent in ("1001", "1002", "1003"):
            site.on_duty(agent, NINE - timedelta(minutes=15))
        yield site


async def sign_in(page: Page, seat: str) -> None:
    await page.get_by_test_id("sign-in").click()
    await page.get_by_test_id("seat").fill(seat)
    await page.get_by_test_id("confirm-seat").click()
    await expect(page.get_by_test_id("state")).to_have_attribute("data-state", "ready")


async def go_busy(page: Page, reason: str = "break") -> None:
    await page.get_by_test_id("busy").click()
    await page.get_by_test_id(f"reason-{reason}").click()


async def seated(
    browser: Browser, duty: DutySite, number: str, seat: str, complaints: Complaints
) -> tuple[BrowserContext, Page]:
    context, page = await log_in(browser, duty, number, complaints)
    await sign_in(page, seat)
    return context, page


def refusals(complaints: Complaints) -> list[str]:
    """What the browser says of every 409 is no complaint."""
    return [text for text in complaints if "409 (Conflict)" not in text]


async def test_a_busy_refused_by_the_window_is_asked_for_agreed_and_then_done_by_the_agent(
    browser: Browser, duty: DutySite, complaints: Complaints
) -> None:
    """HZ 第三十二条: article and moment on the screen; the lead agrees; the agent does it himself."""
    _a, agent = await seated(browser, duty, "1001", "3001", complaints)
    _l, lead = await log_in(browser, duty, "9001", complaints, "/desk")
    await expect(agent.get_by_test_id("ban")).to_contain_text("08:45–09:15")
    await go_busy(agent, "ticket")
    notice = agent.get_by_test_id("notice")
    await expect(notice).to_contain_text("HZ 第三十二条")
    await expect(notice).to_contain_text("09:15")
    await agent.get_by_test_id("ask-reason").fill(HOSTILE)
    await agent.get_by_test_id("ask-send").click()
    await expect(agent.get_by_test_id("own-permit")).to_have_attribute("data-state", "asked")
    request = lead.get_by_test_id("request")
    await expect(request).to_contain_text(HOSTILE)
    await expect(request).to_contain_text("测试话务员甲")
    await request.get_by_test_id("decide-reason").fill("情况属实")
    await request.get_by_test_id("minutes").fill("5")
    await request.get_by_test_id("agree").click()
    await expect(lead.get_by_test_id("decided")).to_have_attribute("data-state", "agreed")
    own = agent.get_by_test_id("own-permit")
    await expect(own).to_have_attribute("data-state", "agreed")
    await expect(own).to_contain_text("情况属实")
    await own.get_by_test_id("use-permit").click()
    await agent.get_by_test_id("reason-ticket").click()
    await expect(agent.get_by_test_id("state")).to_have_attribute("data-state", "busy")
    duty.leap(301)
    await expect(agent.get_by_test_id("over-time")).to_be_visible()
    await expect(lead.get_by_test_id("over-time")).to_contain_text("示忙已超过批准时间")
    await expect(agent.get_by_test_id("state")).to_have_attribute("data-state", "busy")
    assert refusals(complaints) == []


async def test_a_declined_request_says_why_and_opens_nothing(
    browser: Browser, duty: DutySite, complaints: Complaints
) -> None:
    """The lead's reason reaches the agent, the sign-out stays refused; own words of both are text."""
    _a, agent = await seated(browser, duty, "1001", "3001", complaints)
    _l, lead = await log_in(browser, duty, "9001", complaints, "/desk")
    await agent.get_by_test_id("sign-out").click()
    await agent.get_by_test_id("ask-reason").fill("有事")
    await agent.get_by_test_id("ask-send").click()
    request = lead.get_by_test_id("request")
    await request.get_by_test_id("decide-reason").fill(HOSTILE)
    await request.get_by_test_id("decline").click()
    own = agent.get_by_test_id("own-permit")
    await expect(own).to_have_attribute("data-state", "declined")
    await expect(own).to_contain_text(HOSTILE)
    await agent.get_by_test_id("sign-out").click()
    await expect(agent.get_by_test_id("notice")).to_contain_text("第三十二条")
    await expect(agent.get_by_test_id("state")).to_have_attribute("data-state", "ready")
    assert refusals(complaints) == []


async def test_the_break_line_shows_the_place_and_lets_go_by_itself(
    browser: Browser, duty: DutySite, complaints: Complaints
) -> None:
    """离岗轮席: two seats must stay; the second to ask waits, also over a restart, and goes when another is ready."""
    _1, first = await seated(browser, duty, "1001", "3001", complaints)
    _2, second = await seated(browser, duty, "1002", "3002", complaints)
    _3, third = await seated(browser, duty, "1003", "3003", complaints)
    duty.leap(3600)
    await expect(first.get_by_test_id("ban")).to_have_count(0)
    await go_busy(first)
    await expect(first.get_by_test_id("state")).to_have_attribute("data-state", "busy")
    await go_busy(second)
    await expect(second.get_by_test_id("notice")).to_contain_text("QD 第十九条")
    await expect(second.get_by_test_id("notice")).to_contain_text("您排在第1位")
    await expect(second.get_by_test_id("break-line")).to_contain_text("第 1 位")
    await go_busy(third, "meal")
    await expect(third.get_by_test_id("break-line")).to_contain_text("第 2 位")
    await duty.restart()
    await expect(first.get_by_test_id("link")).to_have_text("已连接")
    await expect(second.get_by_test_id("break-line")).to_contain_text("第 1 位")
    await first.get_by_test_id("ready").click()
    await expect(second.get_by_test_id("state")).to_have_attribute("data-state", "busy")
    await expect(second.get_by_test_id("break-line")).to_have_count(0)
    await expect(third.get_by_test_id("break-line")).to_contain_text("第 1 位")
    await third.get_by_test_id("leave-line").click()
    await expect(third.get_by_test_id("break-line")).to_have_count(0)
    await third.goto(f"{duty.url}/board")
    gone = third.locator("[data-test='agent-tile'][data-state='busy']")
    await expect(gone).to_contain_text("离岗休息")
    await third.get_by_test_id("language").click()
    await expect(gone).to_contain_text("Break")
    assert [text for text in refusals(complaints) if "ERR_" not in text] == []


async def test_coming_to_the_post_is_one_press_from_an_hour_before(
    browser: Browser, duty: DutySite, complaints: Complaints
) -> None:
    """到岗: offered within the hour before one's own shift, gone when said; somebody without a shift is not asked."""
    duty.on_duty("1004", NINE + timedelta(minutes=61))
    _c, page = await log_in(browser, duty, "1004", complaints)
    await expect(page.get_by_test_id("next-shift")).to_be_visible()
    await expect(page.get_by_test_id("arrive")).to_have_count(0)
    duty.leap(90)
    await page.reload()
    await page.get_by_test_id("arrive").click()
    await expect(page.get_by_test_id("arrived")).to_contain_text("09:01")
    await expect(page.get_by_test_id("arrive")).to_have_count(0)
    assert complaints == []


async def test_the_page_says_what_the_seats_phone_does(
    browser: Browser, tmp_path: Path, complaints: Complaints
) -> None:
    """席位核验: it rings, it was not confirmed, the next try is taken; and the state follows by itself."""
    rules = load_profile("hz-12319")
    asks = replace(rules.limits["signin.personal"], path="signin.seat_check")
    checked = replace(rules, limits={**rules.limits, asks.path: asks})
    async with duty_site(tmp_path, profile=checked) as site:
        _c, page = await log_in(browser, site, "1001", complaints)
        check = page.get_by_test_id("seat-check")
        for _ in range(2):
            await page.get_by_test_id("sign-in").click()
            await page.get_by_test_id("seat").fill("3001")
            await page.get_by_test_id("confirm-seat").click()
            await expect(check).to_have_attribute("data-state", "checking")
            await expect(check).to_contain_text("3001")
            await expect(page.get_by_test_id("state")).to_have_attribute("data-state", "signed_out")
            ring = (await site.acted())[-1]
            assert isinstance(ring, RingSeat)
            if len(site.effects) == 1:
                await site.ask(SeatUnproved(ring.check_id))
                await expect(check).to_have_attribute("data-state", "unproved")
        await site.ask(SignIn("1001", "3001", proved=True))
        await expect(page.get_by_test_id("state")).to_have_attribute("data-state", "ready")
        await expect(check).to_have_count(0)
    assert [text for text in complaints if "409" not in text and "ERR_" not in text] == []


async def test_a_lead_records_a_retraining_on_the_desk(
    browser: Browser, duty: DutySite, complaints: Complaints
) -> None:
    """QD 第二十三条; not for himself, and the desk says so."""
    _l, lead = await log_in(browser, duty, "9001", complaints, "/desk")
    await lead.get_by_test_id("requests").locator("summary").click()
    for number in ("9001", "1001"):
        await lead.get_by_test_id("train-number").fill(number)
        await lead.get_by_test_id("train-note").fill("业务考核通过")
        await lead.get_by_test_id("train").click()
        if number == "9001":
            await expect(lead.get_by_test_id("requests").get_by_test_id("notice")).to_contain_text("不能为本人登记培训")
    await expect(lead.get_by_test_id("train-note")).to_have_value("")
    await expect(lead.get_by_test_id("requests").get_by_test_id("notice")).to_have_count(0)
    assert refusals(complaints) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_both_languages_and_themes_are_whole(
    browser: Browser, duty: DutySite, complaints: Complaints, theme: str
) -> None:
    """Nothing on the desk or in the agent's duty shows a key instead of a word, nor English with Chinese stops."""
    _a, agent = await seated(browser, duty, "1001", "3001", complaints)
    _l, lead = await log_in(browser, duty, "9001", complaints, "/desk")
    await agent.get_by_test_id("sign-out").click()
    await agent.get_by_test_id("ask-reason").fill("家中急事")
    await agent.get_by_test_id("ask-send").click()
    await expect(lead.get_by_test_id("request")).to_be_visible()
    await go_busy(agent)
    for page, card in ((agent, "duty"), (lead, "requests")):
        if theme == "dark":
            await page.get_by_test_id("theme").click()
        for language, stops in (("zh-CN", ""), ("en", "：；、")):
            await expect(page.locator("html")).to_have_attribute("lang", language)
            shown = page.get_by_test_id(card)
            text = await shown.inner_text()
            assert not set(stops) & set(await shown.inner_html())
            assert not [word for word in text.split() if "." in word and word.isascii() and word.islower()], text
            await page.get_by_test_id("language").click()
        if folder := os.environ.get("CTI_SCREENSHOTS"):
            await page.screenshot(path=f"{folder}/{card}-{theme}.png", full_page=True)
    assert refusals(complaints) == []

"""The rate of the last 24 h on the board, a caller who blinks for the lead, an agent who is asked back, the desk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from cti.commands import GoBusy, GoReady, SignIn
from cti.engine.inputs import Read
from queues.facts import Door, ShutOut
from tests.sim.pbx import SimCall
from tests.web.conftest import Complaints, log_in
from tests.web.duty import NINE, DutySite, duty_site


@pytest.fixture
async def duty(tmp_path: Path) -> AsyncIterator[DutySite]:
    """09:00, two agents signed in at their seats."""
    async with duty_site(tmp_path) as site:
        for number in ("1001", "1002"):
            site.on_duty(number, NINE - timedelta(hours=2))
            await site.ask(SignIn(number, f"3{number[1:]}"))
        yield site


async def enter(site: DutySite) -> SimCall:
    """A caller waits."""
    site.pbx.enter()
    await site.ask(GoReady("1001"))  # taken behind what was heard before
    return site.pbx.open_calls()[-1]


async def served(site: DutySite, calls: int) -> None:
    """So many callers are answered by 1001 and hang up."""
    for _ in range(calls):
        call = await enter(site)
        site.pbx._ring(call, "1001")
        site.pbx._connect(call)
        site.pbx._complete(call)
        await site.ask(GoReady("1001"))


async def test_the_board_shows_the_rate_of_24_hours_and_its_level(
    browser: Browser, duty: DutySite, complaints: Complaints
) -> None:
    """No calls, no rate; then 100 %; missed in red, with the alarm's words; the window outlives midnight."""
    context, board = await log_in(browser, duty, "9001", complaints, "/board")
    tile = board.get_by_test_id("answered")
    await expect(tile).to_contain_text("24小时接通率")
    await expect(tile.locator("b")).to_have_text("–%")
    await served(duty, 20)
    await expect(tile.locator("b")).to_have_text("100%")
    await expect(tile).to_have_class("tile good")
    for _ in range(2):
        duty.pbx._abandon(await enter(duty))
    await expect(tile.locator("b")).to_have_text("90.9%")
    await expect(tile).to_have_class("tile bad")
    await expect(tile).to_contain_text("来电 22 · 未接 2")
    await expect(board.get_by_test_id("alarms")).to_contain_text("近24小时呼叫接通率低于规定")
    duty.leap(16 * 3600)
    await expect(tile).to_contain_text("来电 22")
    assert complaints == []
    await context.close()


async def test_a_low_rate_of_few_calls_is_neither_good_nor_alarmed(
    browser: Browser, duty: DutySite, complaints: Complaints
) -> None:
    """Under 20 calls the rate is only shown: 17 of 18 are less than the 95 % asked, and 18 of 19 too."""
    context, board = await log_in(browser, duty, "9001", complaints, "/board")
    tile = board.get_by_test_id("answered")
    await served(duty, 17)
    await expect(tile).to_have_class("tile good")
    duty.pbx._abandon(await enter(duty))
    await expect(tile.locator("b")).to_have_text("94.4%")
    await expect(tile).to_have_class("tile ")
    await served(duty, 1)
    await expect(tile.locator("b")).to_have_text("94.7%")
    await expect(tile).to_have_class("tile ")
    await expect(board.get_by_test_id("alarms")).to_have_count(0)
    assert complaints == []
    await context.close()


async def test_a_caller_who_waits_blinks_for_the_lead_and_asks_an_agent_back(
    browser: Browser, duty: DutySite, complaints: Complaints
) -> None:
    """At 10 s on the lead's board alone; at 12 s on the page of the agent who does ticket work; gone when answered."""
    await duty.ask(GoBusy("1002", "ticket"))
    lead_context, lead = await log_in(browser, duty, "9001", complaints, "/board")
    other_context, other = await log_in(browser, duty, "1001", complaints, "/board")
    busy_context, busy = await log_in(browser, duty, "1002", complaints)
    call = await enter(duty)
    caller = lead.get_by_test_id("waiting-caller")
    await expect(caller).not_to_have_class("escalated")
    duty.leap(10)
    await expect(caller).to_have_class("escalated")
    await expect(lead.get_by_test_id("alarms")).to_contain_text(call.call_id)
    await expect(other.get_by_test_id("waiting-caller")).to_be_visible()
    await expect(other.get_by_test_id("waiting-caller")).not_to_have_class("escalated")
    await expect(busy.get_by_test_id("asked-back")).to_have_count(0)
    duty.leap(2)
    await expect(busy.get_by_test_id("asked-back")).to_contain_text("请尽快就绪")
    duty.pbx._ring(call, "1001")
    duty.pbx._connect(call)
    await expect(busy.get_by_test_id("asked-back")).to_have_count(0)
    await expect(caller).to_have_count(0)
    assert complaints == []
    for context in (lead_context, other_context, busy_context):
        await context.close()


async def test_the_desk_names_the_clock_of_every_figure(
    browser: Browser, duty: DutySite, complaints: Complaints
) -> None:
    """Four calls, one given up, and one turned away: each figure with its denominator and clock, beside an agent's."""
    await served(duty, 3)
    duty.engine.put(Read((ShutOut("1795284828.99", duty.clock.now(), "hotline", "13800000001", Door.LINES),), {}))
    duty.pbx._abandon(await enter(duty))
    await duty.ask(GoReady("1001"))
    context, desk = await log_in(browser, duty, "9001", complaints, "/desk")

    await expect(desk.locator("[data-name=rate_within]")).to_have_text("15秒接通率75.0 %来电人计时 · 基数 4")
    await expect(desk.locator("[data-name=ring_within]")).to_contain_text("100 %话务员计时 · 基数 3")
    await expect(desk.get_by_test_id("figure")).to_have_count(7)
    await expect(desk.locator("[data-name=reached_rate]")).to_contain_text("60.0 %来电人计时 · 基数 5")
    await expect(desk.get_by_test_id("shut-out")).to_contain_text("排队已满 0 · 队列关闭 0 · 线路占满 1")
    await expect(desk.get_by_test_id("agent-figures").first).to_contain_text("3 / 3")
    assert complaints == []
    await context.close()

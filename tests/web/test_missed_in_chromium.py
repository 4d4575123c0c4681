"""Missed callers on the pages, the real engine behind them: claimed in sight of the others, called back, ended."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from cti.commands import GoReady, SignIn
from cti.store.missed_reads import missed_list
from tests.sim.missing import NUMBER, caller, give_up
from tests.web.conftest import Complaints, log_in
from tests.web.duty import DutySite, duty_site

HOSTILE = '<img src=x onerror="alert(1)">骚扰'


@pytest.fixture
async def duty(tmp_path: Path) -> AsyncIterator[DutySite]:
    """09:00, two agents at their seats."""
    async with duty_site(tmp_path) as site:
        for number in ("1001", "1002"):
            await site.ask(SignIn(number, f"3{number[1:]}"))
        yield site


async def missed(site: DutySite, number: str) -> None:
    """A caller gives up."""
    give_up(site.pbx, caller(site.pbx, number))
    await site.ask(GoReady("1002"))  # taken behind what was heard before


async def test_a_missed_caller_is_claimed_called_back_and_ended(
    browser: Browser, duty: DutySite, complaints: Complaints
) -> None:
    """Merged and masked; who holds it is on every page at once; the number is the holder's; words arrive as text."""
    agent_context, agent = await log_in(browser, duty, "1001", complaints)
    other_context, other = await log_in(browser, duty, "1002", complaints)
    lead_context, board = await log_in(browser, duty, "9001", complaints, "/board")
    await expect(agent.get_by_test_id("missed")).to_have_count(0)  # nothing is owed: no card
    for number in (NUMBER, NUMBER, "13800000062", ""):
        await missed(duty, number)
        duty.leap(300)
    await expect(board.get_by_test_id("missed-open")).to_contain_text("2")
    await expect(agent.get_by_test_id("missed-withheld")).to_contain_text("1")
    first = agent.get_by_test_id("missed-caller").first
    await expect(first.get_by_test_id("missed-number")).to_have_text("138****0061")
    await expect(first).to_contain_text("来电2次")
    assert NUMBER not in await other.content()
    await first.get_by_test_id("missed-claim").click()
    await expect(first.get_by_test_id("missed-number")).to_have_text("138 0000 0061")
    theirs = other.get_by_test_id("missed-caller").first
    await expect(theirs.get_by_test_id("missed-holder")).to_contain_text("测试话务员甲 1001")
    await expect(theirs.get_by_test_id("missed-number")).to_have_text("138****0061")
    await expect(theirs.get_by_test_id("missed-claim")).to_have_count(0)
    await first.get_by_test_id("missed-open-end").click()
    await first.get_by_test_id("missed-reason").select_option("nuisance")
    await first.get_by_test_id("missed-text").fill(HOSTILE)
    await first.get_by_test_id("missed-close").click()
    await expect(agent.get_by_test_id("missed-count")).to_have_text("1")
    await expect(other.get_by_test_id("missed-count")).to_have_text("1")
    await agent.get_by_test_id("missed-callback").click()
    await expect(other.get_by_test_id("missed-holder")).to_contain_text("1001")
    await agent.get_by_test_id("open-callbacks").click()
    await expect(agent.get_by_test_id("callbacks")).to_contain_text("138 0000 0062")
    await board.goto(f"{duty.url}/desk")
    await expect(board.get_by_test_id("missed-number")).to_have_text("138 0000 0062")  # a lead sees it
    await board.get_by_test_id("language").click()
    await expect(board.get_by_test_id("missed")).to_contain_text("Missed callers")
    assert await ended(duty) == [("ended", "nuisance", HOSTILE)]
    assert complaints == []
    for context in (agent_context, other_context, lead_context):
        await context.close()


async def ended(site: DutySite) -> list[tuple[str, str | None, str]]:
    """State, reason and words of the closed duties."""
    async with site.store.read() as connection:
        views = await missed_list(connection, site.settings.pbx_id, closed=True)
    return [(view.state, view.end_reason, view.end_text) for view in views]

"""The purpose of it all: a citizen rings the real Asterisk, and the agent's page shows the ticket."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from cti.lab.citizens import Citizens
from tests.asterisk.conftest import LEAD, PIN, Hotline
from tests.web.chromium import FLAGS, chromium

POPPED = "select popped_at from tickets where call_id = ?"
pytestmark = [pytest.mark.asterisk, pytest.mark.browser]


@pytest.fixture
def browser() -> Iterator[Browser]:
    """A real Chromium."""
    with sync_playwright() as playwright:
        playwright.selectors.set_test_id_attribute("data-test")
        launched = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield launched
        launched.close()


def open_page(browser: Browser, hotline: Hotline, number: str) -> Page:
    page = browser.new_context().new_page()
    page.goto(f"{hotline.service.url}/login")
    page.get_by_test_id("number").fill(number)
    page.get_by_test_id("pin").fill(PIN)
    page.get_by_test_id("login").click()
    page.wait_for_url("**/board" if number == LEAD else "**/agent")
    return page


def test_a_caller_rings_and_that_agents_page_alone_shows_the_ticket(
    hotline: Hotline, citizens: Citizens, browser: Browser
) -> None:
    """From 签入 on the page to the pop of a repeat caller with his earlier call; the other agent's page stays empty."""
    hotline.sign_in(a1001="3001")
    first = citizens.call("12319", 2, "13800000081")
    hotline.settled(1)
    assert hotline.page("1001").ask("POST", "me/sign-out").status == 200
    mine, others, board = (open_page(browser, hotline, number) for number in ("1002", "1001", LEAD))
    mine.get_by_test_id("sign-in").click()
    mine.get_by_test_id("seat").fill("3002")
    mine.keyboard.press("Enter")
    expect(mine.get_by_test_id("state")).to_have_attribute("data-state", "ready")
    second = citizens.call("12319", 6, "13800000081")
    pop = mine.get_by_test_id("pop")
    expect(pop).to_be_visible()
    expect(pop).to_contain_text("138 0000 0081")
    expect(pop.get_by_test_id("history")).to_contain_text("1001")
    expect(mine.get_by_test_id("state")).to_have_attribute("data-state", "talking")
    expect(others.get_by_test_id("pop")).to_have_count(0)
    tile = board.get_by_test_id("agent-tile").filter(has_text="1002")
    expect(tile).to_have_attribute("data-state", "talking")
    hotline.until(lambda: hotline.rows(POPPED, second) != [(None,)])
    assert hotline.rows("select agent from tickets where call_id = ?", first) == [("1001",)]
    expect(mine.get_by_test_id("state")).to_have_attribute("data-state", "wrap_up", timeout=15_000)

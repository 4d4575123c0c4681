"""The handover on the pages, with the real engine: pairs, sheet, signatures, presence, an empty seat's countdown."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from cti.commands import RequestCallback, SignIn
from cti.commands.roster import PutShifts, ShiftEntry
from tests.web.conftest import Complaints, log_in
from tests.web.duty import NINE, DutySite, duty_site

pytestmark = pytest.mark.browser
HOSTILE = "<img src=x onerror=alert(1)>3001耳机有杂音&amp;'\";"
CHANGE = NINE + timedelta(minutes=20)


@pytest.fixture
async def duty(tmp_path: Path) -> AsyncIterator[DutySite]:
    """20 minutes before 1003 and 1004 relieve 1001 and 1002; one callback is open."""
    async with duty_site(tmp_path) as site:
        for number, seat in (("1001", "3001"), ("1002", "3002")):
            assert (await site.ask(SignIn(number, seat))).ruling.allowed
        asked = RequestCallback("1001", "1001", "13800000009", None, NINE + timedelta(hours=5), None)
        assert (await site.ask(asked)).ruling.allowed
        going = [ShiftEntry(n, CHANGE - timedelta(hours=10), CHANGE, "night") for n in ("1001", "1002")]
        coming = [ShiftEntry(n, CHANGE, CHANGE + timedelta(hours=10)) for n in ("1003", "1004")]
        assert (await site.ask(PutShifts("9001", (*going, *coming), "排班"))).ruling.allowed
        yield site


async def picture(page: Page, name: str) -> None:
    """Kept for the eye when ``CTI_SCREENSHOTS`` names a folder."""
    folder = os.environ.get("CTI_SCREENSHOTS")
    if folder:
        await page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def refusals(complaints: Complaints) -> list[str]:
    """What the browser says of every 409 is no complaint."""
    return [text for text in complaints if "409 (Conflict)" not in text]


async def test_a_whole_handover_by_mouse(browser: Browser, duty: DutySite, complaints: Complaints) -> None:
    """From the lead's pairs to the relief at the seat: every step seen by all three, hostile words as text."""
    _o, outgoing = await log_in(browser, duty, "1001", complaints)
    _i, incoming = await log_in(browser, duty, "1004", complaints)
    _l, lead = await log_in(browser, duty, "9001", complaints, "/desk")
    pair = lead.get_by_test_id("pair").and_(lead.locator("[data-outgoing='1001']"))
    await expect(lead.get_by_test_id("to-go")).to_contain_text("距交接 19:")
    await expect(pair.get_by_test_id("item")).to_have_attribute("data-kind", "callback")
    await expect(pair.get_by_test_id("item")).to_contain_text("138****0009 · 工单 – · 最早 11/23 14:00")
    await lead.get_by_test_id("relief-1001").select_option("1004")
    await lead.get_by_test_id("relief-1002").select_option("1003")
    await lead.get_by_test_id("save-pairs").click()
    own = incoming.get_by_test_id("own-handover")
    await expect(own).to_have_attribute("data-side", "incoming")
    await outgoing.get_by_test_id("item-kind").select_option("equipment")
    await outgoing.get_by_test_id("item-text").fill(HOSTILE)
    await outgoing.get_by_test_id("item-add").click()
    await expect(own.get_by_test_id("item").nth(1)).to_contain_text(HOSTILE)
    await outgoing.get_by_test_id("sign-sheet").click()
    await expect(outgoing.get_by_test_id("sign-sheet")).to_have_count(0)
    await own.get_by_test_id("item").nth(0).get_by_test_id("take").click()
    await own.get_by_test_id("item").nth(1).get_by_test_id("dispute").click()
    await own.get_by_test_id("dispute-reason").fill("未报修")
    await own.get_by_test_id("dispute-send").click()
    await own.get_by_test_id("sign-sheet").click()
    await expect(own.get_by_test_id("notice")).to_contain_text("HZ 第三十三条")
    await picture(incoming, "own-handover")
    await pair.get_by_test_id("settle-ordered").click()
    await picture(lead, "desk")
    await pair.get_by_test_id("settle-reason").fill("已报修，请接收")
    await pair.get_by_test_id("settle-send").click()
    await expect(own.get_by_test_id("item").nth(1)).to_have_attribute("data-state", "ordered")
    await own.get_by_test_id("sign-sheet").click()
    await expect(own.get_by_test_id("sign-sheet")).to_have_count(0)
    duty.leap(20 * 60)
    await outgoing.get_by_test_id("sign-out").click()
    await expect(outgoing.get_by_test_id("state")).to_have_attribute("data-state", "ready")
    await expect(outgoing.locator("aside").get_by_test_id("notice")).to_contain_text("HZ 第二十九条")
    await incoming.get_by_test_id("arrive").click()
    await expect(outgoing.get_by_test_id("presence")).to_have_attribute("data-present", "true")
    _a, auditor = await log_in(browser, duty, "9500", complaints, "/desk")
    read = auditor.get_by_test_id("pair").and_(auditor.locator("[data-outgoing='1001']"))
    await expect(read.get_by_test_id("presence")).to_have_attribute("data-present", "true")
    await outgoing.get_by_test_id("sign-out").click()
    await expect(outgoing.get_by_test_id("own-gap")).to_be_visible()
    await expect(incoming.get_by_test_id("own-gap")).to_contain_text("3001")
    await lead.goto(f"{duty.url}/board")
    await expect(lead.get_by_test_id("gap")).to_have_attribute("data-seat", "3001")
    duty.leap(31)
    await expect(lead.get_by_test_id("gap").get_by_test_id("countdown")).to_have_attribute("data-level", "over")
    await expect(lead.get_by_test_id("alarms")).to_contain_text("席位空档已满30秒")
    await picture(lead, "board")
    await picture(incoming, "own-gap")
    await incoming.get_by_test_id("theme").click()
    await picture(incoming, "own-gap-dark")
    await incoming.get_by_test_id("sign-in").click()
    await incoming.get_by_test_id("seat").fill("3001")
    await incoming.get_by_test_id("confirm-seat").click()
    await expect(incoming.get_by_test_id("own-gap")).to_have_count(0)
    await expect(lead.get_by_test_id("gap")).to_have_count(0)
    assert refusals(complaints) == []


async def test_no_relief_is_seen_by_both_and_the_page_survives_a_restart(
    browser: Browser, duty: DutySite, complaints: Complaints
) -> None:
    """At the end of the shift: overtime runs on the agent's page and the desk, also after the service was killed."""
    _o, outgoing = await log_in(browser, duty, "1001", complaints)
    _l, lead = await log_in(browser, duty, "9001", complaints, "/desk")
    duty.leap(20 * 60 + 65)
    await expect(outgoing.get_by_test_id("overtime")).to_contain_text("无人接班，延时值守")
    await expect(lead.get_by_test_id("overtime").first).to_contain_text("01:")
    await expect(lead.get_by_test_id("presence").first).to_have_attribute("data-present", "false")
    await lead.get_by_test_id("language").click()
    await expect(lead.get_by_test_id("overtime").first).to_contain_text("No relief, staying on")
    await lead.get_by_test_id("theme").click()
    await picture(lead, "desk-dark")
    await duty.restart()
    await expect(outgoing.get_by_test_id("link")).to_have_text("已连接")
    await expect(outgoing.get_by_test_id("overtime")).to_contain_text("无人接班，延时值守")
    assert [text for text in refusals(complaints) if "ERR_" not in text] == []

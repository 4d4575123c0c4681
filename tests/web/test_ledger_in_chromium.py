"""The lead's desk gives the ledgers of the day that is chosen, as the files of the API."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from cti.commands import SignIn
from tests.web.conftest import Complaints, log_in
from tests.web.duty import DutySite, duty_site
from tests.web.ticketing import answered

# A promise in the page: wait_for_function asks again by eval, which our policy forbids from the second time on.
ADHERENCE_CAME = """() => new Promise(done => new PerformanceObserver(
    seen => seen.getEntries().some(entry => entry.name.endsWith('/api/v1/adherence')) && done(true)
).observe({ type: 'resource', buffered: true }))"""


@pytest.fixture
async def duty(tmp_path: Path) -> AsyncIterator[DutySite]:
    """09:00 on Monday 23 November, one agent at the seat."""
    async with duty_site(tmp_path) as site:
        await site.ask(SignIn("1001", "3001"))
        yield site


async def taken(desk: Page, link: str) -> tuple[str, list[list[str]]]:
    """What a click on *link* saves: the file's name, and its lines without the head."""
    async with desk.expect_download() as coming:
        await desk.get_by_test_id(link).click()
    saved = await coming.value
    text = (await saved.path()).read_text(encoding="utf-8-sig")
    return saved.suggested_filename, list(csv.reader(text.splitlines()))[1:]


async def test_the_lead_takes_the_ledgers_of_a_day(browser: Browser, duty: DutySite, complaints: Complaints) -> None:
    """Today at first, then the day chosen; each file is named by its day."""
    ticket_id = await answered(duty, "1001", "13800000072")
    context, desk = await log_in(browser, duty, "9001", complaints, "/desk")
    await expect(desk.get_by_test_id("figures")).to_be_visible()  # what stands above moves no link any more
    await desk.evaluate(ADHERENCE_CAME)
    await expect(desk.get_by_test_id("ledger-day")).to_have_value("2026-11-23")
    name, lines = await taken(desk, "ledger-tickets-csv")
    assert (name, [line[0] for line in lines]) == ("tickets-2026-11-23-2026-11-23.csv", [ticket_id])
    name, lines = await taken(desk, "ledger-duty-csv")
    assert (name, [line[1] for line in lines]) == ("duty-log-2026-11-23-2026-11-23.csv", ["1001"])
    await desk.get_by_test_id("ledger-day").fill("2026-11-22")
    await expect(desk.get_by_role("link", name="值班记录 XLSX")).to_have_attribute(
        "href", "/api/v1/duty-log/export?first=2026-11-22&last=2026-11-22&format=xlsx"
    )
    assert await taken(desk, "ledger-tickets-csv") == ("tickets-2026-11-22-2026-11-22.csv", [])
    assert complaints == []
    await context.close()

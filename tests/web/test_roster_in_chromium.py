"""The roster's page in a real browser, before the real engine: made, imported, asked out of, decided."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, Route, expect

from cti.commands import SignIn
from cti.commands.roster import PutShifts, ShiftPlan
from tests.web.conftest import Complaints, log_in
from tests.web.duty import DutySite, duty_site

MONDAY = datetime(2026, 12, 28, 1, 0, tzinfo=UTC)  # 09:00 in Heze; the week ends in another year
NIGHT = MONDAY.date().replace(day=31)  # begins in the old year and ends in the new one
HOSTILE = "<img src=x onerror=alert(1)>"
BOARD_HAS = """seat => import('/static/model.js').then(({ board }) => new Promise(done =>
    board.subscribe(told => told?.agents.some(line => line.seat === seat) && done(true))))"""

pytestmark = pytest.mark.browser


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[DutySite]:
    """Four agents, two leads; an agent has a day shift and the year's last night, another a day shift."""
    async with duty_site(tmp_path, MONDAY) as made:
        plans = (
            ShiftPlan("1001", NIGHT, "night", crew="甲班"), ShiftPlan("1002", NIGHT, "day", seat="8001"),
            ShiftPlan("1001", NIGHT.replace(day=30), "day"),
        )  # fmt: skip
        assert (await made.ask(PutShifts("9001", plans))).ruling.allowed
        yield made


def cell(page: Page, agent: str, day: str) -> Locator:
    """One agent's day."""
    return page.locator(f"tr[data-agent='{agent}'] td[data-day='{day}']")


async def test_a_night_shows_on_both_days_and_weeks_are_turned(
    browser: Browser, site: DutySite, complaints: Complaints
) -> None:
    """In the hotline's zone and over the year end; an agent may change nothing."""
    _context, page = await log_in(browser, site, "1002", complaints, "/roster")
    await expect(page.get_by_test_id("week")).to_have_text("2026-12-28 至 2027-01-03")
    await expect(cell(page, "1001", "2026-12-31")).to_contain_text("19:00–…")
    await expect(cell(page, "1001", "2027-01-01").get_by_test_id("tail")).to_contain_text("…–08:00")
    await expect(cell(page, "1002", "2026-12-31")).to_contain_text("席位8001")
    for name in ("add-shift", "rotation", "import", "export-csv", "plus"):
        await expect(page.get_by_test_id(name)).to_have_count(0)
    await page.get_by_test_id("week-after").click()
    await expect(page.get_by_test_id("week")).to_have_text("2027-01-04 至 2027-01-10")
    await expect(page.get_by_test_id("empty")).to_be_visible()
    await page.get_by_test_id("week-now").click()
    await expect(page.get_by_test_id("shift")).to_have_count(3)
    assert complaints == []


async def test_a_lead_adds_changes_and_takes_off_a_shift_by_keyboard(
    browser: Browser, site: DutySite, complaints: Complaints
) -> None:
    """From the day's plus, with Enter; a clash is said and the form stays; Escape closes it."""
    _context, page = await log_in(browser, site, "9001", complaints, "/roster")
    day = cell(page, "1003", "2026-12-31")
    await day.get_by_test_id("plus").press("Enter")
    await page.get_by_test_id("code").select_option("own")
    await page.get_by_test_id("from").fill("22:00")
    await page.get_by_test_id("to").fill("06:00")
    await page.get_by_test_id("crew").fill(HOSTILE[:16])
    await page.get_by_test_id("crew").press("Enter")
    await expect(page.get_by_test_id("done")).to_have_text("班表已保存")
    await expect(day.get_by_test_id("shift")).to_contain_text(HOSTILE[:16])
    await day.get_by_test_id("shift").press("Enter")
    await page.get_by_test_id("from").fill("21:00")
    await page.get_by_test_id("save").click()
    await expect(day.get_by_test_id("shift")).to_contain_text("21:00–…")
    await day.get_by_test_id("plus").click()
    await page.get_by_test_id("code").select_option("night")
    await page.get_by_test_id("save").click()
    await expect(page.get_by_test_id("notice")).to_contain_text("该话务员此时已有班次")
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("shift-form")).to_have_count(0)
    await day.get_by_test_id("shift").click()
    await page.get_by_test_id("take-off").click()
    await expect(day.get_by_test_id("shift")).to_have_count(0)
    assert [c for c in complaints if "409" not in c] == []


async def test_a_shift_keeps_its_code_and_times_unless_they_are_changed(
    browser: Browser, site: DutySite, complaints: Complaints
) -> None:
    """Half a day shift and a free code, as a file brings them; only another code brings other times along."""
    wednesday = NIGHT.replace(day=30)
    plans = (
        ShiftPlan("1003", wednesday, "day", time(8), time(12)), ShiftPlan("1004", wednesday, "早班", time(6), time(14)),
    )  # fmt: skip
    assert (await site.ask(PutShifts("9001", plans))).ruling.allowed
    _context, page = await log_in(browser, site, "9001", complaints, "/roster")
    for agent, code, shown in (("1003", "day", "08:00–12:00"), ("1004", "早班", "06:00–14:00")):
        shift = cell(page, agent, "2026-12-30").get_by_test_id("shift")
        await shift.click()
        await expect(page.get_by_test_id("code")).to_have_value(code)
        await page.get_by_test_id("crew").fill("乙班")
        await page.get_by_test_id("save").click()
        await expect(shift).to_contain_text("乙班")
        await expect(shift).to_contain_text(shown)
    shift = cell(page, "1003", "2026-12-30").get_by_test_id("shift")
    await shift.click()
    await page.get_by_test_id("to").fill("13:00")
    await page.get_by_test_id("save").click()
    await expect(shift).to_contain_text("08:00–13:00")
    await shift.click()
    await page.get_by_test_id("code").select_option("night")
    await page.get_by_test_id("save").click()
    await expect(shift).to_contain_text("19:00–…")
    assert complaints == []


async def test_a_late_answer_does_not_show_another_week(
    browser: Browser, site: DutySite, complaints: Complaints
) -> None:
    """The week before was asked for and took its time: the week that was turned to stays."""
    _context, page = await log_in(browser, site, "1002", complaints, "/roster")
    await expect(page.get_by_test_id("shift")).to_have_count(3)
    held: asyncio.Future[Route] = asyncio.get_running_loop().create_future()
    await page.route("**/roster?from=2026-12-21*", lambda route: held.set_result(route), times=1)
    await page.get_by_test_id("week-before").click()
    late = await held
    await page.get_by_test_id("week-now").click()
    await expect(page.get_by_test_id("week")).to_have_text("2026-12-28 至 2027-01-03")
    async with page.expect_response("**/roster?from=2026-12-21*") as answered:
        await late.continue_()
    await (await answered.value).finished()
    await expect(page.get_by_test_id("shift")).to_have_count(3)
    await page.evaluate("() => fetch('/api/v1/me').then(answer => answer.text())")  # comes after it
    await expect(page.get_by_test_id("shift")).to_have_count(3)
    assert complaints == []


async def test_what_is_typed_stays_while_the_hotline_moves(
    browser: Browser, site: DutySite, complaints: Complaints
) -> None:
    """Agents sign in, the board is drawn anew: a half-filled form is not; another shift's form begins with its own."""
    _context, page = await log_in(browser, site, "9001", complaints, "/roster")
    await cell(page, "1003", "2026-12-31").get_by_test_id("plus").click()
    await page.get_by_test_id("code").select_option("own")
    for name, value in (("from", "21:00"), ("to", "05:00"), ("crew", "丙班")):
        await page.get_by_test_id(name).fill(value)
    await page.get_by_test_id("extra").check()
    assert (await site.ask(SignIn("1002", "8002"))).ruling.allowed
    site.leap(1)
    await page.evaluate(BOARD_HAS, "8002")
    for name, value in (("code", "own"), ("from", "21:00"), ("to", "05:00"), ("crew", "丙班")):
        await expect(page.get_by_test_id(name)).to_have_value(value)
    await expect(page.get_by_test_id("extra")).to_be_checked()
    await cell(page, "1001", "2026-12-31").get_by_test_id("shift").click()
    await expect(page.get_by_test_id("from")).to_have_value("19:00")
    await expect(page.get_by_test_id("crew")).to_have_value("甲班")


async def test_a_rotation_is_generated(browser: Browser, site: DutySite, complaints: Complaints) -> None:
    """Four crews as lines of text; three are refused with QD 第十三条 on the page."""
    _context, page = await log_in(browser, site, "9001", complaints, "/roster")
    await page.get_by_test_id("week-after").click()
    await page.get_by_test_id("rotation").click()
    lines = ["甲班：1001", "乙班: 1002", "丙班：1003", "丁班：1004"]
    await page.get_by_test_id("days").fill("7")
    await page.get_by_test_id("crews").fill("\n".join(lines[:3]))
    await page.get_by_test_id("save").click()
    await expect(page.get_by_test_id("notice")).to_contain_text("QD 第十三条")
    await page.get_by_test_id("crews").fill("\n".join(lines))
    await page.get_by_test_id("save").click()
    await expect(page.get_by_test_id("done")).to_have_text("已排14个班次")
    await expect(page.get_by_test_id("shift")).to_have_count(14)
    assert [c for c in complaints if "409" not in c] == []


async def test_a_file_is_checked_with_every_bad_row_shown_then_imported(
    browser: Browser, site: DutySite, complaints: Complaints
) -> None:
    """GB18030 as Excel writes it; the rows stand in a table; the good file goes in."""
    _context, page = await log_in(browser, site, "9999", complaints, "/roster")
    head, good = "工号,日期,班次,班组\n", "1003,2026-12-31,夜班,丙班\n"
    await page.get_by_test_id("import").click()
    bad = (head + good + "7777,2026-12-31,夜班,\n1004,12月31日,夜班,\n").encode("gb18030")
    await page.get_by_test_id("file").set_input_files([{"name": "排班.csv", "mimeType": "text/csv", "buffer": bad}])
    await page.get_by_test_id("check").click()
    rows = page.get_by_test_id("bad-rows")
    await expect(rows).to_contain_text("有2处不正确")
    await expect(rows.locator("tbody tr")).to_have_text(["3工号没有7777号话务员", "4日期日期格式应为 2026-11-21"])
    whole = (head + good).encode("gb18030")
    await page.get_by_test_id("file").set_input_files([{"name": "排班.csv", "mimeType": "text/csv", "buffer": whole}])
    await page.get_by_test_id("check").click()
    await expect(page.get_by_test_id("done")).to_have_text("检查通过，共1行")
    await page.get_by_test_id("take-in").click()
    await expect(cell(page, "1003", "2026-12-31")).to_contain_text("丙班")
    async with page.expect_download() as download:
        await page.get_by_test_id("export-csv").click()
    assert (await download.value).suggested_filename == "roster-2026-12-28-2027-01-03.csv"
    assert [c for c in complaints if "422" not in c] == []


async def test_a_swap_is_asked_agreed_and_decided_on_three_pages(
    browser: Browser, site: DutySite, complaints: Complaints
) -> None:
    """Each page shows the next step by itself; the reason is text, seen by its writer and the lead."""
    _c1, mine = await log_in(browser, site, "1001", complaints, "/roster")
    _c2, other = await log_in(browser, site, "1002", complaints, "/roster")
    _c3, lead = await log_in(browser, site, "9001", complaints, "/roster")
    await cell(mine, "1001", "2026-12-30").get_by_test_id("shift").click()
    await mine.get_by_test_id("kind").select_option("swap")
    await mine.get_by_test_id("with_agent").select_option("1002")
    await mine.get_by_test_id("reason").fill(HOSTILE)
    await mine.get_by_test_id("save").click()
    await expect(mine.get_by_test_id("request")).to_contain_text(HOSTILE)
    await expect(lead.get_by_test_id("request")).to_contain_text("待对方同意")
    await expect(other.get_by_test_id("request")).not_to_contain_text(HOSTILE)
    await other.get_by_test_id("agree").click()
    await lead.get_by_test_id("approve").click()
    await expect(mine.get_by_test_id("request")).to_contain_text("已批准")
    await expect(cell(mine, "1001", "2026-12-30")).to_contain_text("已换班")
    await expect(cell(other, "1002", "2026-12-30").get_by_test_id("shift")).to_contain_text("08:00–19:00")
    assert complaints == []


async def test_late_leave_is_refused_with_its_article_on_the_page(
    browser: Browser, site: DutySite, complaints: Complaints
) -> None:
    """HZ 第十九条, the latest moment, and who may; sick leave goes through to the lead, who declines with a reason."""
    assert (await site.ask(PutShifts("9001", (ShiftPlan("1004", MONDAY.date(), "night"),)))).ruling.allowed
    _c1, mine = await log_in(browser, site, "1004", complaints, "/roster")
    await cell(mine, "1004", "2026-12-28").get_by_test_id("shift").click()
    await mine.get_by_test_id("reason").fill("家中有事")
    await mine.get_by_test_id("save").click()
    await expect(mine.get_by_test_id("notice")).to_contain_text("最迟应在2026-12-27 19:00")
    await expect(mine.get_by_test_id("notice")).to_contain_text("HZ 第十九条")
    await mine.get_by_test_id("kind").select_option("sick")
    await mine.get_by_test_id("save").click()
    _c2, lead = await log_in(browser, site, "9001", complaints, "/roster")
    await lead.get_by_test_id("decide-reason").fill("请补病假条")
    await lead.get_by_test_id("decline").click()
    await expect(mine.get_by_test_id("request")).to_contain_text("未批准")
    await expect(mine.get_by_test_id("request")).to_contain_text("请补病假条")
    assert [c for c in complaints if "409" not in c] == []

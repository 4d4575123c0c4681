"""The callback desk on the pages, the real engine behind it: one callback from the list to its result by keys alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect
from sqlalchemy import select

from cti.commands import SignIn
from cti.commands.owed import AssignCallback, OweCallback
from cti.engine.inputs import Dial
from cti.store.play_tables import plays
from cti.store.tables import callbacks
from tests.web.conftest import Complaints, log_in
from tests.web.desking import dialled, put_recording
from tests.web.duty import NINE, DutySite, duty_site
from tests.web.test_handover_in_chromium import picture, refusals
from tests.web.ticketing import AREAS, answered, put_unit

pytestmark = pytest.mark.browser
NUMBER, OTHER = "13800000091", "13800000092"
HOSTILE = '<img src=x onerror="alert(1)">水压仍低'
SMALL = {"width": 1366, "height": 768}


@pytest.fixture
async def duty(tmp_path: Path) -> AsyncIterator[DutySite]:
    """09:00, two agents at their seats; two callbacks are owed, one of them about a call with a recording."""
    root = tmp_path / "recordings"
    async with duty_site(tmp_path, settings={**AREAS, "asterisk": {"recordings": str(root)}}) as site:
        for number in ("1001", "1002"):
            await site.ask(SignIn(number, f"3{number[1:]}"))
        await put_unit(site)
        ticket_id = await answered(site, "1002", NUMBER)
        await put_recording(site, ticket_id, root)
        assert (await site.ask(OweCallback("9001", "9001:k1", NUMBER, ticket_id, "repair"))).ruling.allowed
        assert (await site.ask(OweCallback("9001", "9001:k2", OTHER, None, "complaint"))).ruling.allowed
        yield site


def line(page: Page, number: str) -> str:
    """The selector of a line by the end of its number."""
    return f"[data-test=callback-line]:has-text('{number[-4:]}')"


async def kept(site: DutySite, number: str) -> tuple[str, str, str | None]:
    """State, agent and result of the callback to *number*."""
    c = callbacks.c
    async with site.store.read() as connection:
        row = (await connection.execute(select(c.state, c.agent, c.result).where(c.number == number))).one()
    return row.state, row.agent, row.result


async def test_one_callback_from_the_list_to_its_result_by_keys(
    browser: Browser, duty: DutySite, complaints: Complaints
) -> None:
    """Chosen, claimed, previewed, dialled, rated with a cause and words; unsaved until it is saved; no mouse."""
    context, page = await log_in(browser, duty, "1001", complaints, "/callbacks")
    await page.set_viewport_size(SMALL)
    await expect(page.get_by_test_id("callback-line")).to_have_count(2)
    await expect(page.get_by_test_id("progress-open")).to_contain_text("2")
    await expect(page.get_by_test_id("progress-unfit")).to_contain_text("0")
    here = page.locator("[data-test=callback-line].here")
    for _ in range(2):
        await page.keyboard.press("ArrowDown")
        if NUMBER[-4:] in await here.inner_text():
            break
    await expect(here.get_by_test_id("callback-number")).to_have_text("138****0091")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("work-number")).to_have_text("138 0000 0091")
    await expect(page.get_by_test_id("recording")).to_be_visible()
    await expect(page.get_by_test_id("dial")).to_be_focused()
    await page.keyboard.press("Alt+2")
    await expect(page.get_by_test_id("work-state")).to_have_text("呼叫中")
    await dialled(duty, "1001")
    await page.keyboard.press("3")
    await expect(page.get_by_test_id("unsaved")).to_be_visible()
    await expect(page.locator("[data-first]").first).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Tab")
    await page.keyboard.type(HOSTILE)
    await picture(page, "callback_work")
    page.once("dialog", lambda dialog: dialog.accept())  # the browser asks before words are left behind
    await page.reload()
    await expect(page.get_by_test_id("callback-line")).to_have_count(2)
    await page.locator(line(page, NUMBER)).click()
    await expect(page.get_by_test_id("words")).to_have_value(HOSTILE)  # nothing typed is lost
    await expect(page.get_by_test_id("unsaved")).to_be_visible()
    await dialled(duty, "1001", over=True)
    await page.get_by_test_id("words").press("Enter")
    await expect(page.get_by_test_id("saved")).to_contain_text("不满意")
    await expect(page.get_by_test_id("unsaved")).to_have_count(0)
    assert await kept(duty, NUMBER) == ("reached", "1001", "dissatisfied")
    assert [text.strip() for text in refusals(complaints)] == ["dialog"]
    await context.close()


async def test_one_claims_and_the_other_sees_who(browser: Browser, duty: DutySite, complaints: Complaints) -> None:
    """The number is the claimer's; given back by a key it is anybody's; what a lead assigns appears at once."""
    one_context, one = await log_in(browser, duty, "1001", complaints, "/callbacks")
    two_context, two = await log_in(browser, duty, "1002", complaints, "/callbacks")
    await one.locator(line(one, OTHER)).click()
    await one.get_by_test_id("claim").click()
    await expect(one.get_by_test_id("work-number")).to_have_text("138 0000 0092")
    theirs = two.locator(line(two, OTHER))
    await expect(theirs.get_by_test_id("callback-holder")).to_contain_text("测试话务员甲 1001")
    await expect(theirs.get_by_test_id("callback-number")).to_have_text("138****0092")
    await theirs.click()
    await expect(two.get_by_test_id("held")).to_contain_text("1001")
    await expect(two.get_by_test_id("dial")).to_have_count(0)
    await one.keyboard.press("Alt+3")
    await expect(theirs.get_by_test_id("callback-holder")).to_have_text("未认领")
    callback_id = await theirs.get_attribute("data-id")
    assert callback_id is not None
    assert (await duty.ask(AssignCallback("9001", callback_id, "1002"))).ruling.allowed
    await expect(theirs.get_by_test_id("callback-number")).to_have_text("138 0000 0092")
    assert refusals(complaints) == []
    for context in (one_context, two_context):
        await context.close()


async def test_an_appointment_stands_in_the_calendar(browser: Browser, duty: DutySite, complaints: Complaints) -> None:
    """不便接听: agreed in the hotline's zone wherever the screen stands; at night refused with the article."""
    context, page = await log_in(browser, duty, "1001", complaints, "/callbacks")
    await page.locator(line(page, OTHER)).click()
    await page.get_by_test_id("claim").click()
    await page.get_by_test_id("say-appointment").click()
    await page.get_by_test_id("agreed-at").fill("2026-11-23T21:30")
    await page.get_by_test_id("save").click()
    await expect(page.get_by_test_id("notice")).to_contain_text("第十四条")
    await expect(page.get_by_test_id("unsaved")).to_be_visible()
    await page.get_by_test_id("agreed-at").fill("2026-11-23T15:30")
    await page.get_by_test_id("save").click()
    await expect(page.get_by_test_id("saved")).to_be_visible()
    await expect(page.get_by_test_id("appointment")).to_contain_text("15:30")
    async with duty.store.read() as connection:
        at = await connection.scalar(select(callbacks.c.appointment_at).where(callbacks.c.number == OTHER))
    assert at == NINE + timedelta(hours=6, minutes=30)
    await context.close()


async def test_the_recording_is_played_and_the_play_written_down(
    browser: Browser, duty: DutySite, complaints: Complaints
) -> None:
    """The player loads nothing before it is asked to; then there is a row with who."""
    context, page = await log_in(browser, duty, "1001", complaints, "/callbacks")
    await page.locator(line(page, NUMBER)).click()
    await page.get_by_test_id("claim").click()
    player = page.get_by_test_id("recording")
    await expect(player).to_be_visible()
    assert await heard_by(duty) == []
    async with page.expect_response("**/recording"):
        await player.evaluate("player => player.load() || player.play().catch(() => null)")
    assert set(await heard_by(duty)) == {"1001"}
    await context.close()


async def heard_by(site: DutySite) -> list[str]:
    """Who has heard a recording."""
    async with site.store.read() as connection:
        return list((await connection.execute(select(plays.c.by))).scalars())


async def test_the_lead_in_english_and_dark(browser: Browser, duty: DutySite, complaints: Complaints) -> None:
    """He assigns, allows quiet hours and says why, sets how many callers may wait, finds draws and the dissatisfied."""
    context, lead = await log_in(browser, duty, "9001", complaints, "/callbacks")
    await lead.set_viewport_size(SMALL)
    await lead.get_by_test_id("language").click()
    await lead.get_by_test_id("theme").click()
    await lead.locator(line(lead, OTHER)).click()
    await lead.get_by_test_id("assign-agent").select_option("1002")
    await lead.get_by_test_id("assign").click()
    await expect(lead.locator(line(lead, OTHER)).get_by_test_id("callback-holder")).to_contain_text("1002")
    await lead.get_by_test_id("override-reason").fill("客户要求")
    await lead.get_by_test_id("override").click()
    await expect(lead.get_by_test_id("callback-work")).to_contain_text("9001 allowed it in quiet hours")
    await lead.get_by_test_id("inbound-first").fill("3")
    await lead.get_by_test_id("set-inbound-first").click()
    await expect(lead.get_by_test_id("inbound-first")).to_have_value("3")
    await lead.reload()
    await expect(lead.get_by_test_id("inbound-first")).to_have_value("3")
    await expect(lead.get_by_test_id("lead-panel")).to_contain_text("The dissatisfied")
    await picture(lead, "callback_lead")
    assert [effect for effect in await duty.acted() if isinstance(effect, Dial)] == []
    assert refusals(complaints) == []
    await context.close()

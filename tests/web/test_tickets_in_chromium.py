"""The ticket stub on the agent's page, the real engine behind it: by keyboard alone, and no typed word lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from cti.commands import SignIn
from cti.commands.tickets import OpenStub, SaveNotes, SetParticulars
from cti.store.ticket_reads import ticket_view
from tests.web.conftest import Complaints, log_in
from tests.web.duty import DutySite, duty_site
from tests.web.ticketing import AREAS, UNIT, answered, put_unit

NUMBER = "13800000061"
HOSTILE = '<img src=x onerror="alert(1)"> 三楼'


@pytest.fixture
async def duty(tmp_path: Path) -> AsyncIterator[DutySite]:
    """09:00, two agents at their seats, one unit in the directory."""
    async with duty_site(tmp_path, settings=AREAS) as site:
        for number in ("1001", "1002"):
            await site.ask(SignIn(number, f"3{number[1:]}"))
        await put_unit(site)
        yield site


def kept(duty: DutySite, ticket_id: str) -> tuple[str, int]:
    """The notes that the engine has."""
    stub = duty.engine.world.stubs[ticket_id]
    return stub.notes, stub.notes_version


async def at_work(browser: Browser, duty: DutySite, complaints: Complaints) -> tuple[BrowserContext, Page]:
    """1001's page, which hears the service."""
    context, page = await log_in(browser, duty, "1001", complaints)
    await page.locator("[data-test=link].link-up").wait_for()
    return context, page


async def write(page: Page, caller: str, text: str) -> None:
    """To the notes by key, and *text* into them, once that caller's ticket is on the screen."""
    await expect(page.get_by_test_id("caller")).to_have_text(caller)
    await page.keyboard.press("Alt+n")
    await expect(page.get_by_test_id("notes")).to_be_focused()
    await page.keyboard.type(text)


async def saved(page: Page) -> None:
    await expect(page.get_by_test_id("notes-state")).to_have_attribute("data-state", "saved")


async def test_a_call_is_written_up_by_keyboard_alone(browser: Browser, duty: DutySite, complaints: Complaints) -> None:
    """Kind by digit, area, notes, identity, hand-out, a second stub, both finished: no hand on the mouse."""
    context, page = await at_work(browser, duty, complaints)
    first = await answered(duty, "1001", NUMBER, over=False)
    await expect(page.get_by_test_id("kind-repair")).to_be_visible()  # before the words have come, no digit is a kind
    press = page.keyboard.press
    await press("4")
    await expect(page.get_by_test_id("kind-repair")).to_have_attribute("aria-checked", "true")
    await expect(page.get_by_test_id("handout-clock")).to_contain_text("04:5")
    await press("Alt+n")
    await page.keyboard.type(f"{HOSTILE} 4")
    await press("Enter")
    await page.keyboard.type("漏水")
    await saved(page)
    assert kept(duty, first)[0] == f"{HOSTILE} 4\n漏水"  # a digit that is typed chooses no kind
    await press("Alt+a")
    await press("ArrowDown")
    await expect(page.get_by_test_id("stub-area")).to_have_value("east")
    await press("Alt+v")
    await expect(page.get_by_test_id("verify")).to_have_attribute("aria-pressed", "true")
    await press("Alt+o")
    await press("ArrowDown")
    await press("Alt+g")
    await expect(page.get_by_test_id("handed-out")).to_contain_text("东区管网")
    await expect(page.get_by_test_id("handout-clock")).to_have_count(0)
    await press("Alt+m")
    await expect(page.get_by_test_id("siblings").get_by_role("button")).to_have_count(2)
    await expect(page.get_by_test_id("notes")).to_have_value("")
    await page.locator("body").press("2")
    await expect(page.get_by_test_id("kind-consult")).to_have_attribute("aria-checked", "true")
    await press("Alt+e")
    await expect(page.get_by_test_id("notes")).to_have_value(f"{HOSTILE} 4\n漏水")
    await press("Alt+e")
    await expect(page.get_by_test_id("finished")).to_be_visible()
    assert duty.engine.world.stubs == {}
    async with duty.store.read() as connection:
        view = await ticket_view(connection, first, duty.web.rules())
    assert view is not None
    assert (view.stub.kind, view.stub.area, view.stub.unit, view.stub.verified_by) == ("repair", "east", UNIT, "1001")
    assert complaints == []
    await context.close()


async def test_typed_words_outlive_reload_and_a_lost_service(
    browser: Browser, duty: DutySite, complaints: Complaints
) -> None:
    """Typed, reloaded at once: still there. The service gone: it says so, and saves when it is back."""
    context, page = await at_work(browser, duty, complaints)
    ticket = await answered(duty, "1001", NUMBER, over=False)
    await write(page, "138 0000 0061", "一二三")
    await page.reload()
    await expect(page.get_by_test_id("notes")).to_have_value("一二三")
    await saved(page)
    await duty.stop()
    await page.get_by_test_id("notes").focus()
    await page.keyboard.press("End")
    await page.keyboard.type("四")
    await expect(page.get_by_test_id("notes-state")).to_have_attribute("data-state", "waiting")
    await page.keyboard.type("五")
    await duty.start()
    await saved(page)
    assert kept(duty, ticket)[0] == "一二三四五"
    await context.close()


async def test_a_redraw_takes_no_half_typed_word_and_a_newer_save_is_shown(
    browser: Browser, duty: DutySite, complaints: Complaints
) -> None:
    """The next call pops over a note half typed: it is saved to its end. Saved elsewhere: a person chooses."""
    context, page = await at_work(browser, duty, complaints)
    first = await answered(duty, "1001", NUMBER)
    await write(page, "138 0000 0061", "甲")
    second = await answered(duty, "1001", "13800000062")
    await write(page, "138 0000 0062", "乙")
    await saved(page)
    assert (kept(duty, first)[0], kept(duty, second)[0]) == ("甲", "乙")
    await duty.ask(SaveNotes("1001", second, "别处写的", 50))
    await page.keyboard.type("丙")
    await expect(page.get_by_test_id("notes-newer")).to_contain_text("别处写的")
    await page.get_by_test_id("notes-mine").press("Enter")
    await saved(page)
    assert kept(duty, second) == ("乙丙", 51)
    await context.close()


async def test_repeats_and_chasing_are_shown_on_the_pop(
    browser: Browser, duty: DutySite, complaints: Complaints
) -> None:
    """KL 第十四条(六), 第十五条(四): the fifth complaint suggests a grade; who chases sees age and reminders."""
    context, page = await at_work(browser, duty, complaints)
    for n in range(1, 6):
        ticket = await answered(duty, "1001", NUMBER)
        await expect(page.get_by_test_id("pop")).to_contain_text(ticket)
        await expect(page.get_by_test_id("kind-complaint")).to_be_visible()
        await page.locator("body").press("6")
        await expect(page.get_by_test_id("repeats")).to_contain_text(f"{n} 次")
    await expect(page.get_by_test_id("suggested")).to_contain_text("重大/1级")
    await page.get_by_test_id("complaint-1").press("Enter")
    await expect(page.get_by_test_id("complaint-1")).to_have_attribute("aria-pressed", "true")
    await page.get_by_test_id("stub-unit").select_option(UNIT)
    await page.keyboard.press("Alt+g")
    await expect(page.get_by_test_id("handed-out")).to_be_visible()
    await expect(page.get_by_test_id("pop")).to_contain_text(await answered(duty, "1001", NUMBER))
    chased = page.get_by_test_id("chased").first
    await expect(chased.get_by_test_id("chased-age")).to_contain_text("/ 2 d 0")
    await chased.get_by_test_id("remind").press("Enter")
    await expect(page.get_by_test_id("chase")).to_contain_text("第十五条(四)")
    await chased.get_by_test_id("chased-reason").fill("客户强烈不满")
    await chased.get_by_test_id("remind").press("Enter")
    await expect(chased.get_by_test_id("chased-reminders")).to_have_text("催办 1/2")
    await page.get_by_test_id("language").click()
    await expect(chased.get_by_test_id("chased-reminders")).to_have_text("Reminders 1/2")
    await context.close()


async def test_a_stub_of_another_channel_is_taken_on_the_page(
    browser: Browser, duty: DutySite, complaints: Complaints
) -> None:
    """GJ 第五条: it shows at once, with its clock; who takes it has it on the screen, and it waits for nobody else."""
    context, page = await at_work(browser, duty, complaints)
    await expect(page.get_by_test_id("unowned")).to_have_count(0)
    await duty.ask(OpenStub("wechat", NUMBER, "repair", "east", HOSTILE, "wx-gateway", "wx-1"))
    await expect(page.get_by_test_id("unowned")).to_contain_text("微信")
    await expect(page.get_by_test_id("unowned").get_by_test_id("handout-clock")).to_contain_text("04:5")
    await page.get_by_test_id("take").press("Enter")
    await expect(page.get_by_test_id("notes")).to_have_value(HOSTILE)
    await expect(page.get_by_test_id("unowned")).to_have_count(0)
    await expect(page.get_by_test_id("more")).to_have_count(0)
    assert complaints == []
    await context.close()


async def test_facts_form_and_the_keys_of_the_call_fit_a_small_screen(
    browser: Browser, duty: DutySite, complaints: Complaints
) -> None:
    """1366x768, a complaint of a caller with five open tickets: number to transfer key without scrolling."""
    context, page = await at_work(browser, duty, complaints)
    await page.set_viewport_size({"width": 1366, "height": 768})
    for _ in range(5):
        await duty.ask(SetParticulars("1001", await answered(duty, "1001", NUMBER), {"kind": "complaint"}))
    await duty.ask(SetParticulars("1001", await answered(duty, "1001", NUMBER, over=False), {"kind": "complaint"}))
    await expect(page.get_by_test_id("chased")).to_have_count(5)
    await expect(page.get_by_test_id("suggested")).to_be_visible()
    for part in ("caller", "kinds", "notes", "finish-stub", "ring-unit", "transfer-open"):
        await expect(page.get_by_test_id(part)).to_be_in_viewport(ratio=1)
    await page.get_by_test_id("chasing").press("Enter")
    await expect(page.get_by_test_id("chase")).to_be_focused()
    await expect(page.get_by_test_id("chased").first).to_be_in_viewport()
    await context.close()

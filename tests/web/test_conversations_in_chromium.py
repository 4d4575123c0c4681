"""A joined callback on the pages: each ticket's reply and recording before the key, the conversation after it."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect
from sqlalchemy import select

from cti.commands.owed import OweCallback
from cti.engine.inputs import EndTalk
from cti.store.tables import callbacks
from tests.web.conftest import Complaints, log_in
from tests.web.desking import dialled
from tests.web.duty import DutySite
from tests.web.test_callbacks_in_chromium import NUMBER, duty, line  # noqa: F401 - a fixture
from tests.web.test_handover_in_chromium import picture, refusals
from tests.web.ticketing import answered

pytestmark = pytest.mark.browser


async def test_each_ticket_is_shown_and_then_the_conversation(
    browser: Browser,
    duty: DutySite,  # noqa: F811
    complaints: Complaints,
) -> None:
    """Two tickets of one number: two parts with their own recording. After the talk its player, until it is judged."""
    second = await answered(duty, "1002", NUMBER)
    assert (await duty.ask(OweCallback("9001", "9001:k3", NUMBER, second, "repair"))).ruling.allowed
    async with duty.store.read() as connection:
        first = await connection.scalar(select(callbacks.c.ticket_id).where(callbacks.c.number == NUMBER))
    context, page = await log_in(browser, duty, "1001", complaints, "/callbacks")
    await page.locator(line(page, NUMBER)).click()
    await page.get_by_test_id("claim").click()
    matters = page.get_by_test_id("matter")
    await expect(matters).to_have_count(2)
    for at, ticket_id in enumerate((first, second)):
        player = matters.nth(at).get_by_test_id("recording")
        await expect(player).to_be_visible()
        await expect(player).to_have_attribute("src", f"/api/v1/tickets/{ticket_id}/recording")
        await expect(matters.nth(at)).to_contain_text(ticket_id)
    await expect(page.get_by_test_id("no-reply")).to_have_count(2)
    await expect(page.get_by_test_id("conversation")).to_have_count(0)
    await page.get_by_test_id("dial").click()
    await expect(page.get_by_test_id("work-state")).to_have_text("呼叫中")
    await dialled(duty, "1001")
    await expect(page.get_by_test_id("invite")).to_be_visible()
    async with page.expect_response("**/rate") as invited:
        await page.keyboard.press("Alt+4")
    assert (await invited.value).status == 202
    assert [effect.after for effect in await duty.acted() if isinstance(effect, EndTalk)] == ["rate"]
    await dialled(duty, "1001", over=True)
    await expect(page.get_by_test_id("invite")).to_have_count(0)
    talk = page.get_by_test_id("conversation")
    await expect(talk).to_be_visible()
    await picture(page, "callback_conversation")
    async with page.expect_response("**/recordings/1") as asked:
        await talk.evaluate("player => player.load() || player.play().catch(() => null)")
    assert (await asked.value).status == 404  # the engine of the pages' tests records no file
    await page.get_by_test_id("say-satisfied").click()
    await page.get_by_test_id("save").click()
    await expect(page.get_by_test_id("saved")).to_be_visible()
    await expect(talk).to_have_count(0)
    assert [text for text in refusals(complaints) if "404" not in text] == []
    await context.close()

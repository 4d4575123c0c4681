"""Keys of the agent's page pressed in the moment in which they are shown, the real engine behind it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from cti.commands import SignIn
from tests.sim.missing import NUMBER
from tests.web.conftest import Complaints, log_in
from tests.web.duty import duty_site
from tests.web.ticketing import answered, put_unit

# A microtask after the page has drawn what bears the key, before anything that waits for the paint.
AT_ONCE = """
([shown, code]) => {
  const press = () => document.querySelector(shown)
    && !watch.disconnect() && dispatchEvent(new KeyboardEvent("keydown", { altKey: true, code }));
  const watch = new MutationObserver(press);
  watch.observe(document, { childList: true, subtree: true });
}
"""


@pytest.mark.parametrize(
    ("key", "code", "then"), [("busy", "Digit3", "reason-break"), ("ring-unit", "KeyU", "unit-call")]
)
async def test_a_key_works_as_soon_as_it_is_shown(
    browser: Browser, tmp_path: Path, complaints: Complaints, key: str, code: str, then: str
) -> None:
    """The page is drawn with its keys, and one is pressed before it is even painted: it is not lost."""
    async with duty_site(tmp_path) as duty:
        await duty.ask(SignIn("1001", "3001"))
        await put_unit(duty)
        context, page = await log_in(browser, duty, "1001", complaints)
        await page.locator("[data-test=link].link-up").wait_for()
        await answered(duty, "1001", NUMBER, over=False)
        await expect(page.get_by_test_id("pop")).to_be_visible()
        await page.add_init_script(f"({AT_ONCE})({json.dumps([f'[data-test={key}]', code])})")
        await page.reload()
        await expect(page.get_by_test_id(then).first).to_be_visible()
        assert complaints == []
        await context.close()

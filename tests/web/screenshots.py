"""Take the documented pictures from a running service.

    python -m tests.web.screenshots http://127.0.0.1:8090 docs/screenshots --login 1001:PIN --lead 9001:PIN

Writes ``agent.png`` (with a call on the line, if one comes in time) and ``board.png`` (likewise with a caller waiting).
"""

from __future__ import annotations

import argparse
import re
from contextlib import suppress
from pathlib import Path

from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

from tests.web.chromium import FLAGS, chromium

SIZE = {"width": 1600, "height": 1000}


def main() -> None:
    """Parse the command line and take the pictures."""
    parser = argparse.ArgumentParser(description="screenshots of the agent page and the live board")
    parser.add_argument("url")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--login", required=True, metavar="NUMBER:PIN", help="an agent")
    parser.add_argument("--lead", metavar="NUMBER:PIN", help="who looks at the board; the agent when not given")
    parser.add_argument("--seat", help="sign in here first")
    parser.add_argument("--theme", choices=("light", "dark"), default="light")
    parser.add_argument("--language", choices=("zh", "en"), default="zh")
    parser.add_argument("--wait", type=float, default=60.0, help="seconds to wait for a call (default 60)")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        playwright.selectors.set_test_id_attribute("data-test")
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        try:
            agent = open_page(browser, asked, asked.login, "/agent")
            if asked.seat:
                agent.get_by_test_id("sign-in").click()
                agent.get_by_test_id("seat").fill(asked.seat)
                agent.get_by_test_id("confirm-seat").click()
            try:
                timer = agent.get_by_test_id("talk-timer")
                expect(timer).to_have_text(re.compile(r"00:0[5-9]"), timeout=asked.wait * 1000)
            except AssertionError:
                print(f"no call within {asked.wait:g} s: the picture shows the page without one")
            agent.get_by_test_id("calls").or_(agent.get_by_test_id("callbacks")).first.wait_for(timeout=5000)
            agent.screenshot(path=asked.folder / "agent.png")
            board = open_page(browser, asked, asked.lead or asked.login, "/board")
            with suppress(Error):  # better with somebody waiting, but good without
                board.get_by_test_id("waiting-caller").first.wait_for(timeout=asked.wait * 1000)
                board.wait_for_timeout(2000)  # so that the ring has moved
            board.screenshot(path=asked.folder / "board.png")
        finally:
            browser.close()


def open_page(browser: Browser, asked: argparse.Namespace, login: str, path: str) -> Page:
    """Log in and go to *path*."""
    number, _, pin = login.partition(":")
    context = browser.new_context(viewport=SIZE, color_scheme=asked.theme)
    context.add_init_script(f"localStorage.setItem('cti.language', '{asked.language}')")
    page = context.new_page()
    page.goto(f"{asked.url}/login")
    page.get_by_test_id("number").fill(number)
    page.get_by_test_id("pin").fill(pin)
    page.get_by_test_id("login").click()
    page.get_by_test_id("link").wait_for()
    page.goto(asked.url + path)
    page.get_by_test_id("link").wait_for()
    return page


if __name__ == "__main__":
    main()

"""The pages in a real browser: buttons, the pop, hostile text, countdown, reconnect, policy."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page, expect

from cti.commands import Popped
from cti.store.people import set_active
from tests.web.conftest import PIN, Complaints, Site, log_in

CALLER = "13800000001"
HOSTILE = "<img src=x onerror=alert(1)>&amp;\u202e'\";"
ACTIONS = ("sign-in", "ready", "busy", "sign-out")

pytestmark = pytest.mark.browser


async def acknowledged(page: Page, site: Site, *pops: Popped) -> None:
    """Wait until the pages have acknowledged exactly *pops*, each once: they do so a moment after they show one."""
    for _ in range(50):
        if sorted(c for c in site.engine.commands if isinstance(c, Popped)) == sorted(pops):
            return
        await page.wait_for_timeout(100)
    raise AssertionError([c for c in site.engine.commands if isinstance(c, Popped)])


async def test_wrong_pin_is_said_and_the_right_one_opens_the_agents_page(
    browser: Browser, site: Site, complaints: Complaints
) -> None:
    """The error is a sentence on the page; after the login the page shows who it is and the state."""
    page = await browser.new_page()
    await page.goto(f"{site.url}/login")
    await page.get_by_test_id("number").fill("1001")
    await page.get_by_test_id("pin").fill("000001")
    await page.get_by_test_id("login").click()
    await expect(page.get_by_test_id("login-error")).to_have_text("工号或密码错误")
    complaints.watch(page)
    await page.get_by_test_id("pin").fill(PIN)
    await page.get_by_test_id("login").click()
    await expect(page.get_by_test_id("state")).to_have_attribute("data-state", "signed_out")
    assert page.url.endswith("/agent")
    assert complaints == []


async def test_only_possible_buttons_are_enabled(browser: Browser, site: Site, complaints: Complaints) -> None:
    """Through sign-in, busy with a reason, ready and sign-out, by mouse and by keyboard."""
    _context, page = await log_in(browser, site, "1001", complaints)
    state = page.get_by_test_id("state")

    async def enabled() -> set[str]:
        return {name for name in ACTIONS if await page.get_by_test_id(name).is_enabled()}

    await expect(page.get_by_test_id("sign-in")).to_be_enabled()
    assert await enabled() == {"sign-in"}
    await page.get_by_test_id("sign-in").click()
    await page.get_by_test_id("seat").fill("8001")
    await page.keyboard.press("Enter")
    await expect(state).to_have_attribute("data-state", "ready")
    await expect(page.get_by_test_id("sign-out")).to_be_enabled()
    assert await enabled() == {"busy", "sign-out"}
    await page.get_by_test_id("busy").click()
    await page.get_by_test_id("reason-meal").click()
    await expect(state).to_have_attribute("data-state", "busy")
    await expect(state).to_contain_text("用餐")
    await expect(page.get_by_test_id("ready")).to_be_enabled()
    assert await enabled() == {"ready", "busy", "sign-out"}
    await page.keyboard.press("Alt+Digit2")
    await expect(state).to_have_attribute("data-state", "ready")
    await expect(page.get_by_test_id("sign-out")).to_be_enabled()
    await page.keyboard.press("Alt+Digit4")
    await expect(state).to_have_attribute("data-state", "signed_out")
    assert complaints == []


async def test_refusal_is_shown_with_its_article(browser: Browser, site: Site, complaints: Complaints) -> None:
    """A taken seat: the sentence and HZ 第十八条 stand on the page."""
    for number, seat in (("1002", "8001"), ("1001", "8001")):
        _context, page = await log_in(browser, site, number, complaints)
        await page.get_by_test_id("sign-in").click()
        await page.get_by_test_id("seat").fill(seat)
        await page.get_by_test_id("confirm-seat").click()
        await expect(page.get_by_test_id("confirm-seat")).to_be_visible() if number == "1001" else None
    notice = page.get_by_test_id("notice")
    await expect(notice).to_contain_text("席位8001已由1002号话务员签入")
    await expect(notice).to_contain_text("HZ 第十八条 不许他人代签")


async def test_pop_appears_on_that_agents_page_only(browser: Browser, site: Site, complaints: Complaints) -> None:
    """With number, wait, ring and earlier calls; the page acknowledges it; the other agent and the lead see none."""
    _c1, mine = await log_in(browser, site, "1001", complaints)
    _c2, other = await log_in(browser, site, "1002", complaints)
    _c3, lead = await log_in(browser, site, "9001", complaints, "/board")
    site.engine.enter("c0", CALLER, waited_s=9)
    await site.engine.answer("c0", "1002")
    await expect(other.get_by_test_id("pop")).to_be_visible()
    await site.engine.hang_up("c0", "1002")
    site.engine.enter("c1", CALLER, waited_s=4)
    site.engine.ring("c1", "1001")
    await expect(mine.get_by_test_id("ringing")).to_contain_text("138****0001")
    await site.engine.answer("c1", "1001")
    await expect(mine.get_by_test_id("caller")).to_have_text("138 0000 0001")
    await expect(mine.get_by_test_id("history")).to_contain_text("1002")
    await expect(mine.get_by_test_id("talk-timer")).to_be_visible()
    await expect(mine.get_by_test_id("calls")).to_contain_text("录音中")
    await expect(other.get_by_test_id("pop")).to_contain_text("t-c0")
    await expect(lead.get_by_test_id("answered")).to_contain_text("2")
    await expect(lead.get_by_test_id("pop")).to_have_count(0)
    await acknowledged(mine, site, Popped("1002", "t-c0"), Popped("1001", "t-c1"))
    await site.engine.hang_up("c1", "1001")
    await expect(mine.get_by_test_id("calls")).to_contain_text("完整")
    assert complaints == []


async def test_hostile_text_of_a_caller_is_shown_as_text(browser: Browser, site: Site, complaints: Complaints) -> None:
    """Markup in the number is letters on the page, in the pop, the list and the board; nothing runs or loads."""
    _context, page = await log_in(browser, site, "1001", complaints)
    site.engine.enter("c1", HOSTILE)
    site.engine.enter("c2", HOSTILE)
    await site.engine.answer("c1", "1001")
    await expect(page.get_by_test_id("caller")).to_have_text(HOSTILE)
    await expect(page.get_by_test_id("calls")).to_contain_text(HOSTILE)
    await page.goto(f"{site.url}/board")
    await expect(page.get_by_test_id("waiting-caller")).to_be_visible()
    assert await page.locator("img[src=x]").count() == 0
    assert complaints == []


async def test_countdown_turns_amber_and_red_and_counts_up(
    browser: Browser, site: Site, complaints: Complaints
) -> None:
    """Calm before 10 s, amber up to 15 s, red and +n after; one caller is seen crossing into red."""
    _context, page = await log_in(browser, site, "9001", complaints, "/board")
    for call_id, waited in (("a", 21.0), ("b", 13.0), ("c", 0.0)):
        site.engine.enter(call_id, CALLER, waited_s=waited)
    rings = page.get_by_test_id("countdown")
    await expect(rings.nth(2)).to_have_attribute("data-level", "calm")
    await expect(rings.nth(0)).to_have_attribute("data-level", "over")
    await expect(rings.nth(0)).to_contain_text("+")
    await expect(rings.nth(1)).to_have_attribute("data-level", "over")
    await expect(page.get_by_test_id("longest")).to_have_class("tile bad")
    assert complaints == []


async def test_reconnect_brings_the_missed_pop_once(browser: Browser, site: Site, complaints: Complaints) -> None:
    """The service is away: the page says so. Back again: the pop of the meantime is there, acknowledged once."""
    _context, page = await log_in(browser, site, "1001", Complaints())
    await expect(page.get_by_test_id("link")).to_have_text("已连接")
    site.engine.enter("c1", CALLER)
    await site.engine.answer("c1", "1001")
    await expect(page.get_by_test_id("pop")).to_contain_text("t-c1")
    await acknowledged(page, site, Popped("1001", "t-c1"))
    await site.engine.hang_up("c1", "1001")
    await site.stop()
    await expect(page.get_by_test_id("stream-lost")).to_be_visible()
    await expect(page.get_by_test_id("sign-in")).to_be_disabled()
    site.engine.enter("c2", CALLER)
    await site.engine.answer("c2", "1001")
    await site.start()
    await expect(page.get_by_test_id("pop")).to_contain_text("t-c2", timeout=15_000)
    await expect(page.get_by_test_id("stream-lost")).to_have_count(0)
    await expect(page.get_by_test_id("pop")).to_have_count(1)
    await acknowledged(page, site, Popped("1001", "t-c1"), Popped("1001", "t-c2"))


async def test_two_tabs_share_one_stream(browser: Browser, site: Site, complaints: Complaints) -> None:
    """Both show the pop; the service holds one stream for this person."""
    context, first = await log_in(browser, site, "1001", complaints)
    second = await context.new_page()
    complaints.watch(second)
    await second.goto(f"{site.url}/agent")
    await expect(second.get_by_test_id("link")).to_have_text("已连接")
    site.engine.enter("c1", CALLER)
    await site.engine.answer("c1", "1001")
    for page in (first, second):
        await expect(page.get_by_test_id("pop")).to_contain_text("t-c1")
    assert site.web.streams["1001"] == 1
    assert complaints == []


async def test_without_shared_workers_the_page_has_a_stream_of_its_own(
    browser: Browser, site: Site, complaints: Complaints
) -> None:
    """The pop comes all the same, and leaving the page ends the stream."""
    context, page = await log_in(browser, site, "1001", complaints)
    await page.add_init_script("delete window.SharedWorker")
    await page.reload()
    await expect(page.get_by_test_id("link")).to_have_text("已连接")
    site.engine.enter("c1", CALLER)
    await site.engine.answer("c1", "1001")
    await expect(page.get_by_test_id("pop")).to_contain_text("t-c1")
    await context.close()
    assert complaints == []


async def test_a_page_opened_during_the_call_shows_its_ticket(
    browser: Browser, site: Site, complaints: Complaints
) -> None:
    """The agent answered before the page was there."""
    site.engine.enter("c1", CALLER)
    await site.engine.answer("c1", "1001")
    _context, page = await log_in(browser, site, "1001", complaints)
    await expect(page.get_by_test_id("pop")).to_contain_text("t-c1")
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("pop")).to_have_count(0)
    assert complaints == []


async def test_callback_refused_at_night_shows_article_and_moment(
    browser: Browser, site: Site, complaints: Complaints
) -> None:
    """The button stays, so that the agent can ask again by day."""
    site.engine.enter("c1", CALLER)
    await site.engine.answer("c1", "1001")
    _context, page = await log_in(browser, site, "1001", complaints)
    site.engine.night = True
    await page.get_by_test_id("plan-callback").click()
    await expect(page.get_by_test_id("notice")).to_contain_text("KL 第十四条(九)")
    await expect(page.get_by_test_id("notice")).to_contain_text("值班长可批准例外")
    site.engine.night = False
    await page.get_by_test_id("plan-callback").click()
    await expect(page.get_by_test_id("planned")).to_be_visible()
    await page.get_by_test_id("open-callbacks").click()
    await expect(page.get_by_test_id("callbacks")).to_contain_text("138 0000 0001")


async def test_link_down_is_said_across_the_board(browser: Browser, site: Site, complaints: Complaints) -> None:
    """Figures that may be old are marked, with since when."""
    _context, page = await log_in(browser, site, "9001", complaints, "/board")
    await expect(page.get_by_test_id("link")).to_have_text("已连接")
    site.engine.link, site.engine.stale_since = "down", site.engine.clock.now()
    await expect(page.get_by_test_id("stale")).to_contain_text("与交换机的连接已断开")
    site.engine.link, site.engine.stale_since = "up", None
    await expect(page.get_by_test_id("stale")).to_have_count(0)
    assert complaints == []


async def test_shut_out_person_is_back_at_the_login(browser: Browser, site: Site, complaints: Complaints) -> None:
    """Within seconds, without a click."""
    _context, page = await log_in(browser, site, "1001", complaints)
    await expect(page.get_by_test_id("link")).to_have_text("已连接")
    await set_active(site.store, "1001", False)
    await expect(page.get_by_test_id("login")).to_be_visible(timeout=10_000)


async def test_logout_ends_the_stream_of_all_tabs(browser: Browser, site: Site, complaints: Complaints) -> None:
    """Nobody who sits down there next sees a former agent's callers."""
    context, first = await log_in(browser, site, "1001", complaints)
    second = await context.new_page()
    await second.goto(f"{site.url}/agent")
    await expect(second.get_by_test_id("link")).to_have_text("已连接")
    await first.get_by_test_id("logout").click()
    for page in (first, second):
        await expect(page.get_by_test_id("login")).to_be_visible(timeout=10_000)


async def test_language_and_theme_are_kept(browser: Browser, site: Site, complaints: Complaints) -> None:
    """Chinese first; English and dark stay after a reload."""
    _context, page = await log_in(browser, site, "1001", complaints)
    await expect(page.get_by_test_id("sign-in")).to_contain_text("签入")
    await page.get_by_test_id("language").click()
    await page.get_by_test_id("theme").click()
    await page.reload()
    await expect(page.get_by_test_id("sign-in")).to_contain_text("Sign in")
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    assert complaints == []


async def test_hidden_tab_is_called_by_title_and_masked_notification(
    browser: Browser, site: Site, complaints: Complaints
) -> None:
    """A notification stays on the desktop, so it shows 138****0001; the title flashes."""
    context, page = await log_in(browser, site, "1001", complaints)
    await context.grant_permissions(["notifications"], origin=site.url)
    await page.add_init_script("""
        Object.defineProperty(document, "hidden", { get: () => true });
        window.notes = [];
        window.Notification = class { static permission = "granted";
          constructor(title, options) { window.notes.push(`${title} ${options.body}`); } close() {} };
    """)
    await page.reload()
    await expect(page.get_by_test_id("link")).to_have_text("已连接")
    site.engine.enter("c1", CALLER)
    await site.engine.answer("c1", "1001")
    await expect(page).to_have_title("【来电】新工单")
    assert await page.evaluate("() => window.notes") == ["新来电 138****0001"]
    assert complaints == []


async def test_policy_stops_inline_scripts_and_other_hosts(
    browser: Browser, site: Site, complaints: Complaints
) -> None:
    """Even with markup injected, nothing inline runs and nothing is fetched from elsewhere."""
    _context, page = await log_in(browser, site, "1001", complaints)
    ran = await page.evaluate("""async () => {
        const script = document.createElement("script");
        script.textContent = "window.inlineRan = true";
        document.body.append(script);
        const away = await fetch("http://127.0.0.2:9/").then(() => "reached", () => "stopped");
        return [window.inlineRan === true, away];
    }""")
    assert ran == [False, "stopped"]
    assert sum("Content Security Policy" in said for said in complaints) >= 2

"""Lists of the pages under answers that overtake each other, the real engine behind them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route, expect

from cti.commands import SignIn
from cti.commands.missed import CloseMissed
from cti.commands.tickets import OpenStub, TakeStub
from cti.store.missed_reads import missed_list
from tests.sim.missing import NUMBER, caller, give_up
from tests.web.conftest import Complaints, log_in
from tests.web.duty import DutySite, duty_site
from tests.web.ticketing import answered, put_unit


async def one_missed(site: DutySite) -> None:
    """A caller gives up; a further unit raises the version of duty."""
    give_up(site.pbx, caller(site.pbx, NUMBER))
    await put_unit(site)


async def one_unowned(site: DutySite) -> None:
    """A stub of another channel."""
    await site.ask(OpenStub("wechat", NUMBER, "repair", None, "", "wx-gateway", "wx-1"))


LISTS = [
    ("/desk", "directory", "unit", put_unit),
    ("/desk", "missed", "missed-caller", one_missed),
    ("/agent", "stubs/unowned", "take", one_unowned),
]


async def hold(page: Page, path: str) -> asyncio.Future[Callable[[], Awaitable[None]]]:
    """The next answer of *path* is taken from the service at once, and given to the page when the result is called."""
    held: asyncio.Future[Callable[[], Awaitable[None]]] = asyncio.get_running_loop().create_future()

    async def taken(route: Route) -> None:
        answer = await route.fetch()
        held.set_result(lambda: route.fulfill(response=answer))

    await page.route(f"**/api/v1/{path}", taken, times=1)
    return held


async def let_go(page: Page, path: str, late: Callable[[], Awaitable[None]]) -> None:
    """The held answer arrives, and what the page does with it is done."""
    async with page.expect_response(f"**/api/v1/{path}") as answered:
        await late()
    await (await answered.value).finished()
    await page.evaluate("() => fetch('/api/v1/me').then(answer => answer.text())")  # comes after it


@pytest.mark.parametrize(("where", "path", "shown", "change"), LISTS, ids=[path for _, path, *_ in LISTS])
async def test_an_older_answer_does_not_take_the_place_of_a_newer(
    browser: Browser, tmp_path: Path, complaints: Complaints, where: str, path: str, shown: str,
    change: Callable[[DutySite], Awaitable[None]],
) -> None:  # fmt: skip
    """What a list was before a change arrives after the list with the change: the change stays on the page."""
    async with duty_site(tmp_path) as duty:
        await duty.ask(SignIn("1001", "3001"))
        context, page = await log_in(browser, duty, "9001" if where == "/desk" else "1001", complaints, where)
        await page.locator("[data-test=link].link-up").wait_for()
        held = await hold(page, path)
        await page.reload()
        late = await held
        await change(duty)
        rows = page.get_by_test_id(shown)
        await expect(rows).to_have_count(1)
        await let_go(page, path, late)
        await expect(rows).to_have_count(1)
        assert complaints == []
        await context.close()


async def test_a_ticket_opened_before_a_call_does_not_take_its_place(
    browser: Browser, tmp_path: Path, complaints: Complaints
) -> None:
    """The agent opens an old ticket, a call is answered, and only then does the old ticket arrive: the call stays."""
    async with duty_site(tmp_path) as duty:
        await duty.ask(SignIn("1001", "3001"))
        context, page = await log_in(browser, duty, "1001", complaints)
        await page.locator("[data-test=link].link-up").wait_for()
        old = await answered(duty, "1001", NUMBER)
        await expect(page.get_by_test_id("caller")).to_have_text("138 0000 0061")
        await page.get_by_test_id("close-pop").click()
        held = await hold(page, f"tickets/{old}")
        await page.get_by_test_id("calls").get_by_role("button", name="查看工单").click()
        late = await held
        await answered(duty, "1001", "13800000062", over=False)
        await expect(page.get_by_test_id("caller")).to_have_text("138 0000 0062")
        await let_go(page, f"tickets/{old}", late)
        await expect(page.get_by_test_id("caller")).to_have_text("138 0000 0062")
        await context.close()


async def one_waits(site: DutySite) -> None:
    """A caller in the queue."""
    caller(site.pbx, NUMBER)
    await put_unit(site)


async def he_hung_up(site: DutySite) -> None:
    """The caller in the queue is gone."""
    (call,) = site.pbx.calls.values()
    give_up(site.pbx, call)
    await site.ask(SignIn("1003", "3003"))  # taken behind what was heard before


async def another_took_it(site: DutySite) -> None:
    """The one stub that nobody had is 1002's."""
    await site.ask(SignIn("1002", "3002"))
    (ticket_id,) = site.engine.world.stubs
    assert (await site.ask(TakeStub("1002", ticket_id))).ruling.allowed


async def another_ended_it(site: DutySite) -> None:
    """The one missed caller is settled."""
    async with site.store.read() as connection:
        (row,) = await missed_list(connection, site.settings.pbx_id, closed=False)
    assert (await site.ask(CloseMissed("9001", row.missed_id, "settled_otherwise", "已处理"))).ruling.allowed


@pytest.mark.parametrize(
    ("where", "first", "button", "asked", "then"),
    [
        ("/board", one_waits, "lift", "**/emergencies/lift", he_hung_up),
        ("/agent", one_unowned, "take", "**/take", another_took_it),
        ("/agent", one_missed, "missed-claim", "**/claim", another_ended_it),
    ],
    ids=["lift", "take", "claim"],
)
async def test_who_comes_too_late_is_told_though_the_list_is_empty(
    browser: Browser, tmp_path: Path, complaints: Complaints, where: str, button: str, asked: str,
    first: Callable[[DutySite], Awaitable[None]], then: Callable[[DutySite], Awaitable[None]],
) -> None:  # fmt: skip
    """The last row is gone before the request for it arrives: the refusal is on the page, the row is not."""
    async with duty_site(tmp_path) as duty:
        await duty.ask(SignIn("1001", "3001"))
        context, page = await log_in(browser, duty, "9001" if where == "/board" else "1001", complaints, where)
        await first(duty)
        held: asyncio.Future[Route] = asyncio.get_running_loop().create_future()
        await page.route(asked, lambda route: held.set_result(route), times=1)
        await page.get_by_test_id(button).click()
        late = await held
        await then(duty)
        await expect(page.get_by_test_id(button)).to_have_count(0)
        await late.continue_()
        await expect(page.get_by_test_id("notice")).to_be_visible()
        assert [text for text in complaints if "409" not in text] == []
        await context.close()

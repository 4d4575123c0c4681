"""Transfers and blocked numbers on the pages, the real engine behind them: by keys alone, and told by events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from cti.ami import events as ami
from cti.commands import GoReady, SignIn
from cti.commands.directory import PutUnit
from cti.commands.tickets import SetParticulars
from cti.engine.inputs import Move
from tests.sim.missing import NUMBER, caller
from tests.sim.pbx import SimCall
from tests.web.conftest import Complaints, log_in
from tests.web.duty import DutySite, duty_site

LEG, CONSULT = "1795284829.901", "1795284829.900"
HOSTILE = '<img src=x onerror="alert(1)">骚扰'


@pytest.fixture
async def duty(tmp_path: Path) -> AsyncIterator[DutySite]:
    """09:00, two agents at their seats, one unit of the referral list."""
    async with duty_site(tmp_path) as site:
        for number in ("1001", "1002"):
            await site.ask(SignIn(number, f"3{number[1:]}"))
        gas = PutUnit("9001", "gas", "燃气抢修", "Gas repair", "outside", (), (), (("05305550001", "", ""),))
        await site.ask(gas)
        yield site


async def talking(site: DutySite) -> SimCall:
    """1001 answers a caller."""
    site.pbx.mangle = False
    call = caller(site.pbx)
    site.pbx._ring(call, "1001")
    site.leap(3)
    site.pbx._connect(call)
    await site.ask(GoReady("1002"))
    return call


async def told(site: DutySite, *events: ami.Event) -> None:
    """Asterisk tells *events*; what follows is taken behind them."""
    for event in events:
        site.engine.hear(event)
    await site.ask(GoReady("1002"))


def dial(site: DutySite, call: SimCall, status: str = "") -> ami.DialBegin | ami.DialEnd:
    """1002's phone rings for a consultation, or stops."""
    fields = (
        site.clock.now(), CONSULT, call.call_id, LEG, call.call_id, "Local/3002@lab-seats-00000009;1"
    )  # fmt: skip
    return ami.DialEnd(*fields, status) if status else ami.DialBegin(*fields)


async def test_a_caller_is_handed_on_by_keys_alone(browser: Browser, duty: DutySite, complaints: Complaints) -> None:
    """Alt T opens, Tab and Enter choose, Alt J leaves them together; the second agent's page shows whose it is."""
    agent_context, agent = await log_in(browser, duty, "1001", complaints)
    other_context, other = await log_in(browser, duty, "1002", complaints)
    call = await talking(duty)
    await expect(agent.get_by_test_id("transfer-open")).to_be_visible()
    await agent.keyboard.press("Alt+t")
    targets = agent.get_by_test_id("transfer-target")
    await expect(targets).to_have_count(2)
    await expect(targets.nth(1)).to_contain_text("0530")  # the number may be told to the caller
    await targets.first.get_by_test_id("transfer-consult").focus()
    await agent.keyboard.press("Enter")
    now = agent.get_by_test_id("transfer-now")
    await expect(now).to_have_attribute("data-state", "asked")
    assert [(e.step, e.exten) for e in await duty.acted() if isinstance(e, Move)] == [("begin", "3002")]
    await told(duty, dial(duty, call), dial(duty, call, "ANSWER"))
    await expect(now).to_have_attribute("data-state", "consulting")
    await expect(other.get_by_test_id("first-agent")).to_contain_text("1001")
    await expect(other.get_by_test_id("caller")).to_have_text("138 0000 0061")
    async with agent.expect_response("**/me/transfer/complete") as taken:
        await agent.keyboard.press("Alt+j")
    assert (await taken.value).ok
    joined = ami.AttendedTransfer(
        duty.clock.now(), "Success", call.leg, call.call_id, call.leg, call.call_id, call.call_id, call.call_id
    )
    gone = ami.Hangup(duty.clock.now(), call.leg, call.call_id, "Local/x", 16)
    await told(duty, joined, gone)
    await expect(now).to_have_attribute("data-state", "done")
    await expect(agent.get_by_test_id("transfer-past")).to_have_count(1)
    assert [e.step for e in await duty.acted() if isinstance(e, Move)] == ["begin", "complete"]
    assert complaints == []
    for context in (agent_context, other_context):
        await context.close()


async def test_a_number_is_blocked_by_the_lead_alone(browser: Browser, duty: DutySite, complaints: Complaints) -> None:
    """The agent asks on the ticket in his own words; the lead agrees on his desk, and ends it there."""
    agent_context, agent = await log_in(browser, duty, "1001", complaints)
    lead_context, desk = await log_in(browser, duty, "9001", complaints, "/desk")
    await talking(duty)
    async with duty.store.read() as connection:
        ticket_id = (await connection.exec_driver_sql("select ticket_id from tickets")).scalar_one()
    await duty.ask(SetParticulars("1001", ticket_id, {"caller_kind": "nuisance"}))
    await agent.get_by_test_id("block-open").click()
    await agent.get_by_test_id("block-reason").fill(HOSTILE)
    await agent.keyboard.press("Enter")
    await expect(agent.get_by_test_id("block-asked")).to_be_visible()
    block = desk.get_by_test_id("block")
    await expect(block).to_contain_text(HOSTILE)
    await desk.get_by_test_id("block-words").fill("同意")
    await desk.get_by_test_id("block-days").fill("3")
    await desk.get_by_test_id("block-agree").click()
    await expect(block).to_have_attribute("data-state", "active")
    blocked = ami.Hangup(duty.clock.now(), "1.1", "1.1", "PJSIP/t", 16, "cti-blocked", NUMBER)
    await told(duty, blocked)
    await expect(desk.get_by_test_id("block-tries")).to_contain_text("1")
    await desk.get_by_test_id("language").click()
    await expect(desk.get_by_test_id("blocks")).to_contain_text("Nuisance numbers")
    await desk.get_by_test_id("block-end").click()
    await expect(desk.get_by_test_id("blocks")).to_have_count(0)
    assert complaints == []
    for context in (agent_context, lead_context):
        await context.close()

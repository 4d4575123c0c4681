"""A surge on the desk, the real engine behind it: its card, the notice with one key, a ticket taken out."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Browser, expect

from tests.unit.cti.web.test_surges_api import AREAS, surge
from tests.web.conftest import Complaints, log_in
from tests.web.duty import duty_site


async def test_the_lead_sees_the_surge_and_announces_it(
    browser: Browser, tmp_path: Path, complaints: Complaints
) -> None:
    """The card comes by itself; the suggested words go out as they stand; the group shrinks by the one taken out."""
    async with duty_site(tmp_path, settings=AREAS) as duty:
        context, lead = await log_in(browser, duty, "9001", complaints, "/desk")
        await expect(lead.get_by_test_id("surge")).to_have_count(0)
        await surge(duty)
        await expect(lead.get_by_test_id("surge-count")).to_have_text("10")
        await expect(lead.get_by_test_id("surge-text")).to_have_value(
            "东区集中来电，情况正在核实处理，请告知市民耐心等待。"
        )
        await expect(lead.get_by_test_id("surge")).to_contain_text("片区集中来电：东区")
        await lead.get_by_test_id("surge-announce").click()
        await expect(lead.get_by_test_id("surge-announced")).to_be_visible()
        await lead.get_by_test_id("surge").locator("summary").click()
        await lead.get_by_test_id("take-out").first.click()
        await expect(lead.get_by_test_id("surge-count")).to_have_text("9")
        board = duty.engine.board()["duty"]
        assert [(s["by"], s["code"]) for s in board["surges"]] == [("area", "east")]
        assert [outage["area"] for outage in board["outages"]] == ["east"]
        assert complaints == []
        await context.close()

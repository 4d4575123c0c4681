"""The API of surges, the real engine behind it: the group, the suggested notice, and what a lead takes out."""

from __future__ import annotations

from pathlib import Path

from cti.commands import SignIn
from cti.commands.tickets import OpenStub
from queues.surge import By, Key, suggestion
from tests.unit.cti.web.test_missed_api import as_
from tests.web.duty import DutySite, duty_site

AREAS = {"hotline": {"areas": {"east": {"zh": "东区", "en": "East"}, "west": {"zh": "西区", "en": "West"}}}}


async def surge(site: DutySite, area: str = "east") -> None:
    """Ten tickets of one area, from another channel."""
    await site.ask(SignIn("1001", "3001"))
    for number in range(10):
        await site.ask(OpenStub("wechat", f"1380000006{number}", None, area, "停水了", "1001", f"key-{number}"))


async def test_a_group_its_notice_and_what_is_taken_out(tmp_path: Path) -> None:
    """No number in it; the lead alone takes out; the notice speaks of the area by its name."""
    async with duty_site(tmp_path, settings=AREAS) as duty:
        await surge(duty)
        agent, lead, auditor = [await as_(duty, n) for n in ("1001", "9001", "9500")]
        answer = await agent.get("/api/v1/surges")
        (one,) = answer.json()
        assert (one["by"], one["code"], one["most"], len(one["tickets"])) == ("area", "east", 10, 10)
        assert (one["notice_area"], one["notice"][:6]) == ("east", "东区集中来电")
        assert "1380000006" not in answer.text
        path, asked = f"/api/v1/surges/{one['surge_id']}/take-out", {"ticket_id": one["tickets"][0]["ticket_id"]}
        assert (await agent.post(path, json=asked)).status_code == 403
        (after,) = (await lead.post(path, json=asked)).json()
        assert [t["out_by"] for t in after["tickets"]].count("9001") == 1
        again = await lead.post(path, json=asked)
        assert (again.status_code, again.json()["code"]) == (409, "not_in_surge")
        assert (await auditor.get("/api/v1/surges")).status_code == 403
        assert (await lead.get("/api/v1/surges?closed=true")).json() == []
        for client in (agent, lead, auditor):
            await client.aclose()


def test_the_notice_of_a_kind_speaks_of_the_area_that_most_tickets_name() -> None:
    """More than half of them; without one it is for everywhere."""
    key, names = Key(By.KIND, "repair"), {"east": "东区"}
    assert suggestion(key, ["east", "east", None], names).area == "east"
    assert suggestion(key, ["east", "west"], names) == ("", "多个片区集中来电，情况正在核实处理，请告知市民耐心等待。")

"""The API of the directory, the real engine behind it: leads and administrators keep it, and no odd number gets in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cti.web.test_missed_api import as_
from tests.web.duty import NINE, DutySite, duty_site

SETTINGS = {"hotline": {"areas": {"east": {"zh": "东区", "en": "East"}}}}
GAS: dict[str, Any] = {
    "zh": "燃气抢修", "en": "Gas repair", "role": "emergency", "kinds": ["report"], "areas": ["east"],
    "numbers": [{"number": "0530 5550001"}, {"number": "138 0000 0071", "from": "20:00", "to": "08:00"}],
}  # fmt: skip


@pytest.fixture
async def duty(tmp_path: Path) -> AsyncIterator[DutySite]:
    """09:00, one area."""
    async with duty_site(tmp_path, settings=SETTINGS) as site:
        yield site


async def test_a_unit_is_put_replaced_and_removed(duty: DutySite) -> None:
    """Numbers are kept as they would be dialled; a restart keeps them; the duty list goes with the unit."""
    lead, admin, agent = [await as_(duty, n) for n in ("9001", "9999", "1001")]
    (unit,) = (await lead.put("/api/v1/directory/units/gas", json=GAS)).json()
    assert unit["numbers"] == [["05305550001"], ["13800000071", "20:00", "08:00"]]
    night = {
        "unit": "gas", "number": "13800000072", "name": "测试抢修员",
        "starts_at": (NINE - timedelta(hours=1)).isoformat(),
        "ends_at": (NINE + timedelta(hours=1)).isoformat(),
    }  # fmt: skip
    (unit,) = (await admin.post("/api/v1/directory/duty", json=night)).json()
    assert (unit["on_call"][0]["number"], unit["on_call"][0]["name"]) == ("13800000072", "测试抢修员")
    await duty.restart()
    (unit,) = (await agent.get("/api/v1/directory")).json()
    assert (unit["zh"], len(unit["on_call"])) == ("燃气抢修", 1)
    (unit,) = (await lead.put("/api/v1/directory/units/gas", json={**GAS, "zh": "燃气应急"})).json()
    assert (unit["zh"], len(unit["on_call"])) == ("燃气应急", 1)
    entry = unit["on_call"][0]["entry_id"]
    assert (await lead.delete(f"/api/v1/directory/duty/{entry}")).json()[0]["on_call"] == []
    assert (await lead.delete(f"/api/v1/directory/duty/{entry}")).json()["code"] == "no_such_duty_line"
    assert (await lead.delete("/api/v1/directory/units/gas")).json() == []
    assert (await lead.post("/api/v1/directory/duty", json=night)).json()["code"] == "no_such_unit"
    for client in (lead, admin, agent):
        await client.aclose()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"numbers": [{"number": "0085 212345678"}]}, "numbers"),
        ({"numbers": [{"number": "00441632960001"}]}, "numbers"),
        ({"numbers": [{"number": "4008000000"}]}, "numbers"),
        ({"numbers": [{"number": "138000000\r\n"}]}, "numbers"),
        ({"numbers": [{"number": "13800000071&PJSIP/x"}]}, "numbers"),
        ({"numbers": [{"number": "13800000071"}, {"number": "138 0000 0071"}]}, "numbers"),
        ({"numbers": []}, "numbers"),
        ({"numbers": [{"number": "13800000071", "from": "08:00"}]}, "numbers"),
        ({"areas": ["west"]}, "areas"),
        ({"zh": "燃\x00气"}, "zh"),
        ({"role": "anything"}, "role"),
    ],
)
async def test_what_cannot_be_dialled_does_not_get_in(duty: DutySite, change: dict[str, Any], field: str) -> None:
    """Abroad, premium, another channel, a line end, twice the same: refused, and the field is named (HZ-25)."""
    lead = await as_(duty, "9001")
    answer = await lead.put("/api/v1/directory/units/gas", json={**GAS, **change})
    assert answer.status_code in (400, 422)
    assert field in answer.text
    assert (await lead.get("/api/v1/directory")).json() == []
    await lead.aclose()


async def test_agents_and_auditors_keep_no_directory(duty: DutySite) -> None:
    """An agent reads it; an auditor does not see the phones."""
    agent, auditor = [await as_(duty, n) for n in ("1001", "9500")]
    assert (await agent.put("/api/v1/directory/units/gas", json=GAS)).status_code == 403
    assert [(await c.get("/api/v1/directory")).status_code for c in (agent, auditor)] == [200, 403]
    for client in (agent, auditor):
        await client.aclose()

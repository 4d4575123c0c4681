"""Toll fraud: a key that dials more often than a cap lets is answered 429 with the seconds to wait."""

from __future__ import annotations

from pathlib import Path

from cti.commands import SignIn
from cti.commands.dialling import FolderSeen, PreviewOpened
from cti.commands.owed import ClaimCallback, OweCallback
from cti.engine.inputs import Dial
from tests.unit.cti.web.test_missed_api import as_
from tests.web.duty import DutySite, duty_site


async def owe(duty: DutySite, n: int) -> str:
    """A callback that agent 1001 has claimed and read; its address."""
    owed = await duty.ask(OweCallback("9001", f"9001:{n}", f"1380000006{n}", None, "repair"))
    callback_id = str(owed.data["callback_id"])
    for command in (ClaimCallback("1001", callback_id), PreviewOpened("1001", callback_id)):
        assert (await duty.ask(command)).ruling.allowed
    return f"/api/v1/callbacks/{callback_id}/dial"


async def test_a_dial_over_a_cap_is_too_many_requests(tmp_path: Path) -> None:
    """429 and Retry-After to the second; with a reason beside it that no waiting mends, it is a refusal like others."""
    async with duty_site(tmp_path, settings={"callback": {"agent_hourly": 1}}) as duty:
        await duty.ask(SignIn("1001", "3001"))
        first, second = await owe(duty, 1), await owe(duty, 2)
        agent = await as_(duty, "1001")
        assert (await agent.post(first)).status_code == 200
        over = await agent.post(second)
        assert (over.status_code, over.json()["code"], over.json()["status"]) == (429, "agent_dials", 429)
        assert over.headers["content-type"] == "application/problem+json"
        assert 3590 <= int(over.headers["Retry-After"]) <= 3600
        assert "1380000" not in over.text
        await duty.ask(FolderSeen("full"))
        both = await agent.post(second)
        assert (both.status_code, both.json()["code"], "Retry-After" in both.headers) == (409, "not_recorded", False)
        assert len([effect for effect in duty.effects if isinstance(effect, Dial)]) == 1
        await agent.aclose()

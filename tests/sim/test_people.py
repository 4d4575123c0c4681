"""What an administrator changes of people reaches the running engine at once: nobody keeps a role he has lost."""

from __future__ import annotations

import random
from pathlib import Path

from cti.commands import PeopleChanged
from cti.store.people import set_active, set_role
from tests.sim.house import House


async def test_a_lead_is_a_lead_from_the_change_on_and_no_longer(tmp_path: Path) -> None:
    """Made a lead, made an auditor, shut out: whoever asks who leads hears of each, without a restart."""
    async with House(tmp_path, random.Random(7), mangle=False) as house:
        world = house.engine.world
        assert "1001" not in world.leads
        for role, leads in (("lead", True), ("auditor", False), ("lead", True), ("agent", False), ("lead", True)):
            await set_role(house.store, "1001", role)
            await house.ask(PeopleChanged("1001"))
            assert ("1001" in world.leads) is leads, role
        await set_active(house.store, "1001", False)
        await house.ask(PeopleChanged("1001"))
        assert "1001" not in world.leads

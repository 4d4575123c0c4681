"""Global variables of the dialplan (``CTI_…``) that the service sets: declared by the parts, set again after a gap.

The dialplan never needs the service: it reads ``${GLOBAL(CTI_…)}``, which is empty until somebody sets it. Asterisk
forgets every global when it restarts, so all that is declared is set again whenever what is heard is live again. It
does not forget when *we* restart: what was once set is kept, and cleared when nobody declares it any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.commands import Outcome
from cti.commands.switches import SwitchNotSet
from cti.engine.part import Handler, Part, Waker
from cti.engine.world import World
from cti.settings import Settings
from cti.store.switch_tables import switches
from regulations import allowed

AGAIN_S = 10.0  # after a refusal, or no answer in time


class Switches(Part):
    """Sets again what Asterisk forgot or did not take. The last of the parts: it looks at what the others declared."""

    def __init__(self, world: World, settings: Settings) -> None:
        self.world, self.pbx_id = world, settings.pbx_id
        self._kept: dict[str, str] = {}  # as the rows are

    def commands(self) -> Mapping[type[Any], Handler]:
        return {SwitchNotSet: self._not_set}

    def dues(self) -> Mapping[str, Waker]:
        return {"switch": self._again}

    def gap(self, began: datetime, ended: datetime | None, now: datetime) -> None:
        if ended is not None:
            for name in self.world.switches:
                self.world.apply_switch(name)

    def batched(self, now: datetime) -> None:
        for name in sorted(self.world.changes.switched):
            value = self.world.switches[name]
            if self._kept.get(name) != value:
                self._kept[name] = value
                self.world.write(switches, {"pbx_id": self.pbx_id, "name": name, "value": value}, shown=False)

    def started(self, now: datetime) -> None:
        # Also what was cleared before: we may have died before Asterisk was told.
        for name in self._kept.keys() - self.world.switches.keys():
            self.world.switch(name, "")

    async def load(self, connection: AsyncConnection, now: datetime) -> None:
        rows = await connection.execute(select(switches).where(switches.c.pbx_id == self.pbx_id))
        self._kept = {row.name: row.value for row in rows}

    def _not_set(self, command: SwitchNotSet, now: datetime) -> Outcome:
        # The name may hold a caller's number, so the alarm does not tell it.
        self.world.tell(now, "alarm", "switch", {"code": "switch_not_set"}, "lead")
        self.world.time_at(self.world.mono + AGAIN_S, f"switch:{command.name}")
        return Outcome(allowed())

    def _again(self, name: str, now: datetime) -> None:
        self.world.apply_switch(name)

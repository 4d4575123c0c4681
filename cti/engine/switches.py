"""Global variables of the dialplan (``CTI_…``) that the service sets: declared by the parts, set again after a gap.

The dialplan never needs the service: it reads ``${GLOBAL(CTI_…)}``, which is empty until somebody sets it. Asterisk
forgets every global when it restarts, so all that is declared is set again whenever what is heard is live again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cti.commands import Outcome
from cti.commands.switches import SwitchNotSet
from cti.engine.part import Handler, Part, Waker
from cti.engine.world import World
from regulations import allowed

AGAIN_S = 10.0  # after a refusal, or no answer in time


class Switches(Part):
    """Sets again what Asterisk forgot or did not take."""

    def __init__(self, world: World) -> None:
        self.world = world

    def commands(self) -> Mapping[type[Any], Handler]:
        return {SwitchNotSet: self._not_set}

    def dues(self) -> Mapping[str, Waker]:
        return {"switch": self._again}

    def gap(self, began: datetime, ended: datetime | None, now: datetime) -> None:
        if ended is not None:
            for name in self.world.switches:
                self.world.apply_switch(name)

    def _not_set(self, command: SwitchNotSet, now: datetime) -> Outcome:
        # The name may hold a caller's number, so the alarm does not tell it.
        self.world.tell(now, "alarm", "switch", {"code": "switch_not_set"}, "lead")
        self.world.time_at(self.world.mono + AGAIN_S, f"switch:{command.name}")
        return Outcome(allowed())

    def _again(self, name: str, now: datetime) -> None:
        self.world.apply_switch(name)

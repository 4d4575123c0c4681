"""Conduct on duty: what the shift lead has allowed, who has arrived."""

from __future__ import annotations

from datetime import datetime

from agents.shifts import Shift
from cti.engine.part import Part
from cti.engine.rostering import Rostering
from cti.engine.world import World
from cti.ids import Ids
from cti.settings import Settings


class Conduct(Part):
    """Permits, arrivals, the break line."""

    def __init__(self, world: World, ids: Ids, settings: Settings, roster: Rostering) -> None:
        self.world, self.ids, self.settings, self.roster = world, ids, settings, roster
        self.arrivals: dict[tuple[str, str], datetime] = {}

    def permitted(self, agent: str, kind: str, now: datetime) -> bool:
        """Whether the lead has agreed to *kind* (busy, sign_out, sign_in) for this agent, and it still holds."""
        return False

    def arrived_at(self, shift: Shift) -> datetime | None:
        """When the shift's agent came to the post (到岗), or None: by sign-in, or by saying so."""
        return self.arrivals.get((shift.agent, shift.shift_id))

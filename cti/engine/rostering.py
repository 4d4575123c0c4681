"""The roster in the engine: shifts by agent."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from agents.roster import Roster
from agents.shifts import Shift
from cti.engine.part import Part
from cti.engine.world import World
from cti.ids import Ids
from cti.settings import Settings


class Rostering(Part):
    """Shifts, as far back as one month and as far ahead as they are planned."""

    def __init__(self, world: World, ids: Ids, settings: Settings) -> None:
        self.world, self.ids, self.settings = world, ids, settings
        self.roster = Roster()

    def put(self, shifts: Iterable[Shift]) -> None:
        """Keep shifts in memory, added or replaced by their ids; those ``OFF`` are dropped."""
        self.roster.put(shifts)

    def shift_at(self, agent: str, now: datetime) -> Shift | None:
        """The agent's shift on duty now, or None."""
        return self.roster.at(agent, now)

    def next_shift(self, agent: str, now: datetime) -> Shift | None:
        """The agent's next shift that has not begun, or None."""
        return self.roster.after(agent, now)

    def last_shift(self, agent: str, now: datetime) -> Shift | None:
        """The agent's shift that ended last, or None."""
        return self.roster.before(agent, now)

    def covered(self, now: datetime) -> bool:
        """Whether the roster speaks of this moment at all. A site without a roster is held to no rule of one."""
        return self.roster.covers(now)

    def shifts_between(self, start: datetime, end: datetime) -> list[Shift]:
        """Shifts of any state that touch [start, end), by start and agent."""
        return self.roster.between(start, end)

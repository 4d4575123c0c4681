"""The roster in the engine: shifts by agent."""

from __future__ import annotations

from datetime import datetime

from agents.shifts import Shift, shift_at
from cti.engine.part import Part
from cti.engine.world import World
from cti.ids import Ids
from cti.settings import Settings


class Rostering(Part):
    """Shifts, as far back as one month and as far ahead as they are planned."""

    def __init__(self, world: World, ids: Ids, settings: Settings) -> None:
        self.world, self.ids, self.settings = world, ids, settings
        self.by_agent: dict[str, dict[str, Shift]] = {}

    def shift_at(self, agent: str, now: datetime) -> Shift | None:
        """The agent's shift on duty now, or None."""
        return shift_at(self.by_agent.get(agent, {}).values(), now)

    def next_shift(self, agent: str, now: datetime) -> Shift | None:
        """The agent's next shift that has not begun, or None."""
        ahead = [s for s in self.by_agent.get(agent, {}).values() if s.state == "on" and s.starts_at > now]
        return min(ahead, key=lambda s: s.starts_at, default=None)

    def last_shift(self, agent: str, now: datetime) -> Shift | None:
        """The agent's shift that ended last, or None."""
        past = [s for s in self.by_agent.get(agent, {}).values() if s.state == "on" and s.ends_at <= now]
        return max(past, key=lambda s: s.ends_at, default=None)

    def covered(self, now: datetime) -> bool:
        """Whether the roster speaks of this moment at all. A site without a roster is held to no rule of one."""
        return any(s.covers(now) for shifts in self.by_agent.values() for s in shifts.values())

    def shifts_between(self, start: datetime, end: datetime) -> list[Shift]:
        """Shifts of any state that touch [start, end), by start and agent."""
        found = [s for of in self.by_agent.values() for s in of.values() if s.starts_at < end and s.ends_at > start]
        return sorted(found, key=lambda s: (s.starts_at, s.agent))

"""Where the planner puts a callback of the desk's list, among all that is planned there."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from datetime import datetime, timedelta

from cti.engine.records import Callback
from cti.engine.world import World
from queues.callbacks import Terms
from queues.planning import Capacity, Owed, Planned, capacity_of, planned, quarter_of


def laid(
    world: World, callback: Callback, terms: Terms, now: datetime, ring: timedelta, handling: timedelta
) -> Planned:
    """When *callback* is next due: spread over the day, before its deadline, within what the agents on duty can make.

    Callbacks are spread by how many are due in each quarter-hour already, so there is no jitter to be drawn.

    Args:
        now: the moment, or later: not before it.
        handling: what one callback takes an agent.
    """
    load: Mapping[datetime, int] = world.due_in
    before = world.callbacks.get(callback.callback_id)
    if before is not None and before.due_at is not None:
        own = quarter_of(before.due_at)
        load = ChainMap({own: world.due_in[own] - 1}, world.due_in)
    owed = Owed(callback.callback_id, callback.requested_at, callback.attempts, callback.deadline, terms)
    return planned(owed, load, capacity(world, handling), world.callback_limits, now, ring)


def capacity(world: World, handling: timedelta) -> Capacity:
    """How many callbacks can be made in a quarter-hour, by those who are to be there, each taking *handling*.

    In the one that runs, by who is signed in. In later ones by the roster's crew, where it speaks of that time at all:
    the few of a night say nothing of the morning. Where it does not, by who is signed in now, the only crew known.
    """
    here = sum(agent.interface is not None for agent in world.agents.values())

    def crew(slot: datetime) -> int:
        rostered = world.rostered_crew(slot) if slot > world.now else None
        return here if rostered is None else rostered

    return capacity_of(crew, handling)

"""Where the planner puts a callback of the desk's list, among all that is planned there."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from cti.engine.world import Callback, World
from queues.callbacks import Terms
from queues.planning import Owed, Planned, capacity_of, planned, quarter_of


def laid(
    world: World, callback: Callback, terms: Terms, now: datetime, ring: timedelta, handling: timedelta
) -> Planned:
    """When *callback* is next due: spread over the day, before its deadline, within what the agents signed in can make.

    Args:
        now: the moment, or later: not before it.
        handling: what one callback takes an agent.
    """
    load = Counter(
        quarter_of(other.due_at)
        for other in world.callbacks.values()
        if other.due_at is not None and other.callback_id != callback.callback_id
    )
    agents = sum(agent.interface is not None for agent in world.agents.values())
    owed = Owed(callback.callback_id, callback.requested_at, callback.attempts, callback.deadline, terms)
    return planned(owed, load, capacity_of(lambda _: agents, handling), world.callback_limits, now, ring)

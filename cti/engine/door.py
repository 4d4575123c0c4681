"""Callers turned away at the door, because all was full: each is counted once, and owed an answer like who gave up.

The dialplan writes one line of queue_log for each (cti_door.conf), so none is lost while this service is away.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.engine.missed import MissedCallers
from cti.engine.part import Part
from cti.engine.world import World
from cti.settings import Settings
from cti.store.door_tables import shut_outs
from queues.facts import ShutOut

KEEP_KNOWN = timedelta(days=7)  # a queue_log that was cut is read again from its start, which may be a week old


class Door(Part):
    """Who was turned away. The figures count the rows; only whom the queue never had is here."""

    def __init__(self, world: World, settings: Settings, missed: MissedCallers) -> None:
        self.world, self.pbx_id, self.missed = world, settings.pbx_id, missed
        self._known: set[str] = set()  # call ids

    def shut_out(self, fact: ShutOut, now: datetime) -> None:
        if fact.call_id in self._known:
            return
        self._known.add(fact.call_id)
        row = {"pbx_id": self.pbx_id, "call_id": fact.call_id, "at": fact.at, "why": fact.why.value}
        self.world.write(shut_outs, {**row, "withheld": not fact.caller})
        self.missed.turned_from_the_door(fact, now)

    async def load(self, connection: AsyncConnection, now: datetime) -> None:
        s = shut_outs.c
        lately = select(s.call_id).where(s.pbx_id == self.pbx_id, s.at > now - KEEP_KNOWN)
        self._known = set((await connection.execute(lately)).scalars())

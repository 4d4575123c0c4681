"""Callers who wait too long: the lead is alarmed, and agents whose 示忙 can wait are asked back, before the limit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from heapq import heappop, heappush
from math import inf
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from agents.presence import Agent, Presence, presence
from cti.engine.part import Part, Waker
from cti.engine.world import World
from cti.settings import Settings
from cti.store.escalation_tables import escalations
from queues.calls import MS, Call
from queues.escalation import Step, due, next_at, stages_of

CODES = {Step.LEAD: "caller_waiting", Step.POOL: "pool_asked"}


class Escalating(Part):
    """Which steps were taken for which waiting caller. One deadline runs, that of the step which comes first."""

    def __init__(self, world: World, settings: Settings) -> None:
        self.world, self.pbx_id = world, settings.pbx_id
        self.stages = stages_of(world.profile)
        self.taken: dict[str, set[Step]] = {}  # of callers who wait
        self._next: dict[str, float] = {}  # call -> our monotonic clock at its next step, of callers who wait
        self._order: list[tuple[float, str]] = []  # a heap; entries that no longer match _next are passed over
        self._armed = inf
        self._can_wait = {code for code, reason in settings.hotline.busy_reasons.items() if not reason.counted}

    def dues(self) -> Mapping[str, Waker]:
        return {"escalate": self._ring}

    def stepped(self, before: Call | None, after: Call, now: datetime) -> None:
        if after.queue != self.world.queue:
            return
        if not after.waiting:
            self.taken.pop(after.call_id, None)
            self._next.pop(after.call_id, None)
        elif before is None or before.waits_since != after.waits_since:
            self._arm(after, now)

    def gap(self, began: datetime, ended: datetime | None, now: datetime) -> None:
        if ended is not None:
            self._look_at_all(now)

    def started(self, now: datetime) -> None:
        self._look_at_all(now)

    def _look_at_all(self, now: datetime) -> None:
        for call in self.world.waiting():
            self._look(call.call_id, now)

    def _look(self, call_id: str, now: datetime) -> None:
        """The moment of a step has come. While we see nothing, who waits is not known: the end of the gap looks."""
        call = self.world.calls.get(call_id)
        if call is None or self.world.stale_since is not None:
            return
        taken = self.taken.get(call_id, set())
        for stage in due(call, self.stages, taken, now):
            self._take(call, stage.step, now)
        self._arm(call, now)

    def _ring(self, _subject: str, now: datetime) -> None:
        """The deadline ran out: look at every caller whose moment it is, and wait for the next one's."""
        self._armed = inf
        while self._order and (self._order[0][0] <= self.world.mono or self._passed_over(self._order[0])):
            entry = heappop(self._order)
            if not self._passed_over(entry):
                del self._next[entry[1]]
                self._look(entry[1], now)
        if self._order:
            self._wait_until(self._order[0][0])

    def _passed_over(self, entry: tuple[float, str]) -> bool:
        return self._next.get(entry[1]) != entry[0]

    def _arm(self, call: Call, now: datetime) -> None:
        at = next_at(call, self.stages, self.taken.get(call.call_id, set()))
        if at is not None:
            mono = self.world.mono + max((at - now).total_seconds(), 0.0)
            self._next[call.call_id] = mono
            heappush(self._order, (mono, call.call_id))
            self._wait_until(mono)

    def _wait_until(self, mono: float) -> None:
        # One that should have rung by now may have been dropped with a full inbox: it is not waited for.
        if not self.world.mono <= self._armed <= mono:
            self._armed = mono
            self.world.time_at(mono, "escalate:")

    def _take(self, call: Call, step: Step, now: datetime) -> None:
        asked = [a.number for a in self.world.crew() if self._can_come_back(a, now)] if step is Step.POOL else []
        self.taken.setdefault(call.call_id, set()).add(step)
        row = {
            "pbx_id": self.pbx_id, "call_id": call.call_id, "step": step.value, "at": now,
            "waited_ms": max((now - call.waits_since) // MS, 0), "asked": asked,
        }  # fmt: skip
        self.world.write(escalations, row)
        if step is Step.LEAD or asked:
            data = {"code": CODES[step], "call_id": call.call_id}
            self.world.tell(now, "alarm", call.call_id, data, "lead")

    def _can_come_back(self, agent: Agent, now: datetime) -> bool:
        """Whether the agent sits at a seat, 示忙 with a reason that is no break."""
        return presence(agent, now)[0] is Presence.BUSY and agent.busy_reason in self._can_wait

    async def load(self, connection: AsyncConnection, now: datetime) -> None:
        """The steps that were taken for callers who wait still."""
        e, ids = escalations.c, [call.call_id for call in self.world.waiting()]
        query = select(e.call_id, e.step).where(e.pbx_id == self.pbx_id, e.call_id.in_(ids))
        for call_id, step in (await connection.execute(query)).all():
            self.taken.setdefault(call_id, set()).add(Step(step))

    def line(self, number: str, now: datetime) -> dict[str, Any]:
        """``asked_back``: somebody waits, and this agent's 示忙 can wait."""
        wanted = any(Step.POOL in steps for steps in self.taken.values())
        return {"asked_back": wanted and self._can_come_back(self.world.agents[number], now)}

    def view(self, now: datetime) -> dict[str, Any]:
        """The callers whom the lead must look at: call id -> the steps that were taken."""
        return {"escalated": {call_id: sorted(steps) for call_id, steps in self.taken.items()}}

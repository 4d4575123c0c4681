"""One fact about a call, taken: the call steps on, and agents, ticket, recording, counts and messages follow."""

from __future__ import annotations

from datetime import datetime

from agents import presence
from cti.engine.records import Recording
from cti.engine.world import PROVE_QUEUE, World
from cti.ids import Ids
from queues import callflow
from queues.calls import Call
from queues.changes import Done, Ringing, Silent, Talking, agent_changes, news
from queues.facts import Rated, ShutOut, Told
from queues.tickets import open_stub, stub_owed
from recordings.naming import path_of


class Steps:
    """Takes facts into the world."""

    def __init__(self, world: World, ids: Ids) -> None:
        self.world = world
        self.ids = ids

    def take(self, fact: Told, now: datetime) -> None:
        """A fact about a call, from either witness; calls in queues that are not the hotline's are not ours."""
        queue = getattr(fact, "queue", self.world.queue)
        if queue not in (self.world.queue, PROVE_QUEUE):
            return
        if isinstance(fact, Rated):
            for part in self.world.parts:
                part.rated(fact, now)
            return
        if isinstance(fact, ShutOut):
            for part in self.world.parts:
                part.shut_out(fact, now)
            return
        before = self.world.calls.get(fact.call_id)
        after = callflow.apply(before, fact)
        if after is not None:
            self.step(before, after, now)

    def channel_gone(self, channel_id: str, at: datetime, now: datetime) -> None:
        """A channel ended: the caller's, or an agent's leg."""
        call = self.world.calls.get(channel_id)
        if call is not None:
            self.step(call, callflow.hung_up(call, at), now)
            return
        call = self.world.calls.get(self.world.legs.get(channel_id, ""))
        if call is not None:
            self.step(call, callflow.leg_gone(call, channel_id, at), now)

    def step(self, before: Call | None, after: Call, now: datetime) -> None:
        """Keep *after*, and let everything follow that follows from the difference."""
        if after == before:
            return
        world = self.world
        world.put_call(after)
        if after.queue == world.queue and after.entered_at.astimezone(world.zone).date() == world.today.day:
            world.today.count(before, after, world.limit)
        self._agents(before, after)
        for item in news(before, after, world.limit):
            world.tell(item.at, item.kind, after.call_id, item.data)
        if stub_owed(after):
            if before is None or not stub_owed(before):
                self._ticket(after, now)
            elif not before.answer_exact and after.answer_exact:
                world.changes.sharper.append(after)
        if after.closed and not (before and before.closed):
            world.closed.append((now, after.call_id))
            self._recording_due(after)
        for part in world.parts:
            part.stepped(before, after, now)

    def _agents(self, before: Call | None, after: Call) -> None:
        for change in agent_changes(before, after):
            agent = self.world.agents.get(change.agent)
            if agent is None:
                continue
            match change:
                case Ringing():
                    agent = presence.rings(agent, change.call_id, change.at)
                case Silent():
                    agent = presence.stops_ringing(agent, change.call_id)
                case Talking():
                    agent = presence.talks(agent, change.call_id, change.at)
                case Done():
                    agent = presence.hangs_up(agent, change.call_id, change.at, self.world.wrap_up)
            self.world.put_agent(agent)

    def _ticket(self, call: Call, now: datetime) -> None:
        ticket = open_stub(call, self.ids.make("t", now), self.world.hotline, now)
        self.world.changes.tickets.append(ticket)
        self.world.put_stub(ticket.stub, now)
        data = {"ticket_id": ticket.ticket_id, "call_id": call.call_id}
        self.world.tell(ticket.answered_at, "ticket.opened", ticket.ticket_id, data, f"agent:{ticket.agent}")
        if call.call_id not in self.world.recordings:
            self.world.put_recording(self._recording(call.call_id, ticket.ticket_id))

    def _recording(self, call_id: str, ticket_id: str) -> Recording:
        try:
            return Recording(call_id, ticket_id, path_of(call_id))
        except ValueError as error:
            # A system name that our dialplan cannot make a folder from: the evidence is not where it should be.
            return Recording(call_id, ticket_id, "", "missing", reason=str(error))

    def _recording_due(self, call: Call) -> None:
        talk_ms = call.talk_ms()
        if talk_ms is not None and not call.answer_exact:
            talk_ms = max(talk_ms - 1000, 0)  # queue_log rounds the answer down: the talk may be this much shorter
        if talk_ms is not None:
            self.world.judge_recording(call.call_id, talk_ms)

"""One agent in two calls at once (ringinuse, a second queue): both are kept, each with its ticket; the lead is told."""

from __future__ import annotations

from datetime import datetime

from agents import presence
from cti.engine.part import Part
from cti.engine.world import World
from queues.calls import Call
from queues.facts import OfferEnd


class Doubled(Part):
    """The calls that each agent talks in, as far as offers tell; one is the rule."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.talks: dict[str, dict[str, datetime]] = {}

    def stepped(self, before: Call | None, after: Call, now: datetime) -> None:
        if before is not None and before.offers is after.offers and before.closed == after.closed:
            return
        for agent in self._note(after):
            self.world.tell(now, "alarm", agent, {"code": "two_calls", "agent": agent}, "lead")

    def started(self, now: datetime) -> None:
        for call in self.world.open_calls():
            self._note(call)

    def _note(self, call: Call) -> list[str]:
        """Take in who talks in *call*; those who now talk in a second one."""
        doubled = []
        since = {o.agent: o.ended_at or o.offered_at for o in call.offers if o.end is OfferEnd.ANSWERED}
        talking = {o.agent for o in call.offers if o.end is OfferEnd.ANSWERED and o.talk_ended_at is None}
        for agent, at in since.items():
            calls = self.talks.setdefault(agent, {})
            if agent in talking and not call.closed:
                if call.call_id not in calls:
                    calls[call.call_id] = at
                    doubled += [agent] if len(calls) > 1 else []
            elif calls.pop(call.call_id, None) is not None and calls:
                self._still(agent, calls)
        return doubled

    def _still(self, number: str, calls: dict[str, datetime]) -> None:
        """One of two is over: he talks on in the other."""
        agent = self.world.agents.get(number)
        if agent is not None and agent.talking not in calls:
            call_id, since = next(iter(calls.items()))
            self.world.put_agent(presence.talks(agent, call_id, since))

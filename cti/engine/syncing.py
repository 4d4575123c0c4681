"""After a gap: desired states re-applied, and whatever Asterisk no longer knows closed. Regularly: the audit."""

from __future__ import annotations

from datetime import datetime

from agents.presence import Observed, observe
from cti.ami import LinkState
from cti.engine.hearing import Hearing
from cti.engine.inputs import Align, CheckRecording, LinkChanged, Synced, Trace
from cti.engine.steps import Steps
from cti.engine.world import World
from queues.facts import Vanished


class Syncing:
    """Takes link states and snapshots into the world."""

    def __init__(self, world: World, steps: Steps, hearing: Hearing, pbx_id: str) -> None:
        self.world = world
        self.steps = steps
        self.hearing = hearing
        self.pbx_id = pbx_id

    def link(self, change: LinkChanged, now: datetime) -> None:
        """The link's own word. UP is not yet live: the snapshot that follows ends the gap."""
        state = change.state.value
        world = self.world
        if change.state is LinkState.UP:
            world.link = "syncing"
            return
        if world.stale_since is None:
            world.stale_since, world.stale_reason = now, (change.reason or state)[:200]
            world.changes.gaps.append(self._gap(None))
            for part in world.parts:
                part.gap(now, None, now)
        if world.link != state:
            world.link = state
            world.tell(now, "link.state", self.pbx_id, {"state": state, "reason": change.reason})

    def synced(self, sync: Synced, now: datetime) -> None:
        """A snapshot, taken after everything Asterisk's files told was applied."""
        if sync.snapshot.missing:
            self.world.tell(now, "alarm", self.pbx_id, {"code": "snapshot_incomplete"}, "lead")
            return
        self._members(sync, now)
        self._channels(sync, now)
        if sync.fresh:
            self._live_again(now)
        for recording in list(self.world.recordings.values()):
            if recording.state != "ok" and recording.expected_ms is not None:
                self.world.changes.effects.append(CheckRecording(recording.call_id, recording.expected_ms))

    def _live_again(self, now: datetime) -> None:
        world = self.world
        began = world.stale_since or now
        if world.stale_since is not None:
            world.changes.gaps.append(self._gap(now))
            world.stale_since = None
        world.link = "up"
        for part in world.parts:
            part.gap(began, now, now)
        world.tell(now, "link.state", self.pbx_id, {"state": "up", "reason": ""})

    def _members(self, sync: Synced, now: datetime) -> None:
        world = self.world
        seen = {m.member_name: m for m in sync.snapshot.members if m.queue == world.queue}
        for agent in list(world.agents.values()):
            item = seen.get(agent.number)
            observed = (
                Observed()
                if item is None
                else Observed(True, item.paused, item.paused_reason, sync.began, item.interface)
            )
            differs = observe(agent, observed).outside is not None or (agent.signed_in and item is None)
            moved = item is not None and agent.signed_in and item.interface != agent.interface
            self.hearing.member(agent.number, world.queue, observed, now)
            # A membership or pause lost in a crash of Asterisk comes back. In the regular audit a pause set past us
            # stays as it is, marked; a membership that is gone is restored, for the agent believes to be signed in.
            if moved or (differs and (sync.fresh or item is None or not agent.signed_in)):
                world.aligning.add(agent.number)
                world.changes.effects.append(Align(agent.number))

    def _channels(self, sync: Synced, now: datetime) -> None:
        alive = {item.uniqueid for item in sync.snapshot.channels}
        for call in self.world.open_calls():
            # Younger calls may have begun after Asterisk made its list.
            if call.call_id not in alive and call.entered_at < sync.began:
                self.steps.take(Vanished(call.call_id, sync.ended.get(call.call_id, now)), now)
                continue
            for offer in call.offers:
                if (
                    offer.leg
                    and offer.talk_ended_at is None
                    and offer.offered_at < sync.began
                    and offer.leg not in alive
                ):
                    self.steps.channel_gone(offer.leg, sync.ended.get(offer.leg, now), now)
        for part in self.world.parts:
            part.alive(alive, sync.began, now)
        for callback in list(self.world.callbacks.values()):
            running = callback.running
            if running and running.channel_id not in alive and running.attempt.started_at < sync.began:
                self.world.changes.effects.append(Trace(running.channel_id, gone=True))

    def _gap(self, ended: datetime | None) -> dict[str, object]:
        """The row of the gap that is open: nobody is judged on what happened in it."""
        world = self.world
        return {
            "pbx_id": self.pbx_id, "began_at": world.stale_since, "ended_at": ended, "reason": world.stale_reason
        }  # fmt: skip

"""Callbacks: an attempt is committed with its own ChannelId before it is dialled, and dialled once."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from agents import presence
from agents.presence import Presence
from cti.ami import events as ami
from cti.engine.inputs import Dial, Dialled, Trace, Traced
from cti.engine.world import Callback, Dialling, Recording, World
from cti.ids import Ids
from cti.settings import CallbackSettings
from queues.callbacks import Attempt, AttemptOutcome, earliest, may_place
from queues.calls import MS
from recordings.naming import path_of
from regulations import Ruling, refused

# DialStatus of the caller's leg -> outcome. CANCEL: the agent hung up while the caller's phone rang.
_STATUS = {
    "ANSWER": AttemptOutcome.REACHED,
    "NOANSWER": AttemptOutcome.NO_ANSWER,
    "CANCEL": AttemptOutcome.NO_ANSWER,
    "BUSY": AttemptOutcome.BUSY,
}


class Diallings:
    """The running attempts, by ChannelId."""

    def __init__(self, world: World, ids: Ids, settings: CallbackSettings) -> None:
        self.world = world
        self.ids = ids
        self.ring = timedelta(seconds=settings.ring_s)
        self.agent_ring = timedelta(seconds=settings.agent_ring_s)
        self.retry = timedelta(seconds=settings.retry_agent_s)
        self.in_flight = settings.in_flight

    def plan(self, callback: Callback, not_before: datetime, now: datetime) -> Callback:
        """The callback with its next due time: the first allowed at or after *not_before*."""
        at = earliest(callback.attempts, self.world.callback_limits, max(not_before, now), self._longest)
        callback = replace(callback, due_at=at)
        self.world.put_callback(callback)
        self.world.wake_at(at, f"callback:{callback.callback_id}")
        self.world.tell(now, "callback.planned", callback.callback_id, {"due_at": at.isoformat()})
        return callback

    @property
    def _longest(self) -> timedelta:
        """From the dial to the end of the caller's ring: the agent's phone rings first."""
        return self.ring + self.agent_ring

    def place(self, callback: Callback, now: datetime) -> Ruling:
        """Commit the next attempt and dial it after the commit, or say why not."""
        if callback.state != "due":
            return refused("callback_closed", "该回访已办结或正在进行", f"The callback is {callback.state}")
        ruling = may_place(callback.attempts, self.world.callback_limits, now, self._longest)
        if not ruling.allowed:
            return ruling
        agent = self.world.agents.get(callback.agent)
        if agent is None or agent.interface is None or presence.presence(agent, now)[0] is not Presence.READY:
            return refused("agent_not_ready", "话务员未就绪，稍后再拨", "The agent is not ready; it is tried again")
        if self.world.link != "up":
            return refused("link_down", "与交换机的连接中断", "The link to Asterisk is down")
        if sum(1 for c in self.world.callbacks.values() if c.running) >= self.in_flight:
            return refused("too_many_dials", "同时回访过多，稍后再拨", "Too many dials at the same time")
        channel_id = self.ids.channel(now)
        attempt = Attempt(len(callback.diallings) + 1, now, None, AttemptOutcome.PLACING)
        callback = callback.with_dialling(Dialling(channel_id, agent.number, attempt))
        self.world.put_callback(replace(callback, state="placing", due_at=None))
        self.world.put_agent(presence.rings(agent, channel_id, now))
        self._tell("callback.dialling", callback, attempt, agent.number, now)
        self.world.changes.effects.append(Dial(channel_id, agent.interface, callback.number, now + self.agent_ring))
        return ruling

    def _tell(self, kind: str, callback: Callback, attempt: Attempt, agent: str, at: datetime) -> None:
        self.world.tell(at, kind, callback.callback_id, {"ordinal": attempt.ordinal, "agent": agent})

    def due(self, callback_id: str, now: datetime) -> None:
        """A callback's time has come: place it, or look again later."""
        callback = self.world.callbacks.get(callback_id)
        if callback is None or callback.state != "due":
            return
        if self._elder_due(callback, now):
            self.plan(callback, now + self.retry, now)
            return
        ruling = self.place(callback, now)
        if not ruling.allowed and ruling.code != "attempts_used":
            self.plan(callback, ruling.allowed_at or now + self.retry, now)

    def _elder_due(self, callback: Callback, now: datetime) -> bool:
        """Whether the agent owes an older callback at this very moment: who asked first keeps his place."""
        return any(
            other.due_at <= now and other.requested_at < callback.requested_at
            for other in self.world.callbacks.values()
            if other.agent == callback.agent and other.state == "due" and other.due_at is not None
        )

    def sent(self, result: Dialled, now: datetime) -> None:
        """Asterisk took the Originate, refused it, or we do not know."""
        found = self._find(result.channel_id)
        if found is None or result.accepted:
            return
        if result.accepted is None:
            self.world.changes.effects.append(Trace(result.channel_id, gone=False))
            return
        self._end(*found, AttemptOutcome.FAILED, now, now)

    def traced(self, result: Traced, now: datetime) -> None:
        """What Asterisk's records told of an attempt whose outcome we did not see."""
        found = self._find(result.channel_id)
        if found is not None:
            callback, dialling = found
            dialling = replace(dialling, answered_at=result.answered_at)
            self._end(callback, dialling, AttemptOutcome(result.outcome), result.ended_at or now, now)

    def originated(self, event: ami.OriginateResponse, now: datetime) -> None:
        """The agent's own leg was answered, or not."""
        found = self._find(event.channel_id or event.uniqueid or "")  # a leg that was never made has no Uniqueid
        if found is None:
            return
        callback, dialling = found
        if not event.response:
            self._end(callback, dialling, AttemptOutcome.AGENT_AWAY, event.at, now)
            return
        agent = self.world.agents.get(dialling.agent)
        if agent is not None:
            self.world.put_agent(presence.talks(agent, dialling.channel_id, event.at))

    def dialled(self, event: ami.DialEnd, now: datetime) -> None:
        """The ringing of the caller's phone ended."""
        found = self._find(event.uniqueid or "")
        if found is None:
            return
        callback, dialling = found
        outcome = _STATUS.get(event.dial_status, AttemptOutcome.FAILED)
        if outcome is AttemptOutcome.REACHED:
            self.world.put_callback(callback.with_dialling(replace(dialling, answered_at=event.at)))
            self.world.put_recording(self._recording(callback, dialling))
            self._tell("callback.reached", callback, dialling.attempt, dialling.agent, event.at)
        else:
            self._end(callback, dialling, outcome, event.at, now)

    def hung_up(self, channel_id: str, at: datetime, now: datetime) -> bool:
        """The agent's leg of an attempt ended. Tells whether the channel was one of ours."""
        if not channel_id.startswith("cticb-"):
            return False
        self._agent_free(channel_id, at)
        found = self._find(channel_id)
        if found is not None:
            callback, dialling = found
            if dialling.answered_at is not None:
                self._end(callback, dialling, AttemptOutcome.REACHED, at, now)
            else:
                # We may have been away while the caller's phone rang: not having seen it proves nothing.
                self.world.changes.effects.append(Trace(channel_id, gone=True))
        return True

    def _end(
        self, callback: Callback, dialling: Dialling, outcome: AttemptOutcome, at: datetime, now: datetime
    ) -> None:
        attempt = replace(dialling.attempt, ended_at=max(at, dialling.attempt.started_at), outcome=outcome)
        callback = callback.with_dialling(replace(dialling, attempt=attempt))
        self._agent_free(dialling.channel_id, at)
        data = {"ordinal": attempt.ordinal, "outcome": outcome.value}
        self.world.tell(at, "callback.attempt", callback.callback_id, data)
        if outcome is AttemptOutcome.REACHED and dialling.answered_at is not None:
            if dialling.channel_id not in self.world.recordings:  # answered while we were away
                self.world.put_recording(self._recording(callback, dialling))
            talk_ms = max((at - dialling.answered_at) // MS, 0)
            self.world.judge_recording(dialling.channel_id, talk_ms)
        most = self.world.callback_limits.most
        if outcome is AttemptOutcome.REACHED:
            self._close(callback, "reached", now)
        elif most is not None and sum(a.counts for a in callback.attempts) >= most:
            self._close(callback, "exhausted", now)
        else:
            wait = self.retry if not attempt.counts else timedelta(0)
            self.plan(replace(callback, state="due"), now + wait, now)

    def _recording(self, callback: Callback, dialling: Dialling) -> Recording:
        return Recording(dialling.channel_id, callback.ticket_id, path_of(dialling.channel_id))

    def _close(self, callback: Callback, state: str, now: datetime) -> None:
        self.world.put_callback(replace(callback, state=state, due_at=None, closed_at=now))
        self.world.tell(now, "callback.closed", callback.callback_id, {"state": state})

    def _agent_free(self, channel_id: str, at: datetime) -> None:
        for agent in list(self.world.agents.values()):
            freed = presence.hangs_up(agent, channel_id, at, self.world.wrap_up)
            if freed != agent:
                self.world.put_agent(freed)

    def _find(self, channel_id: str) -> tuple[Callback, Dialling] | None:
        for callback in self.world.callbacks.values():
            running = callback.running
            if running is not None and running.channel_id == channel_id:
                return callback, running
        return None

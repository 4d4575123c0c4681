"""Callbacks: an attempt is committed with its own ChannelId before it is dialled, and dialled once."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from agents import presence
from agents.presence import Presence
from cti.ami import events as ami
from cti.commands.dialling import FolderSeen
from cti.engine.gating import NOT_STARTED
from cti.engine.inputs import Dial, Dialled, DropDial, Trace, Traced
from cti.engine.laying import laid
from cti.engine.records import Callback, Dialling, Recording
from cti.engine.world import World
from cti.ids import CALLBACK_LEG, Ids
from cti.settings import CallbackSettings
from queues.callbacks import Attempt, AttemptOutcome, Override, Terms, earliest, may_place, retry_at
from queues.calls import MS
from queues.endings import then
from recordings.naming import path_of
from regulations import Ruling, allowed, combined, refused

# DialStatus of the caller's leg -> outcome. CANCEL: the agent hung up while the caller's phone rang.
_STATUS = {
    "ANSWER": AttemptOutcome.REACHED,
    "NOANSWER": AttemptOutcome.NO_ANSWER,
    "CANCEL": AttemptOutcome.NO_ANSWER,
    "BUSY": AttemptOutcome.BUSY,
}
_NETWORK = frozenset({"CHANUNAVAIL", "CONGESTION"})
_TURNED_DOWN = frozenset({17, 21})  # Q.850: user busy, call rejected. A phone that says so has been reached
UNRECORDED = "cti-unrecorded"  # the context of cti_extensions.conf in which an attempt ends that cannot be recorded
_AT_HAND = frozenset({Presence.READY, Presence.BUSY, Presence.WRAP_UP})  # for a dial by his own key


class Diallings:
    """The running attempts, by ChannelId."""

    def __init__(self, world: World, ids: Ids, settings: CallbackSettings) -> None:
        self.world = world
        self.ids = ids
        self._longest = settings.longest_ring
        self.agent_ring = timedelta(seconds=settings.agent_ring_s)
        self.retry = timedelta(seconds=settings.retry_agent_s)
        self.in_flight = settings.in_flight
        self.handling = timedelta(seconds=settings.handling_s)
        self._network: set[str] = set()  # attempts that did not get through; their own leg's end tells why
        self._gave_way: set[str] = set()  # attempts whose caller rang in, until their own leg is gone

    def plan(self, callback: Callback, not_before: datetime, now: datetime) -> Callback:
        """The callback with its next due time: the first allowed at or after *not_before*."""
        terms = self._terms(callback, now)
        at = earliest(callback.attempts, self.world.callback_limits, max(not_before, now), self._longest, terms)
        # Nobody waits for it by the phone: it goes where people are found. A network failure asked nobody yet.
        if callback.by_key and terms.not_before is None:
            plan = laid(self.world, callback, terms, max(not_before, now), self._longest, self.handling)
            at = plan.at or at
        callback = replace(callback, due_at=at)
        self.world.put_callback(callback)
        self.world.wake_at(at, f"callback:{callback.callback_id}")
        self.world.tell(now, "callback.planned", callback.callback_id, {"due_at": at.isoformat()})
        return callback

    def _terms(self, callback: Callback, now: datetime) -> Terms:
        by = callback.override_by
        override = None if by is None else Override(by, callback.override_reason)
        terms = Terms(callback.appointment_at, override, self.world.stepped_at)
        return replace(terms, not_before=retry_at(callback.attempts, now, self._longest, terms))

    def place(self, callback: Callback, now: datetime, pressed_by: str | None = None) -> Ruling:
        """Commit the next attempt and dial it after the commit, or say why not, with everything that speaks against it.

        *pressed_by*: whose key asks for it; None when its time has come.
        """
        if callback.state != "due":
            return refused("callback_closed", "该回访已办结或正在进行", f"The callback is {callback.state}")
        may = may_place(callback.attempts, self.world.callback_limits, now, self._longest, self._terms(callback, now))
        said = [r for part in self.world.parts for r in part.dial_rules(callback, callback.agent, pressed_by, now)]
        ruling = combined([may, *said])
        if not ruling.allowed:
            return ruling
        agent = self.world.agents.get(callback.agent)
        at_hand = _AT_HAND if callback.by_key else {Presence.READY}
        if agent is None or agent.interface is None or presence.presence(agent, now)[0] not in at_hand:
            return refused("agent_not_ready", "话务员未就绪，稍后再拨", "The agent is not ready; it is tried again")
        if self.world.link != "up":
            return refused("link_down", "与交换机的连接中断", "The link to Asterisk is down")
        if sum(1 for c in self.world.callbacks.values() if c.running) >= self.in_flight:
            return refused("too_many_dials", "同时回访过多，稍后再拨", "Too many dials at the same time")
        channel_id = self.ids.channel(now)
        attempt = Attempt(len(callback.diallings) + 1, now, None, AttemptOutcome.PLACING)
        for part in self.world.parts:
            part.dial_placed(callback, channel_id, pressed_by, now)
        callback = callback.with_dialling(Dialling(channel_id, agent.number, attempt))
        # A lead's leave for the quiet hours is for one attempt; who gave it stands with that one.
        once = replace(callback, state="placing", due_at=None, override_by=None, override_reason="")
        self.world.put_callback(once)
        self.world.put_agent(presence.rings(agent, channel_id, now))
        self._tell("callback.dialling", callback, attempt, agent.number, now)
        not_after = now + self.agent_ring
        dial = Dial(channel_id, agent.interface, callback.number, not_after, agent.number)
        self.world.changes.effects.append(dial)
        return ruling

    def _tell(self, kind: str, callback: Callback, attempt: Attempt, agent: str, at: datetime) -> None:
        self.world.tell(at, kind, callback.callback_id, {"ordinal": attempt.ordinal, "agent": agent})

    def due(self, callback_id: str, now: datetime) -> None:
        """A callback's time has come: place it, or look again later."""
        callback = self.world.callbacks.get(callback_id)
        if callback is None or callback.state != "due" or callback.by_key:
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
        channel_id = event.channel_id or event.uniqueid or ""  # a leg that was never made has no Uniqueid
        if channel_id in self._gave_way and event.response:
            self.world.changes.effects.append(DropDial(channel_id))  # it was on its way when the caller rang in
        found = self._find(channel_id)
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
        elif event.dial_status in _NETWORK:
            self._network.add(dialling.channel_id)  # a phone that rejects looks the same until our own leg ends
        else:
            self._end(callback, dialling, outcome, event.at, now)

    def caller_came(self, channel_id: str, now: datetime) -> Ruling:
        """The caller rang in while attempt *channel_id* rings: it gives way, unless they talk already."""
        found = self._find(channel_id)
        if found is None or found[1].answered_at is not None:
            return refused("not_found", "没有正在振铃的回访", "No such attempt rings")
        self._gave_way.add(channel_id)
        self.world.changes.effects.append(DropDial(channel_id))
        self._end(*found, AttemptOutcome.CALLER_CAME, now, now)
        return allowed()

    def hung_up(self, event: ami.Hangup, now: datetime) -> bool:
        """The agent's leg of an attempt ended. Tells whether the channel was one of ours."""
        channel_id, at = event.uniqueid, event.at
        if not channel_id.startswith(CALLBACK_LEG):
            return False
        self._agent_free(channel_id, at)
        self._gave_way.discard(channel_id)
        found = self._find(channel_id)
        if found is not None:
            callback, dialling = found
            if dialling.answered_at is not None:
                self._end(callback, dialling, AttemptOutcome.REACHED, at, now)
            elif event.context == UNRECORDED:
                self.world.ask(FolderSeen(NOT_STARTED), now)
                self._end(callback, dialling, AttemptOutcome.FAILED, at, now)
            elif channel_id in self._network:
                turned_down = event.cause in _TURNED_DOWN
                self._end(callback, dialling, AttemptOutcome.BUSY if turned_down else AttemptOutcome.FAILED, at, now)
            else:
                # We may have been away while the caller's phone rang: not having seen it proves nothing.
                self.world.changes.effects.append(Trace(channel_id, gone=True))
        return True

    def _end(
        self, callback: Callback, dialling: Dialling, outcome: AttemptOutcome, at: datetime, now: datetime
    ) -> None:
        self._network.discard(dialling.channel_id)
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
        follows = then(callback.attempts, self.world.callback_limits)
        if follows.state != "due":
            self._close(callback, follows.state, now)
        else:
            wait = follows.wait if attempt.counts else max(follows.wait, self.retry)
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

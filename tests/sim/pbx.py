"""A PBX in memory: calls, dials and members with events, queue_log and snapshots, and every fault on request."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from agents.presence import Agent
from cti.ami import ChannelItem, Event, MemberItem, Snapshot
from cti.ami import events as ami
from cti.clock import VirtualClock
from cti.engine.inputs import Dial, Traced
from queues.facts import Answered, CallFact, Completed, Ending, Entered, Left, NotAnswered

QUEUE = "hotline"
SECOND = timedelta(seconds=1)


@dataclass
class SimCall:
    """One caller. ``state``: waiting, ringing, talking, over."""

    call_id: str
    entered_at: datetime
    state: str = "waiting"
    agent: str = ""
    leg: str = ""
    since: datetime | None = None


@dataclass
class SimDial:
    """One Originate that Asterisk took. ``state``: agent (rings), caller (rings), talking, over."""

    dial: Dial
    at: datetime
    agent: str
    state: str = "agent"
    rang_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    status: str = ""


@dataclass
class SimPbx:
    """Asterisk as the service sees it; what truly happened is kept for the test to compare with.

    Args:
        hear: takes the events while the link is up.
        mangle: whether events of one call are repeated and swapped.
    """

    clock: VirtualClock
    rng: random.Random
    hear: Callable[[Event], None]
    mangle: bool = True
    link_up: bool = False
    calls: dict[str, SimCall] = field(default_factory=dict)
    dials: dict[str, SimDial] = field(default_factory=dict)
    members: dict[str, tuple[str, bool]] = field(default_factory=dict)
    log: list[CallFact] = field(default_factory=list)
    ends: dict[str, datetime] = field(default_factory=dict)
    answered: list[str] = field(default_factory=list)
    held: dict[str, Event] = field(default_factory=dict)
    serial: int = 0

    def say(self, key: str, event: Event, mangle: bool = True) -> None:
        """Send an event, perhaps twice or behind the next of the same call; lost while the link is down."""
        if not self.link_up:
            return
        late = self.held.pop(key, None)
        if mangle and self.mangle and late is None and self.rng.random() < 0.15:
            self.held[key] = event
            return
        for one in (event, late):
            if one is not None:
                self.hear(one)
                if self.mangle and self.rng.random() < 0.15:
                    self.hear(one)

    def cut(self) -> None:
        """The link is gone, with whatever was on its way."""
        self.link_up = False
        self.held.clear()

    def flush(self) -> None:
        """What was late arrives."""
        for event in self.held.values():
            self.hear(event)
        self.held.clear()

    def _new_id(self) -> str:
        self.serial += 1
        return f"1795284828.{self.serial}"

    def _log(self, fact: CallFact) -> None:
        self.log.append(fact._replace(at=fact.at.replace(microsecond=0), exact=False))  # type: ignore[call-arg]

    def enter(self) -> None:
        """A citizen becomes a queue entry."""
        call = SimCall(self._new_id(), self.clock.now())
        self.calls[call.call_id] = call
        number = f"1380000{self.serial % 10000:04}"
        self.say(
            call.call_id,
            ami.QueueCallerJoin(call.entered_at, QUEUE, 1, 1, number, call.call_id, call.call_id, "Local/x"),
        )
        self._log(Entered(call.call_id, call.entered_at, QUEUE, number))

    def free(self) -> list[str]:
        """Members whose phone rings for nobody."""
        taken = {c.agent for c in self.calls.values() if c.state in ("ringing", "talking")}
        taken |= {d.agent for d in self.dials.values() if d.state != "over"}
        return [name for name, (_, paused) in sorted(self.members.items()) if not paused and name not in taken]

    def open_calls(self) -> list[SimCall]:
        """Callers who are still there."""
        return [call for call in self.calls.values() if call.state != "over"]

    def step(self, call: SimCall, ending: bool = False) -> None:
        """The next thing in the life of *call*; *ending*: it comes to its end."""
        free = self.free()
        if call.state == "waiting" and free and not ending and self.rng.random() < 0.9:
            self._ring(call, self.rng.choice(free))
        elif call.state == "waiting":
            self._abandon(call)
        elif call.state == "ringing":
            chance = self.rng.random()
            if chance < 0.7:
                self._connect(call)
            elif chance < 0.9:
                self._ring_no_answer(call)
            else:
                self._abandon(call)
        else:
            self._complete(call)

    def _ring(self, call: SimCall, agent: str) -> None:
        call.state, call.agent, call.leg, call.since = "ringing", agent, self._new_id(), self.clock.now()
        interface = self.members[agent][0]
        self.say(
            call.call_id,
            ami.AgentCalled(call.since, QUEUE, agent, interface, call.call_id, call.call_id, call.leg, "Local/s"),
        )

    def _ring_no_answer(self, call: SimCall) -> None:
        now = self.clock.now()
        assert call.since is not None
        rang = max((now - call.since) // timedelta(milliseconds=1), 1000)
        interface = self.members.get(call.agent, ("", False))[0]
        self.say(
            call.call_id,
            ami.AgentRingNoAnswer(now, QUEUE, call.agent, interface, rang, call.call_id, call.call_id, call.leg),
        )
        self._log(NotAnswered(call.call_id, now, call.agent, rang, queue=QUEUE))
        self._gone(call.leg, call.call_id)
        call.state, call.leg = "waiting", ""

    def _connect(self, call: SimCall) -> None:
        now = self.clock.now()
        hold = max(int((now - call.entered_at).total_seconds()), 0)
        interface = self.members.get(call.agent, ("", False))[0]
        self.say(
            call.call_id,
            ami.AgentConnect(
                now, QUEUE, call.agent, interface, hold, 1, "", call.call_id, call.call_id, call.leg, "Local/s"
            ),
        )
        self._log(Answered(call.call_id, now, QUEUE, call.agent, call.leg, hold))
        self.answered.append(call.call_id)
        call.state = "talking"

    def _complete(self, call: SimCall) -> None:
        now = self.clock.now()
        self.say(
            call.call_id,
            ami.AgentComplete(
                now, QUEUE, call.agent, "", 1, 1, "caller", call.call_id, call.call_id, call.leg, call.call_id
            ),
        )
        self._log(Completed(call.call_id, now, call.agent, Ending.COMPLETED))
        self._gone(call.leg, call.call_id)
        self._gone(call.call_id, call.call_id)
        call.state = "over"

    def _abandon(self, call: SimCall) -> None:
        now = self.clock.now()
        self.say(call.call_id, ami.QueueCallerAbandon(now, QUEUE, 1, 1, 1, call.call_id, call.call_id))
        self._log(Left(call.call_id, now, Ending.ABANDONED))
        if call.leg:
            self._gone(call.leg, call.call_id)
        self._gone(call.call_id, call.call_id)
        call.state = "over"

    def _gone(self, channel_id: str, key: str) -> None:
        self.ends[channel_id] = self.clock.now()
        self.say(key, ami.Hangup(self.clock.now(), channel_id, key, "Local/x", 16))

    def place(self, dial: Dial) -> None:
        """An Originate arrives."""
        assert dial.channel_id not in self.dials, "dialled twice"
        agent = next(name for name, (interface, _) in self.members.items() if interface == dial.interface)
        self.dials[dial.channel_id] = SimDial(dial, self.clock.now(), agent)

    def step_dial(self, dialled: SimDial) -> None:
        """The next thing in the life of an attempt. Its events keep their order: they are one channel's."""
        now, channel_id = self.clock.now(), dialled.dial.channel_id
        if dialled.state == "agent" and now > dialled.dial.not_after:
            self._end_dial(dialled)  # the dialplan's own last moment
        elif dialled.state == "agent":
            answered = self.rng.random() < 0.8
            self._say_dial(
                channel_id, ami.OriginateResponse(now, channel_id, answered, 4 if answered else 3, channel_id)
            )
            if not answered:
                self._end_dial(dialled)
                return
            dialled.state, dialled.rang_at = "caller", now
            self._say_dial(channel_id, ami.DialBegin(now, channel_id, channel_id, "1.1", channel_id, "PJSIP/t"))
        elif dialled.state == "caller":
            dialled.status = self.rng.choice(("ANSWER", "NOANSWER", "BUSY", "NOANSWER"))
            self._say_dial(
                channel_id, ami.DialEnd(now, channel_id, channel_id, "1.1", channel_id, "PJSIP/t", dialled.status)
            )
            if dialled.status == "ANSWER":
                dialled.state, dialled.answered_at = "talking", now
            else:
                self._end_dial(dialled)
        else:
            self._end_dial(dialled)

    def _say_dial(self, channel_id: str, event: Event) -> None:
        self.say(channel_id, event, mangle=False)

    def _end_dial(self, dialled: SimDial) -> None:
        dialled.state, dialled.ended_at = "over", self.clock.now()
        channel_id = dialled.dial.channel_id
        self._say_dial(channel_id, ami.Hangup(self.clock.now(), channel_id, channel_id, "Local/x", 16))

    def trace(self, channel_id: str, gone: bool) -> Traced | None:
        """What CDR and CEL tell."""
        dialled = self.dials.get(channel_id)
        if dialled is None:
            return Traced(channel_id, "failed", None, None) if gone else None
        if dialled.state != "over":
            return None
        if dialled.answered_at is not None:
            return Traced(channel_id, "reached", dialled.answered_at, dialled.ended_at)
        rang = dialled.rang_at is not None
        outcome = "busy" if dialled.status == "BUSY" else "no_answer" if rang else "agent_away"
        return Traced(channel_id, outcome, None, dialled.ended_at)

    def align(self, agent: Agent) -> None:
        """Make the member what is wished, as the service's actions do."""
        now, reason = self.clock.now(), agent.busy_reason or ""
        if agent.interface is None:
            interface, paused = self.members.pop(agent.number, (None, False))
            if interface is not None:
                self.say(
                    agent.number,
                    ami.QueueMemberRemoved(now, QUEUE, agent.number, interface, 1, paused, "", False, None, now, 0),
                    mangle=False,
                )
            return
        self.members[agent.number] = (agent.interface, agent.wants_pause)
        self.say(
            agent.number,
            ami.QueueMemberAdded(
                now, QUEUE, agent.number, agent.interface, 1, agent.wants_pause, reason, False, None, now, 0
            ),
            mangle=False,
        )

    def snapshot(self) -> Snapshot:
        """How things stand."""
        members = tuple(
            MemberItem(QUEUE, name, interface, 1, paused, "", False, None, None, 0)
            for name, (interface, paused) in self.members.items()
        )
        alive = [leg for c in self.open_calls() for leg in (c.call_id, c.leg) if leg]
        alive += [channel_id for channel_id, d in self.dials.items() if d.state != "over"]
        channels = tuple(ChannelItem(leg, leg, "Local/x", "", "cti-hotline", "Queue", "", 1) for leg in alive)
        return Snapshot((), members, (), channels, "today", "22", 0)

    def restart(self) -> None:
        """Asterisk crashes: channels and members are gone, and nothing more is written of them."""
        now = self.clock.now()
        for call in self.open_calls():
            call.state = "over"
        for channel_id, dialled in self.dials.items():
            if dialled.state != "over":
                self.dials[channel_id] = replace(dialled, state="over", ended_at=now)
        self.members.clear()
        self.cut()

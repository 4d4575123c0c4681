"""AMI events into facts. What an event means for a call is decided in queues/; here only names are translated."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from agents.presence import Observed, observe
from cti.ami import Event
from cti.ami import events as ami
from cti.commands.conduct import SeatUnproved
from cti.engine.dialling import Diallings
from cti.engine.part import ActKind, CallMove
from cti.engine.steps import Steps
from cti.engine.world import World
from queues import callflow
from queues.calls import Call
from queues.facts import Answered, Completed, Ending, Entered, Left, NotAnswered, Offered

# A pause that nobody asked for here is marked only when it lasts: the events of two quick commands of our own
# (busy, ready) are still on their way when the second has already been asked for.
OUTSIDE_AFTER = timedelta(seconds=2)

FRONT = "emergency"  # the extension of cti_extensions.conf that puts a caller to the front
BLOCKED = "cti-blocked"  # the context of cti_door.conf in which a blocked caller is turned away
UNIT_LEG = "ctieu-"  # begins the id of a leg on which a unit is rung; see Ids.channel


HEARD = (
    ami.QueueCallerJoin, ami.AgentCalled, ami.AgentRingNoAnswer, ami.AgentConnect, ami.QueueCallerAbandon,
    ami.AgentComplete, ami.AgentDump, ami.Hangup, ami.BlindTransfer, ami.AttendedTransfer, ami.OriginateResponse,
    ami.DialBegin, ami.DialEnd, ami.LocalOptimizationBegin, ami.QueueMemberAdded, ami.QueueMemberRemoved,
    ami.QueueMemberPause, ami.QueueMemberStatus,
)  # fmt: skip
"""Events that mean something here. Bridges, penalties and monitors tell nothing that is kept."""


class Hearing:
    """Takes AMI events into the world."""

    def __init__(self, world: World, steps: Steps, diallings: Diallings) -> None:
        self.world = world
        self.steps = steps
        self.diallings = diallings

    def take(self, event: Event, now: datetime) -> None:
        """One event, in the order of arrival."""
        match event:
            case ami.QueueCallerJoin():
                number = "".join(c for c in event.caller_id_num if c.isascii() and (c.isdigit() or c == "+"))[:20]
                front = event.exten == FRONT
                self.steps.take(
                    Entered(event.uniqueid, event.at, event.queue, number, event.linkedid, front=front), now
                )
            case ami.AgentCalled():
                self.steps.take(
                    Offered(event.uniqueid, event.at, event.member_name, event.dest_uniqueid, queue=event.queue), now
                )
            case ami.AgentRingNoAnswer():
                self.steps.take(
                    NotAnswered(event.uniqueid, event.at, event.member_name, event.ring_time, queue=event.queue), now
                )
            case ami.AgentConnect():
                self.steps.take(
                    Answered(
                        event.uniqueid, event.at, event.queue, event.member_name, event.dest_uniqueid, event.hold_time
                    ),
                    now,
                )
            case ami.QueueCallerAbandon():
                # Also fired on timeout, empty and withdrawn exits; queue_log tells the true reason a moment later.
                self.steps.take(Left(event.uniqueid, event.at, Ending.LEFT), now)
            case ami.AgentComplete() | ami.AgentDump():
                self._completed(event, now)
            case ami.Hangup():
                if event.context == BLOCKED:
                    for part in self.world.parts:
                        part.turned_away(event.caller_id_num, now)
                if event.uniqueid in self.world.watched:
                    self._watched_gone(event, now)
                if event.uniqueid.startswith(UNIT_LEG):
                    self._unit_leg(event.uniqueid, event, now)
                elif not self.diallings.hung_up(event, now):
                    self.steps.channel_gone(event.uniqueid, event.at, now)
            case ami.BlindTransfer() | ami.AttendedTransfer():
                self._transferred(event, now)
            case ami.OriginateResponse():
                self.diallings.originated(event, now)
                if (event.channel_id or "").startswith(UNIT_LEG):
                    self._unit_leg(event.channel_id or "", event, now)
                elif not event.response and event.channel_id is not None:
                    self.world.ask(SeatUnproved(event.channel_id), now)
            case ami.DialEnd():
                if (event.uniqueid or "").startswith(UNIT_LEG):
                    self._unit_leg(event.uniqueid or "", event, now)
                else:
                    self.diallings.dialled(event, now)
                    self._dialled_on(event, now)
            case ami.DialBegin():
                self._dialled_on(event, now)
            case ami.LocalOptimizationBegin():
                self._replaced(event, now)
            case ami.MemberState():
                self.member(event.member_name, event.queue, _seen(event), now)
            case _:
                raise TypeError(f"{type(event).__name__} is not in HEARD")

    def member(self, number: str, queue: str, seen: Observed, now: datetime) -> None:
        """What Asterisk shows of a queue member, from an event or a snapshot."""
        agent = self.world.agents.get(number)
        if agent is None or queue != self.world.queue:
            return
        if replace(seen, at=agent.observed.at) == agent.observed:
            return
        shown = observe(agent, seen)
        if shown.outside is not None and shown.outside != agent.outside:
            self.world.wake_at(now + OUTSIDE_AFTER, f"outside:{number}")
            shown = replace(shown, outside=agent.outside)
        if shown != agent:
            self.world.put_agent(shown)
            if agent.outside is not None and shown.outside is None:
                self.world.acted(ActKind.INSIDE, number, now, seat=agent.seat, reason=agent.outside)

    def still_outside(self, number: str, now: datetime) -> None:
        """Look again at a member who differed from what was asked for: if he still does, say so (绕过控制台)."""
        agent = self.world.agents.get(number)
        if agent is None or number in self.world.aligning:
            return
        shown = observe(agent, agent.observed)
        if shown.outside is not None and shown.outside != agent.outside:
            self.world.put_agent(shown)
            data = {"code": "outside_console", "agent": number, "what": shown.outside.partition(":")[0]}
            self.world.tell(now, "alarm", number, data, "lead")
            self.world.acted(ActKind.OUTSIDE, number, now, seat=agent.seat, reason=shown.outside)

    def _unit_leg(
        self, channel_id: str, event: ami.OriginateResponse | ami.DialEnd | ami.Hangup, now: datetime
    ) -> None:
        for part in self.world.parts:
            part.unit_leg(channel_id, event, now)

    def _completed(self, event: ami.AgentComplete | ami.AgentDump, now: datetime) -> None:
        # Both legs may die together, and then the event lacks one side's ids.
        call_id = event.uniqueid or self.world.legs.get(event.dest_uniqueid or "")
        if call_id is None:
            return
        moved = isinstance(event, ami.AgentComplete) and event.reason == "transfer"
        ending = Ending.TRANSFERRED if moved else Ending.COMPLETED
        self.steps.take(Completed(call_id, event.at, event.member_name, ending), now)

    def _dialled_on(self, event: ami.DialBegin | ami.DialEnd, now: datetime) -> None:
        """A dial that is no offer of the queue, for a caller who has been answered: a transfer, whoever began it."""
        if event.dest_uniqueid in self.world.legs:
            return
        call = self.world.calls.get(self.world.linked.get(event.linkedid or event.dest_linkedid, ""))
        if call is not None and call.answered_at is not None and not call.closed:
            self._moved(call, event, now)

    def _moved(self, call: Call, move: CallMove, now: datetime) -> None:
        for part in self.world.parts:
            part.call_moved(call, move, now)

    def _watched_gone(self, event: ami.Hangup, now: datetime) -> None:
        self.world.watched.discard(event.uniqueid)
        for part in self.world.parts:
            part.leg_gone(event.uniqueid, event.at, now)

    def _replaced(self, event: ami.LocalOptimizationBegin, now: datetime) -> None:
        """F19: a Local channel is optimised away; the agent's leg is from now on the one that stands in its place."""
        if event.source_uniqueid is None:
            return
        for gone in (event.one_uniqueid, event.two_uniqueid):
            call = self.world.calls.get(self.world.legs.get(gone, ""))
            if call is not None:
                self.steps.step(call, callflow.leg_replaced(call, gone, event.source_uniqueid), now)

    def _transferred(self, event: ami.BlindTransfer | ami.AttendedTransfer, now: datetime) -> None:
        if isinstance(event, ami.BlindTransfer):
            ids, mark = (event.transferee_linkedid, event.transferer_linkedid), "blind"
        else:
            ids = (event.orig_transferer_linkedid, event.second_transferer_linkedid)
            mark = f"attended:{event.second_transferer_linkedid}"
        for call in list(self.world.calls.values()):
            if call.linkedid not in ids:
                continue
            if event.result == "Success" and mark not in call.transfers:
                self.steps.step(call, replace(call, transfers=(*call.transfers, mark)), now)
            if not call.closed:
                self._moved(call, event, now)


def _seen(event: ami.MemberState) -> Observed:
    gone = isinstance(event, ami.QueueMemberRemoved)
    return Observed(not gone, event.paused and not gone, event.paused_reason, event.at, event.interface)

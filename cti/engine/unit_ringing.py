"""Ringing a unit: the agent's phone first, then the numbers in turn on that leg; the dialplan goes on without us."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from datetime import datetime, timedelta

from agents import presence
from agents.presence import Presence
from cti.ami.events import DialBegin, DialEnd, Hangup, OriginateResponse
from cti.commands import Outcome
from cti.commands.emergency import UnitNotRung
from cti.commands.transfers import BeginTransfer
from cti.engine.directory import Directory
from cti.engine.inputs import DialUnit
from cti.engine.part import CallMove
from cti.engine.records import Recording
from cti.engine.world import World
from cti.ids import Ids
from cti.settings import Settings
from queues import emergency as core
from queues.calls import MS
from queues.directory import Target
from queues.emergency import Dialling, Emergency
from recordings.naming import path_of
from regulations import Article, Ruling, allowed, refused

USE = "ctieu"  # begins the ChannelId of the agent's leg; cti/engine/hearing.py knows it by that
# An Originate that was sent just before the snapshot began may not have made its leg by then.
YOUNG = timedelta(seconds=5)
BEGINS_S = 7.0  # a consultation that has not rung by then was not begun: the last may have ended a moment before
HELD_S = 45.0  # more than twice CTI_TRANSFER_SECONDS of cti_transfer.conf
_STATUS = {
    "ANSWER": core.DialEnd.ANSWERED, "NOANSWER": core.DialEnd.NO_ANSWER, "BUSY": core.DialEnd.BUSY,
    "CANCEL": core.DialEnd.CANCELLED,
}  # fmt: skip


class UnitRinging:
    """The dials under way. *keep* is given every emergency that changed."""

    def __init__(
        self, world: World, ids: Ids, settings: Settings, directory: Directory, keep: Callable[[Emergency], None]
    ) -> None:
        self.world, self.ids, self.directory, self._keep = world, ids, directory, keep
        self.agent_ring = timedelta(seconds=settings.callback.agent_ring_s)
        self._running: dict[str, Emergency] = {}  # by the id of the agent's leg

    def remember(self, emergency: Emergency) -> None:
        """Take an emergency as it stands now."""
        for dial in emergency.diallings:
            if dial.running:
                self._running[dial.channel_id] = emergency
            else:
                self._running.pop(dial.channel_id, None)

    def forget(self, emergency: Emergency) -> None:
        """It has left memory."""
        for dial in emergency.diallings:
            self._running.pop(dial.channel_id, None)

    def ring(self, emergency: Emergency, by: str, articles: tuple[Article, ...], now: datetime) -> Ruling:
        """Commit every number that may be tried, and ring after the commit; or say why not."""
        targets = self.directory.route(emergency.kind or core.KIND, emergency.area, now)
        ruling = core.may_dial(emergency, targets, articles)
        if not ruling.allowed:
            return ruling
        agent = self.world.agents.get(by)
        if agent is None or agent.interface is None:
            return refused("not_signed_in", "请先签入", "Sign in first", *articles)
        if emergency.call_id is not None and agent.talking == emergency.call_id:
            return self._consult(emergency, by, targets, now)
        if presence.presence(agent, now)[0] in (Presence.RINGING, Presence.TALKING):
            return refused("agent_in_call", "通话或振铃中，请先转接或挂机", "In a call: transfer it, or hang up first")
        if self.world.link != "up":
            return refused("link_down", "与交换机的连接中断", "The link to Asterisk is down")
        dial = core.dialling(self.ids.channel(now, USE), by, targets, now)
        self._keep(core.with_dialling(emergency, dial))
        self.world.put_agent(presence.rings(agent, dial.channel_id, now))
        numbers = tuple(attempt.target.digits for attempt in dial.attempts)
        effect = DialUnit(dial.channel_id, agent.interface, numbers, now + self.agent_ring)
        self.world.changes.effects.append(effect)
        return ruling

    def _consult(self, emergency: Emergency, by: str, targets: Sequence[Target], now: datetime) -> Ruling:
        """In the call: the caller is held, and the agent speaks with the unit before he hands him over or goes on."""
        target = core.next_target(emergency, targets)
        outcome = self.world.ask(BeginTransfer(by, "consult", "unit", target.unit, target.digits), now)
        if outcome.ruling.allowed:
            dial = core.consulting(outcome.data["transfer_id"], by, target, now)
            self._keep(core.with_dialling(emergency, dial))
            self.world.time_at(self.world.mono + BEGINS_S, f"held:{dial.channel_id}")
        return outcome.ruling

    def call_moved(self, emergency: Emergency, move: CallMove) -> None:
        """A consultation began to ring, or its ringing ended; what is said in it is the ledger of transfers'."""
        dial = emergency.running
        if dial is None or not dial.held:
            return
        if isinstance(move, DialBegin):
            self._keep(core.with_dialling(emergency, core.picked_up(dial, move.at)))
            self.world.time_at(self.world.mono + HELD_S, f"held:{dial.channel_id}")
        elif isinstance(move, DialEnd):
            end = _STATUS.get(move.dial_status, core.DialEnd.FAILED)
            self._keep(core.with_dialling(emergency, core.over(core.rang(dial, end, move.at), move.at)))

    def gap(self, now: datetime) -> None:
        """Nothing was heard for a while: how a consultation's ringing ended is not known."""
        for channel_id in list(self._running):
            self.unheard(channel_id, now)

    def unheard(self, channel_id: str, now: datetime) -> None:
        """It did not begin, or nothing was heard for longer than a number rings: it may be begun anew."""
        found = self._find(channel_id)
        if found is not None and found[1].held:
            self._keep(core.with_dialling(found[0], core.over(found[1], now, core.DialEnd.UNKNOWN)))

    def not_rung(self, command: UnitNotRung, now: datetime) -> Outcome:
        """Asterisk refused the Originate."""
        found = self._find(command.channel_id)
        if found is not None:
            self._put(*found, core.over(found[1], now, core.DialEnd.AGENT_AWAY), now)
        return Outcome(allowed())

    def heard(self, channel_id: str, event: OriginateResponse | DialEnd | Hangup, now: datetime) -> None:
        """The agent picked up or did not; a number's ringing ended; the agent's leg is gone."""
        found = self._find(channel_id)
        if found is None:
            return
        emergency, dial = found
        match event:
            case OriginateResponse(response=True):
                after = core.picked_up(dial, event.at)
                agent = self.world.agents.get(dial.agent)
                if agent is not None:
                    self.world.put_agent(presence.talks(agent, channel_id, event.at))
            case OriginateResponse():
                after = core.over(dial, event.at, core.DialEnd.AGENT_AWAY)
            case DialEnd():
                after = core.rang(dial, _STATUS.get(event.dial_status, core.DialEnd.FAILED), event.at)
            case Hangup():
                after = core.over(dial, event.at)
        self._put(emergency, dial, after, now)

    def alive(self, channels: Container[str], began: datetime, now: datetime) -> None:
        """A dial whose leg is gone ended while nothing was heard: its outcome is not known."""
        for channel_id, emergency in list(self._running.items()):
            dial = emergency.running
            if dial is not None and not dial.held and channel_id not in channels and dial.asked_at < began - YOUNG:
                self._put(emergency, dial, core.over(dial, now, core.DialEnd.UNKNOWN), now)

    def _put(self, emergency: Emergency, before: Dialling, after: Dialling, now: datetime) -> None:
        self._keep(core.with_dialling(emergency, after))
        if after.answered_at is not None and before.answered_at is None:
            self.world.put_recording(Recording(after.channel_id, emergency.ticket_id, path_of(after.channel_id)))
        if after.running or not before.running or after.ended_at is None:
            return
        agent = self.world.agents.get(after.agent)
        if agent is not None:
            self.world.put_agent(presence.hangs_up(agent, after.channel_id, after.ended_at, self.world.wrap_up))
        if after.answered_at is not None:
            talk_ms = max((after.ended_at - after.answered_at) // MS, 0)
            self.world.judge_recording(after.channel_id, talk_ms)
        if core.failed(before, after):
            data = {"code": "unit_not_reached", "emergency_id": emergency.emergency_id, "agent": after.agent}
            self.world.tell(now, "alarm", emergency.emergency_id, data, "lead")

    def _find(self, channel_id: str) -> tuple[Emergency, Dialling] | None:
        emergency = self._running.get(channel_id)
        dial = None if emergency is None else next(d for d in emergency.diallings if d.channel_id == channel_id)
        return None if emergency is None or dial is None else (emergency, dial)

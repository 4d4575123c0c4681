"""Effects, after the commit of what decided them: AMI actions, recording checks, look-ups in Asterisk's records."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import structlog

from agents.presence import Agent
from cti.ami import (
    Action,
    ActionTimeout,
    Atxfer,
    BlindTransfer,
    CancelAtxfer,
    CoreShowChannels,
    Hangup,
    LinkDown,
    Originate,
    QueueAdd,
    QueueChangePriorityCaller,
    QueuePause,
    QueueRemove,
    QueueStatus,
    Reply,
    SetVariable,
)
from cti.commands.conduct import SeatUnproved
from cti.commands.dialling import FolderSeen
from cti.commands.emergency import NotLifted, UnitNotRung
from cti.commands.switches import SwitchNotSet
from cti.commands.transfers import TransferRefused
from cti.commands.voice import VoiceFailed
from cti.engine.inputs import (
    Align,
    Aligned,
    Asked,
    Checked,
    CheckRecording,
    Dial,
    Dialled,
    DialUnit,
    DropDial,
    Effect,
    EndTalk,
    Input,
    Lift,
    LookAtFolder,
    Move,
    RingSeat,
    SetGlobal,
    Speak,
    Trace,
    Traced,
)
from cti.errors import CtiError
from cti.recordings.checker import RecordingChecker
from cti.recordings.folder import trouble_of
from cti.settings import Settings

log = structlog.get_logger()

FRONT_PRIORITY = 10  # QUEUE_PRIO of the extension emergency in cti_extensions.conf


TRANSFERS = "cti-transfer"  # the context of cti_transfer.conf


class Sender(Protocol):
    """The part of the AMI link that is needed here."""

    async def send(self, action: Action) -> Reply:
        """Send once; raises LinkDown, ActionTimeout or ActionError."""


class Tracer(Protocol):
    """Looks one attempt up in Asterisk's CDR and CEL."""

    async def trace(self, channel_id: str, gone: bool) -> Traced | None:
        """None while its channel may still live and nothing final is known."""


class Hands:
    """Carries effects out, each in a task of its own; results come back as inputs.

    Args:
        agent: the agent as he stands now, so that only the newest desired state is applied.
        put: takes the results.
    """

    def __init__(
        self,
        settings: Settings,
        link: Sender,
        checker: RecordingChecker,
        tracer: Tracer,
        agent: Callable[[str], Agent | None],
        put: Callable[[Input], None],
    ) -> None:
        self._settings, self._link, self._checker, self._tracer = settings, link, checker, tracer
        self._agent, self._put = agent, put
        self._tasks: set[asyncio.Task[None]] = set()
        self._aligning = asyncio.Lock()
        self._switching = asyncio.Lock()
        self._checking: set[str] = set()
        self._interfaces: dict[str, str] = {}
        self._unsent: set[str] = set()  # attempts that are not yet sent, and have not given way

    def act(self, effect: Effect) -> None:
        """Start an effect; returns at once."""
        match effect:
            case Align(number):
                self._start(self._align(number), f"align-{number}")
            case CheckRecording(call_id, expected_ms):
                if call_id not in self._checking:
                    self._checking.add(call_id)
                    self._start(self._check(call_id, expected_ms), f"recording-{call_id}")
            case Dial():
                self._unsent.add(effect.channel_id)
                self._start(self._dial(effect), f"dial-{effect.channel_id}")
            case DropDial(channel_id):
                self._start(self._drop(channel_id), f"drop-{channel_id}")
            case LookAtFolder():
                self._start(self._show_folder(), "folder")
            case Trace(channel_id, gone):
                self._start(self._trace(channel_id, gone), f"trace-{channel_id}")
            case DialUnit():
                self._start(self._dial_unit(effect), f"unit-{effect.channel_id}")
            case Lift(call_id):
                self._start(self._lift(call_id), f"lift-{call_id}")
            case RingSeat():
                self._start(self._ring_seat(effect), f"seat-{effect.check_id}")
            case Move():
                self._start(self._move(effect), f"transfer-{effect.transfer_id}")
            case Speak():
                self._start(self._speak(effect), f"speak-{effect.channel_id}")
            case EndTalk():
                self._start(self._end_talk(effect), f"end-{effect.call_id}")
            case SetGlobal():
                self._start(self._set_global(effect), "switch")

    async def close(self) -> None:
        """Stop what is under way; every effect is one that the next start takes up again."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("effect_failed", effect=task.get_name().partition("-")[0], reason=type(error).__name__)

    async def _align(self, number: str) -> None:
        # One at a time, in the order of the commits: busy and ready in quick succession, and one seat's sign-out
        # before the next agent's sign-in there.
        async with self._aligning:
            agent = self._agent(number)
            trouble = None
            try:
                for action in self._actions(agent) if agent else ():
                    reply = await self._link.send(action)
                    if not reply.success and not _as_wished(reply.message):
                        trouble = "refused"
                    if reply.success and isinstance(action, QueueAdd):
                        break  # added as he should be; a pause after it would only write a second line
            except (LinkDown, ActionTimeout):
                trouble = None  # the resync after the link is back applies the desired state anew
            except CtiError as error:
                trouble = error.code
            self._put(Aligned(number, trouble))

    def _actions(self, agent: Agent) -> list[Action]:
        queue = self._settings.hotline.queue
        # What we added last may not have been seen yet; what is seen may be from before our start.
        shown = agent.observed.interface if agent.observed.member else None
        before = {i for i in (self._interfaces.get(agent.number), shown) if i and i != agent.interface}
        actions: list[Action] = [QueueRemove(queue, interface) for interface in sorted(before)]
        if agent.interface is None or agent.seat is None:
            self._interfaces.pop(agent.number, None)
            return actions
        self._interfaces[agent.number] = agent.interface
        state = self._settings.hotline.seat_state_interface.format(seat=agent.seat)
        reason = agent.busy_reason or ""
        actions.append(QueueAdd(queue, agent.interface, agent.number, state, 0, agent.wants_pause, reason))
        actions.append(QueuePause(agent.interface, agent.wants_pause, queue, reason))
        return actions

    async def _check(self, call_id: str, expected_ms: int) -> None:
        try:
            found = await self._checker.check(call_id, expected_ms)
            self._put(
                Checked(call_id, found.state, found.length_ms, found.size, found.sha256, found.reason, found.retryable)
            )
        finally:
            self._checking.discard(call_id)

    async def _look_at_folder(self) -> bool:
        root, free_mb = self._settings.asterisk.recordings, self._settings.callback.recording_free_mb
        trouble = await asyncio.to_thread(trouble_of, root, free_mb)
        self._put(Asked(FolderSeen(trouble), None))
        return not trouble

    async def _show_folder(self) -> None:
        await self._look_at_folder()

    async def _drop(self, channel_id: str) -> None:
        self._unsent.discard(channel_id)
        try:
            await self._link.send(Hangup(channel_id))
        except (LinkDown, ActionTimeout):
            return  # the look at what is alive, after the gap, ends it

    async def _dial(self, dial: Dial) -> None:
        recordable = await self._look_at_folder()
        if not (recordable and dial.channel_id in self._unsent):
            self._unsent.discard(dial.channel_id)
            self._put(Dialled(dial.channel_id, False))
            return
        action = Originate(
            dial.interface,
            "cti-callback",
            dial.caller,
            dial.channel_id,
            timeout_ms=int(self._settings.callback.agent_ring_s * 1000),
            variables={"CTI_NOT_AFTER": str(int(dial.not_after.timestamp())), "CTI_AGENT": dial.agent},
        )
        self._unsent.discard(dial.channel_id)
        accepted: bool | None
        try:
            accepted = (await self._link.send(action)).success
        except (LinkDown, ActionTimeout):
            accepted = None  # perhaps it was read before the link was lost: Asterisk's records will tell
        self._put(Dialled(dial.channel_id, accepted))

    async def _ring_seat(self, ring: RingSeat) -> None:
        action = Originate(
            ring.interface,
            "cti-seat-check",
            "s",
            ring.check_id,
            timeout_ms=int(self._settings.callback.agent_ring_s * 1000),
            variables={"CTI_CHECK": ring.check_id, "CTI_AGENT": ring.agent, "CTI_SEAT": ring.seat},
        )
        try:
            accepted = (await self._link.send(action)).success
        except (LinkDown, ActionTimeout):
            accepted = False  # should it ring all the same, the right PIN still signs in
        if not accepted:
            self._put(Asked(SeatUnproved(ring.check_id), None))

    async def _move(self, move: Move) -> None:
        action: Action
        match move.step:
            case "blind":
                action = BlindTransfer(move.leg, TRANSFERS, move.exten)
            case "begin":
                action = Atxfer(move.leg, TRANSFERS, move.exten)
            case "complete":
                action = Hangup(move.leg)  # whom he consults is then joined with the caller
            case _:
                action = CancelAtxfer(move.leg)
        try:
            accepted = (await self._link.send(action)).success
        except (LinkDown, ActionTimeout):
            return  # perhaps it was read; that nothing follows is noticed
        if not accepted:
            self._put(Asked(TransferRefused(move.transfer_id), None))

    async def _set_global(self, wanted: SetGlobal) -> None:
        # One at a time, in the order of the commits: the newest value is the one that stays.
        async with self._switching:
            try:
                taken = (await self._link.send(SetVariable(wanted.name, wanted.value))).success
            except LinkDown:
                return  # the end of the gap sets it again
            except ActionTimeout:
                taken = False
            if not taken:
                self._put(Asked(SwitchNotSet(wanted.name), None))

    async def _speak(self, speak: Speak) -> None:
        action = Originate(
            "Local/s@cti-into/n", "cti-say", "words", speak.channel_id,
            variables={"CTI_TO": speak.call_id, "CTI_SOUNDS": f"cti/{speak.prompt}"},
        )  # fmt: skip
        if not await self._taken(action):
            self._put(Asked(VoiceFailed(speak.agent, speak.prompt), None))

    async def _end_talk(self, end: EndTalk) -> None:
        # The leg only ends once Asterisk knows what the caller is to hear: else he would be dropped.
        name, joined = await self._leg(end.leg)
        caller = end.call_id or joined
        told = bool(name and caller) and await self._taken(SetVariable("CTI_AFTER", end.after, caller))
        part = Originate("Local/s@cti-part/n", "cti-part", "s", end.channel_id, variables={"CTI_LEG": name})
        if not (told and await self._taken(part)):
            self._put(Asked(VoiceFailed(end.agent, end.after), None))

    async def _leg(self, channel_id: str) -> tuple[str, str]:
        """The name of a leg, and the id of the one that it is joined with; empty for what is not there."""
        try:
            items = (await self._link.send(CoreShowChannels())).items
        except (LinkDown, ActionTimeout):
            return "", ""
        leg = next((item for item in items if item.get("Uniqueid") == channel_id), {})
        bridge = leg.get("BridgeId")
        joined = (item["Uniqueid"] for item in items if bridge and item.get("BridgeId") == bridge and item is not leg)
        return leg.get("Channel", ""), next(joined, "")

    async def _taken(self, action: Action) -> bool:
        try:
            return (await self._link.send(action)).success
        except (LinkDown, ActionTimeout):
            return False

    async def _dial_unit(self, dial: DialUnit) -> None:
        numbers = {f"CTI_UNIT{place}": number for place, number in enumerate(dial.numbers, start=1)}
        action = Originate(
            dial.interface, "cti-unit", "s", dial.channel_id,
            timeout_ms=int(self._settings.callback.agent_ring_s * 1000),
            variables={"CTI_NOT_AFTER": str(int(dial.not_after.timestamp())), **numbers},
        )  # fmt: skip
        try:
            accepted = (await self._link.send(action)).success
        except (LinkDown, ActionTimeout):
            return  # perhaps it was read before the link was lost: what is alive then will tell
        if not accepted:
            self._put(Asked(UnitNotRung(dial.channel_id), None))

    async def _lift(self, call_id: str) -> None:
        queue = self._settings.hotline.queue
        lifted = False
        try:
            for entry in (await self._link.send(QueueStatus(queue))).items:
                if entry.get("Event") == "QueueEntry" and entry.get("Uniqueid") == call_id:
                    action = QueueChangePriorityCaller(queue, entry["Channel"], FRONT_PRIORITY)
                    lifted = (await self._link.send(action)).success
        except (LinkDown, ActionTimeout):
            lifted = False
        if not lifted:
            self._put(Asked(NotLifted(call_id), None))

    async def _trace(self, channel_id: str, gone: bool) -> None:
        found = await self._tracer.trace(channel_id, gone)
        if found is not None:
            self._put(found)


def _as_wished(message: str) -> bool:
    """Asterisk refuses what is so already; to us that is success. There is no code to tell it by, only this text."""
    return "already there" in message.lower() or "not there" in message.lower()

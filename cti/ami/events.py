"""Facts: one immutable type for each event of Asterisk that the service acts on.

Only what is read further on is taken out of a frame. Times are aware UTC, from Asterisk's microsecond ``Timestamp``
(``timestampevents = yes`` in manager.conf). Texts a caller chose are hostile; yet they can
be stored and shown (``wire.readable``). Tuples compare by content, so tell two kinds apart by ``isinstance`` or
``match``, never by ``==``.

Source: ``manager show event NAME`` of Asterisk 22, and streams recorded from it.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, get_args


class FullyBooted(NamedTuple):
    """Asterisk has booted; sent at every login from then on. It carries no time of its own."""

    uptime: int
    """Whole seconds since Asterisk's start."""


class Shutdown(NamedTuple):
    """Asterisk ends by itself; a crash sends nothing."""

    at: datetime
    restart: bool


class QueueCallerJoin(NamedTuple):
    """A caller entered a queue. ``position`` and ``count`` start at 1."""

    at: datetime
    queue: str
    position: int
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody calls on a fact
    caller_id_num: str
    """"" when withheld."""
    uniqueid: str
    linkedid: str
    channel: str
    exten: str = ""
    """Of the dialplan: ``emergency`` for one who goes to the front."""


class QueueCallerLeave(NamedTuple):
    """A caller left a queue, for whatever reason. ``count`` is what remains."""

    at: datetime
    queue: str
    position: int
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody calls on a fact
    uniqueid: str
    linkedid: str


class QueueCallerAbandon(NamedTuple):
    """A caller left unanswered: hung up, timed out, or was withdrawn; the event does not say which."""

    at: datetime
    queue: str
    position: int
    original_position: int
    hold_time: int
    """Whole seconds, rounded down."""
    uniqueid: str
    linkedid: str


class AgentCalled(NamedTuple):
    """A queue entry is offered to a queue member, whose phone is about to ring."""

    at: datetime
    queue: str
    member_name: str
    interface: str
    uniqueid: str
    linkedid: str
    dest_uniqueid: str
    dest_channel: str


class AgentConnect(NamedTuple):
    """A queue member answered. Whole seconds rounded down: measure from ``at`` instead."""

    at: datetime
    queue: str
    member_name: str
    interface: str
    hold_time: int
    ring_time: int
    caller_id_num: str
    uniqueid: str
    linkedid: str
    dest_uniqueid: str
    dest_channel: str


class AgentComplete(NamedTuple):
    """An answered call ended for the queue. When both legs die together one leg's headers are missing."""

    at: datetime
    queue: str
    member_name: str
    interface: str
    hold_time: int
    talk_time: int
    """Whole seconds; negative when the wall clock was stepped back."""
    reason: str
    """``caller``, ``agent`` or ``transfer``; a hint only: a restart says ``agent`` too."""
    uniqueid: str | None
    linkedid: str | None
    dest_uniqueid: str | None
    dest_linkedid: str | None


class AgentRingNoAnswer(NamedTuple):
    """An offer ended unanswered. ``ring_time`` is milliseconds here, by Asterisk's wall clock."""

    at: datetime
    queue: str
    member_name: str
    interface: str
    ring_time: int
    uniqueid: str
    linkedid: str
    dest_uniqueid: str | None


class AgentDump(NamedTuple):
    """A queue member hung up while the announcement to him was still playing."""

    at: datetime
    queue: str
    member_name: str
    interface: str
    uniqueid: str
    linkedid: str
    dest_uniqueid: str | None


class MemberState(NamedTuple):
    """What every member event tells: the member as it is after the change."""

    at: datetime
    queue: str
    member_name: str
    interface: str
    status: int
    """Asterisk's device state: 1 not in use, 2 in use, 5 unavailable, 6 ringing ..."""
    paused: bool
    paused_reason: str
    in_call: bool
    last_call: datetime | None
    login_time: datetime | None
    """When the member was added; Asterisk's restart moves it."""
    wrapuptime: int
    """Seconds; 0 means the queue's."""


class QueueMemberAdded(MemberState):
    """Somebody became a member of a queue."""

    __slots__ = ()


class QueueMemberRemoved(MemberState):
    """Somebody left a queue's members."""

    __slots__ = ()


class QueueMemberPause(MemberState):
    """A pause was set, renewed or lifted, by whomever."""

    __slots__ = ()


class QueueMemberPenalty(MemberState):
    """A member's penalty changed."""

    __slots__ = ()


class QueueMemberRinginuse(MemberState):
    """A member's ringinuse changed."""

    __slots__ = ()


class QueueMemberStatus(MemberState):
    """A member's device changed state."""

    __slots__ = ()


class DialBegin(NamedTuple):
    """A leg starts to ring. The calling leg is ``None`` for the leg that Originate itself made."""

    at: datetime
    uniqueid: str | None
    linkedid: str | None
    dest_uniqueid: str
    dest_linkedid: str
    dest_channel: str
    channel: str | None = None
    """The calling leg's name."""


class DialEnd(NamedTuple):
    """Ringing of a leg ended: ``ANSWER``, ``NOANSWER``, ``CANCEL``, ``BUSY``, ``CHANUNAVAIL`` ..."""

    at: datetime
    uniqueid: str | None
    linkedid: str | None
    dest_uniqueid: str
    dest_linkedid: str
    dest_channel: str
    dial_status: str
    channel: str | None = None


class BridgeEnter(NamedTuple):
    """A leg joined a bridge; with two in it they can talk."""

    at: datetime
    bridge_uniqueid: str
    bridge_num_channels: int
    uniqueid: str
    linkedid: str
    channel: str


class BridgeLeave(NamedTuple):
    """A leg left a bridge."""

    at: datetime
    bridge_uniqueid: str
    bridge_num_channels: int
    uniqueid: str
    linkedid: str
    channel: str


class Hangup(NamedTuple):
    """A leg is gone. ``cause`` is the Q.850 number, 0 when unknown."""

    at: datetime
    uniqueid: str
    linkedid: str
    channel: str
    cause: int
    context: str = ""
    caller_id_num: str = ""


class BlindTransfer(NamedTuple):
    """A party sent the other one on without asking first. ``result`` is ``Success`` or why not."""

    at: datetime
    result: str
    transferer_uniqueid: str
    transferer_linkedid: str
    transferee_uniqueid: str | None
    transferee_linkedid: str | None
    context: str
    extension: str


class AttendedTransfer(NamedTuple):
    """A party joined the two he was talking to. ``result`` is ``Success`` or why not."""

    at: datetime
    result: str
    orig_transferer_uniqueid: str
    orig_transferer_linkedid: str
    second_transferer_uniqueid: str
    second_transferer_linkedid: str
    transferee_uniqueid: str | None
    transferee_linkedid: str | None
    target_uniqueid: str | None = None
    """The leg of whom the other party is now joined with; None when a bridge or an application takes its place."""
    target_channel: str | None = None


class LocalOptimizationBegin(NamedTuple):
    """A pair of Local channels takes itself out of the way: ``source`` stands where they stood."""

    at: datetime
    one_uniqueid: str
    two_uniqueid: str
    source_uniqueid: str | None


class OriginateResponse(NamedTuple):
    """How an Originate ended. ``reason``: 0 failed, 1 and 8 no answer or congested, 3 no answer, 4 answered, 5 busy."""

    at: datetime
    channel_id: str | None
    """Of the ``Originate`` it answers, when that was ours; there also when no leg was made."""
    response: bool
    reason: int
    uniqueid: str | None


class MixMonitorStart(NamedTuple):
    """Recording of a leg began."""

    at: datetime
    uniqueid: str
    linkedid: str
    channel: str


class MixMonitorStop(NamedTuple):
    """Recording was stopped on purpose; at a hang-up Asterisk does not say so."""

    at: datetime
    uniqueid: str
    linkedid: str
    channel: str


Event = (
    FullyBooted
    | Shutdown
    | QueueCallerJoin
    | QueueCallerLeave
    | QueueCallerAbandon
    | AgentCalled
    | AgentConnect
    | AgentComplete
    | AgentRingNoAnswer
    | AgentDump
    | QueueMemberAdded
    | QueueMemberRemoved
    | QueueMemberPause
    | QueueMemberPenalty
    | QueueMemberRinginuse
    | QueueMemberStatus
    | DialBegin
    | DialEnd
    | BridgeEnter
    | BridgeLeave
    | Hangup
    | BlindTransfer
    | AttendedTransfer
    | LocalOptimizationBegin
    | OriginateResponse
    | MixMonitorStart
    | MixMonitorStop
)

WANTED: frozenset[str] = frozenset(kind.__name__ for kind in get_args(Event))
"""Names of the events that have a type here; the ``eventfilter`` lines of asterisk-conf/manager.d name the same."""

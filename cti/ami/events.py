"""Frames to facts: one immutable type for each event the service acts on.

Only what is read further on is taken out of a frame. Times are aware UTC, from Asterisk's microsecond ``Timestamp``
(``timestampevents = yes`` in manager.conf). Texts a caller chose are as he sent them: hostile, see ``wire.decode``.
Tuples compare by content, so tell two kinds apart by ``isinstance`` or ``match``, never by ``==``.

Source: ``manager show event NAME`` of Asterisk 22, and streams recorded from it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from cti.ami.wire import EOL, decode, event_name


class EventError(Exception):
    """A wanted event that cannot be read. The text names event and header, never a value: those are callers' data."""


class ForgedError(EventError):
    """A frame that Asterisk does not write in this shape: a caller's text that holds line ends made it."""


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


class DialEnd(NamedTuple):
    """Ringing of a leg ended: ``ANSWER``, ``NOANSWER``, ``CANCEL``, ``BUSY``, ``CHANUNAVAIL`` ..."""

    at: datetime
    uniqueid: str | None
    linkedid: str | None
    dest_uniqueid: str
    dest_linkedid: str
    dest_channel: str
    dial_status: str


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
    | OriginateResponse
    | MixMonitorStart
    | MixMonitorStop
)


def _instant(raw: bytes) -> datetime:
    return datetime.fromtimestamp(float(raw), UTC)


def _moment(raw: bytes) -> datetime | None:
    """A whole epoch second; Asterisk writes 0 for never."""
    return None if raw == b"0" else datetime.fromtimestamp(int(raw), UTC)


def _number(raw: bytes) -> str:
    """Asterisk writes ``<unknown>`` for a caller who shows no number."""
    return "" if raw == b"<unknown>" else decode(raw)


def _perhaps(raw: bytes | None) -> str | None:
    """Not there, or ``<unknown>`` in an OriginateResponse without a channel (``<null>`` in older ones)."""
    return None if raw is None or raw in (b"<unknown>", b"<null>") else decode(raw)


def _own_part(raw: bytes | None) -> str | None:
    """What ``Action.own_id`` put at the end of the ActionID."""
    return None if raw is None else decode(raw).rpartition("/")[2]


_Read = Callable[[Any], Any]
_Shape = dict[str, _Read]

_flag = {b"0": False, b"1": True}.__getitem__
_truth = {b"False": False, b"True": True}.__getitem__
_success = {b"Failure": False, b"Success": True}.__getitem__

_MEMBER: _Shape = {
    "Timestamp": _instant, "Queue": decode, "MemberName": decode, "Interface": decode, "Status": int, "Paused": _flag,
    "PausedReason": decode, "InCall": _flag, "LastCall": _moment, "LoginTime": _moment, "Wrapuptime": int,
}  # fmt: skip
_OFFER: _Shape = {
    "Timestamp": _instant, "Queue": decode, "MemberName": decode, "Interface": decode,
}  # fmt: skip
_LEG: _Shape = {"Uniqueid": decode, "Linkedid": decode}
_LEG_CHANNEL: _Shape = {**_LEG, "Channel": decode}
_DIAL: _Shape = {
    "Timestamp": _instant, "Uniqueid": _perhaps, "Linkedid": _perhaps, "DestUniqueid": decode, "DestLinkedid": decode,
    "DestChannel": decode,
}  # fmt: skip
_BRIDGE: _Shape = {"Timestamp": _instant, "BridgeUniqueid": decode, "BridgeNumChannels": int, **_LEG_CHANNEL}
_MONITOR: _Shape = {"Timestamp": _instant, **_LEG_CHANNEL}

_SHAPES: dict[Any, _Shape] = {
    # The order of the headers is the order of the type's fields.
    FullyBooted: {"Uptime": int},
    Shutdown: {"Timestamp": _instant, "Restart": _truth},
    QueueCallerJoin: {
        "Timestamp": _instant, "Queue": decode, "Position": int, "Count": int, "CallerIDNum": _number, **_LEG_CHANNEL,
    },
    QueueCallerLeave: {"Timestamp": _instant, "Queue": decode, "Position": int, "Count": int, **_LEG},
    QueueCallerAbandon: {
        "Timestamp": _instant, "Queue": decode, "Position": int, "OriginalPosition": int, "HoldTime": int, **_LEG,
    },
    AgentCalled: {**_OFFER, **_LEG, "DestUniqueid": decode, "DestChannel": decode},
    AgentConnect: {
        **_OFFER, "HoldTime": int, "RingTime": int, "CallerIDNum": _number, **_LEG,
        "DestUniqueid": decode, "DestChannel": decode,
    },
    AgentComplete: {
        **_OFFER, "HoldTime": int, "TalkTime": int, "Reason": decode, "Uniqueid": _perhaps, "Linkedid": _perhaps,
        "DestUniqueid": _perhaps, "DestLinkedid": _perhaps,
    },
    AgentRingNoAnswer: {**_OFFER, "RingTime": int, **_LEG, "DestUniqueid": _perhaps},
    AgentDump: {**_OFFER, **_LEG, "DestUniqueid": _perhaps},
    QueueMemberAdded: _MEMBER,
    QueueMemberRemoved: _MEMBER,
    QueueMemberPause: _MEMBER,
    QueueMemberPenalty: _MEMBER,
    QueueMemberRinginuse: _MEMBER,
    QueueMemberStatus: _MEMBER,
    DialBegin: _DIAL,
    DialEnd: {**_DIAL, "DialStatus": decode},
    BridgeEnter: _BRIDGE,
    BridgeLeave: _BRIDGE,
    Hangup: {"Timestamp": _instant, **_LEG_CHANNEL, "Cause": int},
    BlindTransfer: {
        "Timestamp": _instant, "Result": decode, "TransfererUniqueid": decode, "TransfererLinkedid": decode,
        "TransfereeUniqueid": _perhaps, "TransfereeLinkedid": _perhaps, "Context": decode, "Extension": decode,
    },
    AttendedTransfer: {
        "Timestamp": _instant, "Result": decode, "OrigTransfererUniqueid": decode, "OrigTransfererLinkedid": decode,
        "SecondTransfererUniqueid": decode, "SecondTransfererLinkedid": decode, "TransfereeUniqueid": _perhaps,
        "TransfereeLinkedid": _perhaps,
    },
    OriginateResponse: {
        "Timestamp": _instant, "ActionID": _own_part, "Response": _success, "Reason": int, "Uniqueid": _perhaps,
    },
    MixMonitorStart: _MONITOR,
    MixMonitorStop: _MONITOR,
}  # fmt: skip

WANTED: frozenset[str] = frozenset(kind.__name__ for kind in _SHAPES)
"""Names of the events that have a type here; the ``eventfilter`` lines of asterisk-conf/manager.d name the same."""

_READERS: dict[bytes, tuple[_Read, tuple[tuple[bytes, _Read], ...]]] = {
    kind.__name__.encode(): (kind._make, tuple((name.encode(), read) for name, read in shape.items()))
    for kind, shape in _SHAPES.items()
}
_FIRST_LINES = re.compile(rb"Event: (\w+)\r\nPrivilege: [\w,]+\r\n(Timestamp: \d{1,12}\.\d{6}\r\n)?")
# The only header that Asterisk repeats in one event, also as DestChanVariable or ChanVariable(a channel)
# (channelvars in manager.conf); nobody here reads it.
_REPEATED = b"ChanVariable"


def parse_event(frame: bytes) -> Event | None:
    """The fact in a whole *frame*, ``None`` when it is no event of ``WANTED``.

    Raises:
        ForgedError: the frame does not start with Event, Privilege, Timestamp in this order (FullyBooted may lack the
            last), has a line that is no header, or a header twice: Asterisk writes no such event.
        EventError: a header is missing or its value is unreadable.
    """
    reader = _READERS.get(event_name(frame))
    if reader is None:
        return None
    first = _FIRST_LINES.match(frame)
    if first is None or (first[2] is None and first[1] != b"FullyBooted"):
        raise ForgedError(f"{decode(event_name(frame))} does not start as Asterisk starts an event")
    headers = _headers(frame)
    make, shape = reader
    get = headers.get
    try:
        return make([read(get(name)) for name, read in shape])  # type: ignore[no-any-return]
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
        raise EventError(_fault(headers, frame, shape)) from None


def _headers(frame: bytes) -> Mapping[bytes, bytes]:
    lines = frame.split(EOL)
    try:
        headers = dict([line.split(b": ", 1) for line in lines])
    except ValueError:
        raise ForgedError(f"{decode(event_name(frame))} has a line that is no header") from None
    if len(headers) != len(lines):
        names = [line.partition(b": ")[0] for line in lines]
        once = [name for name in names if _REPEATED not in name]
        if len(once) != len(set(once)):
            raise ForgedError(f"{decode(event_name(frame))} has a header twice")
    return headers


def _fault(headers: Mapping[bytes, bytes], frame: bytes, shape: tuple[tuple[bytes, _Read], ...]) -> str:
    event = decode(event_name(frame))
    for name, read in shape:
        try:
            read(headers.get(name))
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
            trouble = "cannot be read" if name in headers else "is missing"
            return f"{event}: header {name.decode()} {trouble}"
    return f"{event} cannot be read"

"""Frames to facts. A frame that Asterisk would not write so never becomes one: a caller's text may hold line ends."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from cti.ami.events import (
    AgentCalled,
    AgentComplete,
    AgentConnect,
    AgentDump,
    AgentRingNoAnswer,
    AttendedTransfer,
    BlindTransfer,
    BridgeEnter,
    BridgeLeave,
    DialBegin,
    DialEnd,
    Event,
    FullyBooted,
    Hangup,
    LocalOptimizationBegin,
    MixMonitorStart,
    MixMonitorStop,
    OriginateResponse,
    QueueCallerAbandon,
    QueueCallerJoin,
    QueueCallerLeave,
    QueueMemberAdded,
    QueueMemberPause,
    QueueMemberPenalty,
    QueueMemberRemoved,
    QueueMemberRinginuse,
    QueueMemberStatus,
    Shutdown,
)
from cti.ami.wire import EOL, decode, event_name, readable


class EventError(Exception):
    """A wanted event that cannot be read. The text names event and header, never a value: those are callers' data."""


class ForgedError(EventError):
    """A frame that Asterisk does not write in this shape: a caller's text that holds line ends made it."""


def _instant(raw: bytes) -> datetime:
    return datetime.fromtimestamp(float(raw), UTC)


def _moment(raw: bytes) -> datetime | None:
    """A whole epoch second; Asterisk writes 0 for never."""
    return None if raw == b"0" else datetime.fromtimestamp(int(raw), UTC)


def _number(raw: bytes) -> str:
    """Asterisk writes ``<unknown>`` for a caller who shows no number."""
    return "" if raw == b"<unknown>" else readable(raw)


def _perhaps(raw: bytes | None) -> str | None:
    """Not there, or ``<unknown>`` in an OriginateResponse without a channel (``<null>`` in older ones)."""
    return None if raw is None or raw in (b"<unknown>", b"<null>") else readable(raw)


def _given(raw: bytes | None) -> str:
    """Empty where it is not told."""
    return _perhaps(raw) or ""


def _own_part(raw: bytes | None) -> str | None:
    """What ``Action.own_id`` put at the end of the ActionID."""
    return None if raw is None else readable(raw).rpartition("/")[2]


_text = readable
_Read = Callable[[Any], Any]
_Shape = dict[str, _Read]

_flag = {b"0": False, b"1": True}.__getitem__
_truth = {b"False": False, b"True": True}.__getitem__
_success = {b"Failure": False, b"Success": True}.__getitem__

_MEMBER: _Shape = {
    "Timestamp": _instant, "Queue": _text, "MemberName": _text, "Interface": _text, "Status": int, "Paused": _flag,
    "PausedReason": _text, "InCall": _flag, "LastCall": _moment, "LoginTime": _moment, "Wrapuptime": int,
}  # fmt: skip
_OFFER: _Shape = {
    "Timestamp": _instant, "Queue": _text, "MemberName": _text, "Interface": _text,
}  # fmt: skip
_LEG: _Shape = {"Uniqueid": _text, "Linkedid": _text}
_LEG_CHANNEL: _Shape = {**_LEG, "Channel": _text}
_DIAL: _Shape = {
    "Timestamp": _instant, "Uniqueid": _perhaps, "Linkedid": _perhaps, "DestUniqueid": _text, "DestLinkedid": _text,
    "DestChannel": _text,
}  # fmt: skip
_BRIDGE: _Shape = {"Timestamp": _instant, "BridgeUniqueid": _text, "BridgeNumChannels": int, **_LEG_CHANNEL}
_MONITOR: _Shape = {"Timestamp": _instant, **_LEG_CHANNEL}

_SHAPES: dict[Any, _Shape] = {
    # The order of the headers is the order of the type's fields.
    FullyBooted: {"Uptime": int},
    Shutdown: {"Timestamp": _instant, "Restart": _truth},
    QueueCallerJoin: {
        "Timestamp": _instant, "Queue": _text, "Position": int, "Count": int, "CallerIDNum": _number, **_LEG_CHANNEL,
        "Exten": _text,
    },
    QueueCallerLeave: {"Timestamp": _instant, "Queue": _text, "Position": int, "Count": int, **_LEG},
    QueueCallerAbandon: {
        "Timestamp": _instant, "Queue": _text, "Position": int, "OriginalPosition": int, "HoldTime": int, **_LEG,
    },
    AgentCalled: {**_OFFER, **_LEG, "DestUniqueid": _text, "DestChannel": _text},
    AgentConnect: {
        **_OFFER, "HoldTime": int, "RingTime": int, "CallerIDNum": _number, **_LEG,
        "DestUniqueid": _text, "DestChannel": _text,
    },
    AgentComplete: {
        **_OFFER, "HoldTime": int, "TalkTime": int, "Reason": _text, "Uniqueid": _perhaps, "Linkedid": _perhaps,
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
    DialBegin: {**_DIAL, "Channel": _perhaps},
    DialEnd: {**_DIAL, "DialStatus": _text, "Channel": _perhaps},
    BridgeEnter: _BRIDGE,
    BridgeLeave: _BRIDGE,
    Hangup: {"Timestamp": _instant, **_LEG_CHANNEL, "Cause": int, "Context": _given, "CallerIDNum": _given},
    BlindTransfer: {
        "Timestamp": _instant, "Result": _text, "TransfererUniqueid": _text, "TransfererLinkedid": _text,
        "TransfereeUniqueid": _perhaps, "TransfereeLinkedid": _perhaps, "Context": _text, "Extension": _text,
    },
    AttendedTransfer: {
        "Timestamp": _instant, "Result": _text, "OrigTransfererUniqueid": _text, "OrigTransfererLinkedid": _text,
        "SecondTransfererUniqueid": _text, "SecondTransfererLinkedid": _text, "TransfereeUniqueid": _perhaps,
        "TransfereeLinkedid": _perhaps, "TransferTargetUniqueid": _perhaps, "TransferTargetChannel": _perhaps,
    },
    LocalOptimizationBegin: {
        "Timestamp": _instant, "LocalOneUniqueid": _text, "LocalTwoUniqueid": _text, "SourceUniqueid": _perhaps,
    },
    OriginateResponse: {
        "Timestamp": _instant, "ActionID": _own_part, "Response": _success, "Reason": int, "Uniqueid": _perhaps,
    },
    MixMonitorStart: _MONITOR,
    MixMonitorStop: _MONITOR,
}  # fmt: skip


class _Reader:
    """How one kind of event is read, and the header orders of it that were seen and found good."""

    __slots__ = ("learned", "make", "shape")

    def __init__(self, kind: Any, shape: _Shape) -> None:
        self.make: _Read = kind._make
        self.shape = [(name.encode(), read) for name, read in shape.items()]
        self.learned: list[tuple[re.Pattern[bytes], tuple[int, ...], tuple[_Read, ...]]] = []


_READERS = {kind.__name__.encode(): _Reader(kind, shape) for kind, shape in _SHAPES.items()}
_FIRST_LINES = re.compile(rb"Event: (\w+)\r\nPrivilege: [\w,]+\r\n(Timestamp: \d{1,12}\.\d{6}\r\n)?")
_PLAIN = re.compile(rb"[\w-]+")
# The only header that Asterisk repeats in one event, also as DestChanVariable or ChanVariable(a channel)
# (channelvars in manager.conf); nobody here reads it.
_REPEATED = b"ChanVariable"
_UNREADABLE = (AttributeError, KeyError, OverflowError, TypeError, ValueError)
MAX_LEARNED = 4


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
    for pattern, groups, reads in reader.learned:
        match = pattern.fullmatch(frame)
        if match:
            try:
                values = [read(raw) for read, raw in zip(reads, match.group(*groups), strict=True)]
            except _UNREADABLE:
                break
            return reader.make(values)  # type: ignore[no-any-return]
    return _parse_new(frame, reader)


def _parse_new(frame: bytes, reader: _Reader) -> Event:
    """Read a frame whose order of headers is not known yet, with every check, and learn the order."""
    first = _FIRST_LINES.match(frame)
    if first is None or (first[2] is None and first[1] != b"FullyBooted"):
        raise ForgedError(f"{decode(event_name(frame))} does not start as Asterisk starts an event")
    headers = _headers(frame)
    try:
        event = reader.make([read(headers.get(name)) for name, read in reader.shape])
    except _UNREADABLE:
        raise EventError(_fault(headers, frame, reader)) from None
    _learn(list(headers), frame, reader)
    return event  # type: ignore[no-any-return]


def _learn(names: list[bytes], frame: bytes, reader: _Reader) -> None:
    """Asterisk writes a kind's headers in one order, or in few; matching it whole is half the cost of looking each up.

    The pattern takes nothing that the checks would not: the same names, each once, in the same order.
    """
    if len(reader.learned) >= MAX_LEARNED or frame.count(EOL) + 1 != len(names):
        return
    if names[:3] != [b"Event", b"Privilege", b"Timestamp"] or not all(map(_PLAIN.fullmatch, names)):
        return
    read = dict(reader.shape)
    if b"Timestamp" not in read:  # FullyBooted: one a session, not worth it
        return
    lines = [b"Event: " + event_name(frame), rb"Privilege: [\w,]++", rb"Timestamp: (\d{1,12}\.\d{6})"]
    lines += [re.escape(name) + (b": ([^\r]*+)" if name in read else b": [^\r]*+") for name in names[3:]]
    taken = [name for name in names[2:] if name in read]
    # One group more that takes no part stands for the headers that are not there.
    pattern = re.compile(EOL.join(lines) + b"(\r)?+")
    groups = tuple(taken.index(name) + 1 if name in taken else len(taken) + 1 for name, _ in reader.shape)
    reader.learned.append((pattern, groups, tuple(reading for _, reading in reader.shape)))


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


def _fault(headers: Mapping[bytes, bytes], frame: bytes, reader: _Reader) -> str:
    event = decode(event_name(frame))
    for name, read in reader.shape:
        try:
            read(headers.get(name))
        except _UNREADABLE:
            trouble = "cannot be read" if name in headers else "is missing"
            return f"{event}: header {name.decode()} {trouble}"
    return f"{event} cannot be read"

"""What the service may ask of Asterisk, and the one encoder that writes it.

A value with a line end in it would be a second header or a second action (CR LF and a lone LF both end a header, NUL
cuts the value: measured on Asterisk 22), so every control byte is refused before any byte is sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from cti.errors import BadInput

MAX_HEADERS = 128
"""Asterisk's ``AST_MAX_MANHEADERS``; one more is answered with "Too many lines" (measured on 22.10)."""
MAX_LINE = 1024
"""Bytes of one header line with its CR LF; Asterisk refuses one byte more (measured on 22.10)."""

_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DIGITS = re.compile(r"[0-9]{0,20}")
_DIALLED = re.compile(r"[0-9A-Za-z*#+]{1,40}")
_OWN_ID = re.compile(r"[0-9A-Za-z._-]{1,100}")

Fields = list[tuple[str, str]]


class ActionError(BadInput):
    """An action that must not be sent. ``field`` names what is wrong in it; the value is not repeated."""


@dataclass(frozen=True, slots=True)
class Action:
    """Base of all actions."""

    name: ClassVar[str]
    lists: ClassVar[bool] = False
    """Answered by a list of items that ends with a ``...Complete``."""

    def fields(self) -> Fields:
        """Headers after ``Action`` and ``ActionID``, in order.

        Raises:
            ActionError: a value that this action does not take.
        """
        return []

    @property
    def own_id(self) -> str:
        """Last part of the ActionID, when the action has to be known again in an event; else ""."""
        return ""


@dataclass(frozen=True, slots=True)
class Ping(Action):
    """Is the peer alive?"""

    name = "Ping"


@dataclass(frozen=True, slots=True)
class Login(Action):
    """Opens the session; sent by the link alone."""

    name = "Login"
    username: str
    secret: str = field(repr=False)

    def fields(self) -> Fields:
        return [("Username", self.username), ("Secret", self.secret), ("Events", "on")]


@dataclass(frozen=True, slots=True)
class QueueStatus(Action):
    """Queues, their members and entries. ``queue`` "" asks for all."""

    name = "QueueStatus"
    lists = True
    queue: str = ""

    def fields(self) -> Fields:
        return [("Queue", self.queue)] if self.queue else []


@dataclass(frozen=True, slots=True)
class CoreShowChannels(Action):
    """Every leg that is alive."""

    name = "CoreShowChannels"
    lists = True


@dataclass(frozen=True, slots=True)
class CoreSettings(Action):
    """Asterisk's version and system name."""

    name = "CoreSettings"


@dataclass(frozen=True, slots=True)
class CoreStatus(Action):
    """When Asterisk was started, in its own local time."""

    name = "CoreStatus"


@dataclass(frozen=True, slots=True)
class QueueAdd(Action):
    """Make *interface* a member. Asterisk's Error "... Already there" means that it is one."""

    name = "QueueAdd"
    queue: str
    interface: str
    member_name: str
    state_interface: str = ""
    penalty: int = 0
    paused: bool = False
    reason: str = ""

    def fields(self) -> Fields:
        fields = [
            ("Queue", self.queue), ("Interface", self.interface), ("MemberName", self.member_name),
            ("Penalty", str(self.penalty)), ("Paused", _flag(self.paused)),
        ]  # fmt: skip
        if self.state_interface:
            fields.append(("StateInterface", self.state_interface))
        if self.reason:
            fields.append(("Reason", self.reason))
        return fields


@dataclass(frozen=True, slots=True)
class QueueRemove(Action):
    """End a membership. Asterisk's Error "... Not there" means that it has ended."""

    name = "QueueRemove"
    queue: str
    interface: str

    def fields(self) -> Fields:
        return [("Queue", self.queue), ("Interface", self.interface)]


@dataclass(frozen=True, slots=True)
class QueuePause(Action):
    """Pause or unpause a member, in all his queues when ``queue`` is ""."""

    name = "QueuePause"
    interface: str
    paused: bool
    queue: str = ""
    reason: str = ""

    def fields(self) -> Fields:
        fields = [("Interface", self.interface), ("Paused", _flag(self.paused))]
        if self.queue:
            fields.append(("Queue", self.queue))
        if self.reason:
            fields.append(("Reason", self.reason))
        return fields


@dataclass(frozen=True, slots=True)
class QueueChangePriorityCaller(Action):
    """Give a waiting caller another priority; he moves at once to where it puts him."""

    name = "QueueChangePriorityCaller"
    queue: str
    channel: str
    """The caller's channel name."""
    priority: int

    def fields(self) -> Fields:
        return [
            ("Queue", self.queue), ("Caller", self.channel), ("Priority", str(self.priority)), ("Immediate", "yes"),
        ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Originate(Action):
    """Dial *channel* and, once it answers, go to ``context``, ``exten``.

    The answer says only that Asterisk took it; how it ended comes as ``OriginateResponse`` with
    the same ``channel_id``, perhaps before ``Link.send`` returns. It becomes the
    leg's Uniqueid and Linkedid: Asterisk refuses a second leg of the same id while the first lives.
    """

    name = "Originate"
    channel: str
    context: str
    exten: str
    channel_id: str
    caller_id: str = ""
    """Digits shown to the called party; "" shows none."""
    other_channel_id: str = ""
    """Of the second leg, when *channel* is a Local one; "" lets Asterisk append ``;2`` to ``channel_id``."""
    timeout_ms: int = 30_000
    """How long the channel may ring, in milliseconds, 1 to 600,000."""
    variables: Mapping[str, str] = field(default_factory=dict)

    def fields(self) -> Fields:
        _match("channel_id", self.channel_id, _OWN_ID, "letters, digits, dot, hyphen and underscore only")
        if self.other_channel_id:
            _match("other_channel_id", self.other_channel_id, _OWN_ID, "as channel_id")
        _match("exten", self.exten, _DIALLED, "one extension of letters, digits, *, # and + only")
        _match("caller_id", self.caller_id, _DIGITS, "at most 20 digits")
        if set(self.channel) & set("&,"):
            raise ActionError("channel", "one channel only, without & and comma")
        if not 1 <= self.timeout_ms <= 600_000:
            raise ActionError("timeout_ms", "1 to 600000 is needed")
        fields = [
            ("Channel", self.channel), ("Context", self.context), ("Exten", self.exten), ("Priority", "1"),
            ("ChannelId", self.channel_id), ("Timeout", str(self.timeout_ms)), ("Async", "true"),
        ]  # fmt: skip
        if self.other_channel_id:
            fields.append(("OtherChannelId", self.other_channel_id))
        if self.caller_id:
            fields.append(("CallerID", self.caller_id))
        return fields + [("Variable", _variable(name, value)) for name, value in self.variables.items()]

    @property
    def own_id(self) -> str:
        return self.channel_id


@dataclass(frozen=True, slots=True)
class Hangup(Action):
    """End one leg, by its channel name. ``cause`` is the Q.850 number."""

    name = "Hangup"
    channel: str
    cause: int = 16

    def fields(self) -> Fields:
        # Between slashes Asterisk reads a regular expression and would hang up every leg that matches.
        if self.channel.startswith("/"):
            raise ActionError("channel", "a name is needed, not a pattern")
        return [("Channel", self.channel), ("Cause", str(self.cause))]


@dataclass(frozen=True, slots=True)
class BlindTransfer(Action):
    """Send whoever is bridged with *channel* to ``exten`` in ``context``. *channel*: a leg's name or Uniqueid."""

    name = "BlindTransfer"
    channel: str
    context: str
    exten: str

    def fields(self) -> Fields:
        _match("exten", self.exten, _DIGITS, "at most 20 digits")
        return [("Channel", self.channel), ("Context", self.context), ("Exten", self.exten)]


@dataclass(frozen=True, slots=True)
class Atxfer(Action):
    """Let *channel* consult ``exten``, as if its keys had been pressed. "Successfully queued" may do nothing at all.

    Asterisk types the digits for the agent; the # at the end spares him the pause after the last one.
    """

    name = "Atxfer"
    channel: str
    context: str
    exten: str

    def fields(self) -> Fields:
        _match("exten", self.exten, _DIGITS, "at most 20 digits")
        return [("Channel", self.channel), ("Context", self.context), ("Exten", f"{self.exten}#")]


@dataclass(frozen=True, slots=True)
class CancelAtxfer(Action):
    """Give the caller back to *channel*, which consults somebody; by the key ``atxferabort`` of features.conf."""

    name = "CancelAtxfer"
    channel: str

    def fields(self) -> Fields:
        return [("Channel", self.channel)]


@dataclass(frozen=True, slots=True)
class SetVariable(Action):
    """Set a variable of the dialplan: of *channel*, by its name, or a global one when that is ""."""

    name = "Setvar"
    variable: str
    value: str = field(repr=False)
    channel: str = ""

    def fields(self) -> Fields:
        _match("variable", self.variable, _VARIABLE, "letters, digits and underscores: functions are not set from here")
        fields = [("Channel", self.channel)] if self.channel else []
        return [*fields, ("Variable", self.variable), ("Value", self.value)]


def encode(action: Action, action_id: str) -> bytes:
    """The bytes of *action*, one whole frame.

    Raises:
        ActionError: a control byte, too many headers or too long a line; ``field`` names the header.
    """
    lines = [_line(name, value) for name, value in (("Action", action.name), ("ActionID", action_id))]
    lines += [_line(name, value) for name, value in action.fields()]
    if len(lines) > MAX_HEADERS:
        raise ActionError(action.name, f"{len(lines)} headers, Asterisk takes {MAX_HEADERS}")
    return b"".join(lines) + b"\r\n"


def _line(name: str, value: str) -> bytes:
    if not _NAME.fullmatch(name):
        raise ActionError("header", "a header's name is letters, digits and hyphens")
    try:
        raw = f"{name}: {value}".encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise ActionError(name, "text that UTF-8 cannot hold") from None
    found = _CONTROL.search(raw)
    if found:
        raise ActionError(name, f"control byte 0x{found[0][0]:02x} is not allowed")
    if len(raw) + 2 > MAX_LINE:
        raise ActionError(name, f"{len(raw) + 2} bytes, Asterisk takes {MAX_LINE}")
    return raw + b"\r\n"


def _variable(name: str, value: str) -> str:
    if not _VARIABLE.fullmatch(name):
        raise ActionError("variables", "a name is letters, digits and underscores: functions are not set from here")
    if set(value) & set(',"\\'):
        raise ActionError(name, "comma, quote and backslash would set another variable")
    return f"{name}={value}"


def _match(field_name: str, value: str, pattern: re.Pattern[str], rule: str) -> None:
    if not pattern.fullmatch(value):
        raise ActionError(field_name, rule)


def _flag(value: bool) -> str:
    return "true" if value else "false"

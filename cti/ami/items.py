"""List items of a snapshot: what Asterisk answers when it is asked how things stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple


class ParamsItem(NamedTuple):
    """A queue (``QueueParams``). Its counters vanish when Asterisk restarts."""

    queue: str
    strategy: str
    calls: int
    """Callers waiting now."""


class MemberItem(NamedTuple):
    """A queue member (``QueueMember``), with the meanings of ``events.MemberState``."""

    queue: str
    member_name: str
    interface: str
    status: int
    paused: bool
    paused_reason: str
    in_call: bool
    last_call: datetime | None
    login_time: datetime | None
    wrapuptime: int


class EntryItem(NamedTuple):
    """A caller waiting in a queue (``QueueEntry``). ``position`` starts at 1."""

    queue: str
    position: int
    uniqueid: str
    caller_id_num: str
    """"" when withheld."""
    wait: int
    """Whole seconds since he joined."""


class ChannelItem(NamedTuple):
    """A leg that is alive (``CoreShowChannel``)."""

    uniqueid: str
    linkedid: str
    channel: str
    caller_id_num: str
    """"" when withheld."""
    context: str
    application: str
    bridge_id: str
    """"" when in no bridge."""
    duration: int
    """Whole seconds since it was made."""


Item = ParamsItem | MemberItem | EntryItem | ChannelItem


def parse_item(fields: Mapping[str, str]) -> Item | None:
    """The typed item, ``None`` for one that no type is kept of.

    Raises:
        ValueError: a header is missing or unreadable; names item and header, no value.
    """
    name = fields.get("Event", "")
    build = _BUILDERS.get(name)
    if build is None:
        return None
    try:
        return build(fields)
    except KeyError as error:
        raise ValueError(f"{name}: header {error.args[0]} is missing") from None
    except ValueError:
        raise ValueError(f"{name}: a value cannot be read") from None


def _params(f: Mapping[str, str]) -> ParamsItem:
    return ParamsItem(f["Queue"], f["Strategy"], int(f["Calls"]))


def _member(f: Mapping[str, str]) -> MemberItem:
    return MemberItem(
        queue=f["Queue"],
        member_name=f["Name"],
        interface=f["Location"],
        status=int(f["Status"]),
        paused=f["Paused"] == "1",
        paused_reason=f["PausedReason"],
        in_call=f["InCall"] == "1",
        last_call=_moment(f["LastCall"]),
        login_time=_moment(f["LoginTime"]),
        wrapuptime=int(f["Wrapuptime"]),
    )


def _entry(f: Mapping[str, str]) -> EntryItem:
    return EntryItem(f["Queue"], int(f["Position"]), f["Uniqueid"], _number(f["CallerIDNum"]), int(f["Wait"]))


def _channel(f: Mapping[str, str]) -> ChannelItem:
    hours, minutes, seconds = f["Duration"].split(":")
    return ChannelItem(
        uniqueid=f["Uniqueid"],
        linkedid=f["Linkedid"],
        channel=f["Channel"],
        caller_id_num=_number(f["CallerIDNum"]),
        context=f["Context"],
        application=f["Application"],
        bridge_id=f["BridgeId"],
        duration=int(hours) * 3600 + int(minutes) * 60 + int(seconds),
    )


def _number(text: str) -> str:
    """A caller who shows no number is ``unknown`` in a QueueEntry and ``<unknown>`` or empty in a channel."""
    return "" if text in ("unknown", "<unknown>") else text


def _moment(text: str) -> datetime | None:
    return datetime.fromtimestamp(int(text), UTC) if text != "0" else None


_BUILDERS: dict[str, Callable[[Mapping[str, str]], Item]] = {
    "QueueParams": _params,
    "QueueMember": _member,
    "QueueEntry": _entry,
    "CoreShowChannel": _channel,
}

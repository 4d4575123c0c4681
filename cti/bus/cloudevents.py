"""Outbox messages as CloudEvents 1.0 (structured JSON) and their MQTT topics. docs/asyncapi.yaml is the public form.

Nothing personal leaves by MQTT: each kind has a list of the keys that go out, each key a form that its value must
have, and all else is left out. Topic parts are ``[a-z0-9_-]``: the dot of a call id becomes ``-`` and any other byte
``_`` with two hex digits, reversibly, so two ids never share a topic. ``subject`` has the id as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from cti.bus.outbox import STATE_KINDS, Message

CONTENT_TYPE = "application/cloudevents+json"
TYPE_PREFIX = "hotline.cti"

# An id of ours has a letter, or is Asterisk's epoch.counter: digits alone, or with dashes, could be a phone number.
_ID = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9._-]{1,80}|[0-9]{10}\.[0-9]{1,10}", re.ASCII)
_WORD = re.compile(r"[A-Za-z0-9_.-]{1,40}", re.ASCII)  # a state, a code, a number of ours
_SENTENCE = re.compile(r"[ -~]{0,200}", re.ASCII)  # our own English words
_PHONE = re.compile(r"\d(?:[ ._-]?\d){8}", re.ASCII)  # nine digits and more: no agent, seat, code or figure has that
_SUBJECT_IDS = frozenset({"call", "ticket", "recording", "callback"})


def _is_count(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) < 10**9


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and _WORD.fullmatch(value) is not None and not _PHONE.search(value)


def _is_sentence(value: Any) -> bool:
    return isinstance(value, str) and _SENTENCE.fullmatch(value) is not None and not _PHONE.search(value)


def _is_time(value: Any) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


_FORMS: Mapping[str, Callable[[Any], bool]] = {
    "count": _is_count, "id": _is_id, "word": _is_word, "sentence": _is_sentence, "time": _is_time,
}  # fmt: skip


class Kind(NamedTuple):
    """Where messages of one kind go, ``<base>/<room>/<subject>/…``, and what they may say: key -> name of its form."""

    room: str
    keys: Mapping[str, str]


def _kind(room: str, **keys: str) -> Kind:
    return Kind(room, {key: form for form, names in keys.items() for key in names.split()})


KINDS: Mapping[str, Kind] = {
    "agent.state": _kind("agent", word="state reason queue seat", time="since"),
    "queue.state": _kind(
        "queue", count="waiting signed_in ready busy talking ringing wrap_up", time="longest_since"
    ),
    "link.state": _kind("link", word="state", sentence="reason"),
    "call.queued": _kind("call", word="queue"),
    "call.offered": _kind("call", word="agent"),
    "call.answered": _kind("call", word="agent", count="wait_ms ring_ms within within_ring"),
    "call.ended": _kind("call", word="ending", count="talk_ms wait_ms"),
    "call.ring_no_answer": _kind("call", word="agent end", count="ring_ms"),
    "call.transferred": _kind("call", word="agent how state", id="call_id"),
    "ticket.opened": _kind("ticket", id="ticket_id call_id"),
    "ticket.transferred": _kind("ticket", id="ticket_id call_id"),
    "ticket.sent_back": _kind("ticket", id="ticket_id"),
    "recording.checked": _kind("recording", word="state", count="length_ms", id="ticket_id"),
    "recording.alarm": _kind("recording", word="state", sentence="reason", id="ticket_id"),
    "callback.planned": _kind("callback", time="due_at"),
    "callback.dialling": _kind("callback", count="ordinal", word="agent"),
    "callback.reached": _kind("callback", count="ordinal", word="agent"),
    "callback.attempt": _kind("callback", count="ordinal", word="outcome"),
    "callback.closed": _kind("callback", word="state"),
    "callback.draw": _kind(
        "callback", word="state", count="percent listed drawn", id="commitment list_hash secret"
    ),
    "alarm": _kind("alarm", word="code agent queue what", id="call_id ticket_id"),
}  # fmt: skip


def topic_of(message: Message, base: str) -> str:
    """The topic of *message* under *base* (``<prefix>/v1/<site>``).

    Raises:
        ValueError: its kind is unknown or its subject may not be told.
    """
    kind = _known(message)
    if kind.room == "alarm":
        return f"{base}/alarm/event"
    return f"{base}/{kind.room}/{topic_part(message.subject)}/{'state' if is_retained(message) else 'event'}"


def is_retained(message: Message) -> bool:
    """Whether the broker keeps it for those who come later."""
    return message.kind in STATE_KINDS


def topic_part(text: str) -> str:
    """*text* as one part of a topic; different texts give different parts. A call id ``1795284828.1`` gives
    ``1795284828-1``; a dash that could be taken for such a dot is written ``_2d``."""
    found = re.fullmatch(r"(.*\d)([.-])(\d+)", text, re.ASCII | re.DOTALL)
    if found is None:
        return _escaped(text)
    return f"{_escaped(found[1])}{'-' if found[2] == '.' else '_2d'}{found[3]}"


def event_of(message: Message, source: str) -> bytes:
    """The CloudEvent of *message* from *source*. ``id`` is the outbox number: it rises, and a repetition has the same.

    Raises:
        ValueError: its kind is unknown or its subject may not be told.
    """
    data = told(message)
    event = {
        "specversion": "1.0",
        "id": str(message.seq),
        "source": source,
        "type": f"{TYPE_PREFIX}.{message.kind}.v1",
        "subject": message.subject,
        "time": message.at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": data,
    }
    return json.dumps(event, separators=(",", ":")).encode()


def told(message: Message) -> dict[str, Any]:
    """What of *message*'s data may leave the house: the keys on its kind's list whose values have their form.

    Raises:
        ValueError: its kind is unknown or its subject may not be told.
    """
    kind = _known(message)
    return {k: v for k, v in message.data.items() if k in kind.keys and (v is None or _FORMS[kind.keys[k]](v))}


def _known(message: Message) -> Kind:
    kind = KINDS.get(message.kind)
    if kind is None:
        raise ValueError(f"kind: {message.kind!r} has no topic")
    if not (_is_id if kind.room in _SUBJECT_IDS else _is_word)(message.subject):
        raise ValueError(f"subject of {message.kind}: not an id of ours")
    return kind


def _escaped(text: str) -> str:
    return re.sub(r"[^a-z0-9-]", lambda found: "".join(f"_{byte:02x}" for byte in found[0].encode()), text)

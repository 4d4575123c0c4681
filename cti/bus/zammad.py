"""What Zammad's generic CTI hears of a call: newCall, answer, hangup. Pure; cti/bus/sinks.py sends it.

Every field is documented at https://docs.zammad.org/en/latest/api/generic-cti/ (newcall-event, answer-event,
hangup-event); which are sent, and from what, is in docs/sinks.md and held by tests/unit/cti/bus/test_zammad.py. The
answers of Zammad (``reject`` for a blocked caller, ``dial`` for another caller id) ask the telephone system for
something; they are not obeyed: who is blocked on a public hotline is the lead's decision.

Zammad has no state for a call that it does not know: it refuses ``answer`` and ``hangup`` without a ``newCall``. So
each call has a stage, and what does not fit it is not sent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from cti.bus.outbox import Message

KINDS = ("call.queued", "call.answered", "call.ended", "callback.dialling", "callback.reached", "callback.attempt")
ANONYMOUS = "anonymous"
REASON_WAIT_S = 60.0
"""How long a hangup waits for its reason: Asterisk's queue_log tells it a moment after the call left the queue."""

CAUSES = (
    "normalClearing", "busy", "cancel", "noAnswer", "congestion", "notFound", "forwarded"
)  # fmt: skip
"""Every cause that the documentation of the hangup event knows."""

# How a call to us ended -> cause. Of "noAnswer" the page says that the called party rejected the call; nobody did.
_IN = {
    "completed": "normalClearing", "transferred": "forwarded", "abandoned": "cancel", "left": "cancel",
    "timed_out": "congestion", "empty": "congestion", "lost": "congestion", "key": "forwarded",
    "withdrawn": "forwarded",
}  # fmt: skip
_UNSURE = ("left", "lost")
_OUT = {
    "reached": "normalClearing", "no_answer": "noAnswer", "busy": "busy", "agent_away": "cancel",
    "failed": "congestion", "unknown": "congestion",
}  # fmt: skip


class Facts(NamedTuple):
    """What the database knows of a message's call. ``caller`` is empty when withheld; ``names``: 工号 -> name."""

    caller: str
    names: Mapping[str, str]


class Told(NamedTuple):
    """One event for Zammad.

    Attributes:
        call_id: Zammad's ``callId``; the order is kept within it.
        stage: of the call after this event: ``new``, ``answered``, ``unsure``, ``over``.
        wait_s: seconds for which it is held back, since something better may come.
        instead: it takes the place of what is held back.
    """

    call_id: str
    event: dict[str, Any]
    stage: str
    wait_s: float = 0.0
    instead: bool = False


def call_of(message: Message) -> str:
    """The ``callId`` of *message*. One callback has a call for each attempt."""
    if message.kind.startswith("callback."):
        return f"{message.subject}-{message.data.get('ordinal')}"
    return message.subject


def told(message: Message, facts: Facts, stage: str | None, line: str) -> Told | None:
    """What *message* is to Zammad, for a call in *stage* (None: Zammad has not heard of it); None for nothing.

    *line* is the hotline's own number: ``to`` of a call in, ``from`` of a call out.
    """
    call_id, number = call_of(message), facts.caller.lstrip("+") or ANONYMOUS
    out = message.kind.startswith("callback.")
    base = {
        "from": line if out else number, "to": number if out else line,
        "direction": "out" if out else "in", "callId": call_id,
    }  # fmt: skip
    agent = str(message.data.get("agent") or "")
    name = {"user": facts.names[agent]} if agent in facts.names else {}
    match message.kind:
        case "call.queued" if stage is None:
            return Told(call_id, {"event": "newCall", **base, "queue": str(message.data.get("queue"))}, "new")
        case "callback.dialling" if stage is None:
            return Told(call_id, {"event": "newCall", **base, **name}, "new")
        case "call.answered" | "callback.reached" if stage in ("new", "unsure"):
            answer = {"event": "answer", **base, **name, **({"answeringNumber": agent} if agent else {})}
            return Told(call_id, answer, "answered", instead=stage == "unsure")
        case "call.ended" if message.data.get("closed") and stage in ("new", "answered", "unsure"):
            return _ended(call_id, base, str(message.data.get("ending")), stage)
        case "callback.attempt" if stage in ("new", "answered"):
            cause = _OUT.get(str(message.data.get("outcome")), "congestion")
            return Told(call_id, {"event": "hangup", **base, "cause": cause}, "over")
        case _:
            return None


def _ended(call_id: str, base: dict[str, str], ending: str, stage: str) -> Told | None:
    event = {"event": "hangup", **base, "cause": _IN.get(ending, "normalClearing")}
    if ending in _UNSURE and stage != "answered":
        return None if stage == "unsure" else Told(call_id, event, "unsure", wait_s=REASON_WAIT_S)
    return Told(call_id, event, "over", instead=stage == "unsure")


def as_json(event: Mapping[str, Any]) -> str:
    """The body: JSON, which the documentation recommends over form data."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))

"""The shape of what is told. One row, one message; the same rows feed the pages and MQTT."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

STATE_KINDS = ("agent.state", "queue.state", "link.state")
"""Kinds of which the last message of a subject is still true; the others tell what happened once."""


class Message(NamedTuple):
    """One thing that became true. ``data`` never holds a caller's number, name or words.

    Attributes:
        seq: dense, rising id given by the store; 0 before commit.
        at: when it became true, aware UTC.
        kind: ``ticket.opened``, ``call.queued``, ``call.offered``, ``call.answered``, ``call.ended``, ``agent.state``,
            ``queue.state``, ``recording.checked``, ``recording.alarm``, ``callback.planned``, ``callback.dialling``,
            ``callback.reached``, ``callback.attempt``, ``callback.closed``, ``link.state``, ``alarm``.
        subject: the call id, agent number, queue or ticket id it is about.
        audience: ``all``, ``lead``, or ``agent:<number>``: who may see it on a page. MQTT gets every kind, but only the
            keys of ``cti.bus.cloudevents.KINDS``.
        data: JSON values only.
    """

    seq: int
    at: datetime
    kind: str
    subject: str
    audience: str
    data: Mapping[str, Any]

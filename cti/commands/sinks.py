"""What sinks say to the engine, and what other systems ask of it (docs/sinks.md)."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class SinkStood(NamedTuple):
    """A sink has been away for long, is back, gave a message up, or hears no more; never sent by a person.

    ``state``: ``away``, ``back``, ``gave_up`` or ``ended``.
    """

    sink_id: str
    name: str
    state: str


class ReportReply(NamedTuple):
    """The responsible unit's answer to a ticket, as its own system reports it.

    ``by``: the token's name; ``token_id`` and ``key`` make it one answer however often it is reported.
    """

    by: str
    token_id: str
    key: str
    ticket_id: str
    result: str
    text: str
    at: datetime


SinkCommand = SinkStood | ReportReply

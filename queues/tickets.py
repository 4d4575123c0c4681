"""The ticket stub that is owed when a call is answered: one per call, whoever asks and however often."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from queues.calls import Call
from queues.stubs import Stub


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket stub. ``ticket_id`` is opaque; (pbx, call_id, ordinal) is unique in the store. Times are aware UTC.

    ``call_id`` is None for a stub that another channel opened; its times are then all the time of its opening.
    """

    ticket_id: str
    call_id: str | None
    linkedid: str
    hotline: str
    queue: str
    caller: str
    agent: str
    opened_at: datetime
    entered_at: datetime
    answered_at: datetime
    wait_ms: int
    ring_ms: int | None
    ordinal: int = 1
    """1 for the stub that the answer opened; more for further matters of the same call."""

    @property
    def stub(self) -> Stub:
        """Its particulars while nobody has said anything yet."""
        return Stub(self.ticket_id, self.agent, self.opened_at, self.call_id, self.ordinal, caller=self.caller)


def stub_owed(call: Call) -> bool:
    """Whether the call has been answered by an agent, and so owes a ticket."""
    return call.answered_at is not None and call.agent is not None


def open_stub(call: Call, ticket_id: str, hotline: str, now: datetime) -> Ticket:
    """The stub of an answered call.

    Raises:
        ValueError: for a call that nobody answered.
    """
    if call.answered_at is None or call.agent is None:
        raise ValueError("call: not answered, no ticket is owed")
    return Ticket(
        ticket_id, call.call_id, call.linkedid, hotline, call.queue, call.caller, call.agent, now, call.entered_at,
        call.answered_at, call.wait_ms or 0, call.ring_ms,
    )  # fmt: skip

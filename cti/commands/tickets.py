"""Commands of ticket stubs: what is said of one, its hand-out, reminders, and further stubs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class SetParticulars(NamedTuple):
    """Say what a stub is: ``kind``, ``area``, ``caller_kind``, ``complaint_grade``, ``grade``; None takes one back."""

    by: str
    ticket_id: str
    values: Mapping[str, str | None]


class VerifyCaller(NamedTuple):
    """The agent has checked who the caller is, or takes that back."""

    by: str
    ticket_id: str
    verified: bool


class SaveNotes(NamedTuple):
    """The notes as they are typed. ``version`` must be above the one kept: an older save never replaces a newer one."""

    by: str
    ticket_id: str
    text: str
    version: int


class HandOut(NamedTuple):
    """派发: the stub goes to a unit of the directory."""

    by: str
    ticket_id: str
    unit: str


class UnitTook(NamedTuple):
    """接收工单: the unit says that it has the ticket."""

    by: str
    ticket_id: str


class ReturnStub(NamedTuple):
    """退单: the unit gives the ticket back, and says why."""

    by: str
    ticket_id: str
    reason: str


class Remind(NamedTuple):
    """催办: a reminder to the unit that has *ticket_id*.

    ``through``: the ticket of the caller who chases now; whoever talks to him may remind of his other tickets.
    ``reason``: why a special case cannot wait, or why a lead lets it be one more; empty otherwise.
    """

    by: str
    ticket_id: str
    through: str
    reason: str = ""


class AddStub(NamedTuple):
    """One more matter of the same call (KL-15(1).3). ``key`` is the client's: a second asking opens no second stub."""

    by: str
    ticket_id: str
    key: str


class OpenStub(NamedTuple):
    """A stub that another channel opens (GJ-5). ``by``: an agent, who then keeps it, or another system, when nobody
    has it until somebody takes it. ``key``: the asker's; a second asking opens no second stub."""

    channel: str
    caller: str
    kind: str | None
    area: str | None
    text: str
    by: str
    key: str


class TakeStub(NamedTuple):
    """An agent takes a stub that nobody has: the first responsibility (首问责任) is his from now on."""

    by: str
    ticket_id: str


TicketCommand = (
    SetParticulars | VerifyCaller | SaveNotes | HandOut | UnitTook | ReturnStub | Remind | AddStub | OpenStub | TakeStub
)

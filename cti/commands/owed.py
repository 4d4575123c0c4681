"""Commands of owed callbacks: who makes one, how it ended, what came of it. ``by``: whom the session has proved."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class MarkTicket(NamedTuple):
    """Says or takes back one mark of a ticket. ``mark``: a value of queues.owed.Mark."""

    by: str
    ticket_id: str
    mark: str
    on: bool


class OweCallback(NamedTuple):
    """A callback that a lead or another system asks for. ``kind``: of queues/kinds.py, or None.

    ``key``: the asker's; a second asking owes no second one. Answers ``owed`` and, where there is one, ``callback_id``.
    """

    by: str
    key: str
    caller: str
    ticket_id: str | None
    kind: str | None


class ClaimCallback(NamedTuple):
    """认领: the agent makes this callback. One wins; the other is told who."""

    by: str
    callback_id: str


class ReleaseCallback(NamedTuple):
    """The holder, or a lead, gives it back."""

    by: str
    callback_id: str


class AssignCallback(NamedTuple):
    """A lead gives it to *agent*."""

    by: str
    callback_id: str
    agent: str


class CloseCallback(NamedTuple):
    """Ends an open callback without a conversation, when the rules allow; *reason* in the agent's own words."""

    by: str
    callback_id: str
    reason: str


class RecordResult(NamedTuple):
    """What the caller said. ``result``: satisfied | neutral | dissatisfied; ``text``: the words, up to 500 characters.

    ``cause``: of queues.results.Cause, needed for the dissatisfied, empty otherwise.
    """

    by: str
    callback_id: str
    result: str
    text: str
    cause: str = ""


class RecordRefusal(NamedTuple):
    """The person reached will not talk: ``what`` is ``refused`` (he wants no callback) or ``wrong_number``."""

    by: str
    callback_id: str
    what: str
    text: str


class AgreeAppointment(NamedTuple):
    """Not convenient now: a time agreed with the caller, aware.

    ``override``: a lead's reason why it may lie in quiet hours, which hold in principle (原则上); empty otherwise.
    """

    by: str
    callback_id: str
    at: datetime
    override: str = ""


class SendBack(NamedTuple):
    """退回: the unit's reply is unclear, untrue or not what the caller says; the unit is to answer anew.

    ``ticket_id``: which of the tickets that this callback is about.
    """

    by: str
    callback_id: str
    ticket_id: str
    reason: str


class NewMatter(NamedTuple):
    """The caller has a new matter: a new stub with source 集团巡线. Answers ``ticket_id``. ``key``: the client's."""

    by: str
    callback_id: str
    kind: str | None
    area: str | None
    text: str
    key: str


class LiftSupervision(NamedTuple):
    """A lead ends the listed supervision (挂牌督办) of a ticket, and says why."""

    by: str
    ticket_id: str
    reason: str


OwedCommand = (
    MarkTicket | OweCallback | ClaimCallback | ReleaseCallback | AssignCallback | CloseCallback | RecordResult
    | RecordRefusal | AgreeAppointment | SendBack | NewMatter | LiftSupervision
)  # fmt: skip

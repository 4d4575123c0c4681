"""The first commands: sign in and out, busy and ready, the pop, callbacks; and what the engine answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from regulations import Ruling


class SignIn(NamedTuple):
    """签入: agent *number* at *seat*. The PIN has been checked by whoever sends this.

    ``proved``: typed at that seat's own phone, so who sits there is known.
    """

    number: str
    seat: str
    proved: bool = False


class SignOut(NamedTuple):
    """签出. ``by``: who puts somebody else off the seat; the rules of the agent's shift do not bind that person."""

    number: str
    by: str | None = None


class GoBusy(NamedTuple):
    """示忙 with one of the site's reasons."""

    number: str
    reason: str


class GoReady(NamedTuple):
    """就绪."""

    number: str


class Popped(NamedTuple):
    """The agent's page says that it shows the ticket."""

    number: str
    ticket_id: str


class RequestCallback(NamedTuple):
    """A callback to *caller* by *agent*, at the first allowed time not before *not_before*.

    ``since``: when the caller himself first asked by ringing in vain, so that he keeps his place; None: now.
    """

    by: str
    agent: str
    caller: str
    ticket_id: str | None
    not_before: datetime | None
    request_key: str | None
    since: datetime | None = None


class DialNow(NamedTuple):
    """Place the next attempt of a callback now, if the rules allow it."""

    by: str
    callback_id: str


class PageOpened(NamedTuple):
    """A page of this person is open and hears the stream: logged in to the console (登录)."""

    number: str


class PageClosed(NamedTuple):
    """One of this person's pages is gone."""

    number: str


class PeopleChanged(NamedTuple):
    """Somebody was added, shut out, let in or given another role: what memory knows of roles is old."""

    number: str


BaseCommand = (
    SignIn | SignOut | GoBusy | GoReady | Popped | RequestCallback | DialNow | PageOpened | PageClosed | PeopleChanged
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The engine's answer: the ruling, and what the asker may want to know (JSON values)."""

    ruling: Ruling
    data: Mapping[str, Any] = field(default_factory=dict)

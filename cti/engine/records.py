"""The rows that the engine keeps of recordings, callbacks and tickets' owners, as values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from queues.callbacks import Attempt, AttemptOutcome


@dataclass(frozen=True, slots=True)
class Recording:
    """The recording that an answered call owes. ``state``: expected, ok, repaired, short, missing."""

    call_id: str
    ticket_id: str | None
    path: str
    state: str = "expected"
    expected_ms: int | None = None
    length_ms: int | None = None
    size: int | None = None
    sha256: str | None = None
    reason: str | None = None
    checked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Dialling:
    """One attempt of a callback with its ChannelId."""

    channel_id: str
    agent: str
    attempt: Attempt
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Callback:
    """A callback that is owed. ``state``: due, placing, reached, exhausted, cancelled. Times aware UTC.

    ``agent`` is empty while nobody has claimed it; ``requested_at`` is its age: the caller's first try, where he rang.
    """

    callback_id: str
    ticket_id: str | None
    number: str
    agent: str
    state: str
    requested_at: datetime
    requested_by: str
    request_key: str | None
    due_at: datetime | None
    closed_at: datetime | None = None
    diallings: tuple[Dialling, ...] = ()
    source: str = "ticket"
    """ticket | missed | system | sample | patrol."""
    kind: str | None = None
    """Of the ticket (queues/kinds.py)."""
    mandatory: bool = False
    """All of its kind are called back, not a sample."""
    deadline: datetime | None = None
    """By when it is to be made."""
    appointment_at: datetime | None = None
    """A time agreed with the caller; kept to the minute."""
    by_key: bool = False
    """Dialled only when the agent presses the key on the desk; else the agent is rung by itself when it is due."""
    joined: tuple[str, ...] = ()
    """Other tickets that are called back about in the same conversation (QD 第十二条(四))."""
    result: str | None = None
    """satisfied | neutral | dissatisfied."""
    close_reason: str = ""
    override_by: str | None = None
    """The shift lead who lets it be made in quiet hours, which hold in principle (原则上); with his reason."""
    override_reason: str = ""
    extension: str = ""
    """Behind the number that is dialled (分机); "" for none."""
    joined_keys: tuple[str, ...] = ()
    """Idempotency keys of those who asked for it as well while it was open."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Every key under which it was asked for."""
        return self.joined_keys if self.request_key is None else (self.request_key, *self.joined_keys)

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        return tuple(d.attempt for d in self.diallings)

    @property
    def running(self) -> Dialling | None:
        return next((d for d in self.diallings if d.attempt.outcome is AttemptOutcome.PLACING), None)

    def with_dialling(self, changed: Dialling) -> Callback:
        """The callback with one attempt replaced or added."""
        others = tuple(d for d in self.diallings if d.channel_id != changed.channel_id)
        return replace(self, diallings=(*others, changed))


class TicketOwner(NamedTuple):
    """Whose an answered call's ticket is now, and when it was finished (办结). Times aware UTC.

    First responsibility (首问责任) stays with the ticket's ``agent``, whoever owns it later.
    """

    ticket_id: str
    owner: str
    owned_at: datetime
    closed_at: datetime | None = None
    closed_by: str | None = None

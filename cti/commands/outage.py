"""Commands of outage notices. ``by`` is the lead whom the session has proved."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class PutOutage(NamedTuple):
    """One notice for *area* (a code of ``hotline.areas``, or "" for everywhere); it replaces the open one there.

    *kind*: ``planned`` or ``sudden``. *text*: for the pop, in the lead's words; callers hear the prompt of the kind.
    *from_at* (aware UTC, None: now) until *until* (None: until a lead ends it, a day at most).
    """

    area: str
    kind: str
    text: str
    from_at: datetime | None
    until: datetime | None
    by: str


class EndOutage(NamedTuple):
    """The notice is over before its time."""

    outage_id: str
    by: str


OutageCommand = PutOutage | EndOutage

"""Commands of surges. ``by`` is the lead whom the session has proved."""

from __future__ import annotations

from typing import NamedTuple


class TakeOutOfSurge(NamedTuple):
    """The ticket is a matter of its own; it does not come back into the group by itself."""

    by: str
    surge_id: str
    out_ticket_id: str


SurgeCommand = TakeOutOfSurge

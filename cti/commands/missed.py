"""Commands of missed callers. ``by`` is the agent or lead whom the session has proved."""

from __future__ import annotations

from typing import NamedTuple


class ClaimMissed(NamedTuple):
    """The agent takes care of this caller."""

    by: str
    missed_id: str


class ReleaseMissed(NamedTuple):
    """The holder, or a lead, gives it back."""

    by: str
    missed_id: str


class CloseMissed(NamedTuple):
    """A reasoned end. ``reason``: a value of queues.missed.EndReason; ``text``: in the agent's own words."""

    by: str
    missed_id: str
    reason: str
    text: str


class CallBackMissed(NamedTuple):
    """The agent claims it, when it is nobody's, and a callback is planned for the first time that the rules allow."""

    by: str
    missed_id: str


MissedCommand = ClaimMissed | ReleaseMissed | CloseMissed | CallBackMissed

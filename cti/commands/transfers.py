"""Commands of transfers. ``by`` is the agent whom the session has proved."""

from __future__ import annotations

from typing import NamedTuple


class BeginTransfer(NamedTuple):
    """Hand the caller whom the agent talks with to somebody else.

    ``how``: blind or consult; ``kind``: agent or unit; ``code``: a work number, or a code of the directory. ``digits``:
    which of the unit's numbers; empty for the first that is staffed.
    """

    by: str
    how: str
    kind: str
    code: str
    digits: str = ""


class CompleteTransfer(NamedTuple):
    """The agent leaves the caller with whom he consults."""

    by: str


class CancelTransfer(NamedTuple):
    """The agent takes the caller back from a consultation."""

    by: str


class TransferRefused(NamedTuple):
    """Asterisk would not, or did not answer; never sent by a person."""

    transfer_id: str


TransferCommand = BeginTransfer | CompleteTransfer | CancelTransfer | TransferRefused

"""Commands of nuisance callers. ``by`` is the person whom the session has proved."""

from __future__ import annotations

from typing import NamedTuple


class AskBlock(NamedTuple):
    """An agent asks to block the caller of a ticket that he has marked as a nuisance."""

    by: str
    ticket_id: str
    reason: str


class DecideBlock(NamedTuple):
    """A lead agrees, for *days* (None: as the rules say), or declines; with his words."""

    by: str
    block_id: str
    agree: bool
    days: int | None
    words: str


class EndBlock(NamedTuple):
    """A lead ends a block before its time."""

    by: str
    block_id: str


NuisanceCommand = AskBlock | DecideBlock | EndBlock

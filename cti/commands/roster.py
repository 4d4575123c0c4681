"""Commands of the roster: shifts, leave, swaps. ``by`` is the person who asks."""

from __future__ import annotations

from typing import NamedTuple


class TakeShiftOff(NamedTuple):
    """Take one shift out of the roster."""

    by: str
    shift_id: str


RosterCommand = TakeShiftOff

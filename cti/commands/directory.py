"""Commands of the directory of units. ``by`` is the lead or administrator whom the session has proved."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class PutUnit(NamedTuple):
    """A unit as it is from now on; the same code again replaces it.

    ``role``: a value of queues.directory.UnitRole. ``numbers``: (number as a person writes it, "HH:MM" from, to), the
    hours both empty when it is always staffed.
    """

    by: str
    code: str
    zh: str
    en: str
    role: str
    kinds: tuple[str, ...]
    areas: tuple[str, ...]
    numbers: tuple[tuple[str, str, str], ...]


class RemoveUnit(NamedTuple):
    """The unit is rung no more; its duty list goes with it."""

    by: str
    code: str


class PutOnCall(NamedTuple):
    """A line of a unit's duty list (值班表): whose phone, from when to when (aware)."""

    by: str
    unit: str
    number: str
    name: str
    starts: datetime
    ends: datetime


class RemoveOnCall(NamedTuple):
    """The line is taken off the list."""

    by: str
    entry_id: str


DirectoryCommand = PutUnit | RemoveUnit | PutOnCall | RemoveOnCall

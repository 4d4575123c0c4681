"""Whom the hotline may ring: units, their numbers, and who is on duty at night. Nothing else is ever dialled for them.

A unit that names neither kinds nor areas fits everything and comes last: it is the fall-back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

MOST_NUMBERS = 10  # of one unit


class UnitRole(StrEnum):
    """What a unit is rung for."""

    EMERGENCY = "emergency"  # responsible unit (责任单位): rung for emergencies
    SPECIALIST = "specialist"  # 专业席
    OUTSIDE = "outside"  # a unit of the referral list


class Number(NamedTuple):
    """A number of a unit: digits as they are dialled, and the local hours in which it is staffed.

    ``hours``: from (in) and to (out), over midnight when from is later; None: always.
    """

    digits: str
    hours: tuple[time, time] | None = None

    def staffed(self, local: time) -> bool:
        """Whether somebody should be there at *local*."""
        if self.hours is None or self.hours[0] == self.hours[1]:
            return True
        start, end = self.hours
        return start <= local < end if start < end else local >= start or local < end


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit; ``kinds`` and ``areas`` empty: every one. ``numbers`` in the order in which they are tried."""

    code: str
    zh: str
    en: str
    role: UnitRole
    kinds: frozenset[str]
    areas: frozenset[str]
    numbers: tuple[Number, ...]

    def fits(self, kind: str | None, area: str | None) -> bool:
        """Whether a matter of this kind in this area is the unit's."""
        return (not self.kinds or kind in self.kinds) and (not self.areas or area in self.areas)

    @property
    def rank(self) -> tuple[bool, bool, str]:
        """Who names the area comes first, then who names the kind; the fall-back is last."""
        return (not self.areas, not self.kinds, self.code)


@dataclass(frozen=True, slots=True)
class OnCall:
    """One line of a unit's duty list (值班表): whose phone is on call from ``starts`` (in) to ``ends`` (out), UTC."""

    entry_id: str
    unit: str
    digits: str
    name: str
    starts: datetime
    ends: datetime


class Target(NamedTuple):
    """A number to try, and whose it is."""

    unit: str
    digits: str


def numbers_of(
    unit: Unit, on_call: Iterable[OnCall], at: datetime, zone: ZoneInfo, *, staffed: bool = True
) -> list[Target]:
    """The unit's phones in the order in which they are tried: the duty list first, then its own numbers.

    Args:
        at: aware.
        staffed: leave out the numbers that nobody sits at now.
    """
    listed = sorted((e for e in on_call if e.unit == unit.code and e.starts <= at < e.ends), key=_latest_first)
    local = at.astimezone(zone).time()
    own = (n.digits for n in unit.numbers if not staffed or n.staffed(local))
    return [Target(unit.code, digits) for digits in dict.fromkeys([*(e.digits for e in listed), *own])]


def route(
    units: Iterable[Unit], on_call: Iterable[OnCall], kind: str | None, area: str | None, at: datetime, zone: ZoneInfo
) -> tuple[Target, ...]:
    """Whom to ring for an emergency of *kind* in *area*, in order; no number twice. Empty when no unit fits.

    When nobody is on call and no number is staffed, every number of the units that fit is tried: a phone that may
    ring in an empty room is better than none.
    """
    fitting = sorted(
        (u for u in units if u.role is UnitRole.EMERGENCY and u.fits(kind, area)), key=lambda unit: unit.rank
    )
    entries = tuple(on_call)
    for staffed in (True, False):
        found: dict[str, Target] = {}
        for unit in fitting:
            for target in numbers_of(unit, entries, at, zone, staffed=staffed):
                found.setdefault(target.digits, target)
        if found:
            return tuple(found.values())
    return ()


def _latest_first(entry: OnCall) -> tuple[float, str]:
    """Of two lines for the same moment the later one is the exception to the earlier."""
    return -entry.starts.timestamp(), entry.entry_id

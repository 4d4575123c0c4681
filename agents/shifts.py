"""Shifts: who is to be on duty from when to when, told by the local clock and measured by elapsed time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

LONGEST = timedelta(hours=25)
"""No shift is longer: a whole local day of 24 h, with the hour that the clock may be put back in it."""


class ShiftState(StrEnum):
    """What became of a rostered shift."""

    ON = "on"  # 在岗
    LEAVE = "leave"  # 请假
    SWAPPED = "swapped"  # 换班: another agent stands in, with a shift of his own
    OFF = "off"  # 撤班: taken out of the roster; kept in the store, gone from memory


@dataclass(frozen=True, slots=True)
class Shift:
    """One agent's shift. Times are aware UTC; it lasts from ``starts_at`` to before ``ends_at``.

    Attributes:
        shift_id: stable; one agent has at most one shift on duty beginning at a moment.
        code: the shift's name, for example ``day`` (白班) or ``night`` (夜班).
        crew: 班组, empty when the site has none.
        seat: the seat that the roster names, if it does.
        extra: an extra shift at a peak (QD 第十三条(一)).
    """

    shift_id: str
    agent: str
    starts_at: datetime
    ends_at: datetime
    code: str = "day"
    crew: str = ""
    seat: str | None = None
    extra: bool = False
    state: ShiftState = ShiftState.ON

    @property
    def length(self) -> timedelta:
        """Elapsed time, not the difference of two local clocks."""
        return self.ends_at - self.starts_at

    def covers(self, moment: datetime) -> bool:
        """Whether *moment* lies in the shift: its start does, its end does not."""
        return self.starts_at <= moment < self.ends_at

    def meets(self, other: Shift) -> bool:
        """Whether the two share a moment. One that ends as the other begins does not."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at


def shift_at(shifts: Iterable[Shift], moment: datetime) -> Shift | None:
    """The shift on duty at *moment*, or None. Of two that overlap the one that began last."""
    on = [s for s in shifts if s.state is ShiftState.ON and s.covers(moment)]
    return max(on, key=lambda s: s.starts_at, default=None)


@dataclass(frozen=True, slots=True)
class Template:
    """A shift by the local clock. When ``ends`` is not later than ``begins`` it ends on the next day."""

    code: str
    begins: time
    ends: time

    @property
    def crosses_midnight(self) -> bool:
        """Whether it ends on the day after the one it begins on."""
        return self.ends <= self.begins


def bounds(day: date, template: Template, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Start and end, aware UTC, of the shift that begins on local *day*.

    Both are what the wall clock shows, so the shift between them is an hour shorter or longer where the clock is put
    forward or back in it. Its start and end are the same moment when the clock jumps over all of it.
    """
    last = day + timedelta(days=1) if template.crosses_midnight else day
    return moment(day, template.begins, zone), moment(last, template.ends, zone)


def length(day: date, template: Template, zone: ZoneInfo) -> timedelta:
    """Elapsed time of the shift that begins on local *day*."""
    start, end = bounds(day, template, zone)
    return end - start


def moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    """When the local clock shows *at* on *day*, aware UTC.

    A time that the clock shows twice is the first of the two; for a time that it jumps over, the moment of the jump.
    """
    wall = datetime.combine(day, at)
    first = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None) == wall:
        return first
    # Jumped over: read with the offset after the jump it lies before it, with the offset before the jump after it.
    early, late = wall.replace(tzinfo=zone, fold=1).astimezone(UTC), first
    before = early.astimezone(zone).utcoffset()
    step = timedelta(seconds=1)
    while late - early > step:
        middle = early + (late - early) // step // 2 * step
        if middle.astimezone(zone).utcoffset() == before:
            early = middle
        else:
            late = middle
    return late.replace(microsecond=0)

"""Shifts: who is to be on duty from when to when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class ShiftState(StrEnum):
    """What became of a rostered shift."""

    ON = "on"  # 在岗
    LEAVE = "leave"  # 请假
    SWAPPED = "swapped"  # 换班: another agent stands in, with a shift of his own


@dataclass(frozen=True, slots=True)
class Shift:
    """One agent's shift. Times are aware UTC; it lasts from ``starts_at`` to before ``ends_at``.

    Attributes:
        shift_id: stable; one agent has at most one shift beginning at a moment.
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


def shift_at(shifts: Iterable[Shift], moment: datetime) -> Shift | None:
    """The shift on duty at *moment*, or None. Of two that overlap the one that began last."""
    on = [s for s in shifts if s.state is ShiftState.ON and s.covers(moment)]
    return max(on, key=lambda s: s.starts_at, default=None)

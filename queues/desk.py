"""How urgent a callback is on the desk's list."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

SOON = timedelta(hours=1)
TO_THE_MINUTE = timedelta(minutes=1)  # an appointment is kept to the minute, so it is late after that


class Level(StrEnum):
    """The colour of a line."""

    OVERDUE = "overdue"  # 已逾期: its deadline or its appointment has passed
    SOON = "soon"  # 一小时内
    APPOINTMENT = "appointment"  # 预约: agreed with the caller, later than that
    LATER = "later"  # 稍后


def level(due: datetime | None, deadline: datetime | None, appointment: datetime | None, now: datetime) -> Level:
    """The colour of an open callback. All aware.

    Args:
        due: from when it may be dialled next; None while that is not planned.
        deadline: by when it is to be made.
        appointment: the time agreed with the caller.
    """
    kept_until = None if appointment is None else appointment + TO_THE_MINUTE
    if any(moment is not None and moment <= now for moment in (deadline, kept_until)):
        return Level.OVERDUE
    if any(moment is not None and moment <= now + SOON for moment in (deadline, appointment or due)):
        return Level.SOON
    return Level.LATER if appointment is None else Level.APPOINTMENT

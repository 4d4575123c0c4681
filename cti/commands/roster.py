"""Commands of the roster: shifts, leave, swaps. ``by`` is the person who asks; times are aware UTC."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import NamedTuple


class ShiftEntry(NamedTuple):
    """One shift to be in the roster. Without ``shift_id`` it replaces the agent's shift of the same start, if any."""

    agent: str
    starts_at: datetime
    ends_at: datetime
    code: str = "day"
    crew: str = ""
    seat: str | None = None
    extra: bool = False
    shift_id: str | None = None


class ShiftPlan(NamedTuple):
    """One shift to be in the roster, by the local clock of the hotline: the shift *code* of its profile that begins on
    *day*, or *begins* to *ends*, on the next day when *ends* is not later.
    """

    agent: str
    day: date
    code: str = ""
    begins: time | None = None
    ends: time | None = None
    crew: str = ""
    seat: str | None = None
    extra: bool = False
    shift_id: str | None = None


class PutShifts(NamedTuple):
    """Put many shifts, all or none.

    ``check`` only asks whether they could be put. A refusal that lies with single entries lists them in the outcome's
    data: ``{"bad": [{"entry": index, "column", "zh", "en"}, ...]}``. Shifts that have begun need a lead and a reason.
    """

    by: str
    entries: tuple[ShiftEntry | ShiftPlan, ...]
    reason: str = ""
    check: bool = False


class PutRotation(NamedTuple):
    """Put the turns of crews over ``days`` days from ``start``; the first crew begins its cycle on ``anchor``.

    ``crews``: (name, its agents' numbers), in the order in which they take the first shift of the day.
    """

    by: str
    start: date
    days: int
    anchor: date
    crews: tuple[tuple[str, tuple[str, ...]], ...]
    reason: str = ""


class TakeShiftOff(NamedTuple):
    """Take one shift out of the roster."""

    by: str
    shift_id: str
    reason: str = ""


class AskLeave(NamedTuple):
    """Leave for one shift. ``kind``: personal (事假), sick (病假), annual (年休). ``by`` enters it for ``number``."""

    by: str
    number: str
    shift_id: str
    kind: str
    reason: str


class AskSwap(NamedTuple):
    """换班: ``with_agent`` is to stand in for ``number`` in one shift."""

    by: str
    number: str
    shift_id: str
    with_agent: str
    reason: str


class AgreeSwap(NamedTuple):
    """The partner of a swap will stand in."""

    number: str
    request_id: str


class RefuseSwap(NamedTuple):
    """The partner of a swap will not stand in."""

    number: str
    request_id: str
    reason: str


class WithdrawRequest(NamedTuple):
    """The agent takes a request back."""

    number: str
    request_id: str


class DecideRequest(NamedTuple):
    """Leave or swap is approved or declined; a declined one, and one against a principle, needs a reason."""

    by: str
    request_id: str
    agreed: bool
    reason: str = ""


RequestCommand = AskLeave | AskSwap | AgreeSwap | RefuseSwap | WithdrawRequest | DecideRequest
RosterCommand = PutShifts | PutRotation | TakeShiftOff | RequestCommand

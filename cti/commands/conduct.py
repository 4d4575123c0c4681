"""Commands of conduct on duty: arriving, asking the shift lead, the break line, retraining, proof of who sits there."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class Arrive(NamedTuple):
    """到岗: the agent says that he has come for his shift."""

    number: str


class AskPermit(NamedTuple):
    """The agent asks the shift lead to allow what a rule refuses. ``kind``: busy, sign_out, sign_in."""

    number: str
    kind: str
    reason: str


class DecidePermit(NamedTuple):
    """The lead agrees, until a moment, or declines; either with a reason."""

    by: str
    permit_id: str
    agreed: bool
    reason: str
    until: datetime | None


class WithdrawPermit(NamedTuple):
    """The agent takes back what he asked for."""

    number: str
    permit_id: str


class LeaveBreakLine(NamedTuple):
    """The agent no longer waits for a break."""

    number: str


class RecordTraining(NamedTuple):
    """The lead records that *number* was retrained and has passed (QD 第二十三条)."""

    by: str
    number: str
    note: str


class SeatUnproved(NamedTuple):
    """The seat's phone was not answered, or nobody typed the right PIN at it."""

    check_id: str


class OwnDuty(NamedTuple):
    """What the agent's page shows of his own duty; changes nothing."""

    number: str


ConductCommand = (
    Arrive | AskPermit | DecidePermit | WithdrawPermit | LeaveBreakLine | RecordTraining | SeatUnproved | OwnDuty
)

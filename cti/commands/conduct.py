"""Commands of conduct on duty: arriving, asking the shift lead, the break line, retraining."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


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


ConductCommand = AskPermit | DecidePermit

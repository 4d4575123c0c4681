"""Asking the shift lead for what a rule refuses (值班长批准): asked, agreed for a time or declined, used, over.

Every step leaves its mark and no step is undone: a permit that is over stays over, whatever the clock does afterwards.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from regulations import Ruling, allowed, refused

UNDECIDED_FOR = timedelta(hours=2)  # a request that nobody decided is over then: it was about that hour
LONGEST = timedelta(hours=24)  # a lead agrees to an exception, not to a habit


class PermitKind(StrEnum):
    """What may be asked for."""

    BUSY = "busy"
    SIGN_OUT = "sign_out"
    SIGN_IN = "sign_in"


class PermitState(StrEnum):
    """Where a permit stands. The last four are final."""

    ASKED = "asked"
    AGREED = "agreed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    USED = "used"
    EXPIRED = "expired"


OPEN = (PermitState.ASKED, PermitState.AGREED)


@dataclass(frozen=True, slots=True)
class Permit:
    """One request with all its steps. Times are aware UTC.

    Attributes:
        reason: the agent's own words.
        answer: the lead's own words.
        until: agreed to before this moment.
        used_at: of the first use. A busy permit holds on until ``until``; the others are over with it.
        closed_at: when it came to its final state.
    """

    permit_id: str
    agent: str
    kind: PermitKind
    reason: str
    asked_at: datetime
    state: PermitState = PermitState.ASKED
    decided_by: str | None = None
    decided_at: datetime | None = None
    answer: str = ""
    until: datetime | None = None
    used_at: datetime | None = None
    closed_at: datetime | None = None

    @property
    def lapses_at(self) -> datetime:
        """When it is over by itself."""
        return self.until if self.until is not None else self.asked_at + UNDECIDED_FOR


def may_ask(agent: str, kind: PermitKind, permits: Iterable[Permit]) -> Ruling:
    """One open request of a kind at a time; the lead is not asked the same twice."""
    if any(p.agent == agent and p.kind is kind and p.state in OPEN for p in permits):
        return refused("permit_open", "您已有一项同类申请未了结", "A request of yours of this kind is open already")
    return allowed()


def may_decide(
    permit: Permit, by: str, agreed: bool, until: datetime | None, now: datetime, leads: Container[str]
) -> Ruling:
    """A shift lead decides, nobody his own request; once; an agreement is for a time from now on, ``LONGEST`` at most.

    Args:
        by: who decides.
        until: agreed to before this moment, aware; only asked of an agreement.
        leads: the shift leads (值班长).
    """
    if by == permit.agent:
        return refused("own_request", "不能审批本人的申请", "Nobody decides a request of his own")
    if by not in leads:
        return refused("not_lead", "须由值班长审批", "Only a shift lead decides")
    if permit.state is not PermitState.ASKED or now >= permit.lapses_at:
        return refused("not_open", "该申请已了结", "This request is decided or over")
    if agreed and (until is None or not now < until <= now + LONGEST):
        return refused("bad_time", "同意须限定时间，不超过24小时", "An agreement is for a time, 24 hours at most")
    return allowed()


def decided(permit: Permit, by: str, agreed: bool, answer: str, until: datetime | None, now: datetime) -> Permit:
    """The permit after a decision that ``may_decide`` allowed."""
    if agreed:
        return replace(
            permit, state=PermitState.AGREED, decided_by=by, decided_at=now, answer=answer, until=until
        )  # fmt: skip
    return replace(
        permit, state=PermitState.DECLINED, decided_by=by, decided_at=now, answer=answer, closed_at=now
    )  # fmt: skip


def may_withdraw(permit: Permit, by: str) -> Ruling:
    """The agent takes back what he asked for, as long as it is open; what was used stays used."""
    if by != permit.agent or permit.state not in OPEN or permit.used_at is not None:
        return refused("not_open", "该申请已了结", "This request is decided or over")
    return allowed()


def withdrawn(permit: Permit, now: datetime) -> Permit:
    """The permit taken back."""
    return replace(permit, state=PermitState.WITHDRAWN, closed_at=now)


def holds(permit: Permit, agent: str, kind: PermitKind, now: datetime) -> bool:
    """Whether this permit lets *agent* do *kind* at *now*: agreed by somebody else, not over, not used up."""
    return (
        permit.state is PermitState.AGREED
        and permit.agent == agent
        and permit.kind is kind
        and permit.decided_by not in (None, agent)
        and permit.decided_at is not None
        and permit.until is not None
        and permit.decided_at <= now < permit.until
    )


def used(permit: Permit, now: datetime) -> Permit:
    """The permit after a use. One sign-out or sign-in is all it was for; busy stays allowed until the time is up."""
    if permit.used_at is not None:
        return permit
    if permit.kind is PermitKind.BUSY:
        return replace(permit, used_at=now)
    return replace(permit, used_at=now, state=PermitState.USED, closed_at=now)


def overrun(permit: Permit, busy_since: datetime) -> bool:
    """Whether somebody who is busy since *busy_since* went busy with this permit, and its time is up."""
    used_up = permit.kind is PermitKind.BUSY and permit.state is PermitState.USED
    if not used_up or permit.used_at is None or permit.until is None:
        return False
    return permit.used_at <= busy_since < permit.until


def lapsed(permit: Permit, now: datetime) -> Permit:
    """The permit when its time is up; unchanged before that, or when it is over already."""
    if permit.state not in OPEN or now < permit.lapses_at:
        return permit
    over = PermitState.EXPIRED if permit.used_at is None else PermitState.USED
    return replace(permit, state=over, closed_at=now)

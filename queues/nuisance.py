"""Nuisance callers (骚扰电话): an agent asks, a lead decides, and a block ends by itself.

A public hotline answers for whom it turns away: nobody is blocked by one person alone, without a reason, for ever, or
so that an emergency cannot reach it. Who is blocked hears so, and may press the key of emergencies.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from regulations import Ruling, allowed, refused

LEAST_DIGITS = 7  # shorter ones are 110, 119 and the like, or an exchange's own


class State(StrEnum):
    """How a block stands."""

    ASKED = "asked"
    ACTIVE = "active"
    DECLINED = "declined"
    ENDED = "ended"  # by a lead, before its time
    EXPIRED = "expired"


OPEN = (State.ASKED, State.ACTIVE)


@dataclass(frozen=True, slots=True)
class Block:
    """One number, asked to be blocked or blocked. Times are aware UTC.

    Attributes:
        number: digits, as the trunk shows them.
        ticket_id: the ticket on which the caller was marked.
        reason: in the agent's words.
        tries: calls that were turned away.
    """

    block_id: str
    number: str
    ticket_id: str
    asked_by: str
    asked_at: datetime
    reason: str
    state: State = State.ASKED
    decided_by: str | None = None
    decided_at: datetime | None = None
    words: str = ""
    until: datetime | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None
    tries: int = 0
    tried_at: datetime | None = None


def may_ask(number: str, marked: bool, known: Block | None, protected: bool) -> Ruling:
    """Whether a block of *number* may be asked for.

    Args:
        marked: whether the ticket's caller is marked as a nuisance.
        known: an open block of the same number.
        protected: a number of the directory.
    """
    if not marked:
        return refused("not_marked", "请先将来电人标记为骚扰", "Mark the caller as a nuisance first")
    if len(number) < LEAST_DIGITS:
        return refused("no_number", "未显示号码或短号不能限制", "A withheld or short number cannot be blocked")
    if protected:
        return refused("number_of_a_unit", "单位名录中的号码不能限制", "A number of the directory is never blocked")
    if known is not None:
        return refused("block_known", "该号码已申请或已限制", "It is asked for, or blocked, already")
    return allowed()


def may_decide(block: Block | None, by: str) -> Ruling:
    """Whether this lead may agree or decline: never on what he asked for himself."""
    if block is None or block.state is not State.ASKED:
        return refused("no_such_block", "没有待批的申请", "There is no such request")
    if block.asked_by == by:
        return refused("own_request", "不能审批自己的申请", "Nobody decides on his own request")
    return allowed()


def may_end(block: Block | None) -> Ruling:
    """Whether a block may be ended before its time."""
    if block is None or block.state is not State.ACTIVE:
        return refused("no_such_block", "没有生效中的限制", "There is no such block")
    return allowed()


def agreed(block: Block, by: str, days: int, words: str, now: datetime) -> Block:
    """Blocked for *days* from *now*."""
    until = now + timedelta(days=days)
    return replace(block, state=State.ACTIVE, decided_by=by, decided_at=now, words=words, until=until)


def declined(block: Block, by: str, words: str, now: datetime) -> Block:
    """Not blocked."""
    return replace(block, state=State.DECLINED, decided_by=by, decided_at=now, words=words, ended_at=now)


def ended(block: Block, by: str | None, now: datetime) -> Block:
    """No longer blocked: by a lead, or (*by* None) because its time is over."""
    return replace(block, state=State.ENDED if by else State.EXPIRED, ended_by=by, ended_at=now)


def tried(block: Block, now: datetime) -> Block:
    """He rang and was turned away."""
    return replace(block, tries=block.tries + 1, tried_at=now)

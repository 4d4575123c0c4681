"""Transfers: one caller handed from an agent to somebody else, and what became of it.

Asterisk's answer to a transfer is an acceptance; what happened is told by events alone, whoever began it: the page, a
feature code, or the phone's own transfer key. The first agent keeps first responsibility (首问责任) through all of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from regulations import Article, Ruling, allowed, refused


class How(StrEnum):
    """Whether the agent speaks with the target first."""

    BLIND = "blind"
    CONSULT = "consult"  # 咨询后转接: the caller waits with music while the two speak


class TargetKind(StrEnum):
    """Whom the caller goes to."""

    AGENT = "agent"  # a colleague, by his work number
    UNIT = "unit"  # a unit of the directory: specialist (专业席), outside, responsible
    UNKNOWN = "unknown"  # somebody whom the phone reached by itself


class State(StrEnum):
    """How a transfer stands. From DONE on it is over."""

    ASKED = "asked"  # sent to Asterisk; nothing heard of it yet
    RINGING = "ringing"
    CONSULTING = "consulting"
    DONE = "done"
    RETURNED = "returned"  # the caller is with the first agent again
    FAILED = "failed"  # nothing happened, or Asterisk would not
    GIVEN_UP = "given_up"  # the caller hung up before
    UNSEEN = "unseen"  # the event stream broke: how it ended is not known


OPEN = (State.ASKED, State.RINGING, State.CONSULTING)


class Target(NamedTuple):
    """Whom to reach. ``code``: work number or the unit's code; ``exten``: what is dialled, digits."""

    kind: TargetKind
    code: str
    exten: str = ""


NOBODY_KNOWN = Target(TargetKind.UNKNOWN, "")


@dataclass(frozen=True, slots=True)
class Transfer:
    """One transfer. Times are aware UTC.

    Attributes:
        agent: who hands the caller on.
        by_phone: the phone began it, not the page.
        consult_id: the channel that carries the consultation; its recording has this name.
        leg: the target's own channel.
        why: after RETURNED and FAILED: not_started, refused, busy, no_answer, cancelled, target_gone, unavailable.
    """

    transfer_id: str
    call_id: str
    ticket_id: str | None
    agent: str
    how: How
    target: Target
    asked_at: datetime
    by_phone: bool = False
    state: State = State.ASKED
    why: str = ""
    rang_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    consult_id: str | None = None
    leg: str | None = None

    @property
    def open(self) -> bool:
        """Whether its outcome is awaited."""
        return self.state in OPEN


def may_begin(
    talking: bool, under_way: bool, agent: str, target: Target | None, target_state: str, articles: tuple[Article, ...]
) -> Ruling:
    """Whether *agent* may hand his caller to *target*.

    Args:
        talking: whether he speaks with a caller of the queue.
        under_way: whether a transfer of this call is awaited already.
        target: None when there is no such agent or unit, or no number of it is staffed.
        target_state: of a colleague: ready, busy, wrap_up, ringing, talking, signed_out; of a unit "".
    """
    if not talking:
        return refused("not_talking", "当前没有通话", "There is no call to transfer", *articles)
    if under_way:
        return refused("transfer_under_way", "正在转接中", "A transfer of this call is under way", *articles)
    if target is None:
        return refused("no_such_target", "转接目标不存在或当前无人值守", "There is no such target, or nobody is there")
    if target.kind is TargetKind.AGENT and target.code == agent:
        return refused("transfer_to_oneself", "不能转接给自己", "A call is not transferred to oneself", *articles)
    if target_state == "signed_out":
        return refused("target_signed_out", "对方未签入", "That agent is not signed in", *articles)
    if target_state in ("talking", "ringing"):
        return refused("target_busy", "对方正在通话或振铃", "That agent is on a call", *articles)
    return allowed(*articles)


def may_complete(transfer: Transfer | None) -> Ruling:
    """The agent leaves the caller with whom he consulted: only once that one has answered."""
    if transfer is None or transfer.how is not How.CONSULT:
        return refused("no_consult", "当前没有咨询中的转接", "Nobody is being consulted")
    if transfer.state is not State.CONSULTING:
        return refused("consult_not_answered", "对方尚未接听", "The target has not answered yet")
    return allowed()


def may_cancel(transfer: Transfer | None) -> Ruling:
    """The agent takes the caller back, while the target rings or is consulted."""
    if transfer is None or transfer.how is not How.CONSULT:
        return refused("no_consult", "当前没有咨询中的转接", "Nobody is being consulted")
    return allowed()


def rang(transfer: Transfer, leg: str, consult_id: str | None, at: datetime) -> Transfer:
    """A phone began to ring for it; the first of a unit's, or the next one."""
    if not transfer.open or transfer.state is State.CONSULTING:
        return transfer
    return replace(
        transfer, state=State.RINGING, leg=leg, consult_id=consult_id or transfer.consult_id,
        rang_at=transfer.rang_at or at,
    )  # fmt: skip


def answered(transfer: Transfer, leg: str, consult_id: str | None, first_agent: bool, at: datetime) -> Transfer:
    """Somebody took it. *first_agent*: the dialplan brought a caller whom nobody took back to the one he came from."""
    if not transfer.open:
        return transfer
    taken = replace(
        transfer, leg=leg, consult_id=consult_id or transfer.consult_id, rang_at=transfer.rang_at or at,
    )  # fmt: skip
    if transfer.how is How.CONSULT:
        return replace(taken, state=State.CONSULTING, answered_at=transfer.answered_at or at)
    if first_agent:
        return over(taken, State.RETURNED, at, transfer.why or "unavailable")  # nothing was even rung
    return over(replace(taken, answered_at=at), State.DONE, at)


def unanswered(transfer: Transfer, dial_status: str, at: datetime) -> Transfer:
    """A phone did not take it. After a consultation the caller is with the agent again; else the dialplan goes on."""
    if not transfer.open or transfer.state is State.CONSULTING:
        return transfer
    why = {"BUSY": "busy", "NOANSWER": "no_answer"}.get(dial_status, "unavailable")
    if transfer.how is How.CONSULT:
        return over(transfer, State.RETURNED, at, transfer.why or ("cancelled" if dial_status == "CANCEL" else why))
    return replace(transfer, why=transfer.why or why)


def joined(transfer: Transfer, at: datetime) -> Transfer:
    """The caller and the target speak with each other."""
    return over(transfer, State.DONE, at) if transfer.open else transfer


def leg_gone(transfer: Transfer, channel_id: str, at: datetime) -> Transfer:
    """The consultation, or the target's leg in it, is gone without a join: the caller is with the agent again."""
    if transfer.how is not How.CONSULT or channel_id not in (transfer.consult_id, transfer.leg):
        return transfer
    if transfer.state not in (State.RINGING, State.CONSULTING):
        return transfer
    return over(transfer, State.RETURNED, at, transfer.why or "target_gone")


def call_over(transfer: Transfer, at: datetime) -> Transfer:
    """The caller is gone."""
    return over(transfer, State.GIVEN_UP, at) if transfer.open else transfer


def over(transfer: Transfer, state: State, at: datetime, why: str = "") -> Transfer:
    """Its outcome is known."""
    return replace(transfer, state=state, ended_at=at, why=why)

"""Missed callers (未接来电应及时回复): who was not answered is owed an answer until somebody has spoken with him.

One open duty for each number. Its age is the caller's first try, whatever is planned or rung later, so whoever is
called back keeps the place that he had. It is closed by a conversation (he was answered in a later call, or reached by
a callback), or by an agent's reasoned end, and by nothing else.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from queues.calls import Call
from regulations import Article, Ruling, allowed, refused

MOST_TRIES = 100  # kept one by one; whoever rings oftener is counted on


class State(StrEnum):
    """How a duty stands."""

    OPEN = "open"
    CAME_THROUGH = "came_through"  # the caller rang again and was answered
    REACHED = "reached"  # a callback reached him
    ENDED = "ended"  # an agent ended it, with a reason


class EndReason(StrEnum):
    """Why a duty may end without a conversation."""

    UNREACHABLE = "unreachable"  # every callback that is allowed was made in vain
    NOT_DIALLABLE = "not_diallable"  # a number that cannot be called back
    WRONG_NUMBER = "wrong_number"
    NUISANCE = "nuisance"
    SETTLED_OTHERWISE = "settled_otherwise"  # for example by another of the caller's phones, or in person
    OTHER = "other"


class Try(NamedTuple):
    """One call in vain: when its caller entered the queue, aware UTC."""

    call_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Missed:
    """One duty. Times are aware UTC.

    Attributes:
        number: the caller's, as it would be dialled; never empty.
        first_at: the first try since he was last spoken with; the age of the duty.
        tries: how many tries there were since then.
        latest: the newest of them, at most ``MOST_TRIES``, in order of time.
        claimed_by: the agent who takes care of it.
        callback_id: the callback that was planned for it; a duty has one at most, so its attempts are never counted
            from nought.
        callback_state: as the callback's own.
        closed_by: the agent who ended it, spoke with the caller, or called him back.
    """

    missed_id: str
    number: str
    first_at: datetime
    last_at: datetime
    tries: int
    latest: tuple[Try, ...]
    state: State = State.OPEN
    claimed_by: str | None = None
    claimed_at: datetime | None = None
    callback_id: str | None = None
    callback_state: str | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    end_reason: EndReason | None = None
    end_text: str = ""

    @property
    def planned(self) -> bool:
        """Whether a callback is due or being dialled."""
        return self.callback_state in ("due", "placing")


def is_missed(call: Call | None) -> bool:
    """Whether nobody answered this queue entry and it is over: given up, timed out, turned away or lost from sight."""
    return call is not None and call.closed and call.answered_at is None


def opened(missed_id: str, number: str, tries: tuple[Try, ...]) -> Missed:
    """The duty of a caller who tried in vain: once, as a rule; *tries* are in order of time."""
    return Missed(missed_id, number, tries[0].at, tries[-1].at, len(tries), tries[-MOST_TRIES:])


def tried(duty: Missed, again: Try) -> Missed:
    """The same caller in vain once more; a try that is known changes nothing, and one told late may be the first."""
    if any(known.call_id == again.call_id for known in duty.latest):
        return duty
    latest = tuple(sorted((*duty.latest, again), key=lambda one: (one.at, one.call_id)))[-MOST_TRIES:]
    return replace(
        duty, first_at=min(duty.first_at, again.at), last_at=max(duty.last_at, again.at), tries=duty.tries + 1,
        latest=latest,
    )  # fmt: skip


def spoken(
    duty: Missed, at: datetime, agent: str | None, state: State, now: datetime
) -> tuple[Missed, tuple[Try, ...]]:
    """Somebody spoke with the caller at *at*: that settles the duty and every try up to then.

    Args:
        state: CAME_THROUGH or REACHED.

    Returns:
        The duty, closed unless its first try came after the conversation; and the tries after the conversation, known
        when it is told late, which are a duty of their own.
    """
    if at < duty.first_at:
        return duty, ()
    closed = replace(duty, state=state, closed_at=now, closed_by=agent)
    return closed, tuple(one for one in duty.latest if one.at > at)


def may_claim(duty: Missed, agent: str, present: Container[str], articles: tuple[Article, ...]) -> Ruling:
    """One agent takes care of a duty; what an agent holds who has signed out may be taken over.

    Args:
        present: who is signed in.
    """
    if agent not in present:
        return refused("missed_not_signed_in", "请先签入再认领", "Sign in first", *articles)
    held = duty.claimed_by in present or duty.callback_state == "placing"
    if duty.claimed_by not in (None, agent) and held:
        return refused(
            "missed_claimed",
            f"已由{duty.claimed_by}号话务员认领",
            f"Agent {duty.claimed_by} takes care of it",
            *articles,
        )
    return allowed(*articles)


def claimed(duty: Missed, agent: str, now: datetime) -> Missed:
    """The duty is *agent*'s."""
    return duty if duty.claimed_by == agent else replace(duty, claimed_by=agent, claimed_at=now)


def may_release(duty: Missed, by: str, leads: bool, articles: tuple[Article, ...]) -> Ruling:
    """The holder, or a lead, gives it back; not while a callback is planned, which would ring at the holder."""
    ruling = _holds(duty, by, leads, articles)
    if ruling.allowed and duty.planned:
        return refused(
            "missed_planned", "已安排回访，不能退回", "A callback is planned: it cannot be given back", *articles
        )
    return ruling


def released(duty: Missed) -> Missed:
    """The duty is nobody's."""
    return replace(duty, claimed_by=None, claimed_at=None)


def planned(duty: Missed, callback_id: str, state: str, agent: str, now: datetime) -> Missed:
    """The duty with its callback as that stands; it is whoever's the callback is, nobody's when that is (``""``)."""
    changed = replace(duty, callback_id=callback_id, callback_state=state)
    return claimed(changed, agent, now) if agent else released(changed)


def may_end(duty: Missed, by: str, leads: bool, reason: EndReason, articles: tuple[Article, ...]) -> Ruling:
    """The holder, or a lead, ends a duty without a conversation; UNREACHABLE only after every callback allowed."""
    ruling = _holds(duty, by, leads, articles)
    if not ruling.allowed:
        return ruling
    if duty.callback_state == "placing":
        return refused("attempt_running", "正在回访中", "An attempt is running")
    if reason is EndReason.UNREACHABLE and duty.callback_state != "exhausted":
        return refused(
            "missed_not_tried", "回访次数未用尽，不得以联系不上办结", "Not every callback has been made", *articles
        )
    return ruling


def _holds(duty: Missed, by: str, leads: bool, articles: tuple[Article, ...]) -> Ruling:
    if leads or duty.claimed_by == by:
        return allowed(*articles)
    if duty.claimed_by is None:
        return refused("missed_not_claimed", "请先认领", "Claim it first", *articles)
    return refused(
        "missed_claimed", f"已由{duty.claimed_by}号话务员认领", f"Agent {duty.claimed_by} takes care of it", *articles
    )


def ended(duty: Missed, by: str, reason: EndReason, text: str, now: datetime) -> Missed:
    """A reasoned end."""
    return replace(
        duty, state=State.ENDED, closed_at=now, closed_by=by, end_reason=reason, end_text=text,
        claimed_by=duty.claimed_by or by, claimed_at=duty.claimed_at or now,
    )  # fmt: skip


def may_call_back(duty: Missed, agent: str, present: Container[str], articles: tuple[Article, ...]) -> Ruling:
    """Whether a callback may be planned; when it may be dialled is the rule of callbacks, not of this."""
    if duty.callback_state == "exhausted":
        return refused(
            "missed_exhausted",
            "回访次数已用尽，请说明理由办结",
            "No attempts are left: end it with a reason",
            *articles,
        )
    return may_claim(duty, agent, present, articles)

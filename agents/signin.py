"""May this be done: sign in, sign out, go busy, become ready. The windows of a shift (windows.py) come on top."""

from __future__ import annotations

from collections.abc import Container, Mapping
from datetime import datetime, timedelta

from agents.presence import Agent
from agents.shifts import Shift
from regulations import Article, Ruling, allowed, refused

# From when an agent may say that he has come (到岗). No article's figure: HZ 第二十七条 asks for 10 minutes before the
# start, and whoever comes an hour early has come; a press of the button in yesterday's shift has not.
ARRIVES_FROM = timedelta(minutes=60)


def may_sign_in(agent: Agent, seat: str, taken: Mapping[str, str], personal: Article | None = None) -> Ruling:
    """One seat, one agent; one agent, one seat (HZ 第十八条: nobody signs in for another).

    Args:
        agent: who asks.
        seat: the seat asked for.
        taken: seat -> number of the agent who is signed in there.
        personal: the article that forbids signing in for another; without one the queue still takes one member a seat.
    """
    articles = (personal,) if personal else ()
    if agent.seat == seat:
        return refused("already_signed_in", "您已在本席位签入", "You are signed in at this seat already", *articles)
    if agent.signed_in:
        return refused(
            "signed_in_elsewhere",
            f"您已在席位{agent.seat}签入，请先签出",
            f"You are signed in at seat {agent.seat}: sign out there first",
            *articles,
        )
    holder = taken.get(seat)
    if holder is not None and holder != agent.number:
        return refused(
            "seat_taken", f"席位{seat}已由{holder}号话务员签入", f"Seat {seat} is held by agent {holder}", *articles
        )
    return allowed(*articles)


def in_own_shift(own: Article, mine: Shift | None, coming: Shift | None, early: timedelta, now: datetime) -> Ruling:
    """Signing in from *early* before one's own shift until its end; at other times the lead must agree (HZ 第二十条).

    Args:
        own: the article that speaks.
        mine: the agent's shift on duty at *now*, if any.
        coming: the agent's next shift, if any.
        early: how long before the start one may sign in; zero or more.
    """
    if mine is not None or (coming is not None and now >= coming.starts_at - early):
        return allowed(own)
    return refused(
        "not_own_shift",
        "现在不是您的班次，须经值班长同意方可签入",
        "This is not your shift: the shift lead must agree",
        own,
        at=coming.starts_at - early if coming else None,
        override="lead",
    )


def may_arrive(mine: Shift | None, coming: Shift | None, arrived: Container[str], now: datetime) -> Ruling:
    """到岗: from ``ARRIVES_FROM`` before one's own shift until its end, once. *arrived* holds ids of shifts."""
    shift = arriving_for(mine, coming, now)
    if shift is None:
        at = coming.starts_at - ARRIVES_FROM if coming else None
        return refused(
            "no_shift_to_arrive_for", "现在没有您可到岗的班次", "There is no shift of yours to come for", at=at
        )
    if shift.shift_id in arrived:
        return refused("arrived_already", "您已到岗", "You have said so already")
    return allowed()


def arriving_for(mine: Shift | None, coming: Shift | None, now: datetime) -> Shift | None:
    """The shift that somebody who comes at *now* has come for: the one on duty, or one that begins within the hour."""
    if mine is not None:
        return mine
    return coming if coming is not None and now >= coming.starts_at - ARRIVES_FROM else None


def may_sign_out(agent: Agent, by: str | None = None) -> Ruling:
    """Not while talking, nor while a call rings here: the caller comes first.

    Whoever is put off a seat by another (*by*) takes no further call: that one rings on elsewhere.
    """
    if not agent.signed_in:
        return refused("not_signed_in", "您尚未签入", "You are not signed in")
    if agent.talking is not None:
        return refused("talking", "通话中不能签出", "You cannot sign out during a call")
    if agent.ringing and by is None:
        return refused("ringing", "来电振铃中不能签出", "You cannot sign out while a call rings at your seat")
    return allowed()


def may_go_busy(agent: Agent, reason: str, reasons: Container[str]) -> Ruling:
    """Only with one of the site's reasons (their codes)."""
    if not agent.signed_in:
        return refused("not_signed_in", "您尚未签入", "You are not signed in")
    if reason not in reasons:
        return refused("unknown_reason", "示忙原因无效", "reason: none of this site's reasons")
    return allowed()


def may_be_ready(agent: Agent) -> Ruling:
    """Whoever is signed in may take calls."""
    if not agent.signed_in:
        return refused("not_signed_in", "您尚未签入", "You are not signed in")
    return allowed()

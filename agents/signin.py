"""May this be done: sign in, sign out, go busy, become ready. The shift rules of HZ-32 come on top of these."""

from __future__ import annotations

from collections.abc import Mapping

from agents.presence import Agent
from regulations import Article, Ruling, allowed, refused

NO_PROXY = Article("HZ", "第十八条", "不许他人代签")


def may_sign_in(agent: Agent, seat: str, taken: Mapping[str, str]) -> Ruling:
    """One seat, one agent; one agent, one seat (HZ 第十八条).

    Args:
        agent: who asks.
        seat: the seat asked for.
        taken: seat -> number of the agent who is signed in there.
    """
    if agent.seat == seat:
        return refused("already_signed_in", "您已在本席位签入", "You are signed in at this seat already", NO_PROXY)
    if agent.signed_in:
        return refused(
            "signed_in_elsewhere",
            f"您已在席位{agent.seat}签入，请先签出",
            f"You are signed in at seat {agent.seat}: sign out there first",
            NO_PROXY,
        )
    holder = taken.get(seat)
    if holder is not None and holder != agent.number:
        return refused(
            "seat_taken", f"席位{seat}已由{holder}号话务员签入", f"Seat {seat} is held by agent {holder}", NO_PROXY
        )
    return allowed(NO_PROXY)


def may_sign_out(agent: Agent) -> Ruling:
    """Not while talking: the caller comes first."""
    if not agent.signed_in:
        return refused("not_signed_in", "您尚未签入", "You are not signed in")
    if agent.talking is not None:
        return refused("talking", "通话中不能签出", "You cannot sign out during a call")
    return allowed()


def may_go_busy(agent: Agent, reason: str, reasons: Mapping[str, str]) -> Ruling:
    """Only with one of the site's reasons (code -> label)."""
    if not agent.signed_in:
        return refused("not_signed_in", "您尚未签入", "You are not signed in")
    if reason not in reasons:
        known = "、".join(reasons)
        return refused("unknown_reason", f"示忙原因无效，可用：{known}", f"reason: not one of {', '.join(reasons)}")
    return allowed()


def may_be_ready(agent: Agent) -> Ruling:
    """Whoever is signed in may take calls."""
    if not agent.signed_in:
        return refused("not_signed_in", "您尚未签入", "You are not signed in")
    return allowed()

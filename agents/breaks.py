"""The break line (离岗轮席制, QD 第十九条): a break while enough seats stay manned, else one's turn is waited for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from agents.presence import Agent
from regulations import Article, Ruling, allowed, refused


class Place(NamedTuple):
    """A place in the line. ``since`` is aware UTC; the order is that of ``turn``, which no clock can turn round."""

    entry_id: str
    agent: str
    reason: str
    since: datetime
    turn: int


@dataclass(frozen=True, slots=True)
class Seats:
    """How the seats are manned now.

    Attributes:
        manned: numbers of the agents who take calls: signed in, not busy, not paused past the console.
        waiting: callers whom nobody has answered yet.
        minimum: seats that must stay manned.
    """

    manned: frozenset[str]
    waiting: int
    minimum: int


def manned(agents: Iterable[Agent]) -> frozenset[str]:
    """Who takes calls; talking, ringing and wrap-up are work at the seat."""
    return frozenset(
        a.number for a in agents if a.signed_in and a.busy_reason is None and not (a.outside or "").startswith("pause")
    )


def in_order(line: Iterable[Place]) -> list[Place]:
    """First come, first served."""
    return sorted(line, key=lambda place: place.turn)


def position(agent: str, line: Iterable[Place]) -> int | None:
    """The agent's place in the line, from 1; None when he does not stand in it."""
    return next((n for n, place in enumerate(in_order(line), 1) if place.agent == agent), None)


def may_break(agent: str, line: Sequence[Place], seats: Seats, articles: Iterable[Article]) -> Ruling:
    """Whether *agent* may leave for a break now: nobody is before him, nobody waits, and enough others stay.

    Args:
        line: who waits for a break; the agent himself may stand in it.
        articles: those that speak.
    """
    place = position(agent, line)
    ahead = len(line) if place is None else place - 1
    stay = len(seats.manned - {agent})
    if not ahead and not seats.waiting and stay >= seats.minimum:
        return allowed(*articles)
    zh = f"离岗轮席：须保持{seats.minimum}个席位在岗，请排队等候"
    en = f"Breaks take turns: {seats.minimum} seats must stay manned"
    return refused("break_line", zh, en, *articles, override="lead")


def in_line(ruling: Ruling, place: int) -> Ruling:
    """The refusal of somebody who now stands in the line at *place*, from 1."""
    return replace(
        ruling,
        zh=f"{ruling.zh}：您排在第{place}位，轮到时自动离岗",
        en=f"{ruling.en}: you are number {place} in the line and will be let go in turn",
    )


def next_to_go(line: Iterable[Place], seats: Seats) -> Place | None:
    """Who may be let go now, or None. Nobody overtakes: while the first cannot go, nobody goes."""
    first = next(iter(in_order(line)), None)
    if first is None or seats.waiting or len(seats.manned - {first.agent}) < seats.minimum:
        return None
    return first

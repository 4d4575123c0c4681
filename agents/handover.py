"""Handing over at the end of a shift: who relieves whom, when one may leave, how long a seat stood empty.

HZ 第五章 and QD 第十四条. A gap and overtime are measured by our monotonic clock, so that a stepped wall clock neither
excuses nor accuses anybody; the wall clock stands in only after a restart of the machine, and the figure says so.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from agents.shifts import Shift, ShiftState
from regulations import Article, Ruling, allowed, refused


class HandoverState(StrEnum):
    """How far a handover is."""

    PREPARED = "prepared"  # 整理中: drafted, seats are being handed over
    CLOSED = "closed"  # 已交接
    CANCELLED = "cancelled"  # the roster changed: nobody changes over at that moment any more


@dataclass(frozen=True, slots=True)
class Handover:
    """One moment ``at`` at which shifts end and others begin. ``until``: the last incoming shift's end. Aware UTC."""

    handover_id: str
    at: datetime
    until: datetime
    prepared_at: datetime
    state: HandoverState = HandoverState.PREPARED
    closed_at: datetime | None = None


class Span(NamedTuple):
    """Where a measurement began: wall time (aware UTC), seconds of the monotonic clock, and of which boot."""

    began_at: datetime
    mono: float
    boot: str

    def elapsed(self, now: datetime, mono: float, boot: str) -> tuple[int, bool]:
        """Milliseconds since then, 0 or more, and whether the wall clock had to measure them: another boot."""
        by_wall = boot != self.boot
        seconds = (now - self.began_at).total_seconds() if by_wall else mono - self.mono
        return max(0, round(seconds * 1000)), by_wall


@dataclass(frozen=True, slots=True)
class Pair:
    """The outgoing agent (交班人), his seat, and the agent who relieves him there (接班人), if anybody follows.

    Attributes:
        seat: None until the outgoing agent is seen at one.
        paired_by: the lead who set it, None while it is only proposed.
        out_signed_at: when the outgoing agent signed the sheet, and so closed the list of items.
        in_signed_at: when the incoming agent did.
        left_at: when the outgoing agent left the seat, or was found absent at the handover.
        relieved_at: when somebody, ``relieved_by``, signed in at that seat again.
        overtime_why: ``no_relief`` or ``unsigned``: what held the outgoing agent beyond the end of the shift.
    """

    handover_id: str
    outgoing: str
    outgoing_shift: str
    seat: str | None
    incoming: str | None
    incoming_shift: str | None
    paired_by: str | None = None
    paired_at: datetime | None = None
    out_signed_at: datetime | None = None
    in_signed_at: datetime | None = None
    left_at: datetime | None = None
    relieved_at: datetime | None = None
    relieved_by: str | None = None
    overtime_why: str | None = None
    overtime_from: datetime | None = None
    overtime_mono: float | None = None
    overtime_boot: str | None = None
    overtime_ms: int | None = None
    dropped: bool = False

    @property
    def signed(self) -> bool:
        """Whether both have signed the sheet (HZ 第三十三条)."""
        return self.out_signed_at is not None and self.in_signed_at is not None

    @property
    def over(self) -> bool:
        """Whether the seat has been handed over: left, and taken again where somebody follows."""
        return self.left_at is not None and (self.incoming is None or self.relieved_at is not None)

    @property
    def overtime(self) -> Span | None:
        """The overtime that runs, or None."""
        if self.overtime_from is None or self.overtime_mono is None or self.overtime_ms is not None:
            return None
        return Span(self.overtime_from, self.overtime_mono, self.overtime_boot or "")


class Cause(StrEnum):
    """Who let a seat stand empty."""

    INCOMING = "incoming"  # the relief was there when the seat was left
    LEAD = "lead"  # the relief was not, and a lead had let the outgoing agent go
    OUTGOING = "outgoing"  # left without either


@dataclass(frozen=True, slots=True)
class Gap:
    """The time for which a paired seat stands empty (空档期, HZ 第二十八条). ``ms`` and ``within`` when it is over."""

    gap_id: str
    handover_id: str
    seat: str
    outgoing: str
    incoming: str
    began_at: datetime
    began_mono: float
    boot: str
    cause: Cause
    caused_by: str
    limit_ms: int | None
    alarmed_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None
    ms: int | None = None
    within: bool | None = None
    by_wall: bool = False

    @property
    def span(self) -> Span:
        """Where it began."""
        return Span(self.began_at, self.began_mono, self.boot)


class Change(NamedTuple):
    """Whose shifts end at a moment, and whose begin there; by number."""

    outgoing: list[Shift]
    incoming: list[Shift]


def changing(shifts: Sequence[Shift], at: datetime, near: timedelta) -> Change:
    """Who goes and who comes at *at*. Whoever has another shift that goes on does neither.

    Args:
        shifts: all that touch the hours around *at*.
        near: an incoming shift begins at most this much before or after *at*.
    """
    on = [s for s in shifts if s.state is ShiftState.ON]
    going = {s.agent: s for s in on if s.ends_at == at}
    staying = {s.agent for s in on if s.starts_at <= at + near and s.ends_at > at}
    coming = {s.agent: s for s in on if abs(s.starts_at - at) <= near and s.ends_at > at and s.agent not in going}
    return Change(
        [going[number] for number in sorted(going) if number not in staying], [coming[n] for n in sorted(coming)]
    )


def moments(shifts: Sequence[Shift], near: timedelta) -> list[datetime]:
    """Every moment at which somebody goes and somebody else comes."""
    ends = sorted({s.ends_at for s in shifts if s.state is ShiftState.ON})
    return [at for at in ends if all(changing(shifts, at, near))]


def propose_pairs(outgoing: Mapping[str, str | None], incoming: Mapping[str, str | None]) -> dict[str, str | None]:
    """Outgoing agent -> incoming agent or None: first whom the roster names for that seat, then in order of number.

    Args:
        outgoing: agent -> the seat he holds, if known.
        incoming: agent -> the seat that the roster names, if it does.
    """
    by_seat = {seat: number for number, seat in sorted(incoming.items(), reverse=True) if seat is not None}
    paired: dict[str, str | None] = {}
    for number, seat in sorted(outgoing.items()):
        fits = by_seat.pop(seat, None) if seat is not None else None
        if fits is not None:
            paired[number] = fits
    free = iter(sorted(set(incoming) - set(paired.values())))
    return {number: paired.get(number) or next(free, None) for number in sorted(outgoing)}


def may_pair(
    pairs: Iterable[Pair],
    wanted: Mapping[str, str | None],
    begun: Container[str],
    candidates: Container[str],
    by: str,
    article: Article | None,
) -> Ruling:
    """May the lead *by* set outgoing -> incoming so (HZ 第二十八条 值班长负责安排坐席)?

    Args:
        pairs: of this handover.
        wanted: the pairs to set; those that stay as they are say nothing.
        begun: outgoing agents whose sheet has been decided on or signed already.
        candidates: whose shifts begin at this handover.
        article: what gives the seats to the lead to assign, if the profile has it.
    """
    known = {p.outgoing: p for p in pairs}
    cited = (article,) if article else ()
    if not set(wanted) <= set(known):
        return refused("unknown_pair", "交接名单中没有该交班人", "No such outgoing agent in this handover", *cited)
    changed = {out: new for out, new in wanted.items() if known[out].incoming != new}
    if by in changed:
        return refused("own_pair", "不得安排本人的交班", "Nobody arranges their own relief", *cited)
    if any(out in begun or known[out].left_at is not None for out in changed):
        return refused("sheet_begun", "该席位的交接已经开始", "The handover of that seat has begun already", *cited)
    named = [new for new in changed.values() if new is not None]
    if any(new not in candidates for new in named):
        return refused("not_incoming", "接班人本班次未排班", "That agent has no shift beginning then", *cited)
    after = [new for p in known.values() if (new := wanted.get(p.outgoing, p.incoming)) is not None]
    if len(set(after)) != len(after):
        return refused("paired_twice", "一名接班人只能接一个席位", "An agent relieves one seat only", *cited)
    return allowed(*cited)


def may_leave(
    pair: Pair | None, *, present: bool, permitted: bool, relief: Article | None, itemised: Article | None
) -> list[Ruling]:
    """What a handover says to an outgoing agent who wants to sign out.

    Args:
        pair: the pair he hands over in; None, or nobody following, holds him to nothing.
        present: the relief has come to the post (到岗).
        permitted: a lead, not himself, has let him go.
        relief: HZ 第二十九条, QD 第十四条(二); None is off.
        itemised: HZ 第三十三条; None is off.
    """
    if pair is None or pair.incoming is None:
        return []
    if permitted:
        return [allowed(*(article for article in (relief, itemised) if article is not None))]
    said: list[Ruling] = []
    if relief is not None and not present:
        zh = f"接班人{pair.incoming}未到，不得离岗"
        en = f"Your relief {pair.incoming} has not come: stay at your post"
        said.append(refused("relief_absent", zh, en, relief, override="lead"))
    if itemised is not None and not pair.signed:
        zh, en = "交接单尚未由双方签字", "The handover sheet has not been signed by both"
        said.append(refused("sheet_unsigned", zh, en, itemised, override="lead"))
    return said or [allowed(*(article for article in (relief, itemised) if article is not None))]


def held_by(pair: Pair, *, present: bool, relief: bool, itemised: bool) -> str | None:
    """What holds the outgoing agent beyond the end of the shift: ``no_relief``, ``unsigned`` or nothing."""
    if pair.incoming is None:
        return None
    if relief and not present:
        return "no_relief"
    return "unsigned" if itemised and not pair.signed else None


def cause_of(pair: Pair, *, present: bool, let_go_by: str | None) -> tuple[Cause, str]:
    """Who answers for the gap that begins now, and his number. ``let_go_by``: the lead who allowed the leaving."""
    if present and pair.incoming is not None:
        return Cause.INCOMING, pair.incoming
    if let_go_by is not None:
        return Cause.LEAD, let_go_by
    return Cause.OUTGOING, pair.outgoing


def left(pair: Pair, now: datetime, mono: float, boot: str) -> Pair:
    """The outgoing agent has signed out; overtime that ran is counted up."""
    ran = pair.overtime
    ms = pair.overtime_ms if ran is None else ran.elapsed(now, mono, boot)[0]
    return replace(pair, left_at=now, overtime_ms=ms)


def ended(gap: Gap, by: str | None, now: datetime, mono: float, boot: str) -> Gap:
    """The seat is taken again, by *by*. Exactly the limit is within it."""
    ms, by_wall = gap.span.elapsed(now, mono, boot)
    within = gap.limit_ms is None or ms <= gap.limit_ms
    return replace(gap, ended_at=now, ended_by=by, ms=ms, within=within, by_wall=by_wall)

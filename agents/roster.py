"""The roster: who works when, by crews and day by day, and that nobody is in two places at once."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from operator import attrgetter
from typing import NamedTuple

from agents.shifts import LONGEST, Shift, ShiftState, Template
from regulations import Limit, Profile, Ruling, allowed, combined, refused

_START = attrgetter("starts_at")
_ORDER = attrgetter("starts_at", "agent", "shift_id")


class Turn(NamedTuple):
    """A crew's turn of duty: the shift *template* that begins on local *day*."""

    day: date
    crew: int
    template: Template


class Clash(NamedTuple):
    """Two shifts that cannot both be; ``seat`` when it is the seat that cannot hold both agents."""

    new: Shift
    other: Shift
    seat: bool


def templates(profile: Profile) -> tuple[Template, ...]:
    """The hotline's shifts: ``day`` and ``night``, as far as the profile names their times (roster.day_from, ...)."""
    found = []
    for code in ("day", "night"):
        begins, ends = profile.get(f"roster.{code}_from"), profile.get(f"roster.{code}_to")
        if begins is not None and ends is not None:
            assert isinstance(begins.value, time)  # noqa: S101 - the profile does not load otherwise
            assert isinstance(ends.value, time)  # noqa: S101
            found.append(Template(code, begins.value, ends.value))
    return tuple(found)


def rotation(start: date, days: int, anchor: date, crews: int, of: Sequence[Template]) -> Iterator[Turn]:
    """Turns of duty for *days* days from *start*: 四班二运转 when *crews* is 4 and *of* are day and night.

    A crew works each shift of *of* in turn, a day each, and then rests until every crew has had its day; the first crew
    begins with the first shift on *anchor*, so a later month goes on where the last one ended. Each day each shift has
    exactly one crew.

    Raises:
        ValueError: fewer crews than shifts, or no shift at all.
    """
    if not 0 < len(of) <= crews:
        raise ValueError("a rotation needs shifts, and at least as many crews")
    for ahead in range(days):
        day = start + timedelta(days=ahead)
        for place, template in enumerate(of):
            yield Turn(day, ((day - anchor).days - place) % crews, template)


def may_rotate(crews: int, limit: Limit | None, of: Sequence[Template]) -> Ruling:
    """Whether so many crews can work the hotline's shifts (roster.crews: QD 第十三条(一), 四班二运转)."""
    if not of:
        return refused("no_templates", "本热线未规定班次时间，无法生成轮班", "The profile names no shift times")
    if limit is not None and crews != limit.value:
        return refused(
            "crews", f"本热线应为{limit.value}个班组，现有{crews}个", f"{limit.value} crews are needed, not {crews}",
            limit.article,
        )  # fmt: skip
    if crews < len(of):
        return refused("crews", f"至少需要{len(of)}个班组", f"At least {len(of)} crews are needed")
    return allowed(*(() if limit is None else (limit.article,)))


class Roster:
    """Shifts in memory, found by bisection: they are asked for with every command.

    Shifts that were taken off (``OFF``) are not in it.
    """

    def __init__(self) -> None:
        self.by_id: dict[str, Shift] = {}
        self.by_agent: dict[str, list[Shift]] = {}
        self._all: list[Shift] = []

    def put(self, shifts: Iterable[Shift]) -> None:
        """Add or replace shifts, by their ids."""
        new = {shift.shift_id: shift for shift in shifts}
        self._without(new.keys() & self.by_id.keys())
        kept = [shift for shift in new.values() if shift.state is not ShiftState.OFF]
        for shift in kept:
            self.by_id[shift.shift_id] = shift
            self.by_agent.setdefault(shift.agent, []).append(shift)
        for agent in {shift.agent for shift in kept}:
            self.by_agent[agent].sort(key=_ORDER)
        self._all.extend(kept)
        self._all.sort(key=_ORDER)

    def forget(self, before: datetime) -> None:
        """Drop what ended before *before*."""
        self._without({shift_id for shift_id, shift in self.by_id.items() if shift.ends_at < before})

    def _without(self, gone: set[str]) -> None:
        if not gone:
            return
        agents = {self.by_id.pop(shift_id).agent for shift_id in gone}
        for agent in agents:
            self.by_agent[agent] = [s for s in self.by_agent[agent] if s.shift_id not in gone]
        self._all = [s for s in self._all if s.shift_id not in gone]

    def at(self, agent: str, now: datetime) -> Shift | None:
        """The agent's shift on duty at *now*; of two that overlap the one that began last."""
        own = self.by_agent.get(agent, [])
        for shift in reversed(own[bisect_left(own, now - LONGEST, key=_START) : bisect_right(own, now, key=_START)]):
            if shift.state is ShiftState.ON and shift.covers(now):
                return shift
        return None

    def after(self, agent: str, now: datetime) -> Shift | None:
        """The agent's next shift on duty that begins after *now*."""
        own = self.by_agent.get(agent, [])
        ahead = range(bisect_right(own, now, key=_START), len(own))
        return next((own[i] for i in ahead if own[i].state is ShiftState.ON), None)

    def before(self, agent: str, now: datetime) -> Shift | None:
        """The agent's shift on duty that ended last, by *now*."""
        own = self.by_agent.get(agent, [])
        past = own[: bisect_right(own, now, key=_START)]
        found: Shift | None = None
        for shift in reversed(past):
            if found is not None and shift.starts_at + LONGEST < found.ends_at:
                break
            if shift.state is ShiftState.ON and shift.ends_at <= now and (not found or shift.ends_at > found.ends_at):
                found = shift
        return found

    def covers(self, now: datetime) -> bool:
        """Whether any shift, worked or on leave, covers *now*."""
        for i in range(bisect_right(self._all, now, key=_START) - 1, -1, -1):
            if self._all[i].starts_at + LONGEST <= now:
                return False
            if self._all[i].covers(now):
                return True
        return False

    def crew(self, now: datetime) -> int | None:
        """How many agents are to be on duty at *now*; None where no shift, worked or on leave, covers it."""
        there = [s for s in self.between(now, now + timedelta(microseconds=1)) if s.covers(now)]
        return len({s.agent for s in there if s.state is ShiftState.ON}) if there else None

    def between(self, start: datetime, end: datetime) -> list[Shift]:
        """Shifts of any state that touch [start, end), by start and agent."""
        first, last = bisect_left(self._all, start - LONGEST, key=_START), bisect_left(self._all, end, key=_START)
        return [shift for shift in self._all[first:last] if shift.ends_at > start]

    def same_start(self, agent: str, starts_at: datetime) -> Shift | None:
        """The agent's shift that begins at that moment: one on duty before one on leave or swapped."""
        own = self.by_agent.get(agent, [])
        found = own[bisect_left(own, starts_at, key=_START) : bisect_right(own, starts_at, key=_START)]
        return min(found, key=lambda s: s.state is not ShiftState.ON, default=None)

    def clashes(self, new: Sequence[Shift]) -> list[Clash]:
        """What the roster would hold twice if *new* were put: an agent in two shifts, or a seat with two agents.

        Of new shifts that clash with each other the one that begins later is told, or stands later in *new*. There are
        as many clashes as shifts at most, however many meet.
        """
        places = {shift.shift_id: place for place, shift in enumerate(new)}
        on = [shift for shift in new if shift.state is ShiftState.ON]
        if not on:
            return []
        first, last = min(s.starts_at for s in on), max(s.ends_at for s in on)
        stay = [s for s in self.between(first, last) if s.shift_id not in places and s.state is ShiftState.ON]
        agents, seats = defaultdict[str, list[Shift]](list), defaultdict[str, list[Shift]](list)
        for shift in sorted((*on, *stay), key=lambda s: (s.starts_at, places.get(s.shift_id, -1))):
            agents[shift.agent].append(shift)
            if shift.seat is not None:
                seats[shift.seat].append(shift)
        found = [clash for own in agents.values() for clash in _overlaps(own, places.keys(), seat=False)]
        for there in seats.values():
            found += (c for c in _overlaps(there, places.keys(), seat=True) if c.new.agent != c.other.agent)
        return found


def _overlaps(ordered: Sequence[Shift], new: Container[str], *, seat: bool) -> Iterator[Clash]:
    """Each shift with the one before it that ends last, when they meet and one of them is new; *ordered* by start."""
    longest = ordered[0]
    for shift in ordered[1:]:
        if longest.ends_at > shift.starts_at:
            if shift.shift_id in new:
                yield Clash(shift, longest, seat)
            elif longest.shift_id in new:
                yield Clash(longest, shift, seat)
        longest = max(longest, shift, key=lambda s: s.ends_at)


class Change(NamedTuple):
    """A shift that somebody wants otherwise: ``before`` is None for a new one, ``after`` is ``OFF`` to take it out."""

    before: Shift | None
    after: Shift


def may_change(
    by: str, changes: Sequence[Change], ahead: Limit | None, now: datetime, *, leads: bool, reason: str
) -> Ruling:
    """Whether *by* may change the roster so.

    What has begun is the record of who was to be there: only a lead changes it, and says why. Whoever makes the roster
    grants himself nothing: his own shift is not taken off or shortened by himself, nor put on short of the time ahead
    that he could ask a swap in (HZ 第十九条).

    Args:
        ahead: ``leave.ahead`` of the profile.
        leads: whether *by* is a shift lead.
        reason: why, empty when none was given.
    """
    return combined([_own(by, changes, ahead, now), _begun(changes, now, leads=leads, reason=reason)])


def _begun(changes: Sequence[Change], now: datetime, *, leads: bool, reason: str) -> Ruling:
    begun = [c for c in changes if c.after.starts_at <= now or (c.before is not None and c.before.starts_at <= now)]
    if not begun or (leads and reason):
        return allowed()
    return refused(
        "shift_begun",
        f"有{len(begun)}个班次已开始，只有值班长可以更改，并须注明原因",
        f"{len(begun)} of the shifts have begun: only a lead changes them, and gives a reason",
        override="lead",
    )


def _own(by: str, changes: Sequence[Change], ahead: Limit | None, now: datetime) -> Ruling:
    notice = timedelta(seconds=ahead.seconds()) if ahead is not None else timedelta(0)
    for before, after in changes:
        if after.agent != by and (before is None or before.agent != by):
            continue
        less = before is not None and (
            after.state is not ShiftState.ON or after.agent != by
            or after.starts_at > before.starts_at or after.ends_at < before.ends_at
        )  # fmt: skip
        sooner = before is None and after.starts_at - now < notice
        if less or sooner:
            return refused(
                "own_shift",
                "本人的班次须由他人更改",
                "Your own shift is for somebody else to change",
                *(() if ahead is None else (ahead.article,)),
            )
    return allowed()

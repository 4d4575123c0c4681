"""When to ring an owed caller: attempts in different parts of the day, all of them before the deadline.

「应安排不少于3次回复（回访）」 could be three rings in one morning; whoever works in the morning is reached in the
evening. So an attempt goes to a part of the day (working hours, noon, evening) that was not tried yet, else to an hour
that was not, as long as the ones still to be made fit before the deadline. It is said at once, as a value, when they do
not. Nothing here may allow what ``queues.callbacks.may_place`` refuses: every time comes out of ``earliest``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import NamedTuple

from queues.callbacks import NO_TERMS, Attempt, AttemptOutcome, CallbackLimits, Terms, as_read, earliest
from queues.openday import hour_of, hour_starts, part_of

QUARTER = timedelta(minutes=15)
NEVER = datetime.max.replace(tzinfo=UTC)
MOST_QUARTERS = 14 * 96
"""How far a place with room is looked for: two weeks."""
SLACK = timedelta(minutes=30)
"""Left before the deadline by an attempt that could have been made sooner: agents are busy, and days have surprises."""
URGENT = 2
"""A quarter-hour holds so many times its capacity for those who would else be late; who can wait gives way."""
DEFAULT_TRIES = 1
"""How many attempts are fitted before the deadline when neither a least nor a most number is in force."""

Capacity = Callable[[datetime], int]
"""The start of a quarter-hour, aware UTC -> how many callbacks the agents on duty can make in it."""
Jitter = Callable[[str], timedelta]
"""Callback id -> how far into its quarter-hour it is put, 0 to under 15 min; injected."""


@dataclass(frozen=True, slots=True)
class Owed:
    """One callback to be planned. Times aware UTC; ``asked_at`` is its age."""

    callback_id: str
    asked_at: datetime
    attempts: tuple[Attempt, ...] = ()
    deadline: datetime | None = None
    terms: Terms = NO_TERMS
    sampled: bool = False
    """Drawn for a sample: it is due within the shift, which is too short for three attempts two hours apart."""


class Shortfall(NamedTuple):
    """How many open callbacks do not fit before their deadlines any more."""

    by_rules: int
    """Quiet hours and spacing leave no time for the attempts still to be made; of a sampled one: for the next."""
    by_crew: int
    """There are too few agents; the fewest that must be late, whichever are made first."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether the attempts still to be made fit before the deadline.

    Attributes:
        times: a moment for each of them, the first one first; those in ``late`` come after the deadline.
        late: ordinals, from 1 for the callback's first counted attempt, that cannot be made in time.
        why: ``""``, ``deadline`` (the rules leave no time) or ``capacity`` (too few agents before it).
    """

    times: tuple[datetime, ...]
    late: tuple[int, ...] = ()
    why: str = ""

    @property
    def fits(self) -> bool:
        """Whether all of them come before the deadline."""
        return not self.late


@dataclass(frozen=True, slots=True)
class Planned:
    """When a callback is next due; ``at`` is ``fit.times[0]`` after capacity and jitter. None: no attempt is left."""

    callback_id: str
    at: datetime | None
    fit: Fit


def quarter_of(at: datetime) -> datetime:
    """The start of the quarter-hour of *at*."""
    return at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)


def left(owed: Owed, limits: CallbackLimits) -> int:
    """How many attempts are still to be made, if none of them reaches the caller."""
    wanted = limits.most or limits.least or DEFAULT_TRIES
    return max(wanted - sum(a.counts for a in owed.attempts), 0)


def fit_of(owed: Owed, limits: CallbackLimits, now: datetime, ring: timedelta, first: datetime | None = None) -> Fit:
    """The attempts still to be made, spread over the day; each as early as its part of the day allows.

    The first one of all is made as soon as it may be: whoever is reached at once is owed nothing more.

    Args:
        first: where the next attempt was put, when that is settled.
    """
    times: list[datetime] = []
    made = as_read(owed.attempts, now, ring, owed.terms)
    terms, at = replace(owed.terms, spaced_from=None), now
    for ahead in range(left(owed, limits) - 1, -1, -1):
        soonest = earliest(made, limits, at, ring, terms)
        tried = [a for a in made if a.counts]
        settled = not times and (first or terms.appointment_at or terms.override) is not None
        chosen = soonest if not settled or first is None else first
        if tried and not settled:
            chosen = _spread(tried, made, ahead, owed.deadline, limits, soonest, ring)
        times.append(chosen)
        made = (*made, _supposed(len(made) + 1, chosen, ring))
        terms, at = replace(terms, appointment_at=None, override=None, not_before=None), chosen
    done = sum(a.counts for a in owed.attempts)
    late = tuple(
        done + n for n, moment in enumerate(times, 1) if owed.deadline is not None and moment > owed.deadline
    )  # fmt: skip
    return Fit(tuple(times), late, "deadline" if late else "")


def _spread(
    tried: list[Attempt], made: tuple[Attempt, ...], ahead: int, deadline: datetime | None, limits: CallbackLimits,
    soonest: datetime, ring: timedelta,
) -> datetime:  # fmt: skip
    """The first moment from *soonest* in a part of the day that was not tried; else in such an hour; else soonest."""
    hours = {hour_of(a.started_at, limits.zone) for a in tried}
    parts = {part_of(hour) for hour in hours}
    other_hour: datetime | None = None
    for start in chain((soonest,), hour_starts(soonest, limits.zone)):
        at = earliest(made, limits, start, ring)
        hour = hour_of(at, limits.zone)
        if hour in hours:
            continue
        if at != soonest and not _rest_fits(made, ahead, deadline and deadline - SLACK, limits, at, ring):
            break  # later ones fit still less
        if part_of(hour) not in parts:
            return at
        other_hour = other_hour or at
    return other_hour or soonest


def _rest_fits(
    made: tuple[Attempt, ...], ahead: int, deadline: datetime | None, limits: CallbackLimits, at: datetime,
    ring: timedelta,
) -> bool:  # fmt: skip
    """Whether *ahead* more attempts, each as soon as it may be, end up before the deadline when one is made at *at*."""
    if deadline is None:
        return True
    for _ in range(ahead):
        at = earliest((*made, _supposed(len(made) + 1, at, ring)), limits, at, ring)
    return at <= deadline


def _supposed(ordinal: int, at: datetime, ring: timedelta) -> Attempt:
    return Attempt(ordinal, at, at + ring, AttemptOutcome.NO_ANSWER)


def planned(
    owed: Owed, load: Mapping[datetime, int], capacity: Capacity, limits: CallbackLimits, now: datetime,
    ring: timedelta, jitter: Jitter = lambda _: timedelta(0),
) -> Planned:  # fmt: skip
    """When one callback is next due, given how many are due in each quarter-hour already.

    An appointment is put where it was agreed, whatever the load. Who would be late for want of room takes a place in a
    quarter-hour that is full: agents work by ``place_of``, and those with a later deadline wait for him.

    Args:
        load: start of a quarter-hour (aware UTC) -> callbacks planned in it.
        ring: the longest from the dial to the end of the caller's ring.
    """
    terms = replace(owed.terms, spaced_from=None)
    owed = replace(owed, attempts=as_read(owed.attempts, now, ring, owed.terms), terms=terms)
    wanted = fit_of(owed, limits, now, ring)
    if not wanted.times:
        return Planned(owed.callback_id, None, wanted)
    if owed.terms.appointment_at is not None:
        return Planned(owed.callback_id, wanted.times[0], wanted)
    at, ahead = _with_room(owed, wanted.times[0], load, capacity, limits, ring), len(wanted.times) - 1
    if wanted.late or not _rest_fits(owed.attempts, ahead, owed.deadline, limits, at, ring):
        at = _with_room(owed, wanted.times[0], load, lambda slot: URGENT * capacity(slot), limits, ring)
    last = at if wanted.late else _latest_in(owed, at, ahead, limits, ring)
    at = _put_into(owed, at, last, limits, ring, jitter)
    if at == wanted.times[0]:
        return Planned(owed.callback_id, at, wanted)
    fit = fit_of(owed, limits, now, ring, first=at)
    return Planned(owed.callback_id, at, replace(fit, why="capacity") if fit.late and not wanted.late else fit)


def _with_room(
    owed: Owed, at: datetime, load: Mapping[datetime, int], capacity: Capacity, limits: CallbackLimits, ring: timedelta
) -> datetime:
    """The first moment from *at* in a quarter-hour with room; *at* itself when there is none for two weeks."""
    wanted = at
    for _ in range(MOST_QUARTERS):
        slot = quarter_of(at)
        if load.get(slot, 0) >= capacity(slot):
            at = slot + QUARTER  # whether it is allowed is only asked of one that has room
            continue
        allowed = earliest(owed.attempts, limits, at, ring, owed.terms)
        if allowed == at:
            return at
        at = allowed
    return wanted


def _latest_in(owed: Owed, at: datetime, ahead: int, limits: CallbackLimits, ring: timedelta) -> datetime:
    """How late in its quarter-hour *at* may be moved: not at all when the attempts after it would then be late."""
    last = quarter_of(at) + QUARTER
    return last if _rest_fits(owed.attempts, ahead, owed.deadline, limits, last, ring) else at


def _put_into(
    owed: Owed, at: datetime, last: datetime, limits: CallbackLimits, ring: timedelta, jitter: Jitter
) -> datetime:
    """*at* moved into its quarter-hour by the jitter, where that is allowed and not after *last*."""
    moved = min(max(at, quarter_of(at) + jitter(owed.callback_id)), last)
    return moved if earliest(owed.attempts, limits, moved, ring, owed.terms) == moved else at


def planned_all(
    owed: Iterable[Owed], capacity: Capacity, limits: CallbackLimits, now: datetime, ring: timedelta,
    jitter: Jitter = lambda _: timedelta(0),
) -> tuple[Planned, ...]:  # fmt: skip
    """All of them, in the order in which they get their places: appointments, then deadline, age and id."""
    load: dict[datetime, int] = {}
    plans = []
    for one in sorted(owed, key=place_of):
        plan = planned(one, load, capacity, limits, now, ring, jitter)
        if plan.at is not None:
            slot = quarter_of(plan.at)
            load[slot] = load.get(slot, 0) + 1
        plans.append(plan)
    return tuple(plans)


def shortfall(
    owed: Iterable[Owed], capacity: Capacity, limits: CallbackLimits, now: datetime, ring: timedelta
) -> Shortfall:
    """How many cannot be made in time. One conversation each is reckoned with, those with the nearest deadline first.

    Not counted: who has no deadline, who agreed on a time, and whose deadline has passed; the last take agents still.
    """
    bound = [o for o in owed if o.deadline is not None and o.terms.appointment_at is None]
    ends: dict[int, datetime] = {}  # when untried ones end at the soonest, by how many attempts
    deadlines, overdue, by_rules = [], 0, 0
    for one in bound:
        deadline = one.deadline or now
        if deadline <= now:
            overdue += 1
        elif _soonest_end(one, limits, now, ring, ends) > deadline:
            by_rules += 1
        else:
            deadlines.append(deadline)
    return Shortfall(by_rules, _too_many(sorted(deadlines), overdue, capacity, limits, now, ring))


def _soonest_end(
    owed: Owed, limits: CallbackLimits, now: datetime, ring: timedelta, ends: dict[int, datetime]
) -> datetime:
    """The start of the last attempt still to be made, each as soon as it may be."""
    wanted = min(left(owed, limits), 1) if owed.sampled else left(owed, limits)
    if not owed.attempts and owed.terms == NO_TERMS and wanted in ends:
        return ends[wanted]
    at, made = now, as_read(owed.attempts, now, ring, owed.terms)
    terms = replace(owed.terms, spaced_from=None)
    for _ in range(wanted):
        at = earliest(made, limits, at, ring, terms)
        made, terms = (*made, _supposed(len(made) + 1, at, ring)), NO_TERMS
    if not owed.attempts and owed.terms == NO_TERMS:
        ends[wanted] = at
    return at


def _too_many(
    deadlines: list[datetime], ahead: int, capacity: Capacity, limits: CallbackLimits, now: datetime, ring: timedelta
) -> int:
    """How many of unit jobs with these sorted deadlines are late at the least, *ahead* jobs coming before them.

    A quarter-hour counts whole for a deadline within it.
    """
    room, taken, late, slot = 0, ahead, 0, quarter_of(now)
    for deadline in deadlines:
        while slot < deadline:
            opens = earliest((), limits, max(slot, now), ring)
            if quarter_of(opens) > slot:
                slot = quarter_of(opens)
                continue
            room, slot = room + capacity(slot), slot + QUARTER
        if taken < room:
            taken += 1
        else:
            late += 1
    return late


def place_of(owed: Owed) -> tuple[bool, datetime, datetime, str]:
    """A sort key: appointments by their time, then by deadline (none: last), age and id."""
    agreed = owed.terms.appointment_at
    return agreed is None, agreed or owed.deadline or NEVER, owed.asked_at, owed.callback_id


def capacity_of(on_duty: Callable[[datetime], int], handling: timedelta) -> Capacity:
    """The capacity of the agents *on_duty* in a quarter-hour, each callback taking *handling*, at least one."""
    return lambda slot: max(int(on_duty(slot) * (QUARTER / handling)), 1)

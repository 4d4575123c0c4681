"""How many callbacks cannot be made before their deadlines: by the rules, and by the crew."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations
from pathlib import Path
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from queues.callbacks import Attempt, AttemptOutcome, Terms, limits_of
from queues.planning import QUARTER, Owed, Shortfall, capacity_of, shortfall
from regulations import parse_profile

LIMITS = limits_of(parse_profile(Path("regulations/kl-956100.toml").read_text()), ZoneInfo("Asia/Shanghai"))
RING, HANDLING = timedelta(seconds=50), timedelta(minutes=3)


def at(hour: int, minute: int = 0, day: int = 24) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=LIMITS.zone)


def due(count: int, deadline: datetime | None) -> list[Owed]:
    return [Owed(f"c{n}", at(8), deadline=deadline) for n in range(count)]


def short(owed: list[Owed], agents: int, now: datetime) -> Shortfall:
    return shortfall(owed, capacity_of(lambda _: agents, HANDLING), LIMITS, now, RING)


def test_three_attempts_two_hours_apart_must_fit_and_a_samples_one() -> None:
    """16:00 is the last start for the third at 20:01:40, and from 16:01 the last for 20:02; a sample needs its next."""
    owed = due(1, at(20, 2))
    assert short(owed, 1, at(16)) == (0, 0)
    assert short(owed, 1, at(16, 1)) == (1, 0)
    assert short([replace(owed[0], sampled=True)], 1, at(20)) == (0, 0)
    made = Attempt(1, at(16), at(16, 1), AttemptOutcome.NO_ANSWER)
    tried = replace(owed[0], attempts=(made,))
    assert short([tried], 1, at(18)) == (0, 0)  # 18:01, and 20:01 and 50 seconds
    assert short([replace(tried, deadline=at(20, 1))], 1, at(18)) == (1, 0)
    assert short(due(1, at(8, 1, 25)), 1, at(17)) == (0, 0)
    assert short(due(1, at(7, 59, 25)), 1, at(19)) == (1, 0)  # 21:01 is night, and so is 7:59


def test_more_than_the_agents_can_make_before_the_deadline_are_told() -> None:
    """Five in a quarter-hour for each agent; at night nobody is rung, so the quarter-hours begin at eight."""
    assert short(due(180, at(18)), 1, at(9)) == (0, 0)
    assert short(due(181, at(18)), 1, at(9)) == (0, 1)
    assert short(due(181, at(18)), 2, at(9)) == (0, 0)
    assert short(due(100, at(13, day=25)), 1, at(22)) == (0, 0)
    assert short(due(103, at(13, day=25)), 1, at(22)) == (0, 3)
    mixed = [*due(12, at(13, 15)), *due(300, None)]  # what has no deadline waits
    assert short(mixed, 1, at(9)) == (0, 0)


def test_an_appointment_is_never_short_and_what_is_late_is_told_elsewhere_but_takes_agents() -> None:
    """The caller chose his time; the overdue ones are made first."""
    agreed = [replace(o, terms=Terms(appointment_at=at(19))) for o in due(50, at(10))]
    assert short(agreed, 1, at(9)) == (0, 0)
    overdue = due(170, at(8, 30))
    assert short([*overdue, *due(10, at(18))], 1, at(9)) == (0, 0)
    assert short([*overdue, *due(14, at(18))], 1, at(9)) == (0, 4)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=6))
def test_no_order_makes_fewer_late(quarters: list[int]) -> None:
    """Against every order in which one agent who makes one in a quarter-hour can go through them."""
    now = at(9)
    deadlines = [at(15) + q * QUARTER + timedelta(minutes=1) for q in quarters]
    free = at(15) - now  # taken by others, who come before
    ahead = [Owed(f"a{n}", at(8), deadline=at(8, 30)) for n in range(free // QUARTER)]
    owed = [Owed(f"c{n}", at(8), deadline=deadline) for n, deadline in enumerate(deadlines)]
    found = shortfall([*ahead, *owed], lambda _: 1, LIMITS, now, RING)
    assert found.by_rules == 0
    assert found.by_crew == min(_late(order) for order in permutations(quarters))


def _late(order: tuple[int, ...]) -> int:
    """Made in *order*, one a quarter-hour; who would be late is left out, and takes no place."""
    place = late = 0
    for quarter in order:
        if place > quarter:
            late += 1
        else:
            place += 1
    return late

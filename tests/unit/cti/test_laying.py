"""The engine gives the planner what it knows: attempts, deadline, what is planned already, and who is signed in."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from cti.app import load_profile
from cti.engine.laying import laid
from cti.engine.records import Callback, Dialling
from cti.engine.world import World
from queues.callbacks import Attempt, AttemptOutcome, Terms

ZONE = ZoneInfo("Asia/Shanghai")
RING, HANDLING = timedelta(seconds=50), timedelta(minutes=3)


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 24, hour, minute, tzinfo=ZONE)


def test_the_next_attempt_goes_to_another_part_of_the_day_with_room() -> None:
    """Tried at nine in vain: noon; with noon's quarter-hour given away, the next; with a near deadline, at once."""
    world = World(load_profile("kl-956100"), ZONE, "956100", "hotline", timedelta(seconds=5))
    made = Dialling("cticb-1", "1001", Attempt(1, at(9), at(9, 1), AttemptOutcome.NO_ANSWER))
    owed = Callback(
        "c1",
        None,
        "05300000001",
        "",
        "due",
        at(8),
        "system",
        None,
        None,
        diallings=(made,),
        deadline=at(20),
        by_key=True,
    )
    world.remember_callback(owed)
    assert laid(world, owed, Terms(), at(9, 1), RING, HANDLING).at == at(12)
    world.remember_callback(replace(owed, callback_id="c2", diallings=(), due_at=at(12, 5)))
    assert laid(world, owed, Terms(), at(9, 1), RING, HANDLING).at == at(12, 15)
    soon = laid(world, replace(owed, deadline=at(12)), Terms(), at(9, 1), RING, HANDLING)
    assert (soon.at, soon.fit.late, soon.fit.why) == (at(11, 1), (3,), "deadline")

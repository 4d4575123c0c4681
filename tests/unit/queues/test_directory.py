"""Whom the hotline rings: the duty list before the unit's own numbers, the unit of the area before the others."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from queues.directory import Number, OnCall, Target, Unit, UnitRole, numbers_of, route

ZONE = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
NIGHT = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)  # 23:00
HOUR = timedelta(hours=1)
NONE: frozenset[str] = frozenset()
DAY = (time(8), time(20))
NIGHTS = (time(20), time(8))


def unit(code: str, *numbers: Number, kinds: frozenset[str] = NONE, areas: frozenset[str] = NONE) -> Unit:
    return Unit(code, code, code, UnitRole.EMERGENCY, kinds, areas, numbers)


GAS = unit("gas", Number("05305550001"), Number("05305550002"), kinds=frozenset({"report"}))
EAST = unit("east", Number("05305550003", DAY), kinds=frozenset({"report"}), areas=frozenset({"east"}))
ALL = unit("all", Number("05305550009"))
UNITS = [ALL, GAS, EAST]


def digits(targets: object) -> list[str]:
    assert isinstance(targets, tuple | list)
    return [target.digits[-1] for target in targets]


def test_the_unit_of_the_area_then_of_the_kind_then_the_fall_back() -> None:
    """Every number once, in the order in which it is tried."""
    assert digits(route(UNITS, (), "report", "east", NOON, ZONE)) == ["3", "1", "2", "9"]
    assert digits(route(UNITS, (), "report", "west", NOON, ZONE)) == ["1", "2", "9"]
    assert digits(route(UNITS, (), "repair", "east", NOON, ZONE)) == ["9"]
    assert route(UNITS, (), None, None, NOON, ZONE) == (Target("all", "05305550009"),)


def test_the_duty_list_comes_first_and_only_while_it_lasts() -> None:
    """From its start (in) to its end (out); the line that began later is the exception to the one before."""
    long = OnCall("d-1", "gas", "13800000011", "甲", NIGHT, NIGHT + 8 * HOUR)
    short = OnCall("d-2", "gas", "13800000012", "乙", NIGHT + HOUR, NIGHT + 2 * HOUR)
    entries = (long, short)
    for at, first in (
        (NIGHT - timedelta(milliseconds=1), "05305550001"), (NIGHT, "13800000011"), (NIGHT + HOUR, "13800000012"),
        (NIGHT + 2 * HOUR, "13800000011"), (NIGHT + 8 * HOUR, "05305550001"),
    ):  # fmt: skip
        assert route(UNITS, entries, "report", None, at, ZONE)[0].digits == first
    again = OnCall("d-3", "gas", "05305550002", "丙", NIGHT, NIGHT + HOUR)
    assert digits(route(UNITS, (again,), "report", None, NIGHT, ZONE)) == ["2", "1", "9"]


def test_a_number_is_left_out_while_nobody_sits_there_unless_there_is_no_other() -> None:
    """Hours may run over midnight; a phone that may ring in an empty room is better than none."""
    assert digits(route(UNITS, (), "report", "east", NIGHT, ZONE)) == ["1", "2", "9"]
    assert digits(route([EAST], (), "report", "east", NIGHT, ZONE)) == ["3"]
    assert numbers_of(EAST, (), NIGHT, ZONE) == []
    night = Number("05305550004", NIGHTS)
    local = [time(19, 59, 59), time(20), time(0), time(7, 59, 59), time(8)]
    assert [night.staffed(at) for at in local] == [False, True, True, True, False]


def test_a_unit_of_another_role_is_never_rung_for_an_emergency() -> None:
    """A specialist or a unit of the referral list is transferred to, not dialled by the ladder."""
    other = Unit("desk", "专业席", "Desk", UnitRole.SPECIALIST, NONE, NONE, (Number("05305550005"),))
    assert route([other], (), None, None, NOON, ZONE) == ()

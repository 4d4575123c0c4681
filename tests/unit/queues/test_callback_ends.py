"""How a callback ends, what the caller's answer counts for, what a lead may override, and when no clock is trusted."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from queues import trust
from queues.callbacks import (
    Attempt,
    AttemptOutcome,
    Override,
    Terms,
    earliest,
    limits_of,
    may_agree,
    may_override,
    may_place,
    retry_after,
)  # fmt: skip
from queues.endings import listed, may_close, then
from queues.planning import Owed, fit_of
from regulations import Strength, parse_profile

PROFILE = parse_profile(Path("regulations/kl-956100.toml").read_text())
LIMITS = limits_of(PROFILE, ZoneInfo("Asia/Shanghai"))
RING = timedelta(seconds=30)
MINUTE = timedelta(minutes=1)
O = AttemptOutcome  # noqa: E741  a table of outcomes reads better so


def at(hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 11, 24, hour, minute, second, tzinfo=LIMITS.zone)


def made(*outcomes: AttemptOutcome) -> tuple[Attempt, ...]:
    """From 08:00 on, every three hours."""
    starts = [at(8) + timedelta(hours=3 * n) for n in range(len(outcomes))]
    return tuple(
        Attempt(n, start, None if o is O.PLACING else start + MINUTE, o)
        for n, (start, o) in enumerate(zip(starts, outcomes, strict=True), 1)
    )


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        ((O.NO_ANSWER,), "due"), ((O.BUSY, O.NO_ANSWER), "due"), ((O.BUSY, O.NOT_CONVENIENT, O.NO_ANSWER), "exhausted"),
        ((O.REACHED,), "reached"), ((O.NO_ANSWER, O.REFUSED), "refused"), ((O.WRONG_NUMBER,), "wrong_number"),
        ((O.NOT_CONVENIENT,), "due"), ((O.UNKNOWN,) * 3, "exhausted"), ((O.FAILED, O.AGENT_AWAY) * 3, "due"),
    ],
)  # fmt: skip
def test_what_follows_an_attempt(outcomes: tuple[AttemptOutcome, ...], state: str) -> None:
    """Who was spoken with is not rung again, except at the time that he named; three in vain are the end."""
    assert then(made(*outcomes), LIMITS).state == state


@pytest.mark.parametrize(
    ("outcomes", "reason", "lead", "code"),
    [
        ((O.NO_ANSWER,) * 2, "无人接听", False, "too_few_attempts"),
        ((O.NO_ANSWER,) * 2, "无人接听", True, "too_few_attempts"),  # a lead has no leave to close early
        ((O.NO_ANSWER, O.BUSY, O.NOT_CONVENIENT), "无人接听", False, "ok"),
        ((O.NO_ANSWER,) * 3, " ", False, "reason_needed"),
        ((O.NO_ANSWER, O.NO_ANSWER, O.FAILED, O.AGENT_AWAY), "无人接听", False, "too_few_attempts"),
        ((O.NO_ANSWER, O.NO_ANSWER, O.UNKNOWN), "无人接听", False, "too_few_attempts"),
        ((O.NO_ANSWER, O.NO_ANSWER, O.UNKNOWN), "系统中断，第三次结果不明", True, "ok"),
        ((O.REFUSED,), "客户不需回访", False, "ok"), ((O.REFUSED,), "", False, "reason_needed"),
        ((O.WRONG_NUMBER,), "号码有误", False, "ok"), ((O.REACHED,), "", False, "ok"),
        ((O.NO_ANSWER, O.PLACING), "x", True, "attempt_running"), ((), "x", True, "too_few_attempts"),
    ],
)  # fmt: skip
def test_an_unreached_caller_is_closed_only_after_three(
    outcomes: tuple[AttemptOutcome, ...], reason: str, lead: bool, code: str
) -> None:
    """「应安排不少于3次」: what failed on the caller's side counts; for what we do not know a lead answers."""
    ruling = may_close(made(*outcomes), LIMITS, reason, lead)
    assert ruling.code == code
    if code == "too_few_attempts":
        assert [a.cite() for a in ruling.articles] == ["KL 第十四条(九)"]


def test_a_hotline_without_a_least_number_closes_with_a_reason() -> None:
    """A rule that is off does not speak."""
    assert may_close(made(O.NO_ANSWER), replace(LIMITS, least=None), "无人接听").allowed


def test_every_attempt_is_listed_with_time_and_outcome() -> None:
    """Also those that count as nothing; each outcome has its words in both languages."""
    lines = listed(made(*(o for o in O)), LIMITS.zone)
    assert lines[0].zh.startswith("第1次 2026-11-24 08:00 ")
    assert [line.zh.split(" ", 1)[0] for line in lines] == [f"第{n}次" for n in range(1, len(O) + 1)]
    assert len({line.zh.split(" ", 3)[3] for line in lines}) == len(O)
    assert len({line.en.split(" ", 4)[4] for line in lines}) == len(O)


def test_a_network_failure_is_tried_again_soon_with_back_off() -> None:
    """1, 2, 5, 15, 30 minutes and no more; after a ring the count begins anew; nothing else waits for it."""
    waits = [retry_after(made(O.NO_ANSWER, *(O.FAILED,) * n)) // MINUTE for n in range(7)]
    assert waits == [0, 1, 2, 5, 15, 30, 30]
    assert retry_after(made(O.FAILED, O.FAILED, O.NO_ANSWER, O.FAILED)) == MINUTE
    assert then(made(O.FAILED, O.FAILED), LIMITS).wait == 2 * MINUTE
    assert may_place(made(O.FAILED), LIMITS, at(8, 1), RING).allowed


def test_an_appointment_is_kept_to_the_minute() -> None:
    """Not a second before its minute begins, and from then on at once."""
    terms = Terms(appointment_at=at(15, 7, 30))
    refusal = may_place((), LIMITS, at(15, 6, 59), RING, terms)
    assert (refusal.code, refusal.allowed_at) == ("agreed_later", at(15, 7))
    assert may_place((), LIMITS, at(15, 7), RING, terms).allowed
    assert earliest((), LIMITS, at(16), RING, terms) == at(16)


@pytest.mark.parametrize(
    ("when", "override", "code"),
    [
        (at(13, 1), None, "ok"), (at(13, 0, 59), None, "too_soon"), (at(20, 59, 31), None, "quiet_hours"),
        (at(21), None, "quiet_hours"), (at(21), Override("9001", "客户夜班"), "ok"), (at(11), None, "appointment_past"),
    ],
)  # fmt: skip
def test_only_what_can_be_kept_is_promised(when: datetime, override: Override | None, code: str) -> None:
    """2 h from the end of this attempt, outside quiet hours unless a lead allows it, and in the time to come."""
    assert may_agree(made(O.PLACING), LIMITS, when, at(11, 1), RING, override).code == code
    third = (*made(O.BUSY, O.BUSY), Attempt(3, at(14), None, O.PLACING))
    assert may_agree(third, LIMITS, at(17), at(14, 1), RING).code == "attempts_used"


def test_a_leads_leave_is_for_the_quiet_hours_alone() -> None:
    """原则上 stands before those hours, and not before the 2 h or the three."""
    leave = Terms(override=Override("9001", "客户夜班"))
    assert may_place((), LIMITS, at(22), RING, leave).allowed
    assert may_place(made(O.BUSY), LIMITS, at(9), RING, leave).code == "too_soon"
    assert may_place(made(O.BUSY, O.BUSY, O.BUSY), LIMITS, at(22), RING, leave).code == "attempts_used"


def test_nobody_gives_himself_leave_and_nobody_without_a_reason() -> None:
    """The lead who gives it has not asked for the callback and does not make it; a rule that must hold has no leave."""
    concerned = frozenset({"1001", "9002"})
    assert may_override(LIMITS, "9001", concerned, "客户夜班").allowed
    assert may_override(LIMITS, "9002", concerned, "客户夜班").code == "own_request"
    assert may_override(LIMITS, "9001", concerned, "  ").code == "reason_needed"
    limit = PROFILE.limits["callback.quiet_from"]
    firm = replace(PROFILE, limits={**PROFILE.limits, limit.path: replace(limit, strength=Strength.MUST)})
    assert may_override(limits_of(firm, LIMITS.zone), "9001", concerned, "客户夜班").code == "no_override"


def test_a_step_of_the_clock_stops_dialling_until_it_is_undone_or_looked_at() -> None:
    """More than 2 s, both ways, also in small steps; a restart of the service or of the machine does not mend it."""
    start = trust.seen(None, "b1", at(9), 100.0)
    assert trust.may_dial(start).allowed
    assert trust.seen(start, "b1", at(10), 3700.0) is start
    assert trust.seen(start, "b1", at(10, 0, 2), 3700.0) is start  # 2 s: the edge
    crept = trust.seen(trust.seen(start, "b1", at(10, 0, 2), 3700.0), "b1", at(11, 0, 3), 7300.0)
    assert not trust.may_dial(crept).allowed
    back = trust.seen(start, "b1", at(7), 3700.0)
    assert trust.may_dial(back).code == "clock_stepped"
    assert trust.seen(back, "b1", at(7, 30), 5500.0) is back
    assert not trust.seen(back, "b2", at(12), 10.0).trusted
    assert not trust.seen(trust.seen(back, "b2", at(12), 10.0), "b2", at(12, 1), 70.0).trusted
    undone = trust.seen(back, "b1", at(11), 7300.0)
    assert (undone.trusted, undone.stepped_at) == (True, at(11))
    looked_at = trust.confirmed(back, at(7, 30), 5500.0)
    assert trust.seen(looked_at, "b1", at(8), 7300.0).trusted


def test_a_fresh_boot_is_trusted_unless_its_clock_lies_before_our_own_books() -> None:
    """A machine that comes up in the past has lost its clock."""
    before = trust.seen(None, "b1", at(9), 100.0)
    assert trust.seen(before, "b2", at(9, 5), 3.0, latest=at(9, 4)).trusted
    lost = trust.seen(before, "b2", at(8), 3.0, latest=at(9, 4))
    assert not lost.trusted
    assert not trust.seen(lost, "b2", at(8, 1), 63.0, latest=at(9, 4)).trusted


def test_after_a_step_whoever_was_tried_is_spaced_from_the_step() -> None:
    """What was written before it cannot be compared: 2 h from it; who was not tried waits for nothing."""
    terms = Terms(spaced_from=at(14))
    assert may_place(made(O.BUSY), LIMITS, at(15, 59, 59), RING, terms).allowed_at == at(16)
    assert may_place(made(O.FAILED), LIMITS, at(14), RING, terms).allowed
    ahead = replace(made(O.BUSY)[0], ended_at=at(14) + timedelta(days=365))
    assert may_place((ahead,), LIMITS, at(15), RING, terms).allowed_at == at(16)
    assert fit_of(Owed("c", at(7), (ahead,), None, terms), LIMITS, at(15), RING).times[0] == at(18)  # the evening

"""The proof of ``python -m bench.schedules`` in small, and that its judge sees a planner that breaks a rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bench import schedules
from bench.judging import FAULTS
from queues.callbacks import may_place
from regulations import allowed

COUNT = 1200


def test_no_schedule_breaks_a_rule() -> None:
    """KL 第十四条(九), CARD: none in quiet hours, none under 2 h, no fourth, no double, none closed before three."""
    found = schedules.play(0, COUNT)
    assert {name: found[name] for name in FAULTS} == dict.fromkeys(FAULTS, 0)
    met = ("dials", "quiet_hours", "too_soon", "attempts_used", "attempt_running", "clock_stepped", "restart", "step",
           "reboot", "appointment", "with_leave")  # fmt: skip
    assert [name for name in met if found[name] < COUNT // 100] == []


def _without(**off: Any) -> Callable[..., Any]:
    return lambda attempts, limits, *rest: may_place(attempts, replace(limits, **off), *rest)


def _shorter(attempts: Any, limits: Any, *rest: Any) -> Any:
    return may_place(attempts, replace(limits, spacing=limits.spacing - timedelta(microseconds=1)), *rest)


@pytest.mark.parametrize(
    ("what", "broken", "fault"),
    [
        ("may_place", _without(quiet_from=None), "in_quiet_hours"), ("may_place", _shorter, "gap_under_2h"),
        ("may_place", _without(most=None), "fourth_attempt"), ("may_place", lambda *_: allowed(), "double_dial"),
        ("may_close", lambda *_: allowed(), "closed_before_three"),
    ],
)  # fmt: skip
def test_a_broken_rule_is_counted(
    monkeypatch: pytest.MonkeyPatch, what: str, broken: Callable[..., Any], fault: str
) -> None:
    """Each rule taken away, or shortened by a microsecond: the judge, who shares nothing with it, says so."""
    monkeypatch.setattr(schedules, what, broken)
    assert schedules.play(0, COUNT)[fault] > 0


def test_a_clock_that_is_believed_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the stop after a step, callers are rung at night or too soon."""
    monkeypatch.setattr(schedules.trust, "may_dial", lambda _: allowed())
    found = schedules.play(0, COUNT)
    assert found["in_quiet_hours"] + found["gap_under_2h"] > 0

"""Early presence, lateness, time to ready and early leaving as pure figures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agents.adherence import Attendance, Measures, arrived, busy, judged_from, measures, ready, signed_in, signed_out
from agents.shifts import Shift

START = datetime(2026, 11, 21, 0, 0, tzinfo=UTC)
END = START + timedelta(hours=11)
MS, MINUTE = timedelta(milliseconds=1), timedelta(minutes=1)
SHIFT = Shift("s1", "1001", START, END)
GAP = timedelta(seconds=30)


def test_a_day_as_it_should_be() -> None:
    """到岗 12 minutes early, signed in 5 minutes early, ready at the start, signed out after the end."""
    seen = arrived(Attendance(SHIFT), START - 12 * MINUTE)
    seen = signed_out(signed_in(seen, START - 5 * MINUTE), END + MINUTE, False)
    assert measures(seen, END + 2 * MINUTE) == Measures(720_000, 0, 0, 0)


def test_a_day_as_it_should_not_be() -> None:
    """Late by 1.5 s, busy at once and ready a minute on, gone a minute before the end."""
    seen = signed_in(Attendance(SHIFT), START + 1500 * MS, ready=False)
    seen = signed_out(ready(seen, START + MINUTE), END - MINUTE, False)
    assert measures(seen, END) == Measures(0, 1500, 60_000, 60_000)


def test_while_the_shift_runs_nobody_has_left_early() -> None:
    """A sign-out in the middle may be a change of seats: the shift's end shows."""
    seen = signed_out(signed_in(Attendance(SHIFT), START), START + MINUTE, False)
    assert measures(seen, END - MS).left_early_ms is None
    back = signed_in(seen, START + 2 * MINUTE)
    assert measures(back, END).left_early_ms is None
    assert back.signed_in_at == START


def test_who_does_not_come_is_late_until_now_and_at_most_all_the_shift() -> None:
    """Nothing before the start, growing after it, never more than the shift."""
    nobody = Attendance(SHIFT)
    assert [measures(nobody, at).late_ms for at in (START - MINUTE, START + MS, END + MINUTE)] == [0, 1, 39_600_000]
    assert measures(nobody, END).early_ms is None


def test_busy_before_the_start_is_not_ready_at_the_start() -> None:
    """Ready is counted from the start of the shift, by whoever is ready in it."""
    seen = busy(signed_in(Attendance(SHIFT), START - MINUTE), START - 10 * MS)
    assert measures(seen, END).to_ready_ms is None
    assert measures(ready(seen, START + 9 * MS), END).to_ready_ms == 9
    assert busy(ready(seen, START + 9 * MS), START + MINUTE).ready_at == START + 9 * MS


def test_signed_out_before_the_start_has_not_come_but_was_there() -> None:
    """The sign-in is undone; that he was there early is not."""
    seen = signed_out(signed_in(Attendance(SHIFT), START - 9 * MINUTE), START - MINUTE, False)
    assert (seen.signed_in_at, seen.signed_out_at) == (None, None)
    assert measures(seen, START).early_ms == 540_000


@pytest.mark.parametrize(
    ("held", "left", "due"),
    [
        (False, None, START),
        (True, START - MINUTE, None),  # cannot be said while the seat is held
        (False, START + MINUTE, START + MINUTE + GAP),
        (False, START - GAP, START),
        (False, START - GAP + MS, START + MS),
    ],
)
def test_from_when_a_missing_sign_in_is_lateness(held: bool, left: datetime | None, due: datetime | None) -> None:
    """The incoming agent has the handover's 30 s from when the seat was left (HZ 第二十八条)."""
    assert judged_from(SHIFT, held, left, GAP) == due
    assert judged_from(SHIFT, held, left, None) == (None if held else START)

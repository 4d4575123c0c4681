"""Colours of the callback desk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from queues.desk import Level, level

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
US = timedelta(microseconds=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("due", "deadline", "appointment", "wanted"),
    [
        (None, None, None, Level.LATER),
        (NOW + HOUR, None, None, Level.SOON),
        (NOW + HOUR + US, None, None, Level.LATER),
        (NOW - HOUR, None, None, Level.SOON),  # it may be dialled since, but no rule has been missed
        (None, NOW, None, Level.OVERDUE),
        (NOW + 3 * HOUR, NOW + HOUR, None, Level.SOON),
        (None, NOW + HOUR + US, NOW + 2 * HOUR, Level.APPOINTMENT),
        (NOW, NOW + 9 * HOUR, NOW + 2 * HOUR, Level.APPOINTMENT),  # what was agreed stands before what was planned
        (None, None, NOW + HOUR, Level.SOON),
        (None, None, NOW - MINUTE + US, Level.SOON),
        (None, None, NOW - MINUTE, Level.OVERDUE),
    ],
)
def test_the_colour_of_a_line(
    due: datetime | None, deadline: datetime | None, appointment: datetime | None, wanted: Level
) -> None:
    """Overdue outweighs soon outweighs appointment; an hour is within, a microsecond more is not."""
    assert level(due, deadline, appointment, NOW) is wanted

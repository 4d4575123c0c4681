"""When a sink is asked again. Pure: no clock, no randomness, no I/O.

Two things fail: one message (the sink will not have it), or the sink (it is away, or will have nothing). A message that
fails alone is tried by the schedule that Standard Webhooks gives as its example, over three days, and is then given
up. A sink that fails is left alone for a pause that doubles, then asked with one message; nobody's tries are counted
meanwhile, so that what was told during an hour of its absence arrives when it is back, and not hours later.
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, "Deliverability".
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

MINUTE, HOUR = 60.0, 3600.0
SCHEDULE_S = (
    5.0, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR
)  # fmt: skip
"""Seconds from one try of a message to the next; the first is made at once, so there are ten in 75 h 35 min."""

FAR_OFF = 3  # failures in a row after which it is the sink that fails, whatever it says
FIRST_PAUSE_S = 5.0
JITTER = 0.25  # of each wait, either way: many messages must not come back at one moment
FRESH = 3  # a message tried at most so often before a pause is tried again as soon as the sink is back
DISABLED_AFTER = timedelta(days=5)  # of nothing but failures: longer than the whole schedule
ALARMED_AFTER = timedelta(minutes=5)
LONGEST_RETRY_AFTER_S = 6 * HOUR


class Verdict(StrEnum):
    """What an answer means."""

    TAKEN = "taken"
    FAILED = "failed"  # this message, as far as can be told
    AWAY = "away"  # the sink: no answer, or one that asks for patience
    GONE = "gone"  # it wants nothing more, ever


def verdict_of(status: int | None) -> Verdict:
    """What HTTP *status* means; None is no answer at all. A redirect is a failure: it is not followed."""
    if status is None or status in (429, 502, 503, 504):
        return Verdict.AWAY
    if 200 <= status <= 299:
        return Verdict.TAKEN
    return Verdict.GONE if status == 410 else Verdict.FAILED


class Health(NamedTuple):
    """How a sink has answered lately. ``until``: monotonic second before which it is left alone.

    ``pauses``: how many there were since it last took something; 0 while it is held to be well.
    """

    in_a_row: int = 0
    pauses: int = 0
    until: float = 0.0

    @property
    def well(self) -> bool:
        return self.pauses == 0


def failed(
    health: Health, verdict: Verdict, mono: float, longest_s: float, draw: float, retry_after_s: float | None = None
) -> Health:
    """*health* after one more failure at *mono*.

    Args:
        longest_s: no pause is longer, unless the sink asked for it.
        draw: in [0, 1), for the jitter.
        retry_after_s: what the sink asked for (Retry-After).
    """
    in_a_row = health.in_a_row + 1
    if mono < health.until:  # others were under way when the pause began
        return health._replace(in_a_row=in_a_row)
    if verdict is not Verdict.AWAY and in_a_row < FAR_OFF and health.well:
        return health._replace(in_a_row=in_a_row)
    pause = min(FIRST_PAUSE_S * 2.0 ** min(health.pauses, 20), longest_s) * _jitter(draw)
    asked = min(retry_after_s or 0.0, LONGEST_RETRY_AFTER_S)
    return Health(in_a_row, health.pauses + 1, mono + max(pause, asked))


def next_try_s(tries: int, draw: float) -> float | None:
    """Seconds from the failed try number *tries* (1 is the first) to the next; None when it was the last."""
    if tries > len(SCHEDULE_S):
        return None
    return SCHEDULE_S[tries - 1] * _jitter(draw)


def _jitter(draw: float) -> float:
    return 1.0 + JITTER * (2.0 * draw - 1.0)

"""Is the recording of a call whole: its length against the talk time that the call had."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from recordings.wav import Header, Shape

TOLERANCE_MS = 3_000
"""What a recording may be shorter than the talk: one unflushed block (2.05 s) of a killed Asterisk, and rounding."""
LEAST_SHARE = 4
"""A talk of less than 4 s must still be there to a quarter: minus 3 s alone would let an empty file pass."""


class State(StrEnum):
    """The state of a recording."""

    OK = "ok"
    REPAIRED = "repaired"  # whole, once the repaired header is written
    SHORT = "short"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Verdict:
    """``reason`` is in words for a person, holds nothing of the caller, and is never empty."""

    state: State
    reason: str
    length_ms: int | None = None
    repaired_header: bytes | None = None


NOTHING_SAID_MS = 200
"""A talk that ended within this, as the agent picked up, may have left no audio at all: a frame has 20 ms."""


def least_ms(expected_ms: int) -> int:
    """The shortest recording that passes for a talk of *expected_ms*: 3 s less, but never under a quarter of it.

    A talk of less than ``NOTHING_SAID_MS`` needs none.
    """
    if expected_ms < NOTHING_SAID_MS:
        return 0
    return max(expected_ms - TOLERANCE_MS, expected_ms // LEAST_SHARE)


def verdict(expected_ms: int, header: Header, size: int) -> Verdict:
    """Judge a recording.

    Args:
        expected_ms: talk time, at least 0. A longer recording is as good: the caller may have been handed on.
        header: what ``read_header`` found.
        size: of the file in bytes.

    Raises:
        ValueError: *expected_ms* is negative.
    """
    if expected_ms < 0:
        raise ValueError("expected_ms: at least 0")
    if header.shape is Shape.NOT_WAV:
        return Verdict(State.MISSING, "the file is empty" if size == 0 else f"the file of {size} bytes is not a WAV")
    length, least = header.length_ms, least_ms(expected_ms)
    figures = f"{_s(length)} s of audio for {_s(expected_ms)} s of talk, at least {_s(least)} s needed"
    if header.shape is Shape.TRUNCATED:
        return Verdict(State.SHORT, f"the file ends before its header says: {figures}", length)
    if header.shape is Shape.OK:
        state = State.OK if length >= least else State.SHORT
        return Verdict(state, figures, length)
    if header.repaired is None:
        return Verdict(State.SHORT, f"the header has no sizes and is not of a form that we repair: {figures}", length)
    if length < least:
        return Verdict(State.SHORT, f"the header had no sizes: {figures}", length, header.repaired)
    return Verdict(State.REPAIRED, f"the header had no sizes, now the file's: {figures}", length, header.repaired)


def _s(ms: int) -> str:
    return f"{ms / 1000:.1f}"

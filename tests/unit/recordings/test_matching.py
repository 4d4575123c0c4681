"""A recording passes when it holds the talk, less what a killed Asterisk may not have flushed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings import Header, Shape, State, verdict
from recordings.matching import least_ms

MS = st.integers(0, 10_000_000)
REPAIR = b"RIFF"


@pytest.mark.parametrize(
    ("talk", "least"), [(0, 0), (199, 0), (200, 50), (1_000, 250), (4_000, 1_000), (4_001, 1_001), (60_000, 57_000)]
)
def test_the_tolerance(talk: int, least: int) -> None:
    """Talk less 3 s, and for a short talk still a quarter of it."""
    assert least_ms(talk) == least
    assert verdict(talk, Header(Shape.OK, least), 99).state is State.OK
    if least:
        assert verdict(talk, Header(Shape.OK, least - 1), 99).state is State.SHORT


@given(MS, MS)
def test_more_audio_never_makes_it_worse(talk: int, more: int) -> None:
    """A recording longer than the talk is ok: the caller may have been handed on."""
    assert verdict(talk, Header(Shape.OK, talk + more), 99).state is State.OK


@given(MS)
def test_a_talk_of_a_fifth_of_a_second_or_more_needs_audio(talk: int) -> None:
    """Nothing recorded never passes for a talk in which something could be said."""
    found = verdict(talk + 200, Header(Shape.OK, 0), 44)
    assert found.state is State.SHORT
    assert f"{0:.1f} s of audio" in found.reason


def test_a_mended_file_is_repaired_when_long_enough_and_short_when_not() -> None:
    """Both get their header back: a short recording is evidence too."""
    whole = verdict(10_000, Header(Shape.UNSIZED, 8_000, REPAIR), 99)
    half = verdict(10_000, Header(Shape.UNSIZED, 2_000, REPAIR), 99)
    assert (whole.state, whole.repaired_header) == (State.REPAIRED, REPAIR)
    assert (half.state, half.repaired_header) == (State.SHORT, REPAIR)


@pytest.mark.parametrize(
    ("header", "size", "state", "reason"),
    [
        (Header(Shape.NOT_WAV), 0, State.MISSING, "the file is empty"),
        (Header(Shape.NOT_WAV), 12, State.MISSING, "12 bytes is not a WAV"),
        (Header(Shape.TRUNCATED, 9_900), 99, State.SHORT, "ends before its header says"),
        (Header(Shape.UNSIZED, 9_900), 99, State.SHORT, "not of a form that we repair"),
        (Header(Shape.OK, 1_000), 99, State.SHORT, "1.0 s of audio for 10.0 s of talk, at least 7.0 s needed"),
    ],
)
def test_the_reason_is_in_words(header: Header, size: int, state: State, reason: str) -> None:
    """Whoever reads the alarm knows what is wrong; ok is only said of a file whose sizes fit."""
    found = verdict(10_000, header, size)
    assert found.state is state
    assert reason in found.reason


def test_a_negative_talk_is_refused() -> None:
    """A stepped clock is the caller's business, not a tolerance."""
    with pytest.raises(ValueError, match="expected_ms"):
        verdict(-1, Header(Shape.OK), 44)

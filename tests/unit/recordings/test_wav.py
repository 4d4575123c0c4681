"""A WAV header is judged by the size of its file; the standard library's reader is the witness."""

from __future__ import annotations

import io
import wave

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings import HEADER_BYTES, Shape, read_header

BLOCK = 32 * 1024  # Asterisk flushes audio in blocks of this size


def wav(frames: int, rate: int = 8000) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(b"\1\2" * frames)
    return out.getvalue()


def unsized(data: bytes) -> bytes:
    """The file as it stands while Asterisk records, or after it was killed."""
    return data[:4] + bytes(4) + data[8:40] + bytes(4) + data[44:]


@given(st.integers(0, 40_000), st.sampled_from([8000, 16000, 48000]))
def test_a_whole_file_is_ok_and_has_its_length(frames: int, rate: int) -> None:
    """The length in ms is that of the frames."""
    data = wav(frames, rate)
    header = read_header(data[:HEADER_BYTES], len(data))
    assert (header.shape, header.length_ms, header.repaired) == (Shape.OK, frames * 1000 // rate, None)


@given(st.integers(0, 40_000))
def test_a_repaired_file_is_a_whole_file(frames: int) -> None:
    """After a kill -9 the sizes are 0; written over the start, the repaired header makes a file that every player
    reads to its last frame, and that a second look calls whole."""
    data = unsized(wav(frames))
    header = read_header(data[:HEADER_BYTES], len(data))
    assert header.shape is Shape.UNSIZED
    assert header.repaired is not None
    mended = header.repaired + data[len(header.repaired) :]
    with wave.open(io.BytesIO(mended)) as file:
        assert file.getnframes() == frames
    again = read_header(mended[:HEADER_BYTES], len(mended))
    assert (again.shape, again.length_ms) == (Shape.OK, header.length_ms)


def test_a_cut_at_every_block_is_told() -> None:
    """A sized file that lost its end is truncated, and has the length of what is left; never a crash, never ok."""
    data = wav(8000 * 20)
    for size in range(44, len(data), 4096):
        header = read_header(data[: min(size, HEADER_BYTES)], size)
        assert header.shape is Shape.TRUNCATED
        assert header.length_ms == (size - 44) // 2 // 8
        assert header.repaired is None


@pytest.mark.parametrize("blocks", range(5))
def test_what_a_killed_asterisk_leaves(blocks: int) -> None:
    """44 + k x 32,768 bytes and a zero header: 2,048 ms of audio a block."""
    data = unsized(wav(blocks * BLOCK // 2))
    header = read_header(data[:HEADER_BYTES], len(data))
    assert (header.shape, header.length_ms) == (Shape.UNSIZED, blocks * 2048)


def test_an_odd_byte_at_the_end_is_no_frame() -> None:
    """A half sample is left out of the audio, and the repaired sizes still fit the file."""
    data = unsized(wav(100)) + b"\1"
    header = read_header(data, len(data))
    assert header.repaired is not None
    assert header.repaired[40:] == (200).to_bytes(4, "little")
    mended = header.repaired + data[44:]
    assert read_header(mended, len(mended)).shape is Shape.OK
    with wave.open(io.BytesIO(mended)) as file:
        assert file.getnframes() == 100


def test_a_half_written_header_counts_as_unsized() -> None:
    """Killed between the two sizes: the audio is still all there."""
    data = wav(800)
    only_riff = data[:40] + bytes(4) + data[44:]
    assert read_header(only_riff, len(data)).shape is Shape.UNSIZED


def test_other_chunks_are_walked_over() -> None:
    """A LIST before the audio and one behind it are allowed; the length is the audio's."""
    data = wav(8000)
    note = b"LIST" + (4).to_bytes(4, "little") + b"INFO"
    both = data[:36] + note + data[36:] + note
    both = both[:4] + (len(both) - 8).to_bytes(4, "little") + both[8:]
    assert read_header(both[:HEADER_BYTES], len(both)).length_ms == 1000
    assert read_header(both[:4] + bytes(4) + both[8:], len(both)).repaired is None, "not the form that Asterisk writes"


@given(st.binary(max_size=200), st.integers(0, 2**40))
def test_any_bytes_get_a_finding(head: bytes, more: int) -> None:
    """No bytes crash it, and the length is never more than the file could hold."""
    header = read_header(head, len(head) + more)
    assert 0 <= header.length_ms <= (len(head) + more) * 1000


@given(st.data())
def test_a_damaged_header_never_gives_more_than_the_file_holds(data: st.DataObject) -> None:
    """Any one byte of the header changed: a finding, and no length beyond the file unless the rate itself changed."""
    good = bytearray(wav(4000))
    at = data.draw(st.integers(0, 43))
    good[at] = data.draw(st.integers(0, 255))
    header = read_header(bytes(good[:HEADER_BYTES]), len(good))
    if not 28 <= at < 32:  # the byte rate
        assert header.length_ms <= 500


def test_an_impossible_size_is_refused() -> None:
    """A file smaller than what was read of it is the caller's mistake."""
    with pytest.raises(ValueError, match="size"):
        read_header(b"RIFF", 3)

"""The checker finds the one file of a call, mends it, hashes it, and is never led out of its folder."""

from __future__ import annotations

import hashlib
import os
import wave
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cti.recordings.checker import LONGEST_WAIT_S, SETTLED_S, RecordingChecker
from recordings import State

CALL = "1795284828.1"
PATH = "2026/11/21/1795284828.1.wav"


class StepClock:
    """Time passes only in ``sleep``; *each* is called then, as the world that goes on meanwhile."""

    def __init__(self, each: Callable[[], None] = lambda: None) -> None:
        self.slept = 0.0
        self._each = each

    boot = "boot-1"

    def now(self) -> datetime:
        return datetime(2026, 11, 21, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.slept

    async def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self._each()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "recordings"
    (folder / "2026/11/21").mkdir(parents=True)
    return folder


def record(root: Path, seconds: int = 10, path: str = PATH) -> Path:
    with wave.open(str(root / path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\1\2" * 8000 * seconds)
    return root / path


def unsize(file: Path) -> None:
    data = file.read_bytes()
    file.write_bytes(data[:4] + bytes(4) + data[8:40] + bytes(4) + data[44:])


async def test_a_whole_recording_is_hashed_and_left_as_it_is(root: Path) -> None:
    """ok, with length, size and the hash of what lies on disk; nothing is waited for, nothing written."""
    file = record(root)
    before, clock = file.read_bytes(), StepClock()
    found = await RecordingChecker(root, clock).check(CALL, 10_000)
    assert (found.state, found.path, found.length_ms, found.size) == (State.OK, PATH, 10_000, 160_044)
    assert found.sha256 == hashlib.sha256(before).hexdigest()
    assert (file.read_bytes(), clock.slept, found.retryable) == (before, 0.0, False)


async def test_a_zero_header_is_repaired_in_place_once_the_file_rests(root: Path) -> None:
    """After a kill -9 of Asterisk: the player's witness reads it to the end, the hash is that of the mended file, and
    a second check finds it whole."""
    file = record(root)
    unsize(file)
    clock = StepClock()
    found = await RecordingChecker(root, clock).check(CALL, 10_000)
    assert (found.state, found.length_ms) == (State.REPAIRED, 10_000)
    assert found.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert clock.slept >= SETTLED_S
    with wave.open(str(file)) as audio:
        assert audio.getnframes() == 80_000
    again = await RecordingChecker(root, StepClock()).check(CALL, 10_000)
    assert (again.state, again.sha256) == (State.OK, found.sha256)


async def test_a_file_that_is_being_finished_is_waited_for(root: Path) -> None:
    """Asterisk writes the sizes a moment after the hang-up: that file is ok, not repaired."""
    file = record(root)
    whole = file.read_bytes()
    unsize(file)
    found = await RecordingChecker(root, StepClock(lambda: file.write_bytes(whole))).check(CALL, 10_000)
    assert found.state is State.OK


async def test_a_file_that_never_rests_is_asked_for_again(root: Path) -> None:
    """Still growing after the longest wait: nothing is judged, hashed or written, and it says to come back."""
    file = record(root)
    unsize(file)

    def grow() -> None:
        with file.open("ab") as more:
            more.write(bytes(32_768))

    clock = StepClock(grow)
    found = await RecordingChecker(root, clock).check(CALL, 10_000)
    assert (found.reason, found.retryable, found.sha256) == ("still being written", True, None)
    assert clock.slept <= LONGEST_WAIT_S + 1
    assert file.read_bytes()[4:8] == bytes(4)


async def test_a_short_recording_is_short_and_kept_as_evidence(root: Path) -> None:
    """A full disk leaves a valid, shorter file: short, with its hash."""
    record(root, seconds=2)
    found = await RecordingChecker(root, StepClock()).check(CALL, 60_000)
    assert (found.state, found.length_ms, found.retryable) == (State.SHORT, 2_000, False)
    assert found.sha256 is not None


async def test_a_missing_file_is_missing(root: Path) -> None:
    """The folder is there and in use, the file is not: an alarm, not a retry."""
    record(root, path="2026/11/21/1795284828.2.wav")
    found = await RecordingChecker(root, StepClock()).check(CALL, 1_000)
    assert (found.state, found.reason, found.retryable) == (State.MISSING, "there is no file", False)


@pytest.mark.parametrize("exists", [False, True])
async def test_a_folder_that_is_away_is_worth_a_retry(tmp_path: Path, exists: bool) -> None:
    """Not there, or an empty mount point: the recordings may come back with it."""
    root = tmp_path / "recordings"
    if exists:
        root.mkdir()
    found = await RecordingChecker(root, StepClock()).check(CALL, 1_000)
    assert (found.state, found.retryable) == (State.MISSING, True)
    assert found.reason.startswith("recordings folder is ")


@pytest.mark.parametrize("part", [PATH, "2026/11/21", "2026"])
async def test_no_link_is_followed(tmp_path: Path, root: Path, part: str) -> None:
    """Neither a file nor a folder on the way may be a link, also one that stays inside: the file behind it is neither
    judged nor written."""
    outside = tmp_path / "outside"
    (outside / "2026/11/21").mkdir(parents=True)
    secret = record(outside)
    unsize(secret)
    before = secret.read_bytes()
    place = root / part
    if place.is_dir():
        place.rename(tmp_path / "aside")
    (root / "something").touch()
    place.symlink_to(outside / part)
    found = await RecordingChecker(root, StepClock()).check(CALL, 1_000)
    assert (found.state, found.size, found.sha256) == (State.MISSING, None, None)
    assert "links are not followed" in found.reason
    assert secret.read_bytes() == before


async def test_what_is_no_file_does_not_hold_the_thread(root: Path) -> None:
    """A named pipe or a folder by that name is missing, at once."""
    os.mkfifo(root / PATH)
    found = await RecordingChecker(root, StepClock()).check(CALL, 1_000)
    assert found.state is State.MISSING
    (root / PATH).unlink()
    (root / PATH).mkdir()
    assert (await RecordingChecker(root, StepClock()).check(CALL, 1_000)).state is State.MISSING


@pytest.mark.parametrize("call_id", ["../../etc/passwd", "1795284828.1;2", "", "x\0-1795284828.1"])
async def test_an_id_that_gives_no_path_touches_no_disk(tmp_path: Path, call_id: str) -> None:
    """Refused before anything is opened, whatever the folder."""
    found = await RecordingChecker(tmp_path / "none", StepClock()).check(call_id, 1_000)
    assert (found.state, found.path, found.retryable) == (State.MISSING, "", False)


@pytest.mark.parametrize("size", range(0, 20_000, 4096))
async def test_a_file_cut_anywhere_is_told_and_not_served(root: Path, size: int) -> None:
    """Truncated at every 4 KiB: missing when nothing is left, else short; never an exception, never ok."""
    file = record(root)
    os.truncate(file, size)
    found = await RecordingChecker(root, StepClock()).check(CALL, 10_000)
    assert found.state is (State.MISSING if size == 0 else State.SHORT)


async def test_a_file_that_may_not_be_mended_says_so(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read-only folder: short for now, worth a retry after the rights are put right."""
    unsize(record(root))
    really = os.open

    def refuse(path: str | Path, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if flags & os.O_RDWR:
            raise PermissionError(13, "Permission denied")
        return really(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr("os.open", refuse)
    found = await RecordingChecker(root, StepClock()).check(CALL, 10_000)
    assert (found.state, found.retryable, found.sha256) == (State.SHORT, True, None)
    assert "Permission denied" in found.reason

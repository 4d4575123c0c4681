"""Look at the recording of one call: find it, mend its header if need be, hash it. Off the loop, in a thread.

Every folder on the way is opened by itself and without following links, so no link leads out of the recordings
folder, whenever it was put there.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from cti.clock import Clock
from recordings import HEADER_BYTES, Header, Shape, State, Verdict, path_of, read_header, verdict

CHUNK = 1024 * 1024
STEP_S = 0.5
SETTLED_S = 2.5  # Asterisk writes audio every 2.05 s (32 KiB): who has not grown for longer is not being written
LONGEST_WAIT_S = 15.0
_NO_FILE = frozenset({errno.ELOOP, errno.ENOTDIR, errno.ENXIO, errno.EISDIR})
AT_ONCE = 2  # files hashed at the same time: the disk is Asterisk's first


class Checked(NamedTuple):
    """What became of the recording of a call.

    Attributes:
        state: ``ok``, ``repaired``, ``short`` or ``missing``.
        path: relative to the recordings folder; empty when the call id gives none.
        length_ms: audio in it; None when there is none to measure.
        size: bytes; None when there is no file.
        sha256: hex, of the file as it is now, after the repair; None unless it was read to its end.
        reason: in words, never empty; nothing of the caller.
        retryable: asking again later may find more: the folder was away, or the file still being written.
    """

    state: State
    path: str
    length_ms: int | None
    size: int | None
    sha256: str | None
    reason: str
    retryable: bool = False


class _Gone(NamedTuple):
    """Why there is no file to look at."""

    reason: str
    retryable: bool


class _Look(NamedTuple):
    size: int
    header: Header


class RecordingChecker:
    """Checks recordings below *root*, the folder that Asterisk records into (CTI_RECORDINGS)."""

    def __init__(self, root: Path, clock: Clock) -> None:
        self._root = root
        self._clock = clock
        self._places = asyncio.Semaphore(AT_ONCE)

    async def check(self, call_id: str, expected_ms: int) -> Checked:
        """Judge the recording of *call_id* after the call has ended; *expected_ms* is its talk time.

        Waits up to ``LONGEST_WAIT_S`` while the file still grows or its header is still unwritten.

        Raises:
            ValueError: *expected_ms* is negative.
        """
        try:
            path = path_of(call_id)
        except ValueError as error:
            return Checked(State.MISSING, "", None, None, None, str(error))
        async with self._places:  # nearly always the file is whole, and one trip to a thread is all
            found = await asyncio.to_thread(_at_once, self._root, path, expected_ms)
        if found is not None:
            return found
        look = await self._settled(path)
        async with self._places:
            return await asyncio.to_thread(_finish, self._root, path, look, expected_ms)

    async def _settled(self, path: str) -> _Look | _Gone:
        """A look at the file once its header has sizes, or once it has not grown for ``SETTLED_S``."""
        began = unchanged_since = self._clock.monotonic()
        before: _Look | None = None
        while True:
            look = await asyncio.to_thread(_look, self._root, path)
            now = self._clock.monotonic()
            if isinstance(look, _Gone) or look.header.shape is not Shape.UNSIZED:
                return look
            if before is None or look.size != before.size:
                before, unchanged_since = look, now
            if now - unchanged_since >= SETTLED_S:
                return look
            if now - began >= LONGEST_WAIT_S:
                return _Gone("still being written", retryable=True)
            await self._clock.sleep(STEP_S)


def _look(root: Path, path: str) -> _Look | _Gone:
    try:
        with opened(root, path, os.O_RDONLY) as file:
            return _look_at(file)
    except OSError as error:
        return _why_not(root, error)


def _look_at(file: int) -> _Look:
    # The size is taken after the bytes: a file that grows in between is then larger than what was read, never smaller.
    head = os.pread(file, HEADER_BYTES, 0)
    size = os.fstat(file).st_size
    return _Look(size, read_header(head[:size], size))


def _why_not(root: Path, error: OSError) -> _Gone:
    try:
        with os.scandir(root) as entries:
            empty = next(entries, None) is None
    except OSError:
        return _Gone("recordings folder is not readable", retryable=True)
    if empty:
        return _Gone("recordings folder is empty: is it mounted?", retryable=True)
    if error.errno == errno.ENOENT:
        return _Gone("there is no file", retryable=False)
    if error.errno in _NO_FILE:
        return _Gone("not a regular file of the recordings folder; links are not followed", retryable=False)
    return _Gone(f"not readable: {error.strerror}", retryable=True)


def _at_once(root: Path, path: str, expected_ms: int) -> Checked | None:
    """The verdict on a file that is whole or not there; None while its header has no sizes."""
    look = _look(root, path)
    if isinstance(look, _Look) and look.header.shape is Shape.UNSIZED:
        return None
    return _finish(root, path, look, expected_ms)


def _finish(root: Path, path: str, look: _Look | _Gone, expected_ms: int) -> Checked:
    """Mend the header if that is due, and hash the file."""
    if isinstance(look, _Gone):
        return Checked(State.MISSING, path, None, None, None, look.reason, look.retryable)
    found = verdict(expected_ms, look.header, look.size)
    if found.state is State.MISSING:
        return Checked(found.state, path, None, look.size, None, found.reason)
    try:
        if found.repaired_header is not None:
            _repair(root, path, look, found.repaired_header)
        with opened(root, path, os.O_RDONLY) as file:
            digest = digest_of(file)
            grown = os.fstat(file).st_size != look.size
    except OSError as error:
        return _unfinished(path, look, found, f"not readable or repairable: {error.strerror}")
    if grown:
        return _unfinished(path, look, found, "still being written")
    return Checked(found.state, path, found.length_ms, look.size, digest, found.reason)


def _unfinished(path: str, look: _Look, found: Verdict, reason: str) -> Checked:
    return Checked(State.SHORT, path, found.length_ms, look.size, None, reason, retryable=True)


def _repair(root: Path, path: str, look: _Look, header: bytes) -> None:
    """Write the sizes that Asterisk could not. The audio is not touched.

    Raises:
        OSError: not allowed, or the file has changed since it was looked at.
    """
    with opened(root, path, os.O_RDWR) as file:
        if _look_at(file) != look:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        os.pwrite(file, header, 0)
        os.fsync(file)


def digest_of(file: int) -> str:
    """SHA-256, hex, of an open file from its beginning."""
    digest = hashlib.sha256()
    at = 0
    while chunk := os.pread(file, CHUNK, at):
        digest.update(chunk)
        at += len(chunk)
    return digest.hexdigest()


@contextmanager
def opened(root: Path, path: str, mode: int) -> Iterator[int]:
    """The regular file at *path* below *root*, link by link: none is followed.

    Raises:
        OSError: ENOENT, ELOOP or ENOTDIR (a link), ENXIO (no regular file), or what the system says.
    """
    *folders, name = path.split("/")
    here = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for folder in folders:
            below = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here)
            os.close(here)
            here = below
        # O_NONBLOCK: a named pipe put there would hold the thread for ever.
        file = os.open(name, mode | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=here)
    finally:
        os.close(here)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))
        yield file
    finally:
        os.close(file)

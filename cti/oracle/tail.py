"""Follow a log file through rotation. A cursor says where reading stopped; losing it costs a second reading, no fact.

A rotated file is renamed and a new one begins, or it is copied and cut (copytruncate), compressed or deleted; and
Asterisk goes on writing to a renamed file until it reloads. So the place is an inode, an offset and a hash of the
bytes just before it: the inode follows a rename; the hash finds a copy, and betrays a new file that was given an old
inode. Everything here blocks: call it in a thread.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

MOST_LINE = 64 * 1024
"""Bytes; a longer line is no log line, and is left out."""
HASHED = 512  # bytes before the offset that the hash covers: the last line or lines read
UNREADABLE_PACKING = (".xz", ".bz2", ".zst")


class TailCursor(NamedTuple):
    """Where reading stopped; ``str()`` of it goes into the cursors table.

    Attributes:
        inode: of the file that was read.
        offset: bytes of it (of its unpacked text, when it is a .gz) that are done.
        line_hash: of the last bytes before the offset; empty at offset 0.
    """

    inode: int
    offset: int
    line_hash: str

    def __str__(self) -> str:
        return f"{self.inode}:{self.offset}:{self.line_hash}"

    @classmethod
    def parse(cls, text: str) -> TailCursor:
        """The cursor that ``str`` wrote.

        Raises:
            ValueError: *text* is no cursor.
        """
        found = re.fullmatch(r"(\d{1,20}):(\d{1,19}):([0-9a-f]{0,32})", text, re.ASCII)
        if found is None:
            raise ValueError("cursor: inode:offset:hash is needed")
        return cls(int(found[1]), int(found[2]), found[3])


class Trouble(NamedTuple):
    """Why the oracle may be incomplete. ``code`` is ``unreadable``, ``lost``, ``torn`` or ``overlong``."""

    code: str
    text: str


class Tail(NamedTuple):
    """Whole lines without their newline, oldest first, and the cursor behind the last of them."""

    lines: list[bytes]
    cursor: TailCursor | None
    troubles: list[Trouble]


class _File(NamedTuple):
    path: Path
    inode: int
    mtime_ns: int
    size: int


def end_of(path: Path) -> TailCursor | None:
    """A cursor behind the last whole line of *path*, for a first start, which owes nothing to older calls.

    None when there is no such file yet: reading then begins at its start.
    """
    try:
        with path.open("rb") as file:
            stat = os.fstat(file.fileno())
            start = max(stat.st_size - MOST_LINE, 0)
            file.seek(start)
            return _cursor(file, stat.st_ino, start + file.read(MOST_LINE).rfind(b"\n") + 1)
    except OSError:
        return None


def read_new(path: Path, cursor: TailCursor | None, most_bytes: int = 4 * 1024 * 1024) -> Tail:
    """The whole lines written to *path* since *cursor* (None: from its start), about *most_bytes* at a time.

    Call again until no line comes. A last line without its newline is left for the next time. When the place is lost,
    the file is read from its start and that is said: facts applied twice change nothing.

    Raises:
        ValueError: *most_bytes* is less than one line may have.
    """
    if most_bytes < MOST_LINE:
        raise ValueError(f"most_bytes: at least {MOST_LINE}")
    lines: list[bytes] = []
    troubles: list[Trouble] = []
    try:
        chain = _chain(path, cursor, troubles)
        for number, (known, offset) in enumerate(chain):
            with _open(known) as file:
                data = _take(file, offset, most_bytes)
                done = offset + _split(data, _mid_line(file, offset), lines, troubles, known.path)
                # A place at the very start of a file could not tell, later, that the file was copied away and cut.
                cursor = _cursor(file, known.inode, done) if done or number == 0 else cursor
            if len(data) == most_bytes:
                break
            if number < len(chain) - 1 and done < offset + len(data):
                troubles.append(Trouble("torn", f"{known.path.name}: its last line is torn and was left out"))
            most_bytes -= len(data)
            if most_bytes < MOST_LINE:
                break
    except (OSError, EOFError) as error:
        troubles.append(Trouble("unreadable", f"{path}: {getattr(error, 'strerror', None) or error}"))
    return Tail(lines, cursor, troubles)


def _chain(path: Path, cursor: TailCursor | None, troubles: list[Trouble]) -> list[tuple[_File, int]]:
    """The files to read, oldest first, each with the offset to start at."""
    current, rotated = _files(path)
    if cursor is None:
        if current is None:
            troubles.append(Trouble("unreadable", f"{path}: no such file"))
        return [(current, 0)] if current else []
    everything = [current, *rotated] if current else rotated
    holder = next((f for f in everything if f.inode == cursor.inode and _fits(f, cursor)), None)
    if holder is None and cursor.offset:
        holder = next((f for f in reversed(rotated) if _fits(f, cursor)), None)
    if holder is None:
        troubles.append(_lost(path, cursor, current))
        return [(current, 0)] if current else []
    # Moved on only to files that hold something: between logrotate's "create" and Asterisk's reload the new file is
    # there and empty, while lines still go to the renamed one.
    later = [f for f in rotated if holder != current and f.mtime_ns > holder.mtime_ns and f.size]
    if current and holder != current and current.size:
        later.append(current)
    return [(holder, cursor.offset), *((f, 0) for f in later)]


def _lost(path: Path, cursor: TailCursor, current: _File | None) -> Trouble:
    packed = [f.name for f in path.parent.glob(f"{path.name}*") if f.suffix in UNREADABLE_PACKING]
    if current is None:
        what = "the file is gone"
    elif current.inode == cursor.inode:
        what = "it was cut or rewritten since it was last read; read again from its start"
    else:
        what = "the file that was last read is gone; the new one is read from its start"
    cure = "; rotated files packed as .xz, .bz2 or .zst cannot be read: use delaycompress" if packed else ""
    return Trouble("lost", f"{path}: {what}{cure}")


def _files(path: Path) -> tuple[_File | None, list[_File]]:
    """*path* itself, and what was rotated out of it (``.1``, ``.0``, ``-20261121``, ``.2.gz``), oldest first."""
    names = (p for p in path.parent.glob(f"{path.name}[.-]*") if p.suffix not in UNREADABLE_PACKING and p.is_file())
    return _stat(path), sorted(filter(None, map(_stat, names)), key=lambda f: f.mtime_ns)


def _stat(path: Path) -> _File | None:
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return _File(path, stat.st_ino, stat.st_mtime_ns, stat.st_size)


def _open(known: _File) -> BinaryIO:
    """Open it by its name, and make sure that the name still means it.

    Raises:
        OSError: it was rotated in this very moment; the next reading finds it again.
    """
    packed = known.path.suffix == ".gz"
    file = cast(BinaryIO, gzip.open(known.path) if packed else known.path.open("rb"))  # noqa: SIM115 - the caller's with
    if os.fstat(file.fileno()).st_ino != known.inode:
        file.close()
        raise OSError(0, "rotated while it was opened")
    return file


def _fits(known: _File, cursor: TailCursor) -> bool:
    try:
        with _open(known) as file:
            return _cursor(file, cursor.inode, cursor.offset) == cursor
    except (OSError, EOFError):
        return False


def _cursor(file: BinaryIO, inode: int, offset: int) -> TailCursor:
    """The cursor at *offset*; one with less in front of it than the offset says has another hash."""
    start = max(offset - HASHED, 0)
    file.seek(start)
    before = file.read(offset - start)
    digest = hashlib.blake2b(before, digest_size=8).hexdigest() if before else ""
    return TailCursor(inode, offset, digest)


def _mid_line(file: BinaryIO, offset: int) -> bool:
    """Whether *offset* lies inside an overlong line, of which the first part was left out."""
    if offset == 0:
        return False
    file.seek(offset - 1)
    return file.read(1) != b"\n"


def _take(file: BinaryIO, offset: int, most: int) -> bytes:
    file.seek(offset)
    return file.read(most)


def _split(data: bytes, mid_line: bool, lines: list[bytes], troubles: list[Trouble], path: Path) -> int:
    """Append the whole lines of *data* to *lines*; returns how many bytes are done."""
    end = data.rfind(b"\n") + 1
    if end == 0 and len(data) < MOST_LINE:
        return 0
    found = data[:end].split(b"\n")[:-1] if end else [data]
    kept = [line for line in found[mid_line:] if len(line) < MOST_LINE]
    if len(kept) < len(found) - mid_line:
        troubles.append(Trouble("overlong", f"{path.name}: a line longer than {MOST_LINE} bytes was left out"))
    lines += kept
    return end or len(data)

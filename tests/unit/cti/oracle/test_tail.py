"""The cursor loses no line and invents none, whatever rotation does between two readings."""

from __future__ import annotations

import gzip
import os
import shutil
from pathlib import Path

import pytest

from cti.oracle.tail import MOST_LINE, Tail, TailCursor, end_of, read_new


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "queue_log"
    write(path, b"one\ntwo\n")
    return path


def write(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def age(path: Path, seconds: int) -> None:
    """Give the file the time of its last writing: *seconds* before a fixed moment."""
    os.utime(path, ns=((2_000_000_000 - seconds) * 10**9,) * 2)


def clean(tail: Tail) -> list[bytes]:
    assert tail.troubles == []
    return tail.lines


def test_each_line_is_given_once(log: Path) -> None:
    """Reading again from the new cursor gives only what was written since."""
    first = read_new(log, None)
    write(log, b"three\n")
    second = read_new(log, first.cursor)
    assert (clean(first), clean(second)) == ([b"one", b"two"], [b"three"])
    assert clean(read_new(log, second.cursor)) == []


def test_equal_lines_are_all_given(log: Path) -> None:
    """Three equal lines of one second are three lines: the place is an offset, not a timestamp."""
    cursor = read_new(log, None).cursor
    write(log, b"same\nsame\nsame\n")
    assert clean(read_new(log, cursor)) == [b"same"] * 3


def test_a_torn_last_line_is_left_for_the_next_time(log: Path) -> None:
    """A line without its newline is not read before it is whole."""
    write(log, b"thr")
    first = read_new(log, None)
    assert clean(first) == [b"one", b"two"]
    write(log, b"ee\n")
    assert clean(read_new(log, first.cursor)) == [b"three"]


@pytest.mark.parametrize("name", ["queue_log.1", "queue_log.0", "queue_log-20261121", "queue_log.1795285585"])
def test_a_renamed_file_is_read_to_its_end_and_then_the_new_one(log: Path, name: str) -> None:
    """Asterisk goes on writing to the renamed file until it reloads; nothing of either file is lost."""
    cursor = read_new(log, None).cursor
    old = log.rename(log.with_name(name))
    write(old, b"three\n")
    before = read_new(log, cursor)
    assert clean(before) == [b"three"]
    write(old, b"four\n")
    log.touch()
    waiting = read_new(log, before.cursor)
    assert clean(waiting) == [b"four"], "an empty new file does not end the old one"
    write(old, b"five\n")
    write(log, b"six\n")
    age(old, 1)
    after = read_new(log, waiting.cursor)
    assert clean(after) == [b"five", b"six"]
    assert after.cursor is not None
    assert after.cursor.inode == log.stat().st_ino


def test_two_rotations_while_nobody_read(log: Path) -> None:
    """The files between the one that was read and the present one are read whole, oldest first."""
    cursor = read_new(log, None).cursor
    write(log, b"three\n")
    log.rename(log.with_name("queue_log.2"))
    age(log.with_name("queue_log.2"), 20)
    write(log, b"four\n")
    log.rename(log.with_name("queue_log.1"))
    age(log.with_name("queue_log.1"), 10)
    write(log, b"five\n")
    assert clean(read_new(log, cursor)) == [b"three", b"four", b"five"]


def test_older_rotated_files_are_not_read_again(log: Path) -> None:
    """What was rotated before the file that the cursor is in was read long ago."""
    older = log.with_name("queue_log.1")
    write(older, b"zero\n")
    age(older, 100)
    cursor = read_new(log, None).cursor
    age(log, 50)
    older.rename(log.with_name("queue_log.2"))
    log.rename(log.with_name("queue_log.1"))
    write(log, b"three\n")
    assert clean(read_new(log, cursor)) == [b"three"]


def test_a_compressed_file_is_found_by_what_it_holds(log: Path) -> None:
    """Rotated and packed by gzip: another inode, the same lines before the offset."""
    cursor = read_new(log, None).cursor
    packed = log.with_name("queue_log.1.gz")
    packed.write_bytes(gzip.compress(log.read_bytes() + b"three\n"))
    age(packed, 10)
    log.unlink()
    write(log, b"four\n")
    tail = read_new(log, cursor)
    assert clean(tail) == [b"three", b"four"]
    assert clean(read_new(log, tail.cursor)) == []


def test_copytruncate_loses_nothing(log: Path) -> None:
    """Copied and cut, then grown past the old offset: the rest is read from the copy, then the file from its start."""
    cursor = read_new(log, None).cursor
    write(log, b"three\n")
    shutil.copy(log, log.with_name("queue_log.1"))
    os.truncate(log, 0)
    write(log, b"four, longer than everything before it\n")
    assert clean(read_new(log, cursor)) == [b"three", b"four, longer than everything before it"]


def test_copytruncate_of_a_file_that_had_only_a_torn_line(log: Path) -> None:
    """A new file is not entered before it has a whole line: at its start nothing would tell it from its successor."""
    cursor = read_new(log, None).cursor
    log.rename(log.with_name("queue_log.1"))
    age(log.with_name("queue_log.1"), 20)
    write(log, b"thr")
    cursor = read_new(log, cursor).cursor
    write(log, b"ee\n")
    shutil.copy(log, log.with_name("queue_log.0"))
    age(log.with_name("queue_log.0"), 10)
    os.truncate(log, 0)
    write(log, b"four\n")
    assert clean(read_new(log, cursor)) == [b"three", b"four"]


@pytest.mark.parametrize("new", [b"", b"x\n", b"other lines, more of them than before\n"])
def test_a_rewritten_file_is_read_from_its_start_and_said(log: Path, new: bytes) -> None:
    """Cut without a copy, or a new file with the old inode: read again, never merged in the middle of a line."""
    cursor = read_new(log, None).cursor
    os.truncate(log, 0)
    write(log, new)
    tail = read_new(log, cursor)
    assert tail.lines == new.split(b"\n")[:-1]
    assert [t.code for t in tail.troubles] == ["lost"]
    assert clean(read_new(log, tail.cursor)) == []


def test_a_deleted_file_is_said_and_the_next_one_read(log: Path) -> None:
    """Gone without a trace: that is trouble, not silence, and the next file is read from its start."""
    cursor = read_new(log, None).cursor
    spare = log.with_name("keeps-the-inode")
    os.link(log, spare)
    log.unlink()
    gone = read_new(log, cursor)
    assert (gone.lines, [t.code for t in gone.troubles]) == ([], ["lost"])
    write(log, b"three\n")
    back = read_new(log, gone.cursor)
    assert (back.lines, [t.code for t in back.troubles]) == ([b"three"], ["lost"])


def test_packing_that_cannot_be_read_names_the_cure(log: Path) -> None:
    """A place lost to xz says which logrotate option would have kept it."""
    cursor = read_new(log, None).cursor
    log.rename(log.with_name("queue_log.1.xz"))
    (trouble,) = read_new(log, cursor).troubles
    assert "delaycompress" in trouble.text


def test_a_torn_last_line_of_a_rotated_file_is_said(log: Path) -> None:
    """It can never be completed any more; it is not glued to the first line of the next file."""
    cursor = read_new(log, None).cursor
    write(log, b"thr")
    log.rename(log.with_name("queue_log.1"))
    age(log.with_name("queue_log.1"), 10)
    write(log, b"four\n")
    tail = read_new(log, cursor)
    assert (tail.lines, [t.code for t in tail.troubles]) == ([b"four"], ["torn"])


def test_a_long_file_comes_in_pieces(log: Path) -> None:
    """Bounded memory: whole lines only, every line once, over a rotation too."""
    lines = [b"%05d " % n + b"x" * 90 for n in range(3000)]
    log.write_bytes(b"".join(line + b"\n" for line in lines[:2000]))
    log.rename(log.with_name("queue_log.1"))
    age(log.with_name("queue_log.1"), 10)
    cursor: TailCursor | None = TailCursor(log.with_name("queue_log.1").stat().st_ino, 0, "")
    log.write_bytes(b"".join(line + b"\n" for line in lines[2000:]))
    found: list[bytes] = []
    for _ in range(20):
        tail = read_new(log, cursor, MOST_LINE)
        found += clean(tail)
        cursor = tail.cursor
    assert found == lines


def test_an_overlong_line_is_left_out_whole(log: Path) -> None:
    """No part of it comes as a line of its own, and the lines after it do."""
    write(log, b"y" * (3 * MOST_LINE + 7) + b"\nafter\n")
    cursor = None
    found: list[bytes] = []
    codes: list[str] = []
    for _ in range(8):
        tail = read_new(log, cursor, MOST_LINE)
        cursor = tail.cursor
        found += tail.lines
        codes += [t.code for t in tail.troubles]
    assert found == [b"one", b"two", b"after"]
    assert set(codes) == {"overlong"}


def test_a_missing_or_unreadable_file_is_trouble_not_a_crash(tmp_path: Path) -> None:
    """The service starts without the log and says so; the cursor stays what it was."""
    path = tmp_path / "queue_log"
    assert [t.code for t in read_new(path, None).troubles] == ["unreadable"]
    path.mkdir()
    tail = read_new(path, None)
    assert (tail.cursor, [t.code for t in tail.troubles]) == (None, ["unreadable"])


def test_a_first_start_owes_nothing_to_older_lines(log: Path) -> None:
    """``end_of`` stands behind the last whole line: a torn one is still to come."""
    write(log, b"thr")
    cursor = end_of(log)
    write(log, b"ee\n")
    assert clean(read_new(log, cursor)) == [b"three"]
    assert end_of(log.with_name("none")) is None


def test_the_text_of_a_cursor_is_the_cursor(log: Path) -> None:
    """What the cursors table holds gives the same place; anything else is refused."""
    cursor = read_new(log, None).cursor
    assert cursor is not None
    assert TailCursor.parse(str(cursor)) == cursor
    for wrong in ("", "1:2", "a:1:", "1:-1:", "1:1:zz", "1:1:ab:c"):
        with pytest.raises(ValueError, match="cursor"):
            TailCursor.parse(wrong)
    with pytest.raises(ValueError, match="most_bytes"):
        read_new(log, None, 10)

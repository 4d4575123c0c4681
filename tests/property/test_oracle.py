"""However a log is written, rotated and read, each line comes once and in order; and no mutilation forges a fact."""

from __future__ import annotations

import os
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from cti.oracle.queue_log import QueueLogReader, parse_line
from cti.oracle.tail import MOST_LINE, TailCursor, read_new

T = datetime.fromtimestamp(1795285585, UTC)
LINES = [
    b"1795285585|NONE|NONE|NONE|QUEUESTART|",
    b"1795285585|MANAGER|hotline|1001|ADDMEMBER|",
    b"1795285585|1795285585.1|hotline|NONE|ENTERQUEUE||13800000001|1",
    b"1795285586|1795285585.1|hotline|1002|RINGNOANSWER|15000",
    b"1795285586|1795285585.1|hotline|1001|RINGCANCELED|2999",
    b"1795285587|1795285585.1|hotline|1001|CONNECT|2|1795285585.2|1",
    b"1795285590|1795285585.1|hotline|1001|COMPLETECALLER|2|3|1",
    b"1795285590|1795285585.1|hotline|1001|BLINDTRANSFER|2002|out|2|3|1",
    b"1795285590|1795285585.1|hotline|1001|ATTENDEDTRANSFER|BRIDGE|b1|2|3|1",
    b"1795285590|1795285585.1|hotline|NONE|EXITWITHKEY|0|1|1|2",
    b"1795285591|1795285585.3|hotline|NONE|SHUTOUT|13800000001|FULL",
    b"1795285592|NONE|hotline|1001|PAUSE|\xe4\xbc\x91\xe6\x81\xaf",
]
STEPS = st.lists(
    st.sampled_from(["write", "torn", "rename", "copytruncate", "read", "read small", "cursor as text"]), max_size=40
)


class _Log:
    """A log with a torn end, as Asterisk writes it, and a reader that must not be fooled."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "queue_log"
        self.path.touch()
        self.written = 0
        self.torn = b""
        self.rotations = 0
        self.cursor: TailCursor | None = TailCursor(self.path.stat().st_ino, 0, "")
        self.found: list[bytes] = []

    def write(self, torn: bool) -> None:
        line = self.torn or b"%06d " % self.written + b"x" * (self.written * 37 % 5000)
        cut = len(line) // 2 if torn else 0
        with self.path.open("ab") as file:
            file.write(line[: len(line) - cut] if not self.torn else b"" if torn else self.rest + b"\n")
            if not torn and not self.torn:
                file.write(b"\n")
        if torn and not self.torn:
            self.torn, self.rest = line, line[len(line) - cut :]
        elif not torn:
            self.torn = b""
            self.written += 1

    def rotate(self, copy: bool) -> None:
        if self.torn:
            self.write(torn=False)
        self.rotations += 1
        old = self.path.with_name(f"queue_log.{self.rotations}")
        if copy:
            shutil.copy(self.path, old)
            os.truncate(self.path, 0)
        else:
            self.path.rename(old)
            self.path.touch()
        os.utime(old, ns=((1_000_000_000 + self.rotations) * 10**9,) * 2)

    def read(self, most: int) -> None:
        tail = read_new(self.path, self.cursor, most)
        assert tail.troubles == []
        self.cursor = tail.cursor
        self.found += tail.lines


@settings(max_examples=150, deadline=None)
@example(["rename", "torn", "read", "copytruncate"])
@given(STEPS)
def test_every_line_once_and_in_order(steps: list[str]) -> None:
    """Any order of writing, tearing, rotating both ways, reading and restarting between them."""
    with tempfile.TemporaryDirectory() as folder:
        log = _Log(Path(folder))
        log.write(torn=False)
        log.read(MOST_LINE)
        for step in steps:
            match step:
                case "write" | "torn":
                    log.write(torn=step == "torn")
                case "rename":
                    log.rotate(copy=False)
                case "copytruncate":
                    # A copy of nothing new is told from the file itself only by what stands in front of the cursor.
                    log.rotate(copy=True)
                case "cursor as text":
                    log.cursor = TailCursor.parse(str(log.cursor))
                case _:
                    log.read(MOST_LINE if step == "read small" else 10 * MOST_LINE)
        log.write(torn=False)
        for _ in range(len(steps) + 8):
            log.read(MOST_LINE)
        assert [int(line[:6]) for line in log.found] == list(range(log.written))


@given(st.sampled_from(LINES), st.sampled_from(LINES), st.data())
def test_a_torn_line_glued_to_the_next_is_never_merged(first: bytes, second: bytes, data: st.DataObject) -> None:
    """On a full disk Asterisk leaves the start of one line in front of the next, at any byte: no fact of either."""
    cut = data.draw(st.integers(1, len(first)))
    reading = QueueLogReader().read([first[:cut] + second], T)
    assert reading.entries == ()


@given(st.sampled_from(LINES), st.data())
def test_a_cut_line_is_no_fact_of_another_kind(line: bytes, data: st.DataObject) -> None:
    """A line cut short is refused, or its last field lost its end; it never becomes another verb, call or agent."""
    cut = data.draw(st.integers(0, len(line)))
    whole = parse_line(line)
    for entry in QueueLogReader().read([line[:cut]], T).entries:
        assert not isinstance(whole, str)
        assert (entry.verb, entry.call_id, entry.queue) == (whole.verb, whole.call_id, whole.queue)


@given(st.lists(st.binary(max_size=120) | st.sampled_from(LINES), max_size=20), st.data())
def test_any_bytes_are_sorted_without_a_crash(lines: list[bytes], data: st.DataObject) -> None:
    """Each line is an entry, a name or a refusal with a reason; none is dropped in silence."""
    reading = QueueLogReader().read(lines, T + timedelta(days=1))
    assert len(reading.entries) + len(reading.quarantined) + reading.ignored.total() == len(lines)
    assert all(q.reason for q in reading.quarantined)

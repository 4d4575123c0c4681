"""What Asterisk itself wrote: queue_log, CDR, CEL and the files on disk, as typed rows. Never our own log."""

from __future__ import annotations

import array
import csv
import math
import re
import sys
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

QUEUE_LOG_VERBS = frozenset({
    "ABANDON", "ADDMEMBER", "AGENTDUMP", "ATTENDEDTRANSFER", "BLINDTRANSFER", "COMPLETEAGENT", "COMPLETECALLER",
    "CONFIGRELOAD", "CONNECT", "DID", "ENTERQUEUE", "EXITEMPTY", "EXITWITHKEY", "EXITWITHTIMEOUT", "INFO", "PAUSE",
    "PAUSEALL", "PAUSEREASON", "PENALTY", "QUEUESTART", "RATING", "REMOVEMEMBER", "RINGCANCELED", "RINGNOANSWER",
    "SHUTOUT", "SYSCOMPAT", "TRANSFER", "UNPAUSE", "UNPAUSEALL", "WITHDRAW",
})  # fmt: skip
_LINE = re.compile(r"(\d{10})\|([^|]*)\|([^|]*)\|([^|]*)\|([A-Z]+)\|?(.*)")
RECORDING_NAME = re.compile(r"\d{4}/\d{2}/\d{2}/[A-Za-z0-9-]*\d{10}\.\d+\.wav")


class QueueLogRow(NamedTuple):
    """One line of queue_log. ``at`` is whole seconds since the epoch."""

    at: int
    call_id: str
    queue: str
    agent: str
    verb: str
    data: tuple[str, ...]


class CdrRow(NamedTuple):
    """One line of cdr-custom/cti.csv; times as Asterisk wrote them (seconds since the epoch, or "")."""

    uniqueid: str
    linkedid: str
    start: str
    answer: str
    end: str
    disposition: str
    context: str
    channel: str
    destination: str


class CelRow(NamedTuple):
    """One line of cel-custom/cti.csv."""

    event: str
    at: str
    uniqueid: str
    linkedid: str
    channel: str
    context: str
    exten: str


class Sound(NamedTuple):
    """A recording on disk."""

    path: Path
    seconds: float
    loudness: float
    """Root mean square of the samples, 0 to 32767; silence is below 20."""


def queue_log_lines(path: Path) -> list[str]:
    """The raw lines, split at LF only, so that a forged CR stays visible."""
    return path.read_bytes().decode("utf-8", "replace").split("\n")[:-1] if path.exists() else []


def parse_queue_log(line: str) -> QueueLogRow | None:
    """The row, or None for a line that does not follow the grammar."""
    found = _LINE.fullmatch(line)
    if found is None or found[5] not in QUEUE_LOG_VERBS or not line.isprintable():
        return None
    return QueueLogRow(int(found[1]), found[2], found[3], found[4], found[5], tuple(found[6].split("|")))


def read_queue_log(path: Path) -> list[QueueLogRow]:
    """Every line.

    Raises:
        ValueError: a line that does not follow the grammar; gives its number.
    """
    rows = []
    for number, line in enumerate(queue_log_lines(path), 1):
        row = parse_queue_log(line)
        if row is None:
            raise ValueError(f"queue_log line {number} does not follow its grammar")
        rows.append(row)
    return rows


def answered(path: Path) -> dict[str, str]:
    """Call id -> agent who answered, by queue_log."""
    return {row.call_id: row.agent for row in read_queue_log(path) if row.verb == "CONNECT"}


def read_cdr(path: Path) -> list[CdrRow]:
    """Every line of the CDR file."""
    return [CdrRow(*row) for row in _csv(path)]


def read_cel(path: Path) -> list[CelRow]:
    """Every line of the CEL file."""
    return [CelRow(*row) for row in _csv(path)]


def _csv(path: Path) -> Iterator[list[str]]:
    if path.exists():
        with path.open(newline="", errors="replace") as file:
            yield from csv.reader(file)


def recordings(folder: Path) -> dict[str, Path]:
    """Call id -> recording, by the file's name."""
    return {path.stem: path for path in folder.glob("**/*.wav")}


def listen(path: Path) -> Sound:
    """Length and loudness of a WAV file of 16-bit samples."""
    with wave.open(str(path), "rb") as file:
        samples = array.array("h", file.readframes(file.getnframes()))
        seconds = file.getnframes() / file.getframerate()
    if sys.byteorder == "big":
        samples.byteswap()
    square = sum(sample * sample for sample in samples) / len(samples) if samples else 0.0
    return Sound(path, seconds, math.sqrt(square))

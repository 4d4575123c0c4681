"""Bytes to whole AMI frames, without a socket.

A frame is what stands between two blank lines. Unwanted events are dropped by name while they are still bytes: a busy
PBX says some 75 things about a queue call, two thirds of which nobody here reads. Decoding waits until a frame is
whole, so a Chinese character cut by a TCP segment is never damaged.

Source: Asterisk's ``main/manager.c`` writes headers as ``Name: value`` CR LF and ends a frame with one empty line;
Debian's ``TestEvent`` ends with two, so blank lines before a frame are skipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

EOL = b"\r\n"
END = b"\r\n\r\n"
BANNER = b"Asterisk Call Manager/"
MAX_BANNER = 1024
MAX_FRAME = 256 * 1024
"""Bytes. Asterisk itself takes at most 128 headers of 1,024 bytes, so twice that is no frame of Asterisk's."""

_EVENT = b"Event: "
_NAME_AT = len(_EVENT)
_CR = b"\r"


class WireError(Exception):
    """The peer does not speak AMI; the session is of no use."""


@dataclass(slots=True)
class Stats:
    """Counters since the link was made; they only grow."""

    frames: int = 0
    """Whole frames read, wanted or not."""
    events: int = 0
    """Typed events handed to the sink."""
    dropped: int = 0
    """Unwanted events, dropped by name before parsing."""
    oversized: int = 0
    """Frames of more than ``MAX_FRAME`` bytes, thrown away."""
    quarantined: int = 0
    """Frames that Asterisk would not write: forged through a caller's text, or not AMI."""
    malformed: int = 0
    """Wanted events that lack a header or hold an unreadable value."""
    late: int = 0
    """Answers to our own actions that came after their deadline."""
    sink_errors: int = 0
    """Exceptions of ``on_event`` or ``on_state``."""


def decode(raw: bytes) -> str:
    """Text of a whole frame that gives its very bytes back: what is not UTF-8 becomes lone surrogates.

    Nothing can store or show such text; what leaves this folder has gone through ``readable`` or ``mended``.
    """
    return raw.decode("utf-8", "surrogateescape")


def readable(raw: bytes) -> str:
    """Text of a whole value that can be stored and shown: UTF-8, else GB 18030 (old phones send GBK), else with marks.

    GB/T 18030 takes GBK and GB 2312 in.
    """
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("gb18030", "replace")


def mended(text: str) -> str:
    """``readable`` of a text that ``decode`` made."""
    return text if text.isascii() else readable(text.encode("utf-8", "surrogateescape"))


def event_name(frame: bytes) -> bytes:
    """The event's name, ``b""`` when the frame is not an event."""
    if not frame.startswith(_EVENT):
        return b""
    end = frame.find(EOL, _NAME_AT)
    return frame[_NAME_AT:] if end < 0 else frame[_NAME_AT:end]


class Framer:
    """Cuts a stream into frames. Feed it anything; it keeps what is not whole yet.

    Args:
        wanted: names of the events to hand out; every other event is counted and dropped. Frames that are no events
            (answers, and anything unknown) are always handed out.
        stats: counters to add to.
        max_frame: bytes of the largest frame kept; a larger one is skipped and the session goes on.
    """

    def __init__(self, wanted: frozenset[bytes], stats: Stats, max_frame: int = MAX_FRAME) -> None:
        self._wanted = wanted
        self._stats = stats
        self._max = max_frame
        self._tail = bytearray()
        self._skipping = False
        self.version: str | None = None
        """What the banner said, ``None`` before it came."""

    def feed(self, data: bytes) -> Sequence[bytes]:
        """The wanted frames that *data* completes, without their blank lines, in order.

        Raises:
            WireError: the peer's first line is not Asterisk's banner.
        """
        tail = self._tail
        if tail:
            # Look only where the end can be new, or a large frame in small segments costs its square.
            seen = max(len(tail) - len(END) + 1, 0)
            tail += data
            if self.version is None:
                seen = 0
            elif tail.find(END, seen) < 0:
                self._bound(tail)
                return ()
            data = bytes(tail)
            tail.clear()
        if self.version is None:
            data = self._banner(data)
        frames = data.split(END)
        tail += frames.pop()
        if self._skipping and frames:
            self._skipping = False
            del frames[0]
        self._bound(tail)
        return self._sift(frames)

    def _banner(self, data: bytes) -> bytes:
        line, end, rest = data.partition(EOL)
        if not line.startswith(BANNER[: len(line)]) or len(line) > MAX_BANNER:
            raise WireError("the peer is not Asterisk's manager interface: no banner")
        if not end:
            return data
        self.version = decode(line[len(BANNER) :]).strip()
        return rest

    def _bound(self, tail: bytearray) -> None:
        if len(tail) <= self._max:
            return
        if not self._skipping:
            self._skipping = True
            self._stats.oversized += 1
        del tail[: -len(END) + 1]

    def _sift(self, frames: list[bytes]) -> list[bytes]:
        wanted = self._wanted
        kept = []
        empty = 0
        for frame in frames:
            if not frame.startswith(_EVENT):
                frame = frame.lstrip(EOL)
                if not frame:
                    empty += 1
                    continue
                if not frame.startswith(_EVENT):
                    kept.append(frame)
                    continue
            if frame[_NAME_AT : frame.find(_CR, _NAME_AT)] in wanted:
                kept.append(frame)
        self._stats.frames += len(frames) - empty
        self._stats.dropped += len(frames) - empty - len(kept)
        if max(map(len, kept), default=0) > self._max:
            whole = len(kept)
            kept = [frame for frame in kept if len(frame) <= self._max]
            self._stats.oversized += whole - len(kept)
        return kept

"""The header of a WAV file (RIFF, Microsoft 1991) against the size of the file.

While Asterisk records, both sizes in the header are 0; it writes them when the call ends. After a kill -9 or a power
cut they stay 0 and the audio is there: whole 32 KiB blocks behind the header. Then the sizes follow from the file's.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import StrEnum

HEADER_BYTES = 4096
"""How many bytes from the start of the file ``read_header`` wants (fewer only when the file has fewer)."""
MOST = 0xFFFF_FFFF  # a RIFF size has 32 bits
_PCM_HEADER = 44  # what Asterisk writes: RIFF, fmt of 16 bytes, data


class Shape(StrEnum):
    """What the header says of the file."""

    OK = "ok"
    UNSIZED = "unsized"  # the sizes in the header do not reach the end of the file: never written, or too early
    TRUNCATED = "truncated"  # the sizes reach beyond the end of the file
    NOT_WAV = "not_wav"


@dataclass(frozen=True, slots=True)
class Header:
    """What is known of a file.

    Attributes:
        shape: the finding.
        length_ms: audio that is really in the file, by its size; 0 when it is no WAV.
        repaired: the header as it should be, to be written over the start of the file; only for ``UNSIZED`` files of
            the form that Asterisk writes (PCM, 44 bytes), else None.
    """

    shape: Shape
    length_ms: int = 0
    repaired: bytes | None = None


@dataclass(frozen=True, slots=True)
class _Layout:
    riff: int
    format: int
    byte_rate: int
    block: int
    data_at: int
    data: int


def read_header(head: bytes, size: int) -> Header:
    """Judge *head*, the first ``HEADER_BYTES`` of a file of *size* bytes.

    Raises:
        ValueError: *size* is less than what was read.
    """
    if size < len(head):
        raise ValueError("size: less than the bytes read")
    layout = _layout(head)
    if layout is None:
        return Header(Shape.NOT_WAV)
    present = size - layout.data_at
    if layout.riff + 8 < size or (layout.data == 0 and present > 0):
        return Header(Shape.UNSIZED, _ms(present, layout), _repaired(head, size, layout))
    if layout.riff + 8 > size or layout.data > present:
        return Header(Shape.TRUNCATED, _ms(present, layout))
    return Header(Shape.OK, _ms(layout.data, layout))


def _layout(head: bytes) -> _Layout | None:
    if len(head) < _PCM_HEADER or head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return None
    found: tuple[int, int, int] | None = None
    at = 12
    while at + 8 <= len(head):
        name, length = head[at : at + 4], int.from_bytes(head[at + 4 : at + 8], "little")
        if name == b"data":
            return _Layout(int.from_bytes(head[4:8], "little"), *found, at + 8, length) if found else None
        if name == b"fmt " and length >= 16 and at + 24 <= len(head):
            encoding, _channels, _rate, byte_rate, block = struct.unpack_from("<HHIIH", head, at + 8)
            found = (encoding, byte_rate, block) if byte_rate and block else None
        at += 8 + length + length % 2
    return None


def _ms(data: int, layout: _Layout) -> int:
    return data // layout.block * layout.block * 1000 // layout.byte_rate


def _repaired(head: bytes, size: int, layout: _Layout) -> bytes | None:
    if layout.data_at != _PCM_HEADER or layout.format != 1 or size - 8 > MOST:
        return None
    data = (size - _PCM_HEADER) // layout.block * layout.block
    return head[:4] + struct.pack("<I", size - 8) + head[8:40] + struct.pack("<I", data)

"""A file's bytes into rows of text. What is in it was made elsewhere: every size is bounded, nothing is evaluated."""

from __future__ import annotations

import csv
import io
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from xml.etree.ElementTree import ParseError

from cti.errors import BadInput

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_ROWS = 20_000
MOST_COLUMNS = 32
LONGEST_CELL = 64
MOST_PARTS = 100  # files within an xlsx
MOST_UNPACKED = 16 * 1024 * 1024  # bytes of all of them; 20,000 rows of a roster are some 9 MB

# What openpyxl raises on files that are not what they seem. defusedxml's refusals are ValueErrors.
_BROKEN = (
    zipfile.BadZipFile, zlib.error, ParseError, struct.error, KeyError, IndexError, ValueError,
    TypeError, AttributeError, OverflowError, EOFError, OSError, NotImplementedError, RuntimeError,
)  # fmt: skip

Sheet = list[tuple[int, list[str]]]
"""Rows that are not empty, each with its number in the file, counted from 1."""


class BadFile(BadInput):
    """The file as a whole cannot be read; the message says why in both languages."""

    def __init__(self, message: str) -> None:
        super().__init__("file", message)


def read_sheet(content: bytes, media_type: str) -> Sheet:
    """The rows of a CSV file, or of the first sheet of an XLSX workbook.

    CSV may be UTF-8 with or without BOM, or GB18030, as Excel writes it in China. Formulas come as their text.

    Raises:
        BadFile: it is neither, too large, or broken.
    """
    rows = _xlsx(content) if media_type == XLSX else _csv(content)
    sheet: Sheet = []
    for number, cells in rows:
        if number > MOST_ROWS + 1:
            raise BadFile(f"more than {MOST_ROWS} rows (超过{MOST_ROWS}行)")
        if any(cells):
            sheet.append((number, cells))
    return sheet


def _csv(content: bytes) -> Iterator[tuple[int, list[str]]]:
    text = _decoded(content)
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)  # Excel writes what the machine's locale lists with
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for cells in reader:
            # The line on which the row ends: what an editor shows, also after a cell with a line break.
            yield reader.line_num, [cell.strip() for cell in cells[:MOST_COLUMNS]]
    except csv.Error as error:
        raise BadFile(f"line {reader.line_num} is no CSV (第{reader.line_num}行不是有效的CSV)") from error


def _decoded(content: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadFile("neither UTF-8 nor GB18030 text (文件编码须为UTF-8或GB18030)")


def _xlsx(content: bytes) -> Iterator[tuple[int, list[str]]]:
    from openpyxl import load_workbook  # 15 MB, for a service that may never read a workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        _weigh(content)
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
        rows: Iterable[Iterable[Any]] = book.worksheets[0].iter_rows(max_col=MOST_COLUMNS, values_only=True)
        for number, cells in enumerate(rows, 1):
            yield number, [_text(cell) for cell in cells]
    except BadFile:
        raise
    except (*_BROKEN, InvalidFileException) as error:
        raise BadFile("no readable XLSX workbook (不是可读取的XLSX文件)") from error


def _weigh(content: bytes) -> None:
    """A packed file says how large its parts are, and is not read beyond what it says."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        parts = packed.infolist()
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
        raise BadFile("the workbook is too large when unpacked (工作簿解压后过大)")


def _text(cell: Any) -> str:
    """A cell as it would be typed: Excel keeps dates, times and numbers, not what was written."""
    match cell:
        case None:
            return ""
        case bool():
            return "1" if cell else "0"
        case float() if cell.is_integer():
            return str(int(cell))
        case datetime() if cell.time() == time():
            return cell.date().isoformat()
        case datetime():
            return cell.isoformat(" ")
        case date():
            return cell.isoformat()
        case time():
            return cell.isoformat()
        case timedelta():
            return str(cell)
        case _:
            return str(cell).strip()

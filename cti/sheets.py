"""Rows of text as a file for a spreadsheet, CSV or XLSX. No cell can begin a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Protocol

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

_STARTS_FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # the wide ones: Excel in Chinese takes them for the narrow ones


class SheetFile(Protocol):
    """A file that grows by rows. Blocking: a large one is written in a thread."""

    def add(self, rows: Iterable[Sequence[str]]) -> None:
        """Append rows; every cell is text."""

    def finish(self) -> bytes:
        """The whole file; nothing can be added after."""


class CsvFile:
    """UTF-8 with BOM: without it Excel shows Chinese as other letters."""

    def __init__(self) -> None:
        self._text = io.StringIO(newline="")
        self._writer = csv.writer(self._text)

    def add(self, rows: Iterable[Sequence[str]]) -> None:
        """Append rows."""
        self._writer.writerows([cell(text) for text in row] for row in rows)

    def finish(self) -> bytes:
        """The whole file."""
        return self._text.getvalue().encode("utf-8-sig")


class XlsxFile:
    """One sheet, named *title*. Rows go to a file of openpyxl's own as they come: only few are in memory."""

    def __init__(self, title: str) -> None:
        self._book = Workbook(write_only=True)
        self._sheet = self._book.create_sheet(title)

    def add(self, rows: Iterable[Sequence[str]]) -> None:
        """Append rows."""
        for row in rows:
            cells = [WriteOnlyCell(self._sheet, value=cell(text)) for text in row]
            for each in cells:
                each.data_type = "s"
            self._sheet.append(cells)

    def finish(self) -> bytes:
        """The whole file."""
        file = io.BytesIO()
        self._book.save(file)
        return file.getvalue()


def cell(text: str) -> str:
    """A text such as ``=cmd|...`` is run by a spreadsheet that opens the file; after an apostrophe it is text.

    Control characters, which no XLSX may hold, become a blank.
    """
    clean = ILLEGAL_CHARACTERS_RE.sub(" ", text)
    return f"'{clean}" if clean.startswith(_STARTS_FORMULA) else clean

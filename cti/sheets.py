"""Rows of text as a file for a spreadsheet, CSV or XLSX. No cell can begin a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Protocol

_STARTS_FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # the wide ones: Excel in Chinese takes them for the narrow ones
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")  # XML 1.0, 2.2, below the blank


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
    """One sheet, named *title*. Rows go to a file of openpyxl's own as they come: only few are in memory.

    openpyxl takes 15 MB and is loaded for the first file that needs it: most services make none.
    """

    def __init__(self, title: str) -> None:
        from openpyxl import Workbook
        from openpyxl.cell import WriteOnlyCell

        self._cell = WriteOnlyCell
        self._book = Workbook(write_only=True)
        self._sheet = self._book.create_sheet(title)

    def add(self, rows: Iterable[Sequence[str]]) -> None:
        """Append rows."""
        for row in rows:
            cells = [self._cell(self._sheet, value=cell(text)) for text in row]
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
    clean = _NOT_IN_XML.sub(" ", text)
    return f"'{clean}" if clean.startswith(_STARTS_FORMULA) else clean

"""The roster as a file: CSV and XLSX in, each bad row named, and out."""

from cti.roster.cells import XLSX, BadFile, Sheet, read_sheet
from cti.roster.table import Fault, Table, read_table
from cti.roster.writing import to_csv, to_xlsx

__all__ = [
    "XLSX", "BadFile", "Fault", "Sheet", "Table", "read_sheet", "read_table", "to_csv", "to_xlsx",
]  # fmt: skip

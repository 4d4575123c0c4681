"""Commands of the handover: seats paired, items taken or disputed, the sheet signed."""

from __future__ import annotations

from typing import NamedTuple


class SignSheet(NamedTuple):
    """Outgoing or incoming agent signs the sheet of their pair."""

    number: str
    handover_id: str


HandoverCommand = SignSheet

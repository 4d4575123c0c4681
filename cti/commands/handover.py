"""Commands of the handover: seats paired, items taken or disputed, the sheet signed, a ticket finished.

Who sends one is whom the session or the phone has proved, so nobody acts for another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class PairSeats(NamedTuple):
    """A lead says who relieves whom: outgoing agent -> incoming agent, or None when nobody follows on that seat."""

    by: str
    handover_id: str
    pairs: Mapping[str, str | None]


class AddItem(NamedTuple):
    """A note, or broken equipment, onto the sheet of *outgoing*, by himself or by a lead. ``kind``: note, equipment."""

    by: str
    handover_id: str
    outgoing: str
    kind: str
    text: str


class TakeItem(NamedTuple):
    """The incoming agent takes an item."""

    number: str
    item_id: str


class DisputeItem(NamedTuple):
    """The incoming agent does not take an item, and says why."""

    number: str
    item_id: str
    reason: str


class SettleItem(NamedTuple):
    """A lead rules on a disputed item: taken by order, or it stays with the outgoing agent."""

    by: str
    item_id: str
    ordered: bool
    reason: str


class SignSheet(NamedTuple):
    """Outgoing or incoming agent signs the sheet of their pair."""

    number: str
    handover_id: str


class FinishTicket(NamedTuple):
    """办结: the ticket's owner, or a lead, says that nothing more is to be done."""

    number: str
    ticket_id: str


class FinishElsewhere(NamedTuple):
    """The ticket lives in another system and is finished there; one that an agent has taken stays his to finish.

    ``by``: the system's name. Said twice, it is done once.
    """

    by: str
    ticket_id: str


HandoverCommand = PairSeats | AddItem | TakeItem | DisputeItem | SettleItem | SignSheet | FinishTicket | FinishElsewhere

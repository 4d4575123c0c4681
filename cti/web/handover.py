"""The handover over the API: its picture, the lead's pairs, the sheet's items, signatures, and 办结.

Who acts is who is logged in: no route takes the number of somebody to act for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from cti.commands.handover import (
    AddItem,
    DisputeItem,
    FinishTicket,
    PairSeats,
    SettleItem,
    SignSheet,
    TakeItem,
)
from cti.errors import BadInput
from cti.store.handovers import HandoverView, handovers_between, handovers_in_hand, names_of
from cti.store.people import Role
from cti.web.context import AnyoneDep, LeadDep, LedgerDep, SeatedDep, WebDep
from cti.web.fields import Number

router = APIRouter(tags=["handover"])

LONGEST_DAYS = 93
Words = Annotated[str, Field(min_length=1, max_length=400)]  # what may be kept of it is the engine's word


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PairBody(_Body):
    """Who relieves whom; None: nobody follows on that seat."""

    outgoing: Number
    incoming: Number | None


class Pairs(_Body):
    """The pairs to set; those left out stay."""

    pairs: Annotated[list[PairBody], Field(min_length=1, max_length=500)]


class NewItem(_Body):
    """A line for the sheet of *outgoing*."""

    outgoing: Number
    kind: Literal["note", "equipment"]
    text: Words


class Reason(_Body):
    """Why."""

    reason: Words


class Settlement(_Body):
    """The lead's ruling: ``ordered`` is taken all the same, else it stays with the outgoing agent."""

    ordered: bool
    reason: Words


@dataclass(frozen=True, slots=True)
class Handovers:
    """Handovers with their sheets, and the names of those in them; who is present, the board says."""

    handovers: list[HandoverView]
    names: dict[str, str]


@router.get("/handovers/current")
async def current(who: AnyoneDep, web: WebDep) -> Handovers:
    """Handovers in preparation: an agent's own pair; all of them for those who read the ledgers."""
    async with web.store.read() as connection:
        found = await handovers_in_hand(connection, web.settings.pbx_id)
        if who.person.role is Role.AGENT:
            for handover in found:
                handover.pairs[:] = [p for p in handover.pairs if who.number in (p.outgoing, p.incoming)]
            found = [handover for handover in found if handover.pairs]
        return Handovers(found, await names_of(connection, _named(found)))


@router.get("/handovers")
async def history(
    who: LedgerDep,
    web: WebDep,
    start: Annotated[AwareDatetime, Query(alias="from")],
    end: Annotated[AwareDatetime, Query(alias="to")],
) -> Handovers:
    """Handovers whose moment lies in [from, to), newest first."""
    if not 0 < (end - start).total_seconds() <= LONGEST_DAYS * 86400:
        raise BadInput(
            "to", f"after from, and at most {LONGEST_DAYS} days later (须晚于起始，且不超过{LONGEST_DAYS}天)"
        )
    async with web.store.read() as connection:
        found = await handovers_between(connection, web.settings.pbx_id, start, end)
        return Handovers(found, await names_of(connection, _named(found)))


def _named(handovers: list[HandoverView]) -> set[str]:
    pairs = [pair for handover in handovers for pair in handover.pairs]
    return {number for pair in pairs for number in (pair.outgoing, pair.incoming) if number is not None}


@router.post("/handovers/{handover_id}/pairs", status_code=204)
async def pair(handover_id: str, body: Pairs, who: LeadDep, web: WebDep) -> None:
    """The lead assigns the seats (HZ 第二十八条)."""
    pairs = {entry.outgoing: entry.incoming for entry in body.pairs}
    await web.do(PairSeats(who.number, handover_id, pairs))


@router.post("/handovers/{handover_id}/items", status_code=201)
async def add(handover_id: str, body: NewItem, who: SeatedDep, web: WebDep) -> dict[str, Any]:
    """A note or broken equipment onto a sheet."""
    outcome = await web.do(AddItem(who.number, handover_id, body.outgoing, body.kind, body.text))
    return dict(outcome.data)


@router.post("/handovers/{handover_id}/sign", status_code=204)
async def sign(handover_id: str, who: SeatedDep, web: WebDep) -> None:
    """Sign the own sheet, as outgoing or as incoming agent (HZ 第三十三条)."""
    await web.do(SignSheet(who.number, handover_id))


@router.post("/handovers/items/{item_id}/take", status_code=204)
async def take(item_id: str, who: SeatedDep, web: WebDep) -> None:
    """The incoming agent takes the item, and it is his."""
    await web.do(TakeItem(who.number, item_id))


@router.post("/handovers/items/{item_id}/dispute", status_code=204)
async def dispute(item_id: str, body: Reason, who: SeatedDep, web: WebDep) -> None:
    """The incoming agent does not take it."""
    await web.do(DisputeItem(who.number, item_id, body.reason))


@router.post("/handovers/items/{item_id}/settle", status_code=204)
async def settle(item_id: str, body: Settlement, who: LeadDep, web: WebDep) -> None:
    """A lead rules on a disputed item."""
    await web.do(SettleItem(who.number, item_id, body.ordered, body.reason))


@router.post("/tickets/{ticket_id}/finish", status_code=204)
async def finish(ticket_id: str, who: SeatedDep, web: WebDep) -> None:
    """办结: by the ticket's owner or a lead."""
    await web.do(FinishTicket(who.number, ticket_id))

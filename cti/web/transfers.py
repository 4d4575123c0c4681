"""Transfers: the three keys, and what became of a ticket's. Whom to reach is the board's and the directory's."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from cti.commands.transfers import BeginTransfer, CancelTransfer, CompleteTransfer, TransferCommand
from cti.store.transfer_reads import TransferView, transfers_of
from cti.web.context import CallerDep, SeatedDep, Web, WebDep, Who
from cti.web.tickets import seen_ticket

router = APIRouter(tags=["transfers"])


class TransferAsked(BaseModel):
    """How, and to whom: a work number, or a code of the directory; never a telephone number."""

    model_config = ConfigDict(extra="forbid")

    how: Literal["blind", "consult"]
    kind: Literal["agent", "unit"]
    code: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")]


class Begun(BaseModel):
    """Asterisk has been asked; what becomes of it is on the agent's line of the board."""

    transfer_id: str | None = None


@router.post("/me/transfer")
async def begin(body: TransferAsked, who: SeatedDep, web: WebDep) -> Begun:
    """转接: blind, or with a consultation first."""
    return await _done(web, who, BeginTransfer(who.number, body.how, body.kind, body.code))


@router.post("/me/transfer/complete")
async def complete(who: SeatedDep, web: WebDep) -> Begun:
    """The agent leaves the caller with whom he consults."""
    return await _done(web, who, CompleteTransfer(who.number))


@router.post("/me/transfer/cancel")
async def cancel(who: SeatedDep, web: WebDep) -> Begun:
    """The agent takes the caller back."""
    return await _done(web, who, CancelTransfer(who.number))


@router.get("/tickets/{ticket_id}/transfers")
async def of_ticket(ticket_id: str, who: CallerDep, web: WebDep) -> list[TransferView]:
    """Every transfer of the ticket's call, in order."""
    await seen_ticket(web, who, ticket_id)
    async with web.store.read() as connection:
        return await transfers_of(connection, ticket_id)


async def _done(web: Web, who: Who, command: TransferCommand) -> Begun:
    outcome = await web.do(command)
    return Begun(**outcome.data)

"""Blocked numbers: an agent asks on a ticket, leads decide, list and end. Agents see no number here."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from cti.commands.nuisance import AskBlock, DecideBlock, EndBlock
from cti.store.nuisance_reads import BlockView, blocks_list
from cti.web.context import LeadDep, SeatedDep, Web, WebDep
from cti.web.tickets import seen_ticket

router = APIRouter(tags=["nuisance"])

Words = Annotated[str, Field(min_length=1, max_length=200)]


class BlockAsked(BaseModel):
    """Why, in the agent's own words."""

    model_config = ConfigDict(extra="forbid")

    reason: Words


class BlockDecided(BaseModel):
    """Agreed or declined, with the lead's words; ``days``: as the rules say when it is left out."""

    model_config = ConfigDict(extra="forbid")

    agree: bool
    days: Annotated[int, Field(ge=1, le=3650)] | None = None
    words: Words


class Asked(BaseModel):
    """The request."""

    block_id: str


@router.post("/tickets/{ticket_id}/block", status_code=201)
async def ask(ticket_id: str, body: BlockAsked, who: SeatedDep, web: WebDep) -> Asked:
    """Ask a lead to block the caller of this ticket, who is marked as a nuisance."""
    await seen_ticket(web, who, ticket_id)
    outcome = await web.do(AskBlock(who.number, ticket_id, body.reason))
    return Asked(block_id=outcome.data["block_id"])


@router.get("/blocks")
async def listed(
    who: LeadDep, web: WebDep, over: Annotated[bool, Query(description="those that are over instead")] = False
) -> list[BlockView]:
    """Requests and blocks in force, or those that are over; at most 500."""
    return await _all(web, over)


@router.post("/blocks/{block_id}/decide")
async def decide(block_id: str, body: BlockDecided, who: LeadDep, web: WebDep) -> list[BlockView]:
    """Agree for some days, or decline; never on one's own request."""
    await web.do(DecideBlock(who.number, block_id, body.agree, body.days, body.words))
    return await _all(web)


@router.post("/blocks/{block_id}/end")
async def end(block_id: str, who: LeadDep, web: WebDep) -> list[BlockView]:
    """End a block before its time."""
    await web.do(EndBlock(who.number, block_id))
    return await _all(web)


async def _all(web: Web, over: bool = False) -> list[BlockView]:
    async with web.store.read() as connection:
        return await blocks_list(connection, web.settings.pbx_id, over)

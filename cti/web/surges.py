"""Surges: what many callers have in common, the group of their tickets, and the notice that is suggested."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from cti.commands.surge import TakeOutOfSurge
from cti.store.surge_reads import SurgeView, surge_list
from cti.web.context import CallerDep, LeadDep, Web, WebDep

router = APIRouter(prefix="/surges", tags=["surges"])


class TicketAsked(BaseModel):
    """A ticket of the group."""

    model_config = ConfigDict(extra="forbid")

    ticket_id: Annotated[str, Field(min_length=1, max_length=40)]


@router.get("")
async def listed(
    who: CallerDep, web: WebDep, closed: Annotated[bool, Query(description="those that are over instead")] = False
) -> list[SurgeView]:
    """Surges, the newest first, each with its group; no callers' numbers."""
    return await _all(web, closed)


@router.post("/{surge_id}/take-out")
async def take_out(surge_id: str, body: TicketAsked, who: LeadDep, web: WebDep) -> list[SurgeView]:
    """The ticket is a matter of its own: it leaves the group, and does not come back by itself."""
    await web.do(TakeOutOfSurge(who.number, surge_id, body.ticket_id))
    return await _all(web, closed=False)


async def _all(web: Web, closed: bool) -> list[SurgeView]:
    names = {code: named.zh for code, named in web.settings.hotline.areas.items()}
    async with web.store.read() as connection:
        return await surge_list(connection, web.settings.pbx_id, names, closed)

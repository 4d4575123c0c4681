"""Emergencies: raised and lifted, their unit rung, acknowledged; and who goes to the front by his number."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from cti.commands.emergency import AcknowledgeEmergency, LiftCall, PutFront, RaiseEmergency, RemoveFront, RingUnit
from cti.store.emergency_reads import EmergencyView, FrontView, emergency_list, emergency_view, front_list
from cti.web.context import CallerDep, LeadDep, RosterDep, SeatedDep, Web, WebDep
from cti.web.problems import Problem
from cti.web.tickets import seen_ticket

router = APIRouter(tags=["emergencies"])


class Raised(BaseModel):
    """Which ticket is an emergency."""

    model_config = ConfigDict(extra="forbid")

    ticket_id: Annotated[str, Field(min_length=1, max_length=40)]


class Lifted(BaseModel):
    """Which waiting call goes to the front."""

    model_config = ConfigDict(extra="forbid")

    call_id: Annotated[str, Field(min_length=1, max_length=80)]


class Acknowledged(BaseModel):
    """What is being done, in the lead's own words."""

    model_config = ConfigDict(extra="forbid")

    note: Annotated[str, Field(max_length=200)] = ""


class FrontAsked(BaseModel):
    """A number whose calls go to the front, and why."""

    model_config = ConfigDict(extra="forbid")

    number: Annotated[str, Field(min_length=1, max_length=20)]
    reason: Annotated[str, Field(min_length=1, max_length=200)]


class FrontRemoved(BaseModel):
    """A number as the list has it."""

    model_config = ConfigDict(extra="forbid")

    number: Annotated[str, Field(min_length=1, max_length=20)]


@router.get("/emergencies")
async def listed(
    who: CallerDep,
    web: WebDep,
    closed: Annotated[bool, Query(description="those that were acknowledged instead")] = False,
    ticket_id: Annotated[str | None, Query(max_length=40)] = None,
) -> list[EmergencyView]:
    """Those that nobody has acknowledged, the oldest first, or those of one ticket; each second timed. An agent sees
    his own, and those of a ticket that he may see."""
    if ticket_id is not None:
        await seen_ticket(web, who, ticket_id)
    async with web.store.read() as connection:
        found = await emergency_list(connection, web.settings.pbx_id, closed=closed, ticket_id=ticket_id)
    return found if who.leads or ticket_id is not None else [one for one in found if one.agent == who.number]


@router.post("/emergencies", status_code=201)
async def raised(body: Raised, who: SeatedDep, web: WebDep) -> EmergencyView:
    """This ticket is an emergency; asked again, it is the same one."""
    await seen_ticket(web, who, body.ticket_id)
    return await _seen(web, (await web.do(RaiseEmergency(who.number, body.ticket_id))).data)


@router.post("/emergencies/lift", status_code=201)
async def lifted(body: Lifted, who: LeadDep, web: WebDep) -> EmergencyView:
    """The lead lifts a waiting call to the front of the queue."""
    return await _seen(web, (await web.do(LiftCall(who.number, body.call_id))).data)


@router.post("/emergencies/{emergency_id}/ring")
async def ring(emergency_id: str, who: SeatedDep, web: WebDep) -> EmergencyView:
    """One key: the agent's phone rings, then the responsible unit's numbers in turn. No ticket need be filled in."""
    web.one_more_ring(who.number)
    await web.do(RingUnit(who.number, emergency_id))
    return await _seen(web, {"emergency_id": emergency_id})


@router.post("/emergencies/{emergency_id}/acknowledge")
async def acknowledge(emergency_id: str, body: Acknowledged, who: LeadDep, web: WebDep) -> EmergencyView:
    """The lead has it in hand: it is told no more."""
    await web.do(AcknowledgeEmergency(who.number, emergency_id, body.note))
    return await _seen(web, {"emergency_id": emergency_id})


@router.get("/front-callers")
async def front(who: RosterDep, web: WebDep) -> list[FrontView]:
    """The numbers whose calls go to the front."""
    return await _front(web)


@router.post("/front-callers", status_code=201)
async def put_front(body: FrontAsked, who: RosterDep, web: WebDep) -> list[FrontView]:
    """One more; the dialplan knows it at once, and without the service."""
    await web.do(PutFront(who.number, body.number, body.reason))
    return await _front(web)


@router.post("/front-callers/remove")
async def remove_front(body: FrontRemoved, who: RosterDep, web: WebDep) -> list[FrontView]:
    """Taken off. The number stands in the body: URLs are logged by proxies."""
    await web.do(RemoveFront(who.number, body.number))
    return await _front(web)


async def _front(web: Web) -> list[FrontView]:
    async with web.store.read() as connection:
        return await front_list(connection, web.settings.pbx_id)


async def _seen(web: Web, data: Any) -> EmergencyView:
    async with web.store.read() as connection:
        view = await emergency_view(connection, web.settings.pbx_id, data["emergency_id"])
    if view is None:
        raise Problem("not_found")
    return view

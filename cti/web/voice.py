"""What callers hear: the agent's keys while he talks, ratings, outage notices."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from cti.commands.outage import EndOutage, PutOutage
from cti.commands.voice import Announce, EndWith, InviteRating
from cti.store.voice_reads import OutageView, RatingView, outage_list, rating_of
from cti.web.context import AnyoneDep, CallerDep, LeadDep, SeatedDep, WebDep
from cti.web.tickets import seen_ticket
from queues.outages import Kind
from queues.voice import AfterAgent, Prompt

router = APIRouter(tags=["voice"])


class Asked(BaseModel):
    """A body without unknown fields."""

    model_config = ConfigDict(extra="forbid")


class PromptAsked(Asked):
    """Which prompt caller and agent are to hear."""

    prompt: Prompt


class EndingAsked(Asked):
    """What the caller is to hear when the agent's part is over."""

    ending: AfterAgent


class OutageAsked(Asked):
    """A notice for an area, or for everywhere; it replaces the open one there."""

    area: Annotated[str, Field(max_length=40)] = ""
    kind: Kind
    text: Annotated[str, Field(min_length=1, max_length=200, description="for the agents; callers hear the prompt")]
    from_at: Annotated[AwareDatetime | None, Field(description="now, when left out")] = None
    until: Annotated[AwareDatetime | None, Field(description="a day later, when left out")] = None


class OutagePut(BaseModel):
    """The notice, and whether it was told later than the rules ask of a planned outage."""

    outage_id: str
    late: bool


class Rated(BaseModel):
    """The caller's rating: 1 satisfied, 2 neutral, 3 dissatisfied; nothing when he gave none."""

    rating: int | None = None
    agent: str | None = None
    at: datetime | None = None


@router.post("/calls/{call_id}/announce", status_code=202)
async def announce(call_id: str, body: PromptAsked, who: SeatedDep, web: WebDep) -> None:
    """The caller whom this agent talks with hears a prompt, and so does the agent; the conversation goes on."""
    await web.do(Announce(who.number, call_id, body.prompt.value))


@router.post("/calls/{call_id}/end", status_code=202)
async def end(call_id: str, body: EndingAsked, who: SeatedDep, web: WebDep) -> None:
    """The agent is free at once; the caller hears that nobody was heard, or is asked to rate, and is hung up."""
    await web.do(EndWith(who.number, call_id, body.ending.value))


@router.post("/callbacks/{callback_id}/rate", status_code=202)
async def invite(callback_id: str, who: SeatedDep, web: WebDep) -> None:
    """The agent who talks in this callback is free at once; the caller is asked to rate, and is hung up."""
    await web.do(InviteRating(who.number, callback_id))


@router.get("/tickets/{ticket_id}/rating")
async def rating(ticket_id: str, who: CallerDep, web: WebDep) -> Rated:
    """How the caller rated the conversation of this ticket, for whoever may see the ticket."""
    call_id = (await seen_ticket(web, who, ticket_id)).call_id
    async with web.store.read() as connection:
        view = await rating_of(connection, web.settings.pbx_id, call_id) if call_id else None
    return _rated(view)


@router.get("/outages")
async def outages(
    who: AnyoneDep, web: WebDep, closed: Annotated[bool, Query(description="those that are over instead")] = False
) -> list[OutageView]:
    """Outage notices, the newest first; at most 200."""
    async with web.store.read() as connection:
        return await outage_list(connection, web.settings.pbx_id, closed)


@router.post("/outages", status_code=201)
async def put_outage(body: OutageAsked, who: LeadDep, web: WebDep) -> OutagePut:
    """Callers of the area hear it from its time on, a planned one as long ahead as the rules say."""
    command = PutOutage(body.area, body.kind.value, body.text, body.from_at, body.until, who.number)
    return OutagePut(**(await web.do(command)).data)


@router.post("/outages/{outage_id}/end", status_code=204)
async def end_outage(outage_id: str, who: LeadDep, web: WebDep) -> None:
    """The notice is over before its time."""
    await web.do(EndOutage(outage_id, who.number))


def _rated(view: RatingView | None) -> Rated:
    return Rated() if view is None else Rated(rating=view.rating, agent=view.agent, at=view.at)

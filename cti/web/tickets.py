"""Tickets and calls. What is another agent's looks exactly as what does not exist."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.commands import Popped
from cti.store.handovers import is_handed_to
from cti.store.play_reads import heard_for
from cti.store.reads import CallView, call_view
from cti.store.ticket_reads import TicketView, ticket_view
from cti.store.transfer_reads import is_transferred_to
from cti.web.context import CallerDep, SeatedDep, Web, WebDep, Who
from cti.web.problems import Problem
from queues.board import mask

router = APIRouter(tags=["tickets"])


async def seen_ticket(web: Web, who: Who, ticket_id: str) -> TicketView:
    """The ticket: for its agents, who takes it over, got its call or calls back about it, a lead or an admin."""
    async with web.store.read() as connection:
        view = await ticket_view(connection, ticket_id, web.rules())
        own = view is not None and (who.leads or who.number in (view.agent, view.owner))
        if view is None or not (own or await _reached(connection, web.settings.pbx_id, ticket_id, who.number)):
            raise Problem("not_found")
    return view


async def _reached(connection: AsyncConnection, pbx_id: str, ticket_id: str, number: str) -> bool:
    """Whether the ticket comes to this agent by a handover, its caller by a transfer, or he calls back about it."""
    if await is_handed_to(connection, ticket_id, number) or await is_transferred_to(connection, ticket_id, number):
        return True
    return await heard_for(connection, pbx_id, ticket_id, number) is not None


@router.get("/tickets/{ticket_id}")
async def ticket(ticket_id: str, who: CallerDep, web: WebDep) -> TicketView:
    """A ticket with its particulars, the caller's earlier calls, callbacks and open tickets, and what repeats."""
    return await seen_ticket(web, who, ticket_id)


@router.post("/tickets/{ticket_id}/popped", status_code=204)
async def popped(ticket_id: str, who: SeatedDep, web: WebDep) -> None:
    """The agent's page says that it shows the ticket; a second time changes nothing."""
    view = await seen_ticket(web, who, ticket_id)
    async with web.store.read() as connection:
        second = await is_transferred_to(connection, ticket_id, who.number)
    if view.agent != who.number and not second:
        raise Problem("forbidden")
    if view.agent == who.number and view.popped_at is None:
        await web.do(Popped(who.number, ticket_id))


@router.get("/calls/{call_id}")
async def call(call_id: str, who: CallerDep, web: WebDep) -> CallView:
    """A call with its offers. An agent to whom it was offered in vain sees it with the number masked."""
    async with web.store.read() as connection:
        view = await call_view(connection, web.settings.pbx_id, call_id)
    if view is None:
        raise Problem("not_found")
    if who.leads or view.agent == who.number:
        return view
    if all(offer.agent != who.number for offer in view.offers):
        raise Problem("not_found")
    return replace(view, caller=mask(view.caller))

"""Ask for a callback, dial one now, list them. Whether and when it may be dialled is the engine's ruling."""

from __future__ import annotations

import re
from typing import Annotated, Any, Self

import structlog
from fastapi import APIRouter, Header
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import select

from cti.commands import DialNow, RequestCallback
from cti.commands.dialling import AllowQuiet, ConfirmClock, PreviewOpened, SetInboundFirst
from cti.errors import BadInput
from cti.store.dial_tables import callback_extensions
from cti.store.reads import CallbackView, callback_owner, callbacks_list
from cti.web.context import LeadDep, SeatedDep, Web, WebDep, Who
from cti.web.fields import Number
from cti.web.problems import Problem
from cti.web.tickets import seen_ticket
from queues.dialgate import MOST_WAITING

router = APIRouter(prefix="/callbacks", tags=["callbacks"])
log = structlog.get_logger()
KEY = re.compile(r"[A-Za-z0-9-]{1,60}")


class CallbackAsked(BaseModel):
    """Whom to call back: the caller of a ticket, or a number."""

    model_config = ConfigDict(extra="forbid")

    number: Annotated[str, Field(pattern=r"^[+（(]{0,2}[0-9][0-9 ()（）转分机#-]{2,30}$")] | None = None
    ticket_id: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    agent: Number | None = None
    not_before: AwareDatetime | None = None

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if (self.number is None) == (self.ticket_id is None):
            raise ValueError("number or ticket_id: exactly one is needed")
        return self


class Preview(BaseModel):
    """What is shown beside the unit's reply."""

    extension: str


class QuietAllowed(BaseModel):
    """Why it must be in quiet hours."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(min_length=1, max_length=200)]


class InboundFirst(BaseModel):
    """How many callers may wait while callbacks are dialled."""

    model_config = ConfigDict(extra="forbid")

    waiting: Annotated[int, Field(ge=0, le=MOST_WAITING)]


@router.post("", status_code=201)
async def ask(
    body: CallbackAsked,
    who: SeatedDep,
    web: WebDep,
    idempotency_key: Annotated[str, Header(description="1 to 60 letters, digits, -; the same key asks once")] = "",
) -> dict[str, Any]:
    """Ask for a callback. The same Idempotency-Key of the same person asks once.

    An agent asks about a ticket; a number of which there is none is a lead's to give.
    """
    if not KEY.fullmatch(idempotency_key):
        raise Problem("idempotency_key")
    web.one_more_ring(who.number)
    if body.number is not None and not who.leads:
        log.warning("callback_without_ticket", agent=who.number)
        raise Problem("forbidden")  # HZ 25: no private calls; an agent calls back about a ticket that is his
    caller, owner = body.number, None
    if body.ticket_id is not None:
        try:
            view = await seen_ticket(web, who, body.ticket_id)
        except Problem:
            log.warning("callback_foreign_ticket", agent=who.number)
            raise
        caller, owner = view.caller, view.agent
    agent = _agent_for(who, body.agent, owner)
    outcome = await web.do(
        RequestCallback(
            who.number, agent, caller or "", body.ticket_id, body.not_before, f"{who.number}:{idempotency_key}"
        )
    )
    return dict(outcome.data)


def _agent_for(who: Who, asked: str | None, owner: str | None) -> str:
    """An agent calls back himself; a lead names the agent, or leaves it to the ticket's."""
    if not who.leads:
        if asked not in (None, who.number):
            raise Problem("forbidden")
        return who.number
    agent = asked or owner
    if agent is None:
        raise BadInput("agent", "a lead names the agent who calls back (请指定回访话务员)")
    return agent


@router.post("/{callback_id}/dial")
async def dial(callback_id: str, who: SeatedDep, web: WebDep) -> dict[str, Any]:
    """Place the next attempt now, if the rules allow it."""
    async with web.store.read() as connection:
        owner = await callback_owner(connection, callback_id)
    if owner is None or not (who.leads or owner == who.number):
        raise Problem("not_found")
    outcome = await web.do(DialNow(who.number, callback_id))
    return dict(outcome.data)


@router.post("/{callback_id}/preview")
async def preview(callback_id: str, who: SeatedDep, web: WebDep) -> Preview:
    """The agent who claimed it has the unit's reply and the recording's player before him; now he may dial.

    The digits behind the number that is dialled, where there are any, are for him to ask for (分机).
    """
    await web.do(PreviewOpened(who.number, callback_id))
    async with web.store.read() as connection:
        e = callback_extensions.c
        found = await connection.execute(select(e.extension).where(e.callback_id == callback_id))
        return Preview(extension=found.scalar() or "")


@router.post("/{callback_id}/override", status_code=204)
async def override(callback_id: str, body: QuietAllowed, who: LeadDep, web: WebDep) -> None:
    """The lead lets the next attempt be made in quiet hours (原则上), and says why. Not for his own request."""
    await web.do(AllowQuiet(who.number, callback_id, body.reason))


@router.put("/dialling", status_code=204)
async def inbound_first(body: InboundFirst, who: LeadDep, web: WebDep) -> None:
    """Callbacks are dialled while at most so many callers wait; calls that come in go first."""
    await web.do(SetInboundFirst(who.number, body.waiting))


@router.post("/clock", status_code=204)
async def clock(who: LeadDep, web: WebDep) -> None:
    """The lead has compared the clock after a step: it is right, and callbacks may be dialled again."""
    await web.do(ConfirmClock(who.number))


@router.get("")
async def listed(who: SeatedDep, web: WebDep) -> list[CallbackView]:
    """An agent's own callbacks; a lead's page shows all."""
    return await _listed(web, None if who.leads else who.number)


async def _listed(web: Web, agent: str | None) -> list[CallbackView]:
    async with web.store.read() as connection:
        return await callbacks_list(connection, web.settings.pbx_id, agent)

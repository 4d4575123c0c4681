"""Ask for a callback, dial one now, list them. Whether and when it may be dialled is the engine's ruling."""

from __future__ import annotations

import re
from typing import Annotated, Any, Self

from fastapi import APIRouter, Header
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from cti.commands import DialNow, RequestCallback
from cti.errors import BadInput
from cti.store.reads import CallbackView, callback_owner, callbacks_list
from cti.web.context import SeatedDep, Web, WebDep, Who
from cti.web.fields import Number
from cti.web.problems import Problem
from cti.web.tickets import seen_ticket

router = APIRouter(prefix="/callbacks", tags=["callbacks"])
KEY = re.compile(r"[A-Za-z0-9-]{1,60}")


class CallbackAsked(BaseModel):
    """Whom to call back: the caller of a ticket, or a number."""

    model_config = ConfigDict(extra="forbid")

    number: Annotated[str, Field(pattern=r"^\+?[0-9][0-9 -]{2,22}$")] | None = None
    ticket_id: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    agent: Number | None = None
    not_before: AwareDatetime | None = None

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if (self.number is None) == (self.ticket_id is None):
            raise ValueError("number or ticket_id: exactly one is needed")
        return self


@router.post("", status_code=201)
async def ask(
    body: CallbackAsked,
    who: SeatedDep,
    web: WebDep,
    idempotency_key: Annotated[str, Header(description="1 to 60 letters, digits, -; the same key asks once")] = "",
) -> dict[str, Any]:
    """Ask for a callback. The same Idempotency-Key of the same person asks once."""
    if not KEY.fullmatch(idempotency_key):
        raise Problem("idempotency_key")
    wait_s = web.callback_rate.wait_s(who.number)
    if wait_s:
        raise Problem("callback_rate", headers={"Retry-After": str(wait_s)})
    caller, owner = body.number, None
    if body.ticket_id is not None:
        view = await seen_ticket(web, who, body.ticket_id)
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


@router.get("")
async def listed(who: SeatedDep, web: WebDep) -> list[CallbackView]:
    """An agent's own callbacks; a lead's page shows all."""
    return await _listed(web, None if who.leads else who.number)


async def _listed(web: Web, agent: str | None) -> list[CallbackView]:
    async with web.store.read() as connection:
        return await callbacks_list(connection, web.settings.pbx_id, agent)

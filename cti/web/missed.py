"""Missed callers: the open duties, who takes care of each, and how it ends. What may be done is the engine's ruling."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from cti.commands.missed import CallBackMissed, ClaimMissed, CloseMissed, MissedCommand, ReleaseMissed
from cti.store.missed_reads import MissedView, missed_list, missed_view
from cti.web.context import AnyoneDep, SeatedDep, Web, WebDep, Who
from cti.web.problems import Problem
from queues.board import mask
from queues.missed import EndReason

router = APIRouter(prefix="/missed", tags=["missed"])


class EndAsked(BaseModel):
    """Why a caller is not called back, as one of the reasons and in the agent's own words."""

    model_config = ConfigDict(extra="forbid")

    reason: EndReason
    text: Annotated[str, Field(min_length=1, max_length=200)]


@router.get("")
async def listed(
    who: AnyoneDep, web: WebDep, closed: Annotated[bool, Query(description="those that are over instead")] = False
) -> list[MissedView]:
    """Who waits to be called back, the longest first; at most 500. An agent sees the numbers of his own claims."""
    async with web.store.read() as connection:
        views = await missed_list(connection, web.settings.pbx_id, closed)
    return [shown(who, view) for view in views]


@router.post("/{missed_id}/claim")
async def claim(missed_id: str, who: SeatedDep, web: WebDep) -> MissedView:
    """认领: one agent takes care of it."""
    return await _done(web, who, ClaimMissed(who.number, missed_id))


@router.post("/{missed_id}/release")
async def release(missed_id: str, who: SeatedDep, web: WebDep) -> MissedView:
    """The holder, or a lead, gives it back."""
    return await _done(web, who, ReleaseMissed(who.number, missed_id))


@router.post("/{missed_id}/callback")
async def callback(missed_id: str, who: SeatedDep, web: WebDep) -> MissedView:
    """Claim it and plan its callback for the first time that the rules allow; asked again, it is the same one."""
    web.one_more_ring(who.number)
    return await _done(web, who, CallBackMissed(who.number, missed_id))


@router.post("/{missed_id}/close")
async def close(missed_id: str, body: EndAsked, who: SeatedDep, web: WebDep) -> MissedView:
    """A reasoned end, by the holder or a lead."""
    return await _done(web, who, CloseMissed(who.number, missed_id, body.reason.value, body.text))


def shown(who: Who, view: MissedView) -> MissedView:
    """The duty as this person may see it: leads and administrators every number, an agent those of his claims.

    Words may name the caller: they go with the number.
    """
    open_to_him = who.leads or (who.sees_callers and view.claimed_by == who.number)
    return view if open_to_him else replace(view, number=mask(view.number), end_text="")


async def _done(web: Web, who: Who, command: MissedCommand) -> MissedView:
    await _seen(web, command.missed_id)
    await web.do(command)
    return shown(who, await _seen(web, command.missed_id))


async def _seen(web: Web, missed_id: str) -> MissedView:
    async with web.store.read() as connection:
        view = await missed_view(connection, web.settings.pbx_id, missed_id)
    if view is None:
        raise Problem("not_found")
    return view

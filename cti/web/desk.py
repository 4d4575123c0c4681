"""The callback desk (回访台): what is open, the appointments, the day's progress, the dissatisfied, and the file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, time

from fastapi import APIRouter, Response

from cti.store.desk_reads import DeskView, appointments, callbacks_between, day, dissatisfied, one, open_ones
from cti.web.context import LeadDep, LedgerDep, SeatedDep, WebDep, Who
from cti.web.fields import DayQuery
from cti.web.ledger import Format, bounds, days_asked, file_of, lines_of, span
from cti.web.ledger_lines import CALLBACK_HEAD
from cti.web.problems import Problem
from queues.board import mask
from queues.desk import Progress

router = APIRouter(prefix="/callback-desk", tags=["callbacks"])


@dataclass(frozen=True, slots=True)
class Desk:
    """The list and how far the day is."""

    callbacks: list[DeskView]
    progress: Progress


@router.get("")
async def desk(who: SeatedDep, web: WebDep) -> Desk:
    """Open callbacks, one's own first, then by when they are due; at most 500. An agent sees the numbers he claimed."""
    now = web.clock.now()
    midnight = datetime.combine(now.astimezone(web.zone), time(), web.zone)
    async with web.store.read() as connection:
        found = await open_ones(connection, web.settings.pbx_id, who.number, now)
        far = await day(connection, web.settings.pbx_id, midnight)
    return Desk([shown(who, view) for view in found], far)


@router.get("/appointments")
async def calendar(who: SeatedDep, web: WebDep) -> list[DeskView]:
    """Open callbacks whose time was agreed with the caller, the next first."""
    async with web.store.read() as connection:
        found = await appointments(connection, web.settings.pbx_id, web.clock.now())
    return [shown(who, view) for view in found]


@router.get("/dissatisfied")
async def unhappy(_who: LeadDep, web: WebDep) -> list[DeskView]:
    """Those that ended dissatisfied, with every attempt; numbers masked (HZ 第三十四至三十七条)."""
    async with web.store.read() as connection:
        found = await dissatisfied(connection, web.settings.pbx_id, web.clock.now())
    return [replace(view, number=mask(view.number)) for view in found]


@router.get("/export", response_class=Response)
async def export(
    _who: LedgerDep, web: WebDep, first: DayQuery = None, last: DayQuery = None, format: Format = "csv"
) -> Response:
    """The callbacks asked for on 1 to 31 local days, a line for each attempt. No caller's number is whole in it."""
    days = days_asked(web, first, last)
    query = callbacks_between(web.settings.pbx_id, *bounds(web, *days))
    return await file_of(web, f"callbacks-{span(days)}", format, CALLBACK_HEAD, query, (await lines_of(web)).callback)


@router.get("/{callback_id}")
async def preview(callback_id: str, who: SeatedDep, web: WebDep) -> DeskView:
    """One callback: for who has claimed it, and a lead."""
    async with web.store.read() as connection:
        view = await one(connection, web.settings.pbx_id, callback_id, web.clock.now())
    if view is None or not (who.leads or view.agent == who.number):
        raise Problem("not_found")
    return view


def shown(who: Who, view: DeskView) -> DeskView:
    """The callback as this person may see it; words may name the caller: they go with the number."""
    if who.leads or view.agent == who.number:
        return view
    return replace(view, number=mask(view.number), close_reason="")

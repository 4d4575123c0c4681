"""The callback desk (回访台): what is open, the appointments, and the file. What is done there: cti/web/owed.py."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter, Response

from cti.store.desk_reads import DeskView, appointments, callbacks_between, one, open_ones
from cti.web.context import LedgerDep, SeatedDep, WebDep, Who
from cti.web.fields import DayQuery
from cti.web.ledger import Format, bounds, days_asked, file_of, lines_of, span
from cti.web.ledger_lines import CALLBACK_HEAD
from cti.web.problems import Problem
from queues.board import mask

router = APIRouter(prefix="/callback-desk", tags=["callbacks"])


@router.get("")
async def desk(who: SeatedDep, web: WebDep) -> list[DeskView]:
    """Open callbacks, one's own first, then by when they are due; at most 200. An agent sees the numbers he claimed."""
    async with web.store.read() as connection:
        found = await open_ones(connection, web.settings.pbx_id, who.number, web.clock.now())
    return [shown(who, view) for view in found]


@router.get("/appointments")
async def calendar(who: SeatedDep, web: WebDep) -> list[DeskView]:
    """Open callbacks whose time was agreed with the caller, the next first."""
    async with web.store.read() as connection:
        found = await appointments(connection, web.settings.pbx_id, web.clock.now())
    return [shown(who, view) for view in found]


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
    untold = tuple(replace(attempt, recording=None) for attempt in view.attempts)
    return replace(view, number=mask(view.number), close_reason="", matters=(), attempts=untold)

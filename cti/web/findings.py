"""The ledger of findings, appeals and rulings on them; and the roster held against what was seen."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from agents.findings import Kind, State
from cti.commands.findings import Appeal, RuleOnAppeal
from cti.store.findings_reads import AdherenceLine, FindingView, Wanted, adherence_lines, finding_view, findings_list
from cti.web.context import LeadDep, LedgerDep, SeatedDep, Web, WebDep
from cti.web.fields import DayQuery, NumberQuery
from cti.web.problems import Problem

router = APIRouter(tags=["findings"])
OWN_DAYS = 92  # as far back as an appeal reaches


class AppealAsked(BaseModel):
    """Why the finding is wrong, in the words of the one concerned."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(min_length=1, max_length=200)]


class RulingAsked(BaseModel):
    """Whether the finding is upheld (维持) or revoked (撤销), and why."""

    model_config = ConfigDict(extra="forbid")

    upheld: bool
    reason: Annotated[str, Field(min_length=1, max_length=200)]


@router.get("/findings")
async def listed(
    _who: LedgerDep,
    web: WebDep,
    since: Annotated[
        AwareDatetime | None, Query(alias="from", description="began at or after; or goes on still")
    ] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to", description="began before")] = None,
    agent: NumberQuery = None,
    kind: Kind | None = None,
    state: State | None = None,
) -> list[FindingView]:
    """Findings, those that go on first, then the newest; at most 500."""
    wanted = Wanted(since, until, agent, kind and kind.value, state and state.value)
    async with web.store.read() as connection:
        return await findings_list(connection, web.settings.pbx_id, wanted)


@router.get("/me/findings")
async def own(who: SeatedDep, web: WebDep) -> list[FindingView]:
    """One's own findings of the last 92 days."""
    since = web.clock.now() - timedelta(days=OWN_DAYS)
    async with web.store.read() as connection:
        return await findings_list(connection, web.settings.pbx_id, Wanted(since, agent=who.number))


@router.post("/me/findings/{finding_id}/appeal")
async def appeal(finding_id: str, body: AppealAsked, who: SeatedDep, web: WebDep) -> FindingView:
    """申诉: once, when it is over. What concerns another looks as what does not exist."""
    if (await _seen(web, finding_id)).agent != who.number:
        raise Problem("not_found")
    await web.do(Appeal(who.number, finding_id, body.reason))
    return await _seen(web, finding_id)


@router.post("/findings/{finding_id}/rule")
async def rule(finding_id: str, body: RulingAsked, who: LeadDep, web: WebDep) -> FindingView:
    """裁定 on an appeal: never on one's own finding."""
    await _seen(web, finding_id)
    await web.do(RuleOnAppeal(who.number, finding_id, body.upheld, body.reason))
    return await _seen(web, finding_id)


@router.get("/adherence")
async def adherence(_who: LedgerDep, web: WebDep, day: DayQuery = None) -> list[AdherenceLine]:
    """The shifts of a local day (today when none is given): early, late, ready, gone; offers and answers."""
    now = web.clock.now()
    start = datetime.combine(day or now.astimezone(web.zone).date(), time(), web.zone)
    async with web.store.read() as connection:
        return await adherence_lines(
            connection, web.settings.pbx_id, web.settings.hotline.queue, start, start + timedelta(days=1), now
        )


async def _seen(web: Web, finding_id: str) -> FindingView:
    async with web.store.read() as connection:
        view = await finding_view(connection, web.settings.pbx_id, finding_id)
    if view is None:
        raise Problem("not_found")
    return view

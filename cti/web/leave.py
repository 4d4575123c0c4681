"""Requests for leave and swaps. An agent sees his own and those that ask him to stand in; the roster's makers all."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import or_, select

from cti.commands.roster import (
    AgreeSwap,
    AskLeave,
    AskSwap,
    DecideRequest,
    RefuseSwap,
    RequestCommand,
    WithdrawRequest,
)
from cti.store.roster_tables import roster_requests, shifts
from cti.web.context import AnyoneDep, RosterDep, SeatedDep, Web, WebDep, Who
from cti.web.fields import Number, Reason

router = APIRouter(prefix="/roster/requests", tags=["roster"])
MOST = 200  # of one answer: the newest


class RequestAsked(BaseModel):
    """Leave or a swap for one shift; ``agent`` when a lead enters it for somebody, or somebody for who is ill."""

    model_config = ConfigDict(extra="forbid")

    shift_id: Annotated[str, Field(max_length=40)]
    kind: Literal["personal", "sick", "annual", "swap"]
    reason: Reason
    agent: Number | None = None
    with_agent: Number | None = None


class Why(BaseModel):
    """A reason; it may be empty where none is needed."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason = ""


class Decision(Why):
    """Whether it is agreed."""

    agreed: bool


class StepView(BaseModel):
    """What was done with a request. Others' reasons are not shown to an agent."""

    kind: str
    at: datetime
    by: str
    reason: str


class RequestView(BaseModel):
    """A request with its shift."""

    request_id: str
    kind: str
    number: str
    shift_id: str
    starts_at: datetime
    ends_at: datetime
    code: str
    partner: str | None
    state: str
    steps: list[StepView]


class Stepped(BaseModel):
    """Where the request stands now."""

    request_id: str
    state: str


@router.get("")
async def listed(who: AnyoneDep, web: WebDep) -> list[RequestView]:
    """The newest 200, open ones first."""
    r, s = roster_requests.c, shifts.c
    joined = (s.pbx_id == r.pbx_id) & (s.shift_id == r.shift_id)
    wanted = select(roster_requests, s.ends_at, s.code).join(shifts, joined).where(r.pbx_id == web.settings.pbx_id)
    if not (who.leads or who.audits):
        wanted = wanted.where(or_(r.number == who.number, r.partner == who.number))
    still_open = r.state.in_(("partner", "pending"))
    async with web.store.read() as connection:
        newest = wanted.order_by(still_open.desc(), r.request_id.desc()).limit(MOST)
        rows = (await connection.execute(newest)).mappings().all()
    return [_view(dict(row), who) for row in rows]


def _view(row: dict[str, Any], who: Who) -> RequestView:
    if not (who.leads or who.audits) and row["number"] != who.number:
        row["steps"] = [step if step["by"] == who.number else {**step, "reason": ""} for step in row["steps"]]
    return RequestView(**{name: row[name] for name in RequestView.model_fields})


@router.post("", status_code=201)
async def ask(body: RequestAsked, who: SeatedDep, web: WebDep) -> Stepped:
    """Ask for leave or a swap, a day ahead (HZ 第十九条)."""
    number = body.agent or who.number
    if body.kind == "swap":
        return await _do(web, AskSwap(who.number, number, body.shift_id, body.with_agent or "", body.reason))
    return await _do(web, AskLeave(who.number, number, body.shift_id, body.kind, body.reason))


@router.post("/{request_id}/agree")
async def agree(request_id: str, who: SeatedDep, web: WebDep) -> Stepped:
    """Stand in for the agent who asks."""
    return await _do(web, AgreeSwap(who.number, request_id))


@router.post("/{request_id}/refuse")
async def refuse(request_id: str, body: Why, who: SeatedDep, web: WebDep) -> Stepped:
    """Do not stand in."""
    return await _do(web, RefuseSwap(who.number, request_id, body.reason))


@router.post("/{request_id}/withdraw")
async def withdraw(request_id: str, who: SeatedDep, web: WebDep) -> Stepped:
    """Take one's own request back."""
    return await _do(web, WithdrawRequest(who.number, request_id))


@router.post("/{request_id}/decide")
async def decide(request_id: str, body: Decision, who: RosterDep, web: WebDep) -> Stepped:
    """Approve or decline somebody else's request."""
    return await _do(web, DecideRequest(who.number, request_id, body.agreed, body.reason))


async def _do(web: Web, command: RequestCommand) -> Stepped:
    return Stepped(**(await web.do(command)).data)

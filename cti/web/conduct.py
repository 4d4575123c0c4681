"""Conduct on duty on the pages: arriving, asking the lead and deciding, the break line, retraining, the duty log."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import select

from agents.permits import LONGEST, PermitKind
from cti.commands import Command
from cti.commands.conduct import (
    Arrive,
    AskPermit,
    DecidePermit,
    LeaveBreakLine,
    OwnDuty,
    RecordTraining,
    WithdrawPermit,
)
from cti.store.conduct_tables import duty_log, permits, trainings
from cti.texts import LONGEST as LONGEST_TEXT
from cti.web.context import LeadDep, LedgerDep, SeatedDep, Web, WebDep
from cti.web.fields import Number, NumberQuery

router = APIRouter(tags=["conduct"])

ROWS = 500
MINUTES = int(LONGEST / timedelta(minutes=1))
Words = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]


class PermitAsked(BaseModel):
    """What the agent asks the lead to allow, and why."""

    model_config = ConfigDict(extra="forbid")

    kind: PermitKind
    reason: Words


class Decision(BaseModel):
    """The lead's word: yes for so many minutes from now, or no; with a reason either way."""

    model_config = ConfigDict(extra="forbid")

    agreed: bool
    reason: Words
    minutes: Annotated[int, Field(ge=1, le=MINUTES)] | None = None


class PermitView(BaseModel):
    """One request with all its steps."""

    permit_id: str
    agent: str
    kind: str
    reason: str
    asked_at: datetime
    state: str
    decided_by: str | None
    decided_at: datetime | None
    answer: str
    until: datetime | None
    used_at: datetime | None
    closed_at: datetime | None


class TrainingDone(BaseModel):
    """Who was retrained and has passed, and where that is written."""

    model_config = ConfigDict(extra="forbid")

    number: Number
    note: Words


class TrainingView(BaseModel):
    """One recorded retraining."""

    training_id: str
    agent: str
    at: datetime
    by: str
    note: str


class LogView(BaseModel):
    """One act of one agent."""

    seq: int
    at: datetime
    agent: str
    act: str
    seat: str | None
    reason: str | None
    by: str | None


@router.get("/me/duty")
async def own_duty(who: SeatedDep, web: WebDep) -> dict[str, Any]:
    """The agent's own duty: shift, windows, requests, place in the break line, the check at the seat's phone."""
    return await _do(web, OwnDuty(who.number))


@router.post("/me/arrive", status_code=204)
async def arrive(who: SeatedDep, web: WebDep) -> None:
    """到岗: from an hour before one's own shift."""
    await web.do(Arrive(who.number))


@router.post("/me/permits", status_code=201)
async def ask(body: PermitAsked, who: SeatedDep, web: WebDep) -> dict[str, Any]:
    """Ask the shift lead to allow what a rule refuses."""
    return await _do(web, AskPermit(who.number, body.kind, body.reason))


@router.post("/me/permits/{permit_id}/withdraw")
async def withdraw(permit_id: str, who: SeatedDep, web: WebDep) -> dict[str, Any]:
    """Take one's own request back."""
    return await _do(web, WithdrawPermit(who.number, permit_id))


@router.delete("/me/break-line", status_code=204)
async def leave_line(who: SeatedDep, web: WebDep) -> None:
    """Wait for a break no longer."""
    await web.do(LeaveBreakLine(who.number))


@router.get("/permits")
async def listed(
    _who: LedgerDep, web: WebDep, waiting: Annotated[bool, Query(description="only those without a decision")] = False
) -> list[PermitView]:
    """Requests, newest first; those that wait for a decision, oldest first."""
    c = permits.c
    query = select(permits).where(c.pbx_id == web.settings.pbx_id).limit(ROWS)
    query = query.where(c.state == "asked").order_by(c.asked_at) if waiting else query.order_by(c.asked_at.desc())
    async with web.store.read() as connection:
        return [PermitView.model_validate(dict(row)) for row in (await connection.execute(query)).mappings()]


@router.post("/permits/{permit_id}/decide")
async def decide(permit_id: str, body: Decision, who: LeadDep, web: WebDep) -> dict[str, Any]:
    """Agree for a time, or decline. Nobody decides a request of his own."""
    until = web.clock.now() + timedelta(minutes=body.minutes) if body.agreed and body.minutes else None
    return await _do(web, DecidePermit(who.number, permit_id, body.agreed, body.reason, until))


@router.post("/trainings", status_code=204)
async def record_training(body: TrainingDone, who: LeadDep, web: WebDep) -> None:
    """Record that somebody was retrained (QD 第二十三条): he may sign in again."""
    await web.do(RecordTraining(who.number, body.number, body.note))


@router.get("/trainings")
async def trained(_who: LedgerDep, web: WebDep) -> list[TrainingView]:
    """Recorded retrainings, newest first."""
    query = select(trainings).where(trainings.c.pbx_id == web.settings.pbx_id).order_by(trainings.c.at.desc())
    async with web.store.read() as connection:
        rows = (await connection.execute(query.limit(ROWS))).mappings()
        return [TrainingView.model_validate(dict(row)) for row in rows]


@router.get("/duty-log")
async def log(
    _who: LedgerDep,
    web: WebDep,
    since: Annotated[AwareDatetime | None, Query(alias="from", description="included")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to", description="not included")] = None,
    agent: NumberQuery = None,
    after: Annotated[int, Query(ge=0, description="seq of the last row that is known: the next page")] = 0,
) -> list[LogView]:
    """The duty log (值班记录; HZ 第二十条, GJ 第十五条) in its order, at most 500 rows at a time."""
    c = duty_log.c
    query = select(duty_log).where(c.pbx_id == web.settings.pbx_id, c.seq > after)
    if since is not None:
        query = query.where(c.at >= since)
    if until is not None:
        query = query.where(c.at < until)
    if agent is not None:
        query = query.where(c.agent == agent)
    async with web.store.read() as connection:
        rows = (await connection.execute(query.order_by(c.seq).limit(ROWS))).mappings()
        return [LogView.model_validate(dict(row)) for row in rows]


async def _do(web: Web, command: Command) -> dict[str, Any]:
    return dict((await web.do(command)).data)

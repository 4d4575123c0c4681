"""What is owed: who calls back, how it ended, the draws, the dissatisfied. What may be done is the engine's ruling."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from cti.commands import Command
from cti.commands.owed import (
    AgreeAppointment,
    AssignCallback,
    ClaimCallback,
    CloseCallback,
    LiftSupervision,
    MarkTicket,
    NewMatter,
    OweCallback,
    RecordRefusal,
    RecordResult,
    ReleaseCallback,
    SendBack,
)
from cti.store import owed_reads as reads
from cti.store.owed_reads import Dissatisfied, DrawView, Stands, Step, Supervised, Verdict
from cti.web.context import AnyoneDep, LeadDep, LedgerDep, SeatedDep, Web, WebDep, Who
from cti.web.problems import Problem
from cti.web.tickets import seen_ticket
from queues.owed import Mark
from queues.results import MOST_TEXT, Cause, NotTalked, Satisfaction

router = APIRouter(prefix="/owed", tags=["owed"])

KEY = re.compile(r"[A-Za-z0-9-]{1,50}")
Code = Annotated[str, Field(max_length=40)]
Reason = Annotated[str, Field(min_length=1, max_length=200)]
Said = Annotated[str, Field(max_length=MOST_TEXT)]
Key = Annotated[str, Header(alias="Idempotency-Key", description="1 to 50 letters, digits, -")]
Days = Annotated[int, Query(ge=1, le=366, description="how many days back from now")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class OwedAsked(_Body):
    """A callback that a lead asks for."""

    caller: Annotated[str, Field(max_length=32)]
    ticket_id: Code | None = None
    kind: Code | None = None


class MarkSaid(_Body):
    """Whether the mark is set."""

    on: bool


class AgentNamed(_Body):
    """Who is to call back."""

    agent: Annotated[str, Field(pattern=r"^[0-9]{2,8}$")]


class ReasonGiven(_Body):
    """Why."""

    reason: Reason


class ResultSaid(_Body):
    """What the caller said; ``cause`` when he is dissatisfied."""

    result: Satisfaction
    text: Said = ""
    cause: Cause | None = None


class RefusalSaid(_Body):
    """He will not talk, or it is somebody else's number."""

    what: NotTalked
    text: Said = ""


class TimeAgreed(_Body):
    """A time agreed with the caller. ``override``: a lead's reason for a time in quiet hours."""

    at: AwareDatetime
    override: Annotated[str, Field(max_length=200)] = ""


class SentBack(_Body):
    """Which ticket's reply does not match (the callback's own unless named), and why."""

    reason: Reason
    ticket_id: Code | None = None


class MatterTold(_Body):
    """A new matter of the caller."""

    text: Annotated[str, Field(max_length=2000)]
    kind: Code | None = None
    area: Code | None = None


@router.post("", status_code=201)
async def owe(body: OwedAsked, who: LeadDep, web: WebDep, key: Key = "") -> dict[str, Any]:
    """Ask for a callback; answers ``callback_id``. A kind that is not called is refused with its article."""
    web.one_more_ring(who.number)
    asked = OweCallback(who.number, _key(who, key), body.caller, body.ticket_id, body.kind)
    return dict((await web.do(asked)).data)


@router.get("/progress")
async def progress(who: AnyoneDep, web: WebDep) -> dict[str, Any]:
    """How far the day's callbacks are: owed, made, the sample's list, drawn and made, mandatory left, late."""
    found: dict[str, Any] = web.engine.board()["duty"]["owed"]
    return found


@router.get("/verdicts")
async def verdicts(who: LedgerDep, web: WebDep, days: Days = 1) -> list[Verdict]:
    """What came of each ticket, and by which article; the newest first, at most 500."""
    now = web.clock.now()
    async with web.store.read() as connection:
        return await reads.verdicts(connection, web.settings.pbx_id, now - timedelta(days=days), now + _SOON)


@router.get("/draws")
async def draws(who: AnyoneDep, web: WebDep) -> list[DrawView]:
    """The lists of the samples, the newest first; the secret of one that is closed."""
    async with web.store.read() as connection:
        return await reads.draw_list(connection, web.settings.pbx_id)


@router.get("/draws/{draw_id}")
async def draw(draw_id: str, who: AnyoneDep, web: WebDep) -> DrawView:
    """One list. ``checked``: whether the draw, made anew from what was published, is the one carried out."""
    async with web.store.read() as connection:
        view = await reads.draw_view(connection, web.settings.pbx_id, draw_id)
    if view is None:
        raise Problem("not_found")
    return view


@router.get("/dissatisfied")
async def dissatisfied(who: LedgerDep, web: WebDep, days: Days = 31) -> list[Dissatisfied]:
    """The dissatisfied by cause, each with its recording and every step (HZ 第三十五条). Auditors read no words."""
    now = web.clock.now()
    async with web.store.read() as connection:
        found = await reads.dissatisfied(connection, web.settings.pbx_id, now - timedelta(days=days), now + _SOON)
    return found if who.leads else [view.model_copy(update={"text": "", "steps": _bare(view.steps)}) for view in found]


@router.get("/supervised")
async def supervised(who: LedgerDep, web: WebDep, lifted: bool = False) -> list[Supervised]:
    """Tickets under listed supervision (挂牌督办)."""
    async with web.store.read() as connection:
        return await reads.supervised_list(connection, web.settings.pbx_id, lifted)


@router.post("/supervised/{ticket_id}/lift")
async def lift(ticket_id: str, body: ReasonGiven, who: LeadDep, web: WebDep) -> list[Supervised]:
    """A lead ends the supervision of a ticket; answers what is still listed."""
    await web.do(LiftSupervision(who.number, ticket_id, body.reason))
    return await supervised(who, web)


@router.put("/tickets/{ticket_id}/marks/{mark}")
async def mark(ticket_id: str, mark: Mark, body: MarkSaid, who: SeatedDep, web: WebDep) -> dict[str, bool]:
    """客户不需回访, 重复件, 日报重点, 飞信件: what bears on the callback. Another's ticket looks like none."""
    await seen_ticket(web, who, ticket_id)
    await web.do(MarkTicket(who.number, ticket_id, mark.value, body.on))
    return {"on": body.on}


@router.get("/{callback_id}/steps")
async def steps(callback_id: str, who: SeatedDep, web: WebDep) -> list[Step]:
    """Every step, for its holder and leads; others see no words."""
    view = await _seen(web, callback_id)
    async with web.store.read() as connection:
        found = (await reads.steps_of(connection, [callback_id]))[callback_id]
    return found if who.leads or view.agent == who.number else _bare(found)


@router.post("/{callback_id}/claim")
async def claim(callback_id: str, who: SeatedDep, web: WebDep) -> Stands:
    """认领: one wins, the other is told who."""
    return await _done(web, callback_id, ClaimCallback(who.number, callback_id))


@router.post("/{callback_id}/release")
async def release(callback_id: str, who: SeatedDep, web: WebDep) -> Stands:
    """The holder, or a lead, gives it back."""
    return await _done(web, callback_id, ReleaseCallback(who.number, callback_id))


@router.post("/{callback_id}/assign")
async def assign(callback_id: str, body: AgentNamed, who: LeadDep, web: WebDep) -> Stands:
    """A lead gives it to an agent."""
    return await _done(web, callback_id, AssignCallback(who.number, callback_id, body.agent))


@router.post("/{callback_id}/close")
async def close(callback_id: str, body: ReasonGiven, who: SeatedDep, web: WebDep) -> Stands:
    """办结 without a conversation: after the attempts that the rules ask for, with the reason."""
    return await _done(web, callback_id, CloseCallback(who.number, callback_id, body.reason))


@router.post("/{callback_id}/result")
async def result(callback_id: str, body: ResultSaid, who: SeatedDep, web: WebDep) -> Stands:
    """满意度评价, as the caller said it."""
    cause = "" if body.cause is None else body.cause.value
    return await _done(web, callback_id, RecordResult(who.number, callback_id, body.result.value, body.text, cause))


@router.post("/{callback_id}/refusal")
async def refusal(callback_id: str, body: RefusalSaid, who: SeatedDep, web: WebDep) -> Stands:
    """He wants no callback, or it is somebody else's number."""
    return await _done(web, callback_id, RecordRefusal(who.number, callback_id, body.what.value, body.text))


@router.post("/{callback_id}/appointment")
async def appointment(callback_id: str, body: TimeAgreed, who: SeatedDep, web: WebDep) -> Stands:
    """Not convenient now: a time agreed with the caller."""
    return await _done(web, callback_id, AgreeAppointment(who.number, callback_id, body.at, body.override))


@router.post("/{callback_id}/sendback")
async def send_back(callback_id: str, body: SentBack, who: SeatedDep, web: WebDep) -> Stands:
    """退回: the unit is to answer anew."""
    ticket_id = body.ticket_id or (await _seen(web, callback_id)).ticket_id or ""
    return await _done(web, callback_id, SendBack(who.number, callback_id, ticket_id, body.reason))


@router.post("/{callback_id}/matters", status_code=201)
async def matter(callback_id: str, body: MatterTold, who: SeatedDep, web: WebDep, key: Key = "") -> dict[str, Any]:
    """A new matter opens a new stub with source 集团巡线; answers its ``ticket_id``."""
    asked = NewMatter(who.number, callback_id, body.kind, body.area, body.text, _key(who, key))
    return dict((await web.do(asked)).data)


_SOON = timedelta(minutes=1)  # what is written while we ask


def _bare(found: list[Step]) -> list[Step]:
    return [step.model_copy(update={"detail": ""}) for step in found]


def _key(who: Who, key: str) -> str:
    if not KEY.fullmatch(key):
        raise Problem("idempotency_key")
    return f"{who.number}:{key}"


async def _done(web: Web, callback_id: str, command: Command) -> Stands:
    await web.do(command)
    return await _seen(web, callback_id)


async def _seen(web: Web, callback_id: str) -> Stands:
    async with web.store.read() as connection:
        view = await reads.stands(connection, web.settings.pbx_id, callback_id)
    if view is None:
        raise Problem("not_found")
    return view

"""For other systems (WeChat, DingTalk, OA): open a stub, report the unit's answer, ask for a callback (docs/api.md).

Who asks is a token, never a person: no cookie is looked at, and a stub that a token opened belongs to nobody until an
agent takes it. Asked twice with one Idempotency-Key, it is done once.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import select

from cti.commands import Command, RequestCallback
from cti.commands.sinks import ReportReply
from cti.commands.tickets import OpenStub
from cti.errors import BadInput, CtiError
from cti.store.sinks_tables import replies
from cti.store.tables import tickets
from cti.web.context import CallerDep, Web, WebDep
from cti.web.problems import Problem, Refused
from cti.web.tickets import seen_ticket
from cti.web.tokens import Bearer, NeedsToken, Scope, used
from queues.replies import Result

router = APIRouter()
KEY = re.compile(r"[A-Za-z0-9-]{1,50}", re.ASCII)

Work = Callable[[], Awaitable[dict[str, Any]]]
Key = Annotated[str, Header(alias="Idempotency-Key", description="1 to 50 letters, digits, -; the same key asks once")]
MayOpen = Annotated[Bearer, Depends(NeedsToken(Scope.OPEN))]
MayReply = Annotated[Bearer, Depends(NeedsToken(Scope.REPLY))]
MayCallBack = Annotated[Bearer, Depends(NeedsToken(Scope.CALLBACK))]


class StubAsked(BaseModel):
    """What a citizen brought by another channel. ``caller``: a phone number, or empty; ``kind``, ``area``: codes."""

    model_config = ConfigDict(extra="forbid")

    channel: Literal["wechat", "dingtalk", "oa", "other"]
    caller: Annotated[str, Field(pattern=r"^(\+?[0-9][0-9 -]{2,22})?$")] = ""
    kind: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,40}$")] | None = None
    area: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,40}$")] | None = None
    text: Annotated[str, Field(min_length=1, max_length=2000)]


class ReplyReported(BaseModel):
    """The unit's answer: when, how the matter stands, and in its words."""

    model_config = ConfigDict(extra="forbid")

    at: AwareDatetime
    result: Result
    text: Annotated[str, Field(min_length=1, max_length=1000)]


class CallbackWanted(BaseModel):
    """Who calls back: the ticket's owner, unless ``agent`` names another."""

    model_config = ConfigDict(extra="forbid")

    agent: Annotated[str, Field(pattern=r"^[0-9]{2,8}$")] | None = None
    not_before: AwareDatetime | None = None


class ReplyView(BaseModel):
    """A unit's answer as agents see it. Times are aware UTC."""

    at: AwareDatetime
    result: Result
    text: str
    reported_at: AwareDatetime
    reported_by: str


@router.post("/ext/stubs", status_code=201, tags=["ext"])
async def open_stub(body: StubAsked, who: MayOpen, web: WebDep, key: Key = "") -> dict[str, Any]:
    """Open a ticket stub; answers its ``ticket_id``."""
    asked = OpenStub(body.channel, body.caller, body.kind, body.area, body.text, who.name, _key(who, key))
    return await _done(web, who, Scope.OPEN, "", lambda: _do(web, asked))


@router.post("/ext/tickets/{ticket_id}/replies", status_code=201, tags=["ext"])
async def report_reply(
    ticket_id: str, body: ReplyReported, who: MayReply, web: WebDep, key: Key = ""
) -> dict[str, Any]:
    """Report what the responsible unit answered; it stands on the ticket."""
    _key(who, key)
    asked = ReportReply(who.name, who.token_id, key, ticket_id, body.result, body.text, body.at)
    return await _done(web, who, Scope.REPLY, ticket_id, lambda: _do(web, asked))


@router.post("/ext/tickets/{ticket_id}/callbacks", status_code=201, tags=["ext"])
async def ask_callback(
    ticket_id: str, body: CallbackWanted, who: MayCallBack, web: WebDep, key: Key = ""
) -> dict[str, Any]:
    """Ask that the caller be called back, at the first time that the rules allow; a refusal names its articles."""
    request_key = _key(who, key)

    async def work() -> dict[str, Any]:
        columns = (tickets.c.caller, tickets.c.agent, tickets.c.owner)
        async with web.store.read() as connection:
            query = select(*columns).where(tickets.c.ticket_id == ticket_id)
            ticket = (await connection.execute(query)).one_or_none()
        if ticket is None:
            raise Problem("not_found")
        agent = body.agent or ticket.owner or ticket.agent
        if not agent:
            raise BadInput("agent", "nobody has this ticket yet: name an agent (工单尚无人受理，请指定话务员)")
        asked = RequestCallback(who.name, agent, ticket.caller, ticket_id, body.not_before, request_key)
        return await _do(web, asked)

    return await _done(web, who, Scope.CALLBACK, ticket_id, work)


@router.get("/tickets/{ticket_id}/replies", tags=["tickets"])
async def shown(ticket_id: str, who: CallerDep, web: WebDep) -> list[ReplyView]:
    """What units answered to a ticket, the newest first."""
    await seen_ticket(web, who, ticket_id)
    async with web.store.read() as connection:
        query = select(replies).where(replies.c.ticket_id == ticket_id).order_by(replies.c.at.desc()).limit(100)
        rows = (await connection.execute(query)).mappings().all()
    return [ReplyView(**{name: row[name] for name in ReplyView.model_fields}) for row in rows]


def _key(who: Bearer, key: str) -> str:
    """The key within the token's own. Raises BadInput."""
    if not KEY.fullmatch(key):
        raise BadInput("Idempotency-Key", "1 to 50 letters, digits, - are needed (须为1至50个字母、数字或-)")
    return f"{who.token_id}:{key}"


async def _do(web: Web, command: Command) -> dict[str, Any]:
    return dict((await web.do(command)).data)


async def _done(web: Web, who: Bearer, action: str, subject: str, work: Work) -> dict[str, Any]:
    """Do it, and write down who asked and what came of it."""
    try:
        answer = await work()
    except (Problem, CtiError) as error:
        await used(web, who, action, error.code, subject)
        raise
    except Refused as refusal:
        await used(web, who, action, refusal.ruling.code, subject)
        raise
    await used(web, who, action, "ok", subject or str(answer.get("ticket_id", "")))
    return answer

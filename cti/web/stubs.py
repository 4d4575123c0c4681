"""What is said of a ticket stub, its hand-out, reminders and further stubs. What may be done is the engine's ruling."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Header
from pydantic import BaseModel, ConfigDict, Field

from cti.commands.tickets import (
    AddStub,
    HandOut,
    Remind,
    ReturnStub,
    SaveNotes,
    SetParticulars,
    TakeStub,
    TicketCommand,
    UnitTook,
    VerifyCaller,
)
from cti.store.directory_reads import directory
from cti.store.ticket_reads import TicketView, Unowned, ticket_view, unowned
from cti.web.context import CallerDep, SeatedDep, Web, WebDep, Who
from cti.web.problems import Problem
from cti.web.tickets import seen_ticket
from queues.handout import clocks_of
from queues.kinds import CALLER_KINDS, CHANNELS, COMPLAINT_GRADES, GRADES, KINDS
from queues.particulars import MOST_NOTES, MOST_STUBS

router = APIRouter(prefix="/tickets", tags=["tickets"])
words = APIRouter(tags=["tickets"])

KEY = re.compile(r"[A-Za-z0-9-]{1,60}")
Code = Annotated[str, Field(max_length=40)]


class ParticularsSaid(BaseModel):
    """What is said of a stub; what is left out stays, null takes back."""

    model_config = ConfigDict(extra="forbid")

    kind: Code | None = None
    area: Code | None = None
    caller_kind: Code | None = None
    complaint_grade: Code | None = None
    grade: Code | None = None


class VerifiedSaid(BaseModel):
    """Whether the agent checked who the caller is."""

    model_config = ConfigDict(extra="forbid")

    verified: bool


class NotesTyped(BaseModel):
    """The notes so far; ``version`` rises with every save of them."""

    model_config = ConfigDict(extra="forbid")

    text: str
    version: int


class UnitNamed(BaseModel):
    """A unit of the directory."""

    model_config = ConfigDict(extra="forbid")

    unit: Code


class ReasonGiven(BaseModel):
    """Why."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(min_length=1, max_length=200)]


class ReminderAsked(BaseModel):
    """A reminder for another open ticket of the same caller, or for this one. ``reason``: why it cannot wait."""

    model_config = ConfigDict(extra="forbid")

    of: Code | None = None
    reason: Annotated[str, Field(max_length=200)] = ""


class NotesKept(BaseModel):
    """The version that is kept now."""

    version: int


async def _done(web: Web, who: Who, ticket_id: str, command: TicketCommand) -> TicketView:
    """The ticket after *command*; another's looks like none."""
    await seen_ticket(web, who, ticket_id)
    outcome = await web.do(command)
    async with web.store.read() as connection:
        view = await ticket_view(connection, str(outcome.data.get("ticket_id", ticket_id)), web.rules())
    if view is None:
        raise Problem("not_found")
    return view


@router.patch("/{ticket_id}")
async def say(ticket_id: str, body: ParticularsSaid, who: SeatedDep, web: WebDep) -> TicketView:
    """Kind, area, kind of caller, grades."""
    values = body.model_dump(exclude_unset=True)
    return await _done(web, who, ticket_id, SetParticulars(who.number, ticket_id, values))


@router.put("/{ticket_id}/verified")
async def verify(ticket_id: str, body: VerifiedSaid, who: SeatedDep, web: WebDep) -> TicketView:
    """Mark that the caller's identity was checked; who and when are kept."""
    return await _done(web, who, ticket_id, VerifyCaller(who.number, ticket_id, body.verified))


@router.put("/{ticket_id}/notes")
async def save_notes(ticket_id: str, body: NotesTyped, who: SeatedDep, web: WebDep) -> NotesKept:
    """Save the notes as they are typed; an older version never replaces a newer one."""
    await seen_ticket(web, who, ticket_id)
    outcome = await web.do(SaveNotes(who.number, ticket_id, body.text, body.version))
    return NotesKept(version=outcome.data["version"])


@router.post("/{ticket_id}/handout")
async def hand_out(ticket_id: str, body: UnitNamed, who: SeatedDep, web: WebDep) -> TicketView:
    """派发: to a unit of the directory; the clock of the hand-out stops."""
    return await _done(web, who, ticket_id, HandOut(who.number, ticket_id, body.unit))


@router.post("/{ticket_id}/taken")
async def took(ticket_id: str, who: SeatedDep, web: WebDep) -> TicketView:
    """接收工单: the unit has it."""
    return await _done(web, who, ticket_id, UnitTook(who.number, ticket_id))


@router.post("/{ticket_id}/return")
async def returned(ticket_id: str, body: ReasonGiven, who: SeatedDep, web: WebDep) -> TicketView:
    """退单: the unit gave it back; it is to be handed out anew."""
    return await _done(web, who, ticket_id, ReturnStub(who.number, ticket_id, body.reason))


@router.post("/{ticket_id}/reminders")
async def remind(ticket_id: str, body: ReminderAsked, who: SeatedDep, web: WebDep) -> TicketView:
    """催办: for a ticket of the caller who asks after it now; two at most."""
    asked = Remind(who.number, body.of or ticket_id, ticket_id, body.reason)
    return await _done(web, who, ticket_id, asked)


@router.post("/{ticket_id}/stubs", status_code=201)
async def add(
    ticket_id: str,
    who: SeatedDep,
    web: WebDep,
    idempotency_key: Annotated[str, Header(description="1 to 60 letters, digits, -; the same key opens once")] = "",
) -> TicketView:
    """One more stub of the same call; answers the new one."""
    if not KEY.fullmatch(idempotency_key):
        raise Problem("idempotency_key")
    return await _done(web, who, ticket_id, AddStub(who.number, ticket_id, f"{who.number}:{idempotency_key}"))


@router.post("/{ticket_id}/take")
async def take(ticket_id: str, who: SeatedDep, web: WebDep) -> TicketView:
    """Take a stub that nobody has."""
    await web.do(TakeStub(who.number, ticket_id))
    return await seen_ticket(web, who, ticket_id)


@words.get("/stubs/unowned")
async def nobodys(who: SeatedDep, web: WebDep) -> list[Unowned]:
    """Stubs of other channels that nobody has taken, the oldest first."""
    async with web.store.read() as connection:
        return await unowned(connection, web.settings.pbx_id, web.clock.now())


@words.get("/stub-words")
async def the_words(who: CallerDep, web: WebDep) -> dict[str, Any]:
    """What a stub can say at this site: kinds with their keys and clocks, areas, units, and the longest notes."""
    async with web.store.read() as connection:
        units = await directory(connection, web.settings.pbx_id, web.clock.now())
    named = {
        "caller_kinds": CALLER_KINDS, "channels": CHANNELS, "grades": GRADES, "complaint_grades": COMPLAINT_GRADES,
    }  # fmt: skip
    return {
        "kinds": [
            {"code": k.code, "zh": k.zh, "en": k.en, "key": k.key, "hand_out": _hand_out(web, k.code)}
            for k in KINDS.values()
        ],
        "areas": [{"code": code, "zh": a.zh, "en": a.en} for code, a in web.settings.hotline.areas.items()],
        "units": [
            {"code": u.code, "zh": u.zh, "en": u.en, "kinds": u.kinds, "areas": u.areas, "role": u.role} for u in units
        ],
        **{name: [{"code": c, "zh": zh, "en": en} for c, (zh, en) in d.items()] for name, d in named.items()},
        "notes_most": MOST_NOTES,
        "stubs_most": MOST_STUBS,
    }  # fmt: skip


def _hand_out(web: Web, kind: str) -> dict[str, Any] | None:
    """The article that sets the kind's clock."""
    limit = clocks_of(web.profile, kind, None, None).hand_out
    return None if limit is None else {"article": limit.article.cite(), "wording": limit.article.wording}

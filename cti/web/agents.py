"""The agent's own page: who am I, sign in and out, busy and ready, and my calls of today."""

from __future__ import annotations

from datetime import datetime, time
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from cti.commands import Command, GoBusy, GoReady, SignIn, SignOut
from cti.settings import BusyReason
from cti.store.reads import OwnCall, calls_of_agent
from cti.web.context import AnyoneDep, SeatedDep, Web, WebDep

router = APIRouter(prefix="/me", tags=["me"])


class PersonView(BaseModel):
    """The person logged in."""

    number: str
    name: str
    role: str


class Me(BaseModel):
    """Who is logged in, and that agent's line of the board (None for someone who takes no calls)."""

    person: PersonView
    state: dict[str, Any] | None
    busy_reasons: dict[str, BusyReason]
    hotline: str
    name_zh: str
    name_en: str
    demo: bool
    zone: str
    now: datetime


class Seat(BaseModel):
    """The seat to sign in at; whether the site has it is the engine's ruling."""

    model_config = ConfigDict(extra="forbid")

    seat: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")]


class Busy(BaseModel):
    """Why the agent is busy: one of the site's codes."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,40}$")]


@router.get("")
async def me(who: AnyoneDep, web: WebDep) -> Me:
    """The person, and their state now."""
    board = web.engine.board()
    return Me(
        person=PersonView(number=who.number, name=who.person.name, role=who.person.role),
        state=own_line(web, who.number),
        busy_reasons=dict(board["busy_reasons"]),
        hotline=board["hotline"],
        name_zh=board["name_zh"],
        name_en=board["name_en"],
        demo=board["demo"],
        zone=web.zone.key,
        now=web.clock.now(),
    )


def own_line(web: Web, number: str) -> dict[str, Any] | None:
    """The agent's line of the board, or None."""
    return next((dict(line) for line in web.engine.board()["agents"] if line["number"] == number), None)


@router.post("/sign-in")
async def sign_in(body: Seat, who: SeatedDep, web: WebDep) -> dict[str, Any]:
    """签入. Always oneself: nobody signs in for another (HZ 第十八条).

    Where the site has the seat's phone ask, ``check`` says ``checking``: it rings there, and the right PIN signs in.
    """
    outcome = await web.do(SignIn(who.number, body.seat))
    return {"state": own_line(web, who.number), "check": outcome.data.get("state")}


@router.post("/sign-out")
async def sign_out(who: SeatedDep, web: WebDep) -> dict[str, Any]:
    """签出."""
    return await _do(web, SignOut(who.number))


@router.post("/busy")
async def busy(body: Busy, who: SeatedDep, web: WebDep) -> dict[str, Any]:
    """示忙 with a reason."""
    return await _do(web, GoBusy(who.number, body.reason))


@router.post("/ready")
async def ready(who: SeatedDep, web: WebDep) -> dict[str, Any]:
    """就绪."""
    return await _do(web, GoReady(who.number))


async def _do(web: Web, command: Command) -> dict[str, Any]:
    await web.do(command)
    return {"state": own_line(web, command[0])}


@router.get("/calls")
async def own_calls(who: SeatedDep, web: WebDep) -> list[OwnCall]:
    """The calls that this agent answered since local midnight, newest first, with their recordings' state."""
    today = web.clock.now().astimezone(web.zone).date()
    midnight = datetime.combine(today, time.min, web.zone)
    async with web.store.read() as connection:
        return await calls_of_agent(connection, web.settings.pbx_id, who.number, midnight)

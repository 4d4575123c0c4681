"""The directory: units, their numbers, their duty lists. Leads and administrators keep it; agents read it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from cti.commands import Command
from cti.commands.directory import PutOnCall, PutUnit, RemoveOnCall, RemoveUnit
from cti.store.directory_reads import UnitView, directory
from cti.web.context import CallerDep, RosterDep, Web, WebDep
from queues.directory import MOST_NUMBERS, UnitRole

router = APIRouter(prefix="/directory", tags=["directory"])

Words = Annotated[str, Field(min_length=1, max_length=40)]
Code = Annotated[str, Path(pattern=r"^[a-z0-9_-]{1,40}$")]
Hour = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^$")]


class NumberAsked(BaseModel):
    """A number, and the local hours in which it is staffed; both empty: always."""

    model_config = ConfigDict(extra="forbid")

    number: Annotated[str, Field(min_length=1, max_length=20)]
    from_: Annotated[Hour, Field(alias="from")] = ""
    to: Hour = ""


class UnitAsked(BaseModel):
    """A unit as it shall be; kinds and areas empty: every one."""

    model_config = ConfigDict(extra="forbid")

    zh: Words
    en: Words
    role: UnitRole
    kinds: Annotated[list[Words], Field(max_length=20)] = []
    areas: Annotated[list[Words], Field(max_length=200)] = []
    numbers: Annotated[list[NumberAsked], Field(min_length=1, max_length=MOST_NUMBERS)]


class OnCallAsked(BaseModel):
    """A line of a duty list; the times with their offset."""

    model_config = ConfigDict(extra="forbid")

    unit: Words
    number: Annotated[str, Field(min_length=1, max_length=20)]
    name: Words
    starts_at: AwareDatetime
    ends_at: AwareDatetime


@router.get("")
async def listed(who: CallerDep, web: WebDep) -> list[UnitView]:
    """Every unit, with the lines of its duty list that are not over."""
    return await _all(web, web.clock.now())


@router.put("/units/{code}")
async def put_unit(code: Code, body: UnitAsked, who: RosterDep, web: WebDep) -> list[UnitView]:
    """A new unit, or a new form of one."""
    numbers = tuple((n.number, n.from_, n.to) for n in body.numbers)
    asked = PutUnit(who.number, code, body.zh, body.en, body.role.value, tuple(body.kinds), tuple(body.areas), numbers)
    return await _done(web, asked)


@router.delete("/units/{code}")
async def remove_unit(code: Code, who: RosterDep, web: WebDep) -> list[UnitView]:
    """The unit is rung no more; its duty list goes with it."""
    return await _done(web, RemoveUnit(who.number, code))


@router.post("/duty", status_code=201)
async def put_on_call(body: OnCallAsked, who: RosterDep, web: WebDep) -> list[UnitView]:
    """A line of a unit's duty list (值班表): while it lasts, this phone is rung first."""
    asked = PutOnCall(who.number, body.unit, body.number, body.name, body.starts_at, body.ends_at)
    return await _done(web, asked)


@router.delete("/duty/{entry_id}")
async def remove_on_call(entry_id: str, who: RosterDep, web: WebDep) -> list[UnitView]:
    """The line is taken off."""
    return await _done(web, RemoveOnCall(who.number, entry_id))


async def _done(web: Web, command: Command) -> list[UnitView]:
    await web.do(command)
    return await _all(web, web.clock.now())


async def _all(web: Web, now: datetime) -> list[UnitView]:
    async with web.store.read() as connection:
        return await directory(connection, web.settings.pbx_id, now)

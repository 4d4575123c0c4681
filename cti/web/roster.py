"""The roster: everybody sees who works when; leads and administrators make it, by hand, by rotation or from a file."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from agents.shifts import Shift, ShiftState
from cti.commands.roster import PutRotation, PutShifts, ShiftPlan, TakeShiftOff
from cti.engine.duty.rostering import shift_of
from cti.errors import BadInput
from cti.roster import XLSX, read_sheet, read_table, to_csv, to_xlsx
from cti.roster.table import COLUMNS
from cti.store.roster_tables import shifts
from cti.store.tables import people
from cti.web.context import AnyoneDep, LedgerDep, RosterDep, Web, WebDep
from cti.web.fields import Number, Reason
from cti.web.problems import FieldError, Refused, bad_fields

router = APIRouter(prefix="/roster", tags=["roster"])
LONGEST_LOOK = timedelta(days=62)  # of one answer
LONGEST_EXPORT = timedelta(days=370)
SEATED = ("agent", "lead")

Name = Annotated[str, Field(max_length=16)]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class ShiftAsked(_Asked):
    """A shift by the local clock: the hotline's shift ``code`` on ``day``, or times of its own."""

    agent: Number
    day: date
    code: Name = ""
    begins: Annotated[time | None, Field(alias="from")] = None
    ends: Annotated[time | None, Field(alias="to")] = None
    crew: Name = ""
    seat: Annotated[str, Field(max_length=32)] | None = None
    extra: bool = False
    shift_id: Annotated[str, Field(max_length=40)] | None = None

    def plan(self) -> ShiftPlan:
        """For the engine. Raises BadInput when only one of the two times is given, or a time has a zone."""
        if (self.begins is None) != (self.ends is None):
            raise BadInput("from", "from and to belong together (上班与下班须同时填写)")
        if any(at is not None and at.tzinfo is not None for at in (self.begins, self.ends)):
            raise BadInput("from", "a local time without a zone is needed (须为本地时间)")
        return ShiftPlan(
            self.agent, self.day, self.code, self.begins, self.ends, self.crew, self.seat or None, self.extra,
            self.shift_id,
        )  # fmt: skip


class ShiftsAsked(_Asked):
    """Shifts to put, all or none. What has begun needs a lead and a reason."""

    entries: Annotated[list[ShiftAsked], Field(min_length=1, max_length=200)]
    reason: Reason = ""


class TakeOffAsked(_Asked):
    """Why a shift is taken off; needed when it has begun."""

    reason: Reason = ""


class Crew(_Asked):
    """A crew (班组) and who is in it."""

    name: Annotated[str, Field(min_length=1, max_length=16)]
    agents: Annotated[list[Number], Field(min_length=1, max_length=200)]


class RotationAsked(_Asked):
    """四班二运转: crews in the order in which they take the first shift; ``anchor`` is the first crew's first day."""

    start: Annotated[date, Field(alias="from")]
    days: Annotated[int, Field(ge=1, le=370)]
    anchor: date | None = None
    crews: Annotated[list[Crew], Field(min_length=1, max_length=20)]
    reason: Reason = ""


class ShiftView(BaseModel):
    """A shift. ``state``: on, leave, swapped; why somebody is on leave is not told here."""

    shift_id: str
    agent: str
    starts_at: datetime
    ends_at: datetime
    code: str
    crew: str
    seat: str | None
    extra: bool
    state: str


class AgentView(BaseModel):
    """Somebody who can be rostered, or is."""

    number: str
    name: str


class RosterView(BaseModel):
    """The roster of some days: shifts that touch them, and everybody who can be rostered."""

    agents: list[AgentView]
    shifts: list[ShiftView]


class Put(BaseModel):
    """How many shifts were put: those that were there already, just so, are not counted."""

    put: int


class Imported(BaseModel):
    """How many rows the file has, and how many of them changed the roster; none when it was only checked."""

    rows: int
    put: int


From = Annotated[date, Query(alias="from", description="first local day")]
To = Annotated[date, Query(alias="to", description="last local day")]


@router.get("")
async def look(first: From, last: To, _who: AnyoneDep, web: WebDep) -> RosterView:
    """Shifts of at most 62 local days."""
    found, names, active = await _found(web, first, last, LONGEST_LOOK)
    there = active | {shift.agent for shift in found}
    return RosterView(
        agents=[AgentView(number=n, name=names.get(n, "")) for n in sorted(there)],
        shifts=[ShiftView(**_fields(shift)) for shift in found],
    )


@router.put("/shifts")
async def put_shifts(body: ShiftsAsked, who: RosterDep, web: WebDep) -> Put:
    """Add or replace shifts; an agent's shift of the same start is the same shift."""
    command = PutShifts(who.number, tuple(asked.plan() for asked in body.entries), body.reason)
    return Put(**(await web.do(command)).data)


@router.post("/shifts/{shift_id}/take-off", status_code=204)
async def take_off(shift_id: str, body: TakeOffAsked, who: RosterDep, web: WebDep) -> None:
    """Take a shift out of the roster."""
    await web.do(TakeShiftOff(who.number, shift_id, body.reason))


@router.post("/rotation")
async def rotate(body: RotationAsked, who: RosterDep, web: WebDep) -> Put:
    """Put the turns of crews for some days."""
    crews = tuple((crew.name, tuple(crew.agents)) for crew in body.crews)
    command = PutRotation(who.number, body.start, body.days, body.anchor or body.start, crews, body.reason)
    return Put(**(await web.do(command)).data)


IMPORT = {"requestBody": {"required": True, "content": {"text/csv": {}, XLSX: {}}}}


@router.post("/import", openapi_extra=IMPORT, responses={200: {"model": Imported}})
async def take_in(
    request: Request,
    who: RosterDep,
    web: WebDep,
    check: Annotated[bool, Query(description="only say what is wrong")] = False,
    reason: Annotated[
        str, Header(alias="X-CTI-Reason", max_length=2400, description="UTF-8, percent-encoded: the body is the file")
    ] = "",
) -> Response:
    """Put a file's shifts, all or none: 422 names every bad row as ``row.column``."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in ("text/csv", XLSX):
        raise BadInput("file", f"text/csv or {XLSX} is needed (须为CSV或XLSX文件)")
    content = await request.body()
    table = await asyncio.to_thread(lambda: read_table(read_sheet(content, media_type)))
    plans = tuple(plan for _, plan in table.plans)
    outcome = await web.engine.submit(PutShifts(who.number, plans, unquote(reason), check or bool(table.faults)))
    errors = [_row_error(fault.row, fault.column, fault.zh, fault.en) for fault in table.faults]
    for bad in outcome.data.get("bad", ()):
        column = COLUMNS[bad["column"]][0] if bad["column"] in COLUMNS else ""
        errors.append(_row_error(table.plans[bad["entry"]][0], column, bad["zh"], bad["en"]))
    if errors:
        return bad_fields(sorted(errors, key=lambda error: int(error.field.partition(".")[0])))
    if not outcome.ruling.allowed:
        raise Refused(outcome.ruling)
    done = Imported(rows=len(plans), put=outcome.data["put"])
    return Response(done.model_dump_json(), media_type="application/json")


def _row_error(row: int, column: str, zh: str, en: str) -> FieldError:
    return FieldError(field=f"{row}.{column}", message=zh, message_en=en)


@router.get("/export.csv", response_class=Response)
async def export_csv(first: From, last: To, _who: LedgerDep, web: WebDep) -> Response:
    """The roster of some days as the import takes it."""
    return await _export(web, first, last, "text/csv; charset=utf-8", "csv")


@router.get("/export.xlsx", response_class=Response)
async def export_xlsx(first: From, last: To, _who: LedgerDep, web: WebDep) -> Response:
    """The same for Excel."""
    return await _export(web, first, last, XLSX, "xlsx")


async def _export(web: Web, first: date, last: date, media_type: str, suffix: str) -> Response:
    found, names, _active = await _found(web, first, last, LONGEST_EXPORT)
    write = to_csv if suffix == "csv" else to_xlsx
    content = await asyncio.to_thread(write, found, names, web.zone)
    name = f'attachment; filename="roster-{first.isoformat()}-{last.isoformat()}.{suffix}"'
    return Response(content, media_type=media_type, headers={"Content-Disposition": name})


async def _found(
    web: Web, first: date, last: date, longest: timedelta
) -> tuple[list[Shift], Mapping[str, str], set[str]]:
    """Shifts that touch the local days *first* to *last*, the names of people, and who can be rostered."""
    if not timedelta(0) <= last - first < longest:
        raise BadInput("to", f"from 1 to {longest.days} days are needed (须为1至{longest.days}天)")
    begin = datetime.combine(first, time(), web.zone)
    end = datetime.combine(last + timedelta(days=1), time(), web.zone)
    s, p = shifts.c, people.c
    wanted = (s.pbx_id == web.settings.pbx_id) & (s.starts_at < end) & (s.ends_at > begin)
    shown = select(shifts).where(wanted, s.state != ShiftState.OFF.value).order_by(s.starts_at, s.agent)
    async with web.store.read() as connection:
        found = [shift_of(row) for row in (await connection.execute(shown)).mappings()]
        rows = (await connection.execute(select(p.number, p.name, p.role, p.active))).all()
    return found, {row.number: row.name for row in rows}, {r.number for r in rows if r.active and r.role in SEATED}


def _fields(shift: Shift) -> dict[str, Any]:
    return {name: getattr(shift, name) for name in ShiftView.model_fields}

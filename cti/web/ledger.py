"""The duty log (值班记录, HZ 第二十条) and the ledger of matters (台账, GJ 第十五条) as files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

from fastapi import APIRouter, Response
from sqlalchemy import Select, select

from cti.errors import BadInput
from cti.roster import XLSX
from cti.sheets import CsvFile, SheetFile, XlsxFile
from cti.store.directory_tables import units
from cti.store.ledger_reads import duty_between, tickets_between
from cti.store.tables import people
from cti.web.context import LedgerDep, Web, WebDep
from cti.web.fields import DayQuery
from cti.web.ledger_lines import DUTY_HEAD, TICKET_HEAD, Lines

router = APIRouter(tags=["ledger"])
LONGEST = 31  # days of one file
MOST_ROWS = 100_000  # of one file; some 40 MB
AT_A_TIME = 500  # rows read between two turns of the loop, which calls are waiting for too

Format = Literal["csv", "xlsx"]
Line = Callable[[Any], list[str]]


@router.get("/duty-log/export", response_class=Response)
async def duty_log(
    _who: LedgerDep, web: WebDep, first: DayQuery = None, last: DayQuery = None, format: Format = "csv"
) -> Response:
    """The duty log of 1 to 31 local days: when, who, what, result, by whom, why."""
    days = days_asked(web, first, last)
    query = duty_between(web.settings.pbx_id, *bounds(web, *days))
    return await file_of(web, f"duty-log-{span(days)}", format, DUTY_HEAD, query, (await lines_of(web)).duty)


@router.get("/tickets/export", response_class=Response)
async def tickets(
    _who: LedgerDep, web: WebDep, first: DayQuery = None, last: DayQuery = None, format: Format = "csv"
) -> Response:
    """The ledger of the tickets opened on 1 to 31 local days. No caller's number is whole in it."""
    days = days_asked(web, first, last)
    query = tickets_between(web.settings.pbx_id, *bounds(web, *days))
    return await file_of(web, f"tickets-{span(days)}", format, TICKET_HEAD, query, (await lines_of(web)).ticket)


async def file_of(web: Web, name: str, kind: Format, head: Iterable[str], query: Select[Any], line: Line) -> Response:
    """The file, or BadInput when the days have more rows than one takes: a ledger is never cut in silence."""
    file: SheetFile = CsvFile() if kind == "csv" else XlsxFile("台账")
    file.add([list(head)])
    count = 0
    async with web.store.read() as connection:
        found = await connection.stream(query)
        async for rows in found.partitions(AT_A_TIME):
            count += len(rows)
            if count > MOST_ROWS:
                raise BadInput("last", f"more than {MOST_ROWS} rows: take fewer days (行数过多，请缩短日期)")
            await asyncio.to_thread(lambda part: file.add(map(line, part)), rows)
    content = await asyncio.to_thread(file.finish)
    headers = {"Content-Disposition": f'attachment; filename="{name}.{kind}"'}
    return Response(content, media_type="text/csv; charset=utf-8" if kind == "csv" else XLSX, headers=headers)


async def lines_of(web: Web) -> Lines:
    """What turns rows into lines: the site's own names."""
    u = units.c
    async with web.store.read() as connection:
        names = (await connection.execute(select(people.c.number, people.c.name))).all()
        named = (await connection.execute(select(u.code, u.zh, u.en).where(u.pbx_id == web.settings.pbx_id))).all()
    known = {row.number: row.name for row in names}
    return Lines(web.zone, web.settings.hotline, known, {row.code: (row.zh, row.en) for row in named})


def days_asked(web: Web, first: date | None, last: date | None) -> tuple[date, date]:
    """The local days asked for; one alone stands for itself, none for today."""
    since = first or last or web.clock.now().astimezone(web.zone).date()
    until = last or since
    if not 0 <= (until - since).days < LONGEST:
        raise BadInput("last", f"from 1 to {LONGEST} days are needed (须为1至{LONGEST}天)")
    return since, until


def bounds(web: Web, first: date, last: date) -> tuple[datetime, datetime]:
    """From local midnight to the local midnight after the last day."""
    return datetime.combine(first, time(), web.zone), datetime.combine(last + timedelta(days=1), time(), web.zone)


def span(days: tuple[date, date]) -> str:
    """The days as part of a file's name."""
    return "-".join(day.isoformat() for day in days)

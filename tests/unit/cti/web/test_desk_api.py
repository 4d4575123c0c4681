"""The callback desk over the API: order and colours, whose number is shown, appointments, the file."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.unit.cti.web.test_tickets_api import Desk
from tests.web.desking import change_callback, put_attempt, put_callback
from tests.web.duty import NINE, duty_site

NUMBER, MASKED = "13800000091", "138****0091"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """09:00; callbacks of every colour."""
    async with duty_site(tmp_path) as site:
        await put_callback(site, "later", due_at=NINE + 3 * HOUR, mandatory=True)
        await put_callback(site, "late", due_at=NINE - HOUR, deadline=NINE - HOUR, mandatory=True)
        await put_callback(site, "soon", due_at=NINE + HOUR / 2, source="sample")
        await put_callback(site, "agreed", due_at=NINE + 5 * HOUR, appointment_at=NINE + 5 * HOUR, agent="1001")
        made = Desk(site)
        yield made
        for client in made.clients.values():
            await client.aclose()


async def test_the_list_is_by_due_time_with_ones_own_first(desk: Desk) -> None:
    """Overdue, within the hour, later, appointment; an agent's own claims stand first."""
    view = (await desk.ask("1002", "GET", "callback-desk")).json()
    assert [(c["callback_id"], c["level"]) for c in view] == [
        ("cb-late", "overdue"), ("cb-soon", "soon"), ("cb-later", "later"), ("cb-agreed", "appointment"),
    ]  # fmt: skip
    own = (await desk.ask("1001", "GET", "callback-desk")).json()
    assert [c["callback_id"] for c in own] == ["cb-agreed", "cb-late", "cb-soon", "cb-later"]


async def test_the_number_is_the_claimers_and_the_leads(desk: Desk) -> None:
    """Others see it masked and cannot open the callback; an auditor has no desk."""
    seen = {}
    for who in ("1001", "1002", "9001"):
        view = (await desk.ask(who, "GET", "callback-desk")).json()
        seen[who] = {c["number"] for c in view if c["callback_id"] == "cb-agreed"}
    assert seen == {"1001": {NUMBER}, "1002": {MASKED}, "9001": {NUMBER}}
    assert (await desk.ask("1002", "GET", "callback-desk/cb-agreed")).status_code == 404
    assert (await desk.view("1001", "GET", "callback-desk/cb-agreed"))["number"] == NUMBER
    assert (await desk.ask("9001", "GET", "callback-desk/cb-none")).status_code == 404
    assert (await desk.ask("9500", "GET", "callback-desk")).status_code == 403


async def test_appointments(desk: Desk) -> None:
    """Agreed times, the next first; what is closed is no appointment any more."""
    await put_callback(desk.site, "first", due_at=NINE + 2 * HOUR, appointment_at=NINE + 2 * HOUR)
    await put_callback(desk.site, "kept", appointment_at=NINE, closed_at=NINE, state="reached")
    found = (await desk.ask("1002", "GET", "callback-desk/appointments")).json()
    assert [(c["callback_id"], c["number"]) for c in found] == [("cb-first", MASKED), ("cb-agreed", MASKED)]


async def test_the_file_lists_every_attempt_and_no_number(desk: Desk) -> None:
    """Read back as CSV and XLSX: the same text cells, masked, a formula is text; agents have none."""
    await change_callback(desk.site, "cb-late", close_reason='=cmd|"/c calc"!A1', state="exhausted", closed_at=NINE)
    for ordinal in (1, 2, 3):
        await put_attempt(desk.site, "cb-late", ordinal, NINE + 2 * ordinal * HOUR, "busy")
    await put_callback(desk.site, "yesterday", requested_at=NINE - DAY)
    path = "callback-desk/export?first=2026-11-23&last=2026-11-23"
    answer = await desk.ask("9500", "GET", path)
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    book = await desk.ask("9001", "GET", f"{path}&format=xlsx")
    sheet = load_workbook(io.BytesIO(book.content)).worksheets[0]
    assert [["" if v is None else str(v) for v in row] for row in sheet.iter_rows(values_only=True)] == rows
    head, *lines = rows
    late = [dict(zip(head, line, strict=True)) for line in lines if line[0] == "cb-late"]
    assert [(r["次序 Attempt"], r["拨打时间 Started"][11:], r["结果 Outcome"]) for r in late] == [
        ("1", "11:00:00", "占线 Busy"), ("2", "13:00:00", "占线 Busy"), ("3", "15:00:00", "占线 Busy"),
    ]  # fmt: skip
    assert {r["说明 Reason"][:5] for r in late} == {"'=cmd"}
    assert sorted({line[0] for line in lines}) == ["cb-agreed", "cb-late", "cb-later", "cb-soon"]
    assert NUMBER not in answer.text
    assert MASKED in answer.text
    assert (await desk.ask("1001", "GET", path)).status_code == 403

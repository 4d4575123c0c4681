"""The ledgers as files: who may have them, which local days, hostile words, both formats, no caller's whole number."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from openpyxl import load_workbook
from sqlalchemy import insert, update

from cti.commands import GoBusy, SignIn
from cti.commands.tickets import OpenStub
from cti.roster import XLSX
from cti.store.conduct_tables import duty_log
from cti.store.sinks_tables import replies
from cti.store.survey_tables import ratings
from cti.store.tables import callbacks, people
from cti.web import ledger
from queues.board import mask
from tests.unit.cti.web.test_tickets_api import Desk
from tests.web.duty import NINE, DutySite, duty_site
from tests.web.fake import PBX
from tests.web.ticketing import AREAS, UNIT, answered, put_unit

NUMBER = "13800000071"
MIDNIGHT = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)  # 23 November 00:00 in Heze
US = timedelta(microseconds=1)
DAY = "first=2026-11-23&last=2026-11-23"
PATHS = ("duty-log/export", "tickets/export")
Rows = list[list[str]]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """09:00 on Monday 23 November, two agents at their seats, one unit in the directory."""
    async with duty_site(tmp_path, settings=AREAS) as site:
        for number in ("1001", "1002"):
            await site.ask(SignIn(number, f"3{number[1:]}"))
        await put_unit(site)
        made = Desk(site)
        yield made
        for client in made.clients.values():
            await client.aclose()


def csv_rows(answer: httpx.Response) -> Rows:
    """The cells of a CSV answer."""
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8"), answer.text
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def xlsx_rows(answer: httpx.Response) -> Rows:
    """The cells of an XLSX answer; none is a formula or a number."""
    assert (answer.status_code, answer.headers["content-type"]) == (200, XLSX)
    sheet = load_workbook(io.BytesIO(answer.content)).worksheets[0]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None} == {"s"}
    return [["" if value is None else str(value) for value in row] for row in sheet.iter_rows(values_only=True)]


async def exported(desk: Desk, path: str, query: str = DAY) -> Rows:
    """The same rows in both formats, without the heads."""
    text = csv_rows(await desk.ask("9001", "GET", f"{path}?{query}"))
    book = xlsx_rows(await desk.ask("9001", "GET", f"{path}?{query}&format=xlsx"))
    assert text == book
    return text[1:]


async def log(site: DutySite, *acts: tuple[datetime, str, str | None]) -> None:
    """Rows of the duty log beside those of the engine: moment, act, reason."""
    rows = [
        {"seq": seq, "pbx_id": PBX, "at": at, "agent": "1002", "act": act, "seat": None, "reason": reason, "by": "9001"}
        for seq, (at, act, reason) in enumerate(acts, 9000)
    ]
    await site.store.write(lambda c: c.execute(insert(duty_log), rows))


@pytest.mark.parametrize("path", PATHS)
async def test_leads_administrators_and_auditors_may_have_them(desk: Desk, path: str) -> None:
    """An agent may not; the name of the file has the days and nothing of anybody."""
    assert (await desk.ask("1001", "GET", f"{path}?{DAY}")).status_code == 403
    for number in ("9001", "9500", "9999"):
        answer = await desk.ask(number, "GET", f"{path}?{DAY}")
        name = f"{path.partition('/')[0]}-2026-11-23-2026-11-23.csv"
        assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
        assert csv_rows(answer)[0][0].split()[0] in ("时间", "工单")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("first=2026-11-23&last=2026-11-22", "last"),
        ("first=2026-10-23&last=2026-11-23", "last"),  # 32 days
        ("first=heute", "first"),
        ("first=2026-11-23&format=pdf", "format"),
    ],
)
async def test_a_wrong_span_is_named(desk: Desk, path: str, query: str, field: str) -> None:
    """From 1 to 31 days, in one of two formats."""
    answer = await desk.ask("9001", "GET", f"{path}?{query}")
    assert (answer.status_code, [e["field"] for e in answer.json()["errors"]]) == (422, [field])
    assert (await desk.ask("9001", "GET", f"{path}?first=2026-10-24&last=2026-11-23")).status_code == 200


async def test_a_ledger_is_never_cut_in_silence(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """More rows than a file takes: refused, and told to take fewer days."""
    monkeypatch.setattr(ledger, "MOST_ROWS", 2)
    assert len(await exported(desk, "duty-log/export")) == 2
    await log(desk.site, (NINE, "busy", "meeting"))
    answer = await desk.ask("9001", "GET", f"duty-log/export?{DAY}")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "last")


async def test_the_duty_log_says_who_when_what_and_the_result(desk: Desk) -> None:
    """HZ 第二十条: each act of the day by the local clock, in its order, read in parts; reasons by their names."""
    await desk.site.ask(GoBusy("1001", "meeting"))
    rows = await exported(desk, "duty-log/export")
    assert [row[1:] for row in rows] == [
        ["1001", "测试话务员甲", "签入 Signed in", "3001", "已签入排队 On the queue", "1001 测试话务员甲", ""],
        ["1002", "测试话务员乙", "签入 Signed in", "3002", "已签入排队 On the queue", "1002 测试话务员乙", ""],
        ["1001", "测试话务员甲", "示忙 Busy", "3001", "暂停接听 Takes no calls", "1001 测试话务员甲", rows[2][7]],
    ]  # fmt: skip
    meeting = desk.site.settings.hotline.busy_reasons["meeting"]
    assert rows[2][7] == f"{meeting.zh} {meeting.en}"
    assert {row[0][:13] for row in rows} == {"2026-11-23 09"}


async def test_days_begin_and_end_at_local_midnight(desk: Desk) -> None:
    """The microsecond before midnight is of the day before; one day left out stands for the other; none is today."""
    end = MIDNIGHT + timedelta(days=1)
    await log(desk.site, *((at, "ready", None) for at in (MIDNIGHT - US, MIDNIGHT, end - US, end)))

    async def ready(query: str) -> list[str]:
        return [
            row[0] for row in await exported(desk, "duty-log/export", query) if row[1:4:2] == ["1002", "就绪 Ready"]
        ]

    own = ["2026-11-23 00:00:00", "2026-11-23 23:59:59"]
    for query in (DAY, "first=2026-11-23", "last=2026-11-23", ""):
        assert await ready(query) == own, query
    assert await ready("first=2026-11-22") == ["2026-11-22 23:59:59"]
    assert await ready("first=2026-11-24") == ["2026-11-24 00:00:00"]
    assert len(await ready("first=2026-11-22&last=2026-11-24")) == 4


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "＝1+1"])
async def test_no_cell_can_begin_a_formula(desk: Desk, text: str) -> None:
    """What a spreadsheet would run begins with an apostrophe, names of people with it."""
    await desk.site.store.write(lambda c: c.execute(update(people).where(people.c.number == "1002").values(name=text)))
    await log(desk.site, (NINE, "outside", text))
    answer = csv_rows(await desk.ask("9001", "GET", f"duty-log/export?{DAY}"))
    (row,) = [row for row in answer if row[3].startswith("绕过控制台")]
    assert (row[2], row[7]) == (f"'{text}", f"'{text}")
    assert not [cell for row in answer for cell in row if cell.startswith(tuple("=+-@\t\r\n＝"))]
    assert xlsx_rows(await desk.ask("9001", "GET", f"duty-log/export?{DAY}&format=xlsx"))


async def test_control_characters_break_no_file(desk: Desk) -> None:
    """No XLSX may hold them: a blank stands for each."""
    await log(desk.site, (NINE, "outside", "a\x07b\x00c"))
    assert (await exported(desk, "duty-log/export"))[-1][7] == "a b c"


async def test_the_ledger_of_matters(desk: Desk) -> None:
    """GJ 第十五条: when, which unit, who handled it, the result and the answer; the number is masked for everyone."""
    first = await answered(desk.site, "1001", NUMBER)
    await desk.view("1001", "PATCH", f"tickets/{first}", {"kind": "repair", "area": "east"})
    handed = (await desk.view("1001", "POST", f"tickets/{first}/handout", {"unit": UNIT}))["stub"]
    second = await answered(desk.site, "1002", f"+86{NUMBER}")
    view = await desk.view("1001", "GET", f"tickets/{first}")
    await answers(desk.site, first, view["call_id"])
    rows = await exported(desk, "tickets/export")
    assert [row[0] for row in rows] == [first, second]
    line = dict(zip(ledger.TICKET_HEAD, rows[0], strict=True))
    talked = datetime.fromisoformat(view["talk_ended_at"]) - datetime.fromisoformat(view["answered_at"])
    assert line == {
        "工单 Ticket": first, "受理时间 Opened": _local(view["opened_at"]), "通话 Call": view["call_id"],
        "渠道 Channel": "电话 Phone", "来电号码 Caller": "138****0071",
        "首问责任人 First responsibility": "1001 测试话务员甲", "经办人 Owner": "1001 测试话务员甲",
        "类别 Kind": "故障报修 Repair", "片区 Area": "东区 East", "责任单位 Unit": "东区管网 Pipes east",
        "派单时限 Hand-out due": _local(handed["hand_out_due"]), "派发时间 Handed out": _local(handed["handed_out_at"]),
        "办理时限 Due": _local(handed["finish_due"]), "办结时间 Finished": "", "办结人 Finished by": "",
        "办理结果 Result": "已派发 Handed out", "单位答复 Unit's answer": "已办理 Done",
        "回复诉求人 Caller told": "2026-11-23 11:00:00", "等候秒 Wait s": f"{view['wait_ms'] / 1000:.1f}",
        "通话秒 Talk s": f"{talked.total_seconds():.1f}", "录音 Recording": "完好 Whole",
        "评价 Rating": "满意 Satisfied",
    }  # fmt: skip
    assert rows[1][4] == f"'{mask('+86' + NUMBER)}"
    for number in ("9001", "9500", "9999"):
        assert NUMBER not in (await desk.ask(number, "GET", f"tickets/export?{DAY}")).text
    assert await exported(desk, "tickets/export", "first=2026-11-22") == []


async def test_how_far_a_matter_is(desk: Desk) -> None:
    """受理中, 派发, 退单, 办结 with who finished it; another channel's stub has no call, no wait and no recording."""
    ticket_id = await answered(desk.site, "1001", NUMBER)
    path = f"tickets/{ticket_id}"

    async def result() -> tuple[str, str]:
        (row,) = await exported(desk, "tickets/export")
        return row[15], row[14]

    assert await result() == ("受理中 Open", "")
    await desk.view("1001", "PATCH", path, {"kind": "repair"})
    await desk.view("1001", "POST", f"{path}/handout", {"unit": UNIT})
    assert await result() == ("已派发 Handed out", "")
    await desk.view("1001", "POST", f"{path}/return", {"reason": "不属本单位"})
    assert await result() == ("退单 Returned", "")
    assert (await desk.ask("1001", "POST", f"{path}/finish")).status_code == 204
    assert await result() == ("已办结 Finished", "1001 测试话务员甲")
    await desk.site.ask(OpenStub("oa", NUMBER, "service", "west", "报装", "oa-gateway", "oa-1"))
    other = (await exported(desk, "tickets/export"))[1]
    assert (other[2:6], other[15], other[18:]) == (["", "OA", mask(NUMBER), ""], "受理中 Open", [""] * 4)


def _local(moment: str | None) -> str:
    return "" if moment is None else f"{datetime.fromisoformat(moment) + timedelta(hours=8):%Y-%m-%d %H:%M:%S}"


async def answers(site: DutySite, ticket_id: str, call_id: str) -> None:
    """The unit's answers, the older one without weight; the caller reached at 11:00, and rating the call."""
    hour = timedelta(hours=1)
    answer = {"token_id": "k", "ticket_id": ticket_id, "text": "", "reported_at": NINE, "reported_by": "unit"}
    said = [
        {**answer, "request_key": "1", "result": "partly", "at": NINE},
        {**answer, "request_key": "2", "result": "done", "at": NINE + hour},
    ]
    told = {
        "callback_id": "cb", "pbx_id": PBX, "ticket_id": ticket_id, "number": NUMBER, "agent": "1001",
        "state": "reached", "requested_at": NINE, "closed_at": NINE + 2 * hour, "requested_by": "1001",
    }  # fmt: skip
    rated: dict[str, Any] = {"pbx_id": PBX, "call_id": call_id, "agent": "1001", "rating": 1, "at": NINE}
    for table, rows in ((replies, said), (callbacks, [told]), (ratings, [rated])):
        await site.store.write(lambda c, table=table, rows=rows: c.execute(insert(table), rows))  # type: ignore[misc]

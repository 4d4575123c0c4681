"""The roster's routes before the real engine: who may do what, files in and out, refusals with their articles."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from cti.app import load_profile
from cti.commands.roster import AskLeave, DecideRequest, PutShifts, ShiftPlan
from cti.roster import XLSX, read_sheet, read_table
from cti.web.guard import LARGEST_BODY, LARGEST_FILE
from tests.unit.cti.web.conftest import HEADERS
from tests.web.conftest import PIN
from tests.web.duty import DutySite, duty_site

MONDAY = "2026-11-30"  # a week after the site's now, Monday 2026-11-23 09:00 in Heze
WEEK = {"from": MONDAY, "to": "2026-12-06"}
Enter = Callable[[str], Awaitable[httpx.AsyncClient]]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[DutySite]:
    """Four agents, two leads, an auditor, an administrator; an empty roster."""
    async with duty_site(tmp_path) as made:
        yield made


@pytest.fixture
async def enter(site: DutySite) -> AsyncIterator[Enter]:
    """Log somebody in."""
    opened: list[httpx.AsyncClient] = []

    async def do(number: str) -> httpx.AsyncClient:
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(site.app), base_url="https://cti.test/api/v1", headers=HEADERS
        )
        opened.append(client)
        assert (await client.post("/session", json={"number": number, "pin": PIN})).status_code == 201
        return client

    yield do
    for client in opened:
        await client.aclose()


def day_shift(agent: str, day: str = MONDAY, **more: Any) -> dict[str, Any]:
    """An entry."""
    return {"agent": agent, "day": day, "code": "day", **more}


async def put(client: httpx.AsyncClient, *entries: dict[str, Any], reason: str = "") -> httpx.Response:
    """Put entries."""
    return await client.put("/roster/shifts", json={"entries": entries, "reason": reason})


async def shifts(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    """The week's shifts."""
    answer = await client.get("/roster", params=WEEK)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["shifts"]
    return found


async def test_everybody_looks_and_only_its_makers_change_the_roster(enter: Enter) -> None:
    """An agent and an auditor are refused every change; a lead and an administrator are not."""
    lead = await enter("9001")
    assert (await put(lead, day_shift("1001"), day_shift("1002", code="night"))).json() == {"put": 2}
    for number in ("1001", "9500"):
        client = await enter(number)
        assert [(s["agent"], s["code"]) for s in await shifts(client)] == [("1001", "day"), ("1002", "night")]
        body = {"from": MONDAY, "days": 4, "crews": [{"name": "甲", "agents": ["1001"]}]}
        for answer in (
            await put(client, day_shift("1003")),
            await client.post("/roster/rotation", json=body),
            await client.post("/roster/shifts/sh-1/take-off", json={}),
            await client.post("/roster/import", content=b"x", headers={"Content-Type": "text/csv"}),
        ):
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    admin = await enter("9999")
    shift = (await shifts(admin))[0]
    assert (shift["starts_at"], shift["ends_at"]) == ("2026-11-30T00:00:00Z", "2026-11-30T11:00:00Z")
    assert (await admin.post(f"/roster/shifts/{shift['shift_id']}/take-off", json={})).status_code == 204
    assert [s["code"] for s in await shifts(admin)] == ["night"]
    named = {a["number"]: a["name"] for a in (await admin.get("/roster", params=WEEK)).json()["agents"]}
    assert named["1001"] == "测试话务员甲"
    assert "9500" not in named


async def test_fields_are_judged_before_the_engine(enter: Enter) -> None:
    """Half a time, a time with a zone, an unknown field, a long look, no entries: 422 with the field's name."""
    lead = await enter("9001")
    for entry in (
        day_shift("1001", **{"from": "08:00"}), day_shift("1001", **{"from": "08:00+08:00", "to": "09:00"}),
        day_shift("1001", sex="f"), day_shift("a"), day_shift("1001", crew="x" * 17),
    ):  # fmt: skip
        assert (await put(lead, entry)).status_code == 422
    assert (await put(lead)).status_code == 422
    for first, last in (("2026-11-30", "2026-11-29"), ("2026-01-01", "2026-12-31"), ("x", "y")):
        assert (await lead.get("/roster", params={"from": first, "to": last})).status_code == 422
    unknown = (await put(lead, day_shift("1001", code="noon"))).json()
    assert (unknown["code"], unknown["detail"]) == ("bad_entries", "第1条：没有该班次，也未填写上下班时间")


async def test_times_of_its_own_cross_midnight(enter: Enter) -> None:
    """From 22:00 to 06:00 is eight hours; the shift shows on both days."""
    lead = await enter("9001")
    extra = {"agent": "1001", "day": MONDAY, "from": "22:00", "to": "06:00", "extra": True, "code": "peak"}
    assert (await put(lead, extra)).status_code == 200
    for day in (MONDAY, "2026-12-01"):
        answer = (await lead.get("/roster", params={"from": day, "to": day})).json()["shifts"]
        assert [(s["starts_at"], s["ends_at"], s["extra"]) for s in answer] == [
            ("2026-11-30T14:00:00Z", "2026-11-30T22:00:00Z", True)
        ]


async def test_a_rotation_is_put_from_the_page(enter: Enter) -> None:
    """Four crews, a week: two shifts a day for each agent of the crew on turn."""
    lead = await enter("9001")
    crews = [{"name": name, "agents": [f"100{i}"]} for i, name in enumerate(("甲班", "乙班", "丙班", "丁班"), 1)]
    answer = await lead.post("/roster/rotation", json={"from": MONDAY, "days": 7, "crews": crews})
    assert answer.json() == {"put": 14}
    one = await lead.post("/roster/rotation", json={"from": MONDAY, "days": 7, "crews": crews[:1]})
    assert (one.status_code, one.json()["articles"][0]["document"]) == (409, "QD")


async def test_a_file_is_checked_then_put_and_comes_out_again(enter: Enter) -> None:
    """A check changes nothing; the import puts all; both exports carry what was imported."""
    lead = await enter("9001")
    text = (
        "工号,姓名,日期,班次,上班,下班,班组,席位,加班\n"
        f"1001,甲,{MONDAY},白班,,,甲班,8001,\n1002,,{MONDAY},,19:00,8:00,乙班,,是\n"
    )
    for encoding in ("utf-8", "utf-8-sig", "gb18030"):
        headers = {"Content-Type": "text/csv"}
        checked = await lead.post("/roster/import?check=true", content=text.encode(encoding), headers=headers)
        assert checked.json() == {"rows": 2, "put": 0}
    assert await shifts(lead) == []
    done = await lead.post("/roster/import", content=text.encode("gb18030"), headers=headers)
    assert done.json() == {"rows": 2, "put": 2}
    again = await lead.post("/roster/import", content=text.encode(), headers=headers)
    assert again.json() == {"rows": 2, "put": 0}
    auditor = await enter("9500")
    for suffix, kind in (("csv", "text/csv"), ("xlsx", XLSX)):
        file = await auditor.get(f"/roster/export.{suffix}", params=WEEK)
        assert "attachment" in file.headers["content-disposition"]
        table = read_table(read_sheet(file.content, kind))
        assert table.faults == ()
        assert [(p.agent, p.code, p.crew, p.seat, p.extra) for _, p in table.plans] == [
            ("1001", "day", "甲班", "8001", False), ("1002", "own", "乙班", None, True)
        ]  # fmt: skip
        back = await lead.post("/roster/import", content=file.content, headers={"Content-Type": kind})
        assert back.json() == {"rows": 2, "put": 0}
    agent = await enter("1001")
    assert (await agent.get("/roster/export.csv", params=WEEK)).status_code == 403


async def test_every_bad_row_is_named_and_nothing_is_imported(enter: Enter) -> None:
    """What the table shows, what the engine knows and what clashes, together, by row and column, in both languages."""
    lead = await enter("9001")
    rows = (
        "number,date,shift,seat", f"1001,{MONDAY},day,8001", "1002,2026-02-30,day,", f"7777,{MONDAY},day,",
        f"1003,{MONDAY},=cmd|'/c calc'!A1,", f"1004,{MONDAY},day,8001", f"1003,{MONDAY},noon,",
    )  # fmt: skip
    answer = await lead.post("/roster/import", content="\r\n".join(rows), headers={"Content-Type": "text/csv"})
    assert answer.status_code == 422
    assert [e["field"] for e in answer.json()["errors"]] == ["3.日期", "4.工号", "5.班次", "7.班次"]
    assert all(e["message"] and e["message_en"] for e in answer.json()["errors"])
    assert "calc" not in answer.text
    one_good = "\r\n".join(rows[:3])
    answer = await lead.post("/roster/import", content=one_good, headers={"Content-Type": "text/csv"})
    assert [e["field"] for e in answer.json()["errors"]] == ["3.日期"]
    clash = "\r\n".join((rows[0], rows[1], rows[5]))
    answer = await lead.post("/roster/import", content=clash, headers={"Content-Type": "text/csv"})
    assert [e["field"] for e in answer.json()["errors"]] == ["3.席位"]
    assert await shifts(lead) == []


async def test_only_the_import_takes_a_large_body_and_only_a_file(enter: Enter) -> None:
    """2 MiB there, 16 KiB elsewhere; other types are refused."""
    lead = await enter("9001")
    row = f"1001,{MONDAY},day\n"
    text = "工号,日期,班次\n" + row * (LARGEST_BODY // len(row) + 1)
    many = await lead.post("/roster/import", content=text.encode(), headers={"Content-Type": "text/csv"})
    assert many.status_code == 422
    assert len(many.json()["errors"]) == text.count("\n") - 2
    large = await lead.post("/roster/import", content=b" " * (LARGEST_FILE + 1), headers={"Content-Type": "text/csv"})
    elsewhere = await lead.put("/roster/shifts", content=b" " * (LARGEST_BODY + 1))
    form = await lead.post("/roster/import", files={"file": b"x"})
    assert [large.status_code, elsewhere.status_code, form.status_code] == [413, 413, 422]
    broken = await lead.post("/roster/import", content=b"PK\x03\x04zip", headers={"Content-Type": XLSX})
    assert (broken.status_code, broken.json()["errors"][0]["field"]) == (422, "file")


async def test_what_has_begun_is_imported_by_a_lead_with_a_reason(enter: Enter) -> None:
    """409 without, with the word who may. The reason stands in a header, encoded, and never in the URL."""
    lead, admin = await enter("9001"), await enter("9999")
    text, headers = b"number,date,shift\n1001,2026-11-22,day\n", {"Content-Type": "text/csv"}
    explained = {**headers, "X-CTI-Reason": quote("补录漏排")}
    for client, sent in ((lead, headers), (admin, explained)):
        answer = await client.post("/roster/import?reason=late", content=text, headers=sent)
        assert (answer.status_code, answer.json()["override"]) == (409, "lead")
    long = {**headers, "X-CTI-Reason": quote("长" * 201)}
    assert (await lead.post("/roster/import", content=text, headers=long)).json()["errors"][0]["field"] == "reason"
    assert (await lead.post("/roster/import", content=text, headers=explained)).json()["put"] == 1
    there = (await lead.get("/roster", params={"from": "2026-11-22", "to": "2026-11-22"})).json()["shifts"]
    taken_off = f"/roster/shifts/{there[0]['shift_id']}/take-off"
    assert (await lead.post(taken_off, json={})).status_code == 409
    assert (await lead.post(taken_off, json={"reason": "长" * 201})).status_code == 422
    assert (await lead.post(f"{taken_off}?reason=late", json={})).status_code == 409
    assert (await lead.post(taken_off, json={"reason": "排错"})).status_code == 204


async def test_a_swap_goes_through_both_and_the_lead(enter: Enter) -> None:
    """Asked, agreed, decided; each sees what concerns him, and reasons of others stay unseen."""
    lead, one, two, three = [await enter(n) for n in ("9001", "1001", "1002", "1003")]
    await put(lead, day_shift("1001"))
    shift_id = (await shifts(one))[0]["shift_id"]
    body = {"shift_id": shift_id, "kind": "swap", "reason": "家有急事", "with_agent": "1002"}
    asked = await one.post("/roster/requests", json=body)
    assert (asked.status_code, asked.json()["state"]) == (201, "partner")
    request = f"/roster/requests/{asked.json()['request_id']}"
    assert [len((await c.get("/roster/requests")).json()) for c in (lead, one, two, three)] == [1, 1, 1, 0]
    assert "家有急事" not in (await two.get("/roster/requests")).text
    assert "家有急事" in (await one.get("/roster/requests")).text
    assert (await three.post(f"{request}/agree")).json()["code"] == "not_found"
    assert (await two.post(f"{request}/decide", json={"agreed": True})).status_code == 403
    assert (await two.post(f"{request}/agree")).json()["state"] == "pending"
    assert (await lead.post(f"{request}/decide", json={"agreed": False})).status_code == 422
    assert (await lead.post(f"{request}/decide", json={"agreed": True})).json()["state"] == "approved"
    assert [(s["agent"], s["state"]) for s in await shifts(three)] == [("1001", "swapped"), ("1002", "on")]
    view = (await lead.get("/roster/requests")).json()[0]
    assert [s["kind"] for s in view["steps"]] == ["asked", "partner_agreed", "approved"]


async def test_leave_is_refused_with_its_article_and_withdrawn(enter: Enter, site: DutySite) -> None:
    """Short of a day ahead: HZ 第十九条, and that a lead may; a colleague asks only for who is ill."""
    lead, one, two = [await enter(n) for n in ("9001", "1001", "1002")]
    await put(lead, day_shift("1001", "2026-11-24"), day_shift("1001"))
    soon = (await one.get("/roster", params={"from": "2026-11-24", "to": "2026-11-24"})).json()["shifts"][0]
    late = await one.post("/roster/requests", json={"shift_id": soon["shift_id"], "kind": "annual", "reason": "探亲"})
    said = late.json()
    assert (late.status_code, said["code"], said["override"]) == (409, "asked_late", "lead")
    assert said["articles"][0]["article"] == "第十九条"
    for client, status in ((two, 409), (lead, 201)):
        body = {"shift_id": soon["shift_id"], "kind": "annual", "reason": "探亲", "agent": "1001"}
        assert (await client.post("/roster/requests", json=body)).status_code == status
    request = (await one.get("/roster/requests")).json()[0]
    assert request["steps"][0]["by"] == "9001"
    assert site.engine.board()["duty"]["roster"]["pending"] == 1
    answer = await one.post(f"/roster/requests/{request['request_id']}/withdraw")
    assert answer.json()["state"] == "withdrawn"
    assert (await one.get("/board")).json()["duty"]["roster"].keys() == {"templates"}
    assert (await lead.get("/board")).json()["duty"]["roster"]["pending"] == 0


async def test_moments_come_in_utc(enter: Enter) -> None:
    """The page shows them in the hotline's zone."""
    lead = await enter("9001")
    await put(lead, day_shift("1001", code="night"))
    shift = (await shifts(lead))[0]
    start, end = (datetime.fromisoformat(shift[name]) for name in ("starts_at", "ends_at"))
    assert (start, (end - start).total_seconds()) == (datetime(2026, 11, 30, 11, tzinfo=UTC), 13 * 3600)


async def test_at_a_peak_the_lead_agrees_with_a_reason_or_not_at_all(tmp_path: Path) -> None:
    """QD 第十三条（二）: an extra shift makes the day a peak; annual leave comes in through the lead, 事假 as ever."""
    async with duty_site(tmp_path, profile=load_profile("qd-96556")) as site:
        day = date.fromisoformat(MONDAY)
        extra = ShiftPlan("1003", day, "", time(10), time(15), extra=True)
        plans = (ShiftPlan("1001", day, "day"), ShiftPlan("1002", day, "day"), extra)
        assert (await site.ask(PutShifts("9001", plans))).ruling.allowed
        first, second = (site.roster.roster.by_agent[n][0].shift_id for n in ("1001", "1002"))
        refused = (await site.ask(AskLeave("1001", "1001", first, "annual", "探亲"))).ruling
        assert (refused.code, refused.override) == ("peak_day", "lead")
        assert [a.cite() for a in refused.articles] == ["QD 第十三条（二）"]
        request = (await site.ask(AskLeave("9001", "1001", first, "annual", "探亲"))).data["request_id"]
        assert (await site.ask(DecideRequest("9002", request, True))).ruling.code == "peak_day"
        assert (await site.ask(DecideRequest("9002", request, True, "婚礼"))).ruling.allowed
        assert (await site.ask(AskLeave("1002", "1002", second, "personal", "家事"))).ruling.allowed

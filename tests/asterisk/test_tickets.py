"""Ticket stubs of real calls: repeats and chasing counted, several stubs of one recording, notes over kills."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from cti.lab import oracle
from cti.lab.asterisk import LabAsterisk
from cti.lab.citizens import Citizens
from tests.asterisk.conftest import LEAD, Hotline
from tests.asterisk.test_pop_in_browser import browser, open_page  # noqa: F401 - a fixture

pytestmark = pytest.mark.asterisk

NUMBER = "13800000091"
UNIT = {"zh": "东区管网", "en": "Pipes east", "role": "emergency", "numbers": [{"number": "05300000001"}]}
SEATS = {"1001": "3001", "1002": "3002", "1003": "3003", "1004": "3004"}


@pytest.fixture
def desk(lab: LabAsterisk, tmp_path: Path) -> Iterator[Hotline]:
    """Four agents at seats that pick up at once, two areas, one unit."""
    areas = {code: {"zh": code, "en": code} for code in ("east", "west")}
    working = Hotline(lab, tmp_path / "service", hotline={"areas": areas})
    try:
        working.sign_in(**{f"a{agent}": seat for agent, seat in SEATS.items()})
        assert working.page(LEAD).ask("PUT", "directory/units/pipes-east", UNIT).status in (200, 204)
        yield working
    finally:
        working.service.stop()


def ticket_of(desk: Hotline, citizens: Citizens, *, talks: bool = False) -> tuple[str, str, str]:
    """A caller rings, is answered, and hangs up unless he *talks* on: call, ticket, agent."""
    call_id = citizens.call("12319", 40, NUMBER)
    desk.until(lambda: desk.rows("select 1 from tickets where call_id = ?", call_id))
    ((ticket_id, agent),) = desk.rows("select ticket_id, agent from tickets where call_id = ?", call_id)
    if not talks:
        citizens.hang_up(call_id)
    return call_id, ticket_id, agent


def done(desk: Hotline, agent: str, method: str, path: str, body: Any = None) -> dict[str, Any]:
    """The ticket after a request that is allowed."""
    answer = desk.page(agent).ask(method, f"tickets/{path}", body)
    assert answer.status in (200, 201), answer
    found: dict[str, Any] = answer.body
    return found


def test_five_real_calls_suggest_the_gravest_grade_and_the_sixth_chases(desk: Hotline, citizens: Citizens) -> None:
    """KL 第十四条(六), 第十五条(四): as many as queue_log has; explain, remind, then no more."""
    connected = []
    for n in range(1, 6):
        call_id, ticket_id, agent = ticket_of(desk, citizens)
        connected.append(call_id)
        view = done(desk, agent, "PATCH", ticket_id, {"kind": "complaint", "area": "east"})
        assert (view["repeats"]["same_caller"], view["calls_in_month"]) == (n, n)
        assert view["repeats"]["grade"] == ("1" if n == 5 else "3")
    done(desk, agent, "PATCH", ticket_id, {"complaint_grade": "3"})  # 3 hours
    handed = done(desk, agent, "POST", f"{ticket_id}/handout", {"unit": "pipes-east"})["stub"]
    due, at = (datetime.fromisoformat(handed[name]) for name in ("finish_due", "handed_out_at"))
    assert due - at == timedelta(hours=3)
    desk.settled(5)
    logged = [row.call_id for row in oracle.read_queue_log(desk.lab.queue_log) if row.verb == "CONNECT"]
    assert logged == connected
    _, again, other = ticket_of(desk, citizens)
    chased = next(row for row in done(desk, other, "GET", again)["open_tickets"] if row["ticket_id"] == ticket_id)
    assert (chased["advice"], chased["limit_s"], chased["reminders"]) == ("explain", 10800, 0)
    asked = {"of": ticket_id}
    refused = desk.page(other).ask("POST", f"tickets/{again}/reminders", asked)
    assert (refused.status, refused.body["code"], refused.body["articles"][0]["article"]) == (
        409, "explain_first", "第十五条(四)",
    )  # fmt: skip
    for _ in range(2):
        done(desk, other, "POST", f"{again}/reminders", {**asked, "reason": "强烈不满"})
    refused = desk.page(other).ask("POST", f"tickets/{again}/reminders", {**asked, "reason": "强烈不满"})
    assert (refused.status, refused.body["code"]) == (409, "reminders_used_up")


def test_several_stubs_of_one_call_show_its_one_recording(desk: Hotline, citizens: Citizens) -> None:
    """KL 第十五条(一)3: one call, two units, two stubs; the file on the disk is one, and it holds speech."""
    call_id, first, agent = ticket_of(desk, citizens, talks=True)
    answer = desk.page(agent).ask("POST", f"tickets/{first}/stubs", Idempotency_Key="page-1")
    assert answer.status == 201
    desk.service.kill()
    desk.service.start()
    assert citizens.hang_up(call_id)
    again = desk.page(agent).ask("POST", f"tickets/{first}/stubs", Idempotency_Key="page-1")
    assert again.body["ticket_id"] == answer.body["ticket_id"]
    desk.settled(1)
    views = [done(desk, agent, "GET", ticket_id) for ticket_id in (first, answer.body["ticket_id"])]
    assert [(v["call_id"], v["recording"], v["stub"]["ordinal"]) for v in views] == [
        (call_id, "ok", 1),
        (call_id, "ok", 2),
    ]
    ((path, digest),) = desk.rows("select path, sha256 from recordings")
    file = desk.lab.recordings / path
    assert digest == hashlib.sha256(file.read_bytes()).hexdigest()
    assert oracle.listen(file).loudness > 100


@pytest.mark.browser
def test_notes_outlive_a_kill_while_they_are_typed(desk: Hotline, citizens: Citizens, browser: Any) -> None:  # noqa: F811
    """kill -9 in the middle of typing, with the caller on the line: not a character is lost, and the call goes on."""
    page = open_page(browser, desk, "1001")
    for agent in ("1002", "1003", "1004"):
        desk.page(agent).ask("POST", "me/sign-out")
    call_id, ticket_id, _ = ticket_of(desk, citizens, talks=True)
    expect(page.get_by_test_id("kind-repair")).to_be_visible()
    page.keyboard.press("4")
    expect(page.get_by_test_id("kind-repair")).to_have_attribute("aria-checked", "true")
    page.keyboard.press("Alt+n")
    page.keyboard.type("王女士东区三号楼漏水", delay=30)
    desk.service.kill()
    page.keyboard.type("请尽快", delay=30)
    expect(page.get_by_test_id("notes-state")).to_have_attribute("data-state", "waiting")
    desk.service.start()
    expect(page.get_by_test_id("notes-state")).to_have_attribute("data-state", "saved", timeout=15_000)
    kept = desk.rows("select kind, notes from stubs where ticket_id = ?", ticket_id)
    assert kept == [("repair", "王女士东区三号楼漏水请尽快")]
    assert citizens.hang_up(call_id)

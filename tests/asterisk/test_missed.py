"""Missed callers of a real Asterisk: the duties are what queue_log says, live, read back, and after a crash."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from cti.lab import oracle
from cti.lab.asterisk import LabAsterisk
from cti.lab.citizens import Citizens
from tests.asterisk.conftest import LEAD, Hotline
from tests.asterisk.test_callbacks import dialled

pytestmark = pytest.mark.asterisk

ONE, TWO, THREE, FOUR = (f"1380000008{n}" for n in range(1, 5))


def owed(lab: LabAsterisk) -> dict[str, set[str]]:
    """By queue_log alone: number -> its calls that nobody answered since the number was last answered."""
    entered: dict[str, tuple[str, int]] = {}
    answered: dict[str, int] = {}
    found: dict[str, set[str]] = defaultdict(set)
    rows = oracle.read_queue_log(lab.queue_log)
    connected = {row.call_id for row in rows if row.verb == "CONNECT"}
    for row in rows:
        if row.verb == "ENTERQUEUE":
            entered[row.call_id] = (row.data[1], row.at)
        elif row.verb == "CONNECT":
            answered[entered[row.call_id][0]] = row.at
    for call_id, (number, at) in entered.items():
        if call_id not in connected and number and at > answered.get(number, 0):
            found[number].add(call_id)
    return dict(found)


def verbs(lab: LabAsterisk, call_id: str) -> list[str]:
    """What queue_log tells of a call."""
    return [row.verb for row in oracle.read_queue_log(lab.queue_log) if row.call_id == call_id]


def duties(hotline: Hotline) -> list[dict[str, Any]]:
    """Open duties as the lead sees them, the oldest first."""
    found: list[dict[str, Any]] = hotline.page(LEAD).ask("GET", "missed").body
    return found


def kept(hotline: Hotline) -> dict[str, set[str]]:
    """Open duties of the database: number -> call ids."""
    query = (
        "select number, json_extract(one.value, '$[0]') from missed_calls, json_each(latest) as one"
        " where closed_at is null"
    )
    found: dict[str, set[str]] = defaultdict(set)
    for number, call_id in hotline.rows(query):
        found[number].add(call_id)
    return dict(found)


def over(hotline: Hotline, citizens: Citizens, call_id: str) -> None:
    """Until the call has ended and its true reason is known."""
    known = "select count(*) from calls where call_id = ? and ended_at is not null and ending <> 'left'"
    citizens.wait_for(lambda: hotline.rows(known, call_id) == [(1,)], "the call to end", 20)


def test_every_way_to_be_missed_and_who_comes_through(hotline: Hotline, citizens: Citizens) -> None:
    """Given up twice, timed out, thrown out of an empty queue: one duty a number; an answered call ends it."""
    first = citizens.call("12319", 2, ONE)
    over(hotline, citizens, first)
    again = citizens.call("12319", 60, ONE)
    citizens.wait_for(lambda: citizens.waiting() == [again], "the caller to wait")
    citizens.hang_up(again)
    over(hotline, citizens, again)
    hotline.lab.cli("dialplan set global CTI_WAIT_SECONDS 2")
    timed_out = citizens.call("12319", 30, TWO)
    over(hotline, citizens, timed_out)
    hotline.lab.cli("dialplan set global CTI_WAIT_SECONDS 600")
    queues = hotline.lab.work / "etc/cti_queues.conf"
    queues.write_text(queues.read_text().replace("leavewhenempty = no", "leavewhenempty = yes"))
    hotline.lab.cli("queue reload parameters hotline")
    emptied = citizens.call("12319", 30, THREE)
    over(hotline, citizens, emptied)
    withheld = citizens.call("12319", 30, "")
    over(hotline, citizens, withheld)
    assert [verbs(hotline.lab, c)[-1] for c in (again, timed_out, emptied)] == [
        "ABANDON",
        "EXITWITHTIMEOUT",
        "EXITEMPTY",
    ]
    assert kept(hotline) == owed(hotline.lab) == {ONE: {first, again}, TWO: {timed_out}, THREE: {emptied}}
    assert [(d["number"], d["tries"]) for d in duties(hotline)] == [(ONE, 2), (TWO, 1), (THREE, 1)]
    started = next(r.at for r in oracle.read_queue_log(hotline.lab.queue_log) if r.call_id == first)
    assert hotline.rows("select first_at / 1000000 from missed_calls where number = ?", ONE) == [(started,)]
    assert hotline.board()["duty"]["missed"]["withheld"] == 1
    hotline.sign_in(a1001="3001")
    through = citizens.call("12319", 3, ONE)
    over(hotline, citizens, through)
    assert kept(hotline) == owed(hotline.lab) == {TWO: {timed_out}, THREE: {emptied}}
    ended = hotline.rows("select state, closed_by from missed_calls where number = ?", ONE)
    assert ended == [("came_through", "1001")]


def test_missed_while_the_service_or_asterisk_was_down(hotline: Hotline) -> None:
    """Read back once from queue_log: given up while we were dead, and waiting when Asterisk crashed (QUEUESTART)."""
    hotline.sign_in(a1001="3001")
    with Citizens.of(hotline.lab) as citizens:
        hotline.service.kill()
        citizens.wait_for(lambda: "1001" in citizens.members(), "the member to stay")
        through = citizens.call("12319", 2, TWO)
        citizens.wait_for(lambda: "CONNECT" in verbs(hotline.lab, through), "the answer")
        citizens.wait_for(lambda: hotline.lab.channels() == 0, "the call to end", 20)
        citizens.remove_member("3001")
        absent = citizens.call("12319", 2, ONE)
        citizens.wait_for(lambda: verbs(hotline.lab, absent)[-1:] == ["ABANDON"], "the caller to give up", 20)
        waiting = citizens.call("12319", 120, THREE)
        citizens.wait_for(lambda: citizens.waiting() == [waiting], "the caller to wait")
    hotline.service.start()
    hotline.until(lambda: set(kept(hotline)) == {ONE}, 20)
    hotline.lab.kill()
    hotline.lab.start()
    hotline.until(lambda: set(kept(hotline)) == {ONE, THREE}, 40)
    assert kept(hotline) == owed(hotline.lab) == {ONE: {absent}, THREE: {waiting}}
    assert verbs(hotline.lab, waiting) == ["ENTERQUEUE"]
    before = hotline.rows("select missed_id, first_at, tries, state from missed_calls order by missed_id")
    hotline.service.kill()
    hotline.service.start()
    hotline.until(lambda: hotline.service.log_in(LEAD, "482915") is not None, 20)
    assert hotline.rows("select missed_id, first_at, tries, state from missed_calls order by missed_id") == before


def test_a_callback_that_reaches_closes_the_duty(lab: LabAsterisk, tmp_path: Path) -> None:
    """Claimed, called back once, talked with: closed by the conversation; who does not pick up stays owed."""
    hotline = Hotline(lab, tmp_path / "service", callback={"agent_ring_s": 5, "ring_s": 3})
    lab.cli("dialplan set global CTI_RING_SECONDS 3")
    try:
        with Citizens.of(lab) as citizens:
            calls = {number: citizens.call("12319", 2, number) for number in (FOUR, "13800000089")}
            for call_id in calls.values():
                over(hotline, citizens, call_id)
        hotline.sign_in(a1001="3001", a1002="3002")
        page = hotline.page("1001")
        ids = {d["number"]: d["missed_id"] for d in duties(hotline)}
        assert {d["number"] for d in page.ask("GET", "missed").body} == {"138****0084", "138****0089"}
        planned = page.ask("POST", f"missed/{ids[FOUR]}/callback")
        assert (planned.status, planned.body["claimed_by"], planned.body["number"]) == (200, "1001", FOUR)
        assert hotline.page("1002").ask("POST", f"missed/{ids[FOUR]}/callback").body["code"] == "missed_claimed"
        closed = "select state, closed_by from missed_calls where number = ?"
        hotline.until(lambda: hotline.rows(closed, FOUR) == [("reached", "1001")], 30)
        assert [number for _, number in dialled(lab)] == [FOUR]
        other = hotline.page("1002").ask("POST", f"missed/{ids['13800000089']}/callback")
        assert other.status == 200
        in_vain = "select outcome from attempts where outcome in ('no_answer', 'busy')"
        hotline.until(lambda: len(hotline.rows(in_vain)) == 1, 30)
        (left,) = duties(hotline)
        assert (left["number"], left["state"], left["callback_state"]) == ("13800000089", "open", "due")
        assert left["due_at"] > left["claimed_at"]
        assert kept(hotline) == {"13800000089": {calls["13800000089"]}}
    finally:
        hotline.service.stop()

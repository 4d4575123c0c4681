"""Findings from a real Asterisk: rung out, refused, stopped in the middle, busy as callers wait, paused past us."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from cti.lab import oracle
from cti.lab.citizens import Citizens
from tests.asterisk.conftest import LEAD, Hotline

pytestmark = pytest.mark.asterisk


def found(hotline: Hotline) -> list[tuple[str, str, str, dict[str, Any]]]:
    """Kind, agent, state and evidence of every finding, the oldest first."""
    rows = hotline.rows("select kind, agent, state, evidence from findings order by began_at, kind")
    return [(kind, agent, state, json.loads(evidence)) for kind, agent, state, evidence in rows]


def missed(hotline: Hotline, agent: str) -> list[oracle.QueueLogRow]:
    """queue_log's RINGNOANSWER lines of *agent*."""
    return [r for r in oracle.read_queue_log(hotline.lab.queue_log) if r.verb == "RINGNOANSWER" and r.agent == agent]


def test_rung_out_and_refused_as_queue_log_has_them(hotline: Hotline, citizens: Citizens) -> None:
    """签入不接听 and 拒接: the evidence is queue_log's RINGNOANSWER lines, call for call, to a second of ring time."""
    hotline.sign_in(a1001="2001")
    call_id = citizens.call("12319", 60, "13800000021")
    hotline.until(lambda: missed(hotline, "1001"), 25)
    hotline.sign_in(a1002="4002")
    hotline.until(lambda: {f[0] for f in found(hotline)} == {"not_answering", "rejected"}, 30)
    live = {(f["kind"], f["agent"]) for f in hotline.board()["duty"]["findings"]}
    assert live == {("not_answering", "1001"), ("rejected", "1002")}
    for number in ("1001", "1002"):  # between two offers: nobody signs out from a ringing phone
        page = hotline.page(number)
        hotline.until(lambda page=page: page.ask("POST", "me/sign-out").status == 200, 40)
    citizens.hang_up(call_id)
    hotline.settled(1)
    time.sleep(3)  # what was missed last is confirmed
    for kind, agent, state, evidence in found(hotline):
        logged, events = missed(hotline, agent), evidence["events"]
        assert (kind, state) == ({"1001": "not_answering", "1002": "rejected"}[agent], "found")
        assert evidence["missed"] == len(events) <= len(logged)
        for event, line in zip(events, logged, strict=False):
            assert (event["event"], event["call_id"]) == ("AgentRingNoAnswer", line.call_id)
            assert abs(event["ring_ms"] - int(line.data[0])) < 1000
            assert event["end"] == ("rejected" if int(line.data[0]) == 0 else "no_answer")
    alarms = [a for a in hotline.board()["alarms"] if a.get("code") == "finding"]
    assert sorted(a["what"] for a in alarms) == ["not_answering", "rejected"]  # told once each, not per offer
    assert "13800000021" not in json.dumps([f[3] for f in found(hotline)])


def test_an_asterisk_stopped_while_it_rings_finds_nothing(hotline: Hotline, citizens: Citizens) -> None:
    """A clean stop mostly writes RINGNOANSWER of 0 ms for whoever was rung; nobody refused anything."""
    hotline.sign_in(a1001="2001")
    citizens.call("12319", 60)
    hotline.until(lambda: hotline.agent("1001")["state"] == "ringing")
    hotline.lab.stop()
    hotline.until(lambda: hotline.board()["link"] != "up")
    hotline.lab.start()
    hotline.until(lambda: hotline.board()["link"] == "up", 30)
    time.sleep(4)
    assert found(hotline) == []
    noted = [int(row.data[0]) for row in missed(hotline, "1001")]
    assert all(ring_ms < 15_000 for ring_ms in noted)  # whole seconds: 0 where the stop comes at once
    # As it looks to whoever does not wait: refused, or not answered. A queue that is unloaded first writes no line.
    ((outcome,),) = hotline.rows("select outcome from offers")
    assert outcome in ("rejected", "no_answer") if noted else outcome in ("lost", "cancelled")
    assert hotline.rows("select count(*) from gaps where ended_at is not null")[0][0] >= 1


def test_busy_as_a_caller_waits_and_a_pause_past_the_console(hotline: Hotline, citizens: Citizens) -> None:
    """示忙拒接 names the call that rang and waited; 绕过控制台 from Asterisk's pause to its end; an appeal."""
    hotline.sign_in(a1001="2001")
    call_id = citizens.call("12319", 30)
    hotline.until(lambda: hotline.agent("1001")["state"] == "ringing")
    assert hotline.page("1001").ask("POST", "me/busy", {"reason": "ticket"}).status == 200
    hotline.until(lambda: [f[0] for f in found(hotline)] == ["busy_refusing"], 10)
    citizens.hang_up(call_id)
    assert hotline.page("1001").ask("POST", "me/ready").status == 200
    hotline.lab.cli("queue pause member Local/2001@lab-seats/n queue hotline reason lunch")
    hotline.until(lambda: len(found(hotline)) == 2, 12)
    hotline.lab.cli("queue unpause member Local/2001@lab-seats/n queue hotline")
    hotline.until(lambda: {f[2] for f in found(hotline)} == {"found"}, 6)
    refusing, past = found(hotline)
    names = [(e["event"], e.get("call_id")) for e in refusing[3]["events"]]
    assert names == [("GoBusy", None), ("AgentCalled", call_id), ("QueueCallerJoin", call_id)]
    assert (past[0], past[3]["events"][0]["event"], past[3]["events"][0]["what"]) == (
        "past_console", "QueueMemberPause", "pause:lunch"
    )  # fmt: skip
    own = hotline.page("1001").ask("GET", "me/findings").body
    ident = next(f["finding_id"] for f in own if f["kind"] == "past_console")
    appeal = hotline.page("1001").ask("POST", f"me/findings/{ident}/appeal", {"reason": "话机误操作"})
    ruled = hotline.page(LEAD).ask("POST", f"findings/{ident}/rule", {"upheld": False, "reason": "经查属实"})
    assert (appeal.body["state"], ruled.body["state"]) == ("appealed", "revoked")
    assert [step["what"] for step in ruled.body["steps"]] == ["appealed", "revoked"]

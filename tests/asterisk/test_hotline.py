"""Calls through the real Asterisk, into rows: offers, answers, endings, transfers, tickets, recordings."""

from __future__ import annotations

import hashlib
import time

import pytest

from cti.lab import oracle
from cti.lab.citizens import Citizens
from tests.asterisk.conftest import Hotline

pytestmark = pytest.mark.asterisk


def test_an_answered_call_becomes_one_ticket_with_its_recording(hotline: Hotline, citizens: Citizens) -> None:
    """The card: a stub on answer with caller, agent, queue and times; the recording whole, hashed, attached."""
    hotline.sign_in(a1001="1001")
    call_id = citizens.call("12319", 8, "13800000011")
    hotline.settled(1)
    ticket = hotline.rows("select call_id, caller, agent, hotline, queue, wait_ms, ring_ms, ticket_id from tickets")
    assert [row[:5] for row in ticket] == [(call_id, "13800000011", "1001", "12319", "hotline")]
    wait_ms, ring_ms, ticket_id = ticket[0][5:]
    assert 900 <= ring_ms <= wait_ms  # a seat 1xxx picks up after 1 to 3 s
    state, path, length_ms, digest, of_ticket, expected = hotline.rows(
        "select state, path, length_ms, sha256, ticket_id, expected_ms from recordings"
    )[0]
    file = hotline.lab.recordings / path
    assert (state, of_ticket) == ("ok", ticket_id)
    assert digest == hashlib.sha256(file.read_bytes()).hexdigest()
    assert abs(length_ms - expected) < 500
    assert oracle.listen(file).loudness > 100
    connect = [row for row in oracle.read_queue_log(hotline.lab.queue_log) if row.verb == "CONNECT"]
    assert [(row.call_id, row.agent) for row in connect] == [(call_id, "1001")]
    held_s, _, rang_s = connect[0].data  # app_queue's own, in whole seconds
    assert abs(wait_ms - int(held_s) * 1000) <= 1100
    assert abs(ring_ms - int(rang_s) * 1000) <= 1100


def test_ring_no_answer_goes_to_the_next_agent_and_is_kept(hotline: Hotline, citizens: Citizens) -> None:
    """Each offer has its ring time in milliseconds; queue_log's RINGNOANSWER says the same to its own accuracy."""
    hotline.sign_in(a1001="2001")
    call_id = citizens.call("12319", 40)
    hotline.until(lambda: hotline.agent("1001")["state"] == "ringing")
    hotline.sign_in(a1002="3002")
    hotline.until(lambda: hotline.rows("select agent from tickets"), 25)
    citizens.hang_up(call_id)
    hotline.settled(1)
    offers = hotline.rows("select agent, outcome, ring_ms from offers order by ordinal")
    assert [offer[:2] for offer in offers] == [("1001", "no_answer"), ("1002", "answered")]
    assert offers[0][2] >= 14_900
    logged = [row for row in oracle.read_queue_log(hotline.lab.queue_log) if row.verb == "RINGNOANSWER"]
    assert abs(int(logged[0].data[0]) - offers[0][2]) < 1000
    assert hotline.agent("1001")["calls_today"] == 0


def test_why_a_caller_left_is_queue_logs_word(hotline: Hotline, citizens: Citizens) -> None:
    """QueueCallerAbandon fires on every unanswered exit; giving up and being timed out are told apart."""
    citizens.call("12319", 2)
    hotline.settled(1)
    timed_out = "[cti-hotline]\nexten => hotline,1,Answer()\n same => n,Queue(hotline,t,,,2)\n same => n,Hangup()\n"
    extensions = hotline.lab.work / "etc/cti_extensions.conf"
    text = extensions.read_text()
    start, end = text.index("[cti-hotline]"), text.index("[cti-caller]")
    extensions.write_text(text[:start] + timed_out + text[end:])
    hotline.lab.cli("dialplan reload")
    citizens.call("12319", 10)
    hotline.settled(2)
    assert hotline.rows("select ending from calls order by entered_at") == [("abandoned",), ("timed_out",)]
    assert hotline.rows("select count(*) from tickets") == [(0,)]
    assert hotline.board()["today"]["abandoned"] == 2


@pytest.mark.parametrize("form", ["blind", "attended"])
def test_a_transfer_keeps_one_ticket_with_the_first_agent(hotline: Hotline, citizens: Citizens, form: str) -> None:
    """首问责任: ticket, recording and linkedid stay with the call; the first agent is free when his part is over."""
    hotline.sign_in(a1001="3001")
    call_id = citizens.call("12319", 14)
    hotline.until(lambda: hotline.agent("1001")["state"] == "talking")
    if form == "blind":
        citizens.blind_transfer(call_id, "3009")
    else:
        citizens.attended_transfer(call_id, "3009", 1)
    hotline.until(lambda: hotline.agent("1001")["state"] in ("wrap_up", "ready"))
    assert hotline.rows("select count(*) from calls where ended_at is not null") == [(0,)]
    hotline.settled(1, 30)
    assert hotline.rows("select call_id, agent from tickets") == [(call_id, "1001")]
    ending, transfers = hotline.rows("select ending, transfers from calls")[0]
    assert ending == "transferred"
    assert form in transfers
    assert hotline.rows("select count(*), min(state) from recordings") == [(1, "ok")]


def test_a_pause_set_past_us_is_seen_and_marked(hotline: Hotline, citizens: Citizens) -> None:
    """F45: from the CLI, a phone or another AMI client; the board says 'outside', and desired stays as it was."""
    hotline.sign_in(a1001="3001")
    hotline.lab.cli("queue pause member Local/3001@lab-seats/n queue hotline reason lunch")
    hotline.until(lambda: hotline.agent("1001")["outside"] == "pause:lunch", 6)
    assert hotline.agent("1001")["state"] == "ready"
    hotline.lab.cli("queue unpause member Local/3001@lab-seats/n queue hotline")
    hotline.until(lambda: hotline.agent("1001")["outside"] is None, 6)


def test_a_member_taken_out_past_us_is_back_with_the_next_audit(hotline: Hotline) -> None:
    """The agent believes to be signed in: the audit of every 30 s makes it true again."""
    hotline.sign_in(a1001="3001")
    hotline.lab.cli("queue remove member Local/3001@lab-seats/n from hotline")
    hotline.until(lambda: "No Members" in hotline.members())
    hotline.until(lambda: "1001 (Local/3001@" in hotline.members(), 35)


def test_busy_ready_and_sign_out_reach_asterisk(hotline: Hotline) -> None:
    """示忙 with its reason, 就绪 and 签出, in the words of Asterisk's own queue_log."""
    hotline.sign_in(a1001="3001")
    page = hotline.page("1001")
    assert page.ask("POST", "me/busy", {"reason": "nap"}).status == 409
    assert page.ask("POST", "me/busy", {"reason": "break"}).status == 200
    hotline.until(lambda: "paused:break" in hotline.members())
    assert page.ask("POST", "me/ready").status == 200
    hotline.until(lambda: "paused" not in hotline.members())
    taken = hotline.page("1002").ask("POST", "me/sign-in", {"seat": "3001"})
    assert (taken.status, taken.body["code"], taken.body["articles"][0]["article"]) == (409, "seat_taken", "第十八条")
    assert page.ask("POST", "me/sign-out").status == 200
    hotline.until(lambda: "No Members" in hotline.members())
    verbs = [(r.verb, r.agent) for r in oracle.read_queue_log(hotline.lab.queue_log) if r.agent == "1001"]
    assert verbs == [("ADDMEMBER", "1001"), ("PAUSE", "1001"), ("UNPAUSE", "1001"), ("REMOVEMEMBER", "1001")]


def test_an_agent_signs_in_and_out_from_the_phone(hotline: Hotline, citizens: Citizens) -> None:
    """Feature code, work number, PIN over FastAGI; the seat is the phone's own; a wrong PIN changes nothing."""
    citizens.phone("*50", "3001", "1001#wwwwwwww000000#", 1)
    time.sleep(8)
    assert hotline.agent("1001")["state"] == "signed_out"
    citizens.phone("*50", "3001", "1001#wwwwwwww482915#", 1)
    hotline.until(lambda: hotline.agent("1001")["state"] == "ready", 20)
    assert hotline.agent("1001")["seat"] == "3001"
    citizens.phone("*52", "3001", "1001#wwwwwwww482915#", 1)
    hotline.until(lambda: hotline.agent("1001")["state"] == "busy", 20)
    citizens.phone("*53", "3001", "1001#wwwwwwww482915#", 1)
    hotline.until(lambda: hotline.agent("1001")["state"] == "ready", 20)
    citizens.phone("*51", "3001", "1001#wwwwwwww482915#", 1)
    hotline.until(lambda: hotline.agent("1001")["state"] == "signed_out", 20)

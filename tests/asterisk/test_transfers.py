"""Transfers on a real Asterisk (F16 to F20): queue_log, CDR and the recordings say that calls stay joined."""

from __future__ import annotations

import csv
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from cti.lab import oracle
from cti.lab.asterisk import LabAsterisk
from cti.lab.citizens import Citizens
from cti.lab.sip import run_scenario
from tests.asterisk.conftest import LEAD, Hotline

pytestmark = pytest.mark.asterisk
PHONE = """
[phone]
type = endpoint
aors = phone
disallow = all
allow = alaw
[phone]
type = aor
contact = sip:127.0.0.1:{port}
"""
SIPP = Path(__file__).parent / "sipp"

UNIT = {"zh": "燃气抢修", "en": "Gas repair", "role": "outside", "numbers": [{"number": "05305550001"}]}
DEAF = {**UNIT, "numbers": [{"number": "05305550009"}]}  # rings out


def begin(hotline: Hotline, agent: str, how: str, kind: str, code: str) -> None:
    """The agent's page asks for a transfer."""
    answer = hotline.page(agent).ask("POST", "me/transfer", {"how": how, "kind": kind, "code": code})
    assert answer.status == 200, answer


def state(hotline: Hotline, agent: str) -> str:
    """What the board says of an agent."""
    found: str = hotline.agent(agent)["state"]
    return found


def outcome(hotline: Hotline) -> list[tuple[Any, ...]]:
    """The transfers of the database."""
    return hotline.rows("select agent, how, target, state, why from transfers order by asked_at")


def verbs(hotline: Hotline, call_id: str) -> list[str]:
    """What queue_log tells of a call."""
    return [row.verb for row in oracle.read_queue_log(hotline.lab.queue_log) if row.call_id == call_id]


def cdr_ids(hotline: Hotline, call_id: str) -> set[str]:
    """The linkedids of the CDR rows of a call's caller."""
    with hotline.lab.cdr.open() as file:
        return {row[1] for row in csv.reader(file) if row[0] == call_id}


def test_a_warm_transfer_to_a_colleague(hotline: Hotline, citizens: Citizens) -> None:
    """F17 by the page: first agent free, second talking with the same ticket; both recordings are whole."""
    hotline.sign_in(a1001="3001")
    call_id = citizens.call("12319", 14)
    hotline.until(lambda: state(hotline, "1001") == "talking")
    hotline.sign_in(a1002="3002")
    begin(hotline, "1001", "consult", "agent", "1002")
    hotline.until(lambda: hotline.agent("1001")["transfer"]["state"] == "consulting")
    assert (state(hotline, "1001"), state(hotline, "1002")) == ("talking", "talking")
    ticket_id = hotline.rows("select ticket_id from tickets")[0][0]
    hotline.until(lambda: [row[3] for row in outcome(hotline)] == ["consulting"])  # shown, then written
    seen = hotline.page("1002").ask("GET", f"tickets/{ticket_id}")
    assert (seen.status, seen.body["agent"]) == (200, "1001")
    assert hotline.page("1003").ask("GET", f"tickets/{ticket_id}").status == 404
    assert hotline.page("1001").ask("POST", "me/transfer/complete").status == 200
    hotline.until(lambda: state(hotline, "1001") in ("wrap_up", "ready"))
    assert state(hotline, "1002") == "talking"
    hotline.settled(1, 30)
    hotline.until(lambda: state(hotline, "1002") in ("wrap_up", "ready"))
    assert outcome(hotline) == [("1001", "consult", "1002", "done", "")]
    assert hotline.rows("select call_id, agent from tickets") == [(call_id, "1001")]
    assert hotline.rows("select agent, outcome from offers order by ordinal") == [
        ("1001", "answered"), ("1002", "answered"),
    ]  # fmt: skip
    assert verbs(hotline, call_id)[-1] == "ATTENDEDTRANSFER"
    assert len(cdr_ids(hotline, call_id)) == 1
    recordings = hotline.rows("select path, ticket_id, state from recordings order by expected_ms")
    assert [row[1:] for row in recordings] == [(ticket_id, "ok")] * 2
    assert all(oracle.listen(hotline.lab.recordings / row[0]).loudness > 100 for row in recordings)


def test_a_unit_that_does_not_answer_gives_the_caller_back(hotline: Hotline, citizens: Citizens) -> None:
    """Taken back by the key while it rings: the caller is with the agent again; then a unit that answers."""
    assert hotline.page(LEAD).ask("PUT", "directory/units/deaf", DEAF).status == 200
    assert hotline.page(LEAD).ask("PUT", "directory/units/gas", UNIT).status == 200
    hotline.sign_in(a1001="3001")
    call_id = citizens.call("12319", 25)
    hotline.until(lambda: state(hotline, "1001") == "talking")
    begin(hotline, "1001", "consult", "unit", "deaf")
    hotline.until(lambda: hotline.agent("1001")["transfer"]["state"] == "ringing")
    assert hotline.page("1001").ask("POST", "me/transfer/complete").status == 409
    assert hotline.page("1001").ask("POST", "me/transfer/cancel").status == 200
    hotline.until(lambda: outcome(hotline) == [("1001", "consult", "deaf", "returned", "cancelled")])
    citizens.wait_for(lambda: citizens.agent_leg(call_id), "the caller to be back")
    assert state(hotline, "1001") == "talking"
    begin(hotline, "1001", "blind", "unit", "gas")
    hotline.until(lambda: outcome(hotline)[1:] == [("1001", "blind", "gas", "done", "")])
    hotline.until(lambda: state(hotline, "1001") in ("wrap_up", "ready"))
    assert "BLINDTRANSFER" in verbs(hotline, call_id)
    citizens.hang_up(call_id)
    hotline.settled(1)
    assert hotline.rows("select count(*), min(state) from recordings where ticket_id is not null") == [(1, "ok")]


def test_a_blind_transfer_that_nobody_takes_comes_back(hotline: Hotline, citizens: Citizens) -> None:
    """A seat that is busy: the agent's own phone is rung, and he has the caller again with the same ticket."""
    hotline.sign_in(a1001="3001")
    call_id = citizens.call("12319", 20)
    hotline.until(lambda: state(hotline, "1001") == "talking")
    hotline.sign_in(a1002="4002")
    begin(hotline, "1001", "blind", "agent", "1002")
    hotline.until(lambda: outcome(hotline) == [("1001", "blind", "1002", "returned", "busy")])
    hotline.until(lambda: state(hotline, "1001") == "talking")
    citizens.hang_up(call_id)
    hotline.settled(1)
    hotline.until(lambda: state(hotline, "1001") in ("wrap_up", "ready"))
    assert hotline.rows("select call_id, agent from tickets") == [(call_id, "1001")]


def test_the_phones_own_keys_are_followed_and_reach_nothing_else(hotline: Hotline, citizens: Citizens) -> None:
    """Feature codes: a colleague's seat is reached; a number outside, which no unit has, is not."""
    hotline.sign_in(a1001="3001")
    call_id = citizens.call("12319", 30)
    hotline.until(lambda: state(hotline, "1001") == "talking")
    hotline.sign_in(a1002="3002")
    leg = citizens.agent_leg(call_id)
    citizens.press(leg.name, "##05305550001")  # no unit has this number
    hotline.until(lambda: [row[3:] for row in outcome(hotline)] == [("returned", "unavailable")], 15)
    with hotline.lab.cdr.open() as file:
        assert not [row for row in csv.reader(file) if "lab-citizens" in ",".join(row)]
    hotline.until(lambda: state(hotline, "1001") == "talking")
    leg = citizens.agent_leg(call_id)
    citizens.press(leg.name, "##3002#")
    hotline.until(lambda: outcome(hotline)[1:] == [("1001", "blind", "1002", "done", "")], 15)
    assert state(hotline, "1002") == "talking"
    assert hotline.rows("select distinct by_phone from transfers") == [(1,)]
    citizens.hang_up(call_id)
    hotline.settled(1)


def test_a_redirect_frees_the_agent_at_his_hangup(hotline: Hotline, citizens: Citizens) -> None:
    """F18: AgentComplete and queue_log speak only at the end of the whole call; the agent is free long before."""
    hotline.sign_in(a1001="3001")
    call_id = citizens.call("12319", 30)
    hotline.until(lambda: state(hotline, "1001") == "talking")
    hotline.sign_in(a1002="3002")
    caller = next(leg for leg in citizens.channels() if leg.uniqueid == call_id)
    citizens.ami.send("Redirect", Channel=caller.name, Context="cti-transfer", Exten="3002", Priority="1")
    hotline.until(lambda: state(hotline, "1001") in ("wrap_up", "ready"))
    hotline.until(lambda: state(hotline, "1002") == "talking")
    hotline.until(lambda: outcome(hotline) == [("1001", "blind", "1002", "done", "")])  # shown, then written
    citizens.hang_up(call_id)
    hotline.settled(1)
    hotline.until(lambda: state(hotline, "1002") in ("wrap_up", "ready"))
    assert hotline.rows("select call_id, agent from tickets") == [(call_id, "1001")]


def test_an_acknowledged_transfer_that_does_nothing_is_told(hotline: Hotline, citizens: Citizens) -> None:
    """F17: Queue() without the option t takes the action and does nothing; the agent and the lead are told."""
    extensions = hotline.lab.work / "etc/cti_extensions.conf"
    extensions.write_text(extensions.read_text().replace("Queue(hotline,tc", "Queue(hotline,c"))
    hotline.lab.cli("dialplan reload")
    hotline.sign_in(a1001="3001")
    call_id = citizens.call("12319", 30)
    hotline.until(lambda: state(hotline, "1001") == "talking")
    hotline.sign_in(a1002="3002")
    begin(hotline, "1001", "consult", "agent", "1002")
    hotline.until(lambda: outcome(hotline) == [("1001", "consult", "1002", "failed", "not_started")])
    assert hotline.board()["alarms"][0]["code"] == "transfer_failed"
    assert state(hotline, "1001") == "talking"
    citizens.hang_up(call_id)
    hotline.settled(1)


def test_a_local_member_without_n_is_followed(lab: LabAsterisk, citizens: Citizens, tmp_path: Path) -> None:
    """F19: Asterisk optimises the Local channel away in mid-talk; the agent goes on talking, and is free at the end."""
    local = Hotline(lab, tmp_path / "service", hotline={"seat_interface": "Local/{seat}@lab-colleagues"})
    try:
        assert local.page("1001").ask("POST", "me/sign-in", {"seat": "3001"}).status == 200
        call_id = citizens.call("12319", 20)
        local.until(lambda: state(local, "1001") == "talking")
        local.until(lambda: not [leg for leg in citizens.channels() if "@lab-colleagues" in leg.name])
        time.sleep(1)
        assert state(local, "1001") == "talking"
        connect = next(row for row in oracle.read_queue_log(lab.queue_log) if row.verb == "CONNECT")
        leg = citizens.agent_leg(call_id).uniqueid
        assert leg != connect.data[1]  # the leg that answered is no more
        assert local.rows("select leg from offers") == [(leg,)]
        citizens.hang_up_agent(call_id)
        local.until(lambda: state(local, "1001") in ("wrap_up", "ready"))
        local.settled(1)
        assert local.rows("select agent, ending from calls") == [("1001", "completed")]
    finally:
        local.service.stop()


def test_two_calls_on_one_agent(hotline: Hotline, citizens: Citizens) -> None:
    """F20: with ringinuse one seat takes two; the lead is told, each has its ticket, and he is free after both."""
    queues = hotline.lab.work / "etc/cti_queues.conf"
    queues.write_text(queues.read_text().replace("ringinuse = no", "ringinuse = yes"))
    hotline.lab.cli("queue reload all")
    hotline.sign_in(a1001="3001")
    calls = [citizens.call("12319", 30, f"1380000009{n}") for n in (5, 6)]
    hotline.until(lambda: hotline.rows("select count(*) from tickets where agent = '1001'") == [(2,)])
    assert "two_calls" in [alarm.get("code") for alarm in hotline.board()["alarms"]]
    citizens.hang_up(calls[1])
    hotline.until(lambda: hotline.rows("select count(*) from calls where ended_at is not null") == [(1,)])
    assert state(hotline, "1001") == "talking"
    citizens.hang_up(calls[0])
    hotline.settled(2)
    hotline.until(lambda: state(hotline, "1001") in ("wrap_up", "ready"))
    assert sorted(verbs(hotline, calls[0])[-1:] + verbs(hotline, calls[1])[-1:]) == ["COMPLETECALLER"] * 2


def test_a_phone_refers_to_seats_and_units_alone(lab: LabAsterisk, citizens: Citizens, tmp_path: Path) -> None:
    """SIP REFER of the agent's own phone, by SIPp: a foreign number is refused, a colleague's seat is taken."""
    pjsip = lab.work / "etc/pjsip.conf"
    pjsip.write_text(pjsip.read_text() + PHONE.format(port=lab.sipp_port))
    lab.cli("module reload res_pjsip.so")
    site = Hotline(lab, tmp_path / "service", hotline={"seat_interface": "PJSIP/phone"})
    try:
        phone = threading.Thread(target=run_phone, args=(lab, "8613800000001234", "3002"))
        phone.start()
        assert site.page("1001").ask("POST", "me/sign-in", {"seat": "3001"}).status == 200
        call_id = citizens.call("12319", 12)
        phone.join(25)
        assert not phone.is_alive()
        site.until(lambda: outcome(site) == [("1001", "blind", "", "done", "")])
        site.until(lambda: state(site, "1001") in ("wrap_up", "ready"))
        assert [row[:1] for row in site.rows("select by_phone from transfers")] == [(1,)]
        assert "BLINDTRANSFER" in verbs(site, call_id)
        citizens.hang_up(call_id)
        site.settled(1)
    finally:
        site.service.stop()


def run_phone(lab: LabAsterisk, wrong: str, right: str) -> None:
    """The agent's phone."""
    run_scenario(lab, SIPP / "phone.xml", [(wrong, right)])

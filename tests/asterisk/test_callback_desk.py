"""The key that dials, on the real Asterisk: read first, recorded or not made, callers first, and no fraud."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cti.lab import oracle
from cti.lab.asterisk import LabAsterisk
from cti.lab.citizens import Citizens
from tests.asterisk.conftest import LEAD, Hotline
from tests.asterisk.phones import Phones

pytestmark = pytest.mark.asterisk
NUMBER = "13800000251"


@pytest.fixture
def desk(lab: LabAsterisk, tmp_path: Path) -> Iterator[Hotline]:
    """A hotline at noon; agent 1001 is at a seat that picks up at once."""
    hotline = Hotline(lab, tmp_path / "service", callback={"agent_ring_s": 5, "ring_s": 3, "retry_agent_s": 1})
    lab.cli("dialplan set global CTI_RING_SECONDS 3")
    try:
        hotline.sign_in(a1001="3001")
        yield hotline
    finally:
        hotline.service.stop()
        lab.cli("dialplan set global CTI_OUT_PREFIX Local/")
        lab.cli("dialplan set global CTI_OUT_SUFFIX @lab-citizens/n")
        with Citizens.of(lab) as citizens:
            citizens.clear()


def ask(hotline: Hotline, number: str = NUMBER, key: str = "k-1") -> str:
    """A lead asks agent 1001 to call *number* back."""
    body = {"number": number, "agent": "1001"}
    answer = hotline.page(LEAD).ask("POST", "callbacks", body, Idempotency_Key=key)
    assert answer.status == 201, answer
    return str(answer.body["callback_id"])


def by_key(hotline: Hotline, number: str = NUMBER) -> str:
    """A callback that waits for the key of agent 1001; nobody has read its preview."""
    hotline.service.stop()
    with closing(sqlite3.connect(hotline.service.database)) as database, database:
        database.execute(
            "insert into callbacks (callback_id, pbx_id, number, agent, state, requested_at, requested_by, by_key,"
            " due_at) select 'c-0001', pbx_id, ?, '1001', 'due', since, '2001', 1, since from agents"
            " where since is not null limit 1", (number,)
        )  # fmt: skip
    hotline.service.start()
    hotline.pages.clear()
    return "c-0001"


def legs(lab: LabAsterisk, number: str) -> list[str]:
    """Legs to *number*, by CEL."""
    return [row.uniqueid for row in oracle.read_cel(lab.cel) if row.event == "CHAN_START" and row.exten == number]


def outcomes(hotline: Hotline) -> list[str]:
    """Of the attempts that are over."""
    return [row[0] for row in hotline.rows("select outcome from attempts where ended_at is not null")]


def test_the_key_dials_only_what_was_read(desk: Hotline) -> None:
    """KL 第十四条(九): the unit's reply is read first; the key is his who claimed it; kept with who and when."""
    callback_id = by_key(desk, "13800000252")
    dial = f"callbacks/{callback_id}/dial"
    refused = desk.page("1001").ask("POST", dial)
    assert (refused.status, refused.body["code"]) == (409, "preview_first")
    assert refused.body["articles"][0]["wording"].startswith("热线服务人员在回复（回访）客户前应熟悉工单的回复内容")
    assert desk.page(LEAD).ask("POST", dial).body["code"] == "callback_claimed"
    assert desk.page("1002").ask("POST", f"callbacks/{callback_id}/preview").status == 409
    assert desk.page("1001").ask("POST", f"callbacks/{callback_id}/preview").body == {"extension": ""}
    assert desk.rows("select callback_id, agent, opened_at > 0 from callback_previews") == [(callback_id, "1001", 1)]
    assert not legs(desk.lab, "13800000252")
    assert desk.page("1001").ask("POST", dial).status == 200
    desk.until(lambda: outcomes(desk) == ["reached"], 25)
    assert desk.rows("select pressed_by from dials") == [("1001",)]
    desk.until(lambda: desk.rows("select state from recordings") == [("ok",)], 15)


def test_what_cannot_be_recorded_rings_nobody(desk: Hotline) -> None:
    """QD 第十二条（三）: seen by the service beforehand, and by the dialplan where only Asterisk can see it."""
    lab, number = desk.lab, "13800000253"
    kept = lab.recordings.with_name("kept")
    shutil.move(lab.recordings, kept)
    try:
        callback_id = ask(desk, number)
        desk.until(lambda: outcomes(desk) == ["failed"])
        refused = desk.page(LEAD).ask("POST", f"callbacks/{callback_id}/dial")
        assert refused.status == 409
        assert "录音不能开始" in refused.body["detail"]
        assert "callbacks_unrecorded" in str(desk.board()["alarms"])
        assert not [row for row in oracle.read_cel(lab.cel) if row.exten == number]
    finally:
        shutil.move(kept, lab.recordings)


def test_what_asterisk_cannot_write_rings_nobody(desk: Hotline) -> None:
    """The folder is there for us, Asterisk writes elsewhere where it may not: the agent is rung, the caller is not."""
    lab, number = desk.lab, "13800000254"
    folder = str(lab.recordings)
    lab.cli("dialplan set global CTI_RECORDINGS /proc/none")
    try:
        ask(desk, number)
        desk.until(lambda: outcomes(desk) == ["failed"])
        assert "callbacks_unrecorded" in str(desk.board()["alarms"])
        assert not legs(lab, number)
    finally:
        lab.cli(f"dialplan set global CTI_RECORDINGS {folder}")


def test_callers_who_wait_go_first(desk: Hotline) -> None:
    """Nobody is called back while more callers wait than the lead lets; then it is dialled by itself."""
    desk.sign_in(a1002="4002")  # a seat that is always busy: callers wait
    desk.page("1001").ask("POST", "me/busy", {"reason": "ticket"})
    with Citizens.of(desk.lab) as citizens:
        citizens.call(seconds=60, caller="13800000261")
        desk.until(lambda: desk.board()["queue"]["waiting"] == 1)
        callback_id = by_key(desk, "13800000255")
        desk.until(lambda: desk.board()["queue"]["waiting"] == 1)
        agent = desk.page("1001")
        assert agent.ask("POST", f"callbacks/{callback_id}/preview").status == 200
        refused = agent.ask("POST", f"callbacks/{callback_id}/dial")
        assert (refused.status, refused.body["code"]) == (409, "inbound_first")
        assert agent.ask("PUT", "callbacks/dialling", {"waiting": 1}).status == 403
        assert desk.page(LEAD).ask("PUT", "callbacks/dialling", {"waiting": 51}).status == 422
        assert desk.page(LEAD).ask("PUT", "callbacks/dialling", {"waiting": 1}).status == 204
        assert desk.board()["duty"]["dialling"]["waiting_most"] == 1
        assert agent.ask("POST", f"callbacks/{callback_id}/dial").status == 200
        desk.until(lambda: outcomes(desk) == ["reached"], 25)


def test_a_caller_who_rings_in_himself_wins(desk: Hotline) -> None:
    """F41: his phone rings, he rings us: the dial gives way, both are linked, and no attempt is counted."""
    number = "13800000259"  # rings out
    callback_id = ask(desk, number)
    desk.until(lambda: legs(desk.lab, number))
    with Citizens.of(desk.lab) as citizens:
        call_id = citizens.call(seconds=6, caller=number)
        desk.until(lambda: outcomes(desk) == ["caller_came"])
        assert desk.rows("select call_id from dials") == [(call_id,)]
        ours = desk.rows("select channel_id from attempts")[0][0]
        citizens.wait_for(lambda: ours not in {leg.uniqueid for leg in citizens.channels()}, "our leg to end", 3)
        refused = desk.page(LEAD).ask("POST", f"callbacks/{callback_id}/dial")
        assert "来电人正在线上" in refused.body["detail"]
        desk.until(lambda: desk.rows("select agent from tickets where call_id = ?", call_id) == [("1001",)], 15)
    assert desk.rows("select state from callbacks") == [("due",)]


@pytest.mark.parametrize(("digit", "outcome"), [("5", "no_answer"), ("6", "no_answer"), ("7", "failed"), ("8", "busy")])
def test_over_sip_a_phone_that_rejects_has_been_reached_and_a_network_has_not(
    desk: Hotline, digit: str, outcome: str
) -> None:
    """603 and 486 are the caller's own and count; 503 never rang him and counts as nothing."""
    number = f"1380000026{digit}"
    phones = Phones(desk.lab)
    try:
        desk.lab.cli("dialplan set global CTI_OUT_PREFIX PJSIP/")
        desk.lab.cli("dialplan set global CTI_OUT_SUFFIX @trunk")
        ask(desk, number)
        desk.until(lambda: outcomes(desk) == [outcome], 15)
        assert phones.invited == [number]
    finally:
        phones.close()


def test_a_seats_phone_rings_no_citizen_by_itself(desk: Hotline) -> None:
    """HZ 第二十五条: no private calls. What a seat's phone dials past the service is refused and stands in CDR."""
    number = "13800000271"
    with Citizens.of(desk.lab) as citizens:
        citizens.ami.send(
            "Originate", Channel=f"Local/{number}@cti-no-outbound/n", Context="lab-hand", Exten="types", Priority="1",
            Variable="LAB_KEYS=1,LAB_BEFORE=0", Async="true", Timeout="5000",
        )  # fmt: skip
        desk.until(lambda: number in desk.lab.cdr.read_text() if desk.lab.cdr.exists() else False)
    assert "lab-citizens" not in desk.lab.cdr.read_text()
    assert desk.rows("select count(*) from attempts") == [(0,)]


def test_an_extension_is_shown_and_the_main_number_is_dialled(desk: Hotline) -> None:
    """0530-5550001转8001: Asterisk dials 05305550001; the agent is told 8001."""
    callback_id = ask(desk, "0530-5550001转8001")
    desk.until(lambda: outcomes(desk) == ["reached"], 25)
    assert legs(desk.lab, "05305550001")
    assert desk.rows("select extension from callback_extensions where callback_id = ?", callback_id) == [("8001",)]


FRAUD = (
    "123&PJSIP/900", "13800000001@other", "Local/1@x", "13800000001/n", "1" * 40, "13800000001,W=1", "13800000001\n",
    "138\r\nAction: Originate", "138abc00001", "0530-5550001转8&9", "0530-5550001转8,1", "${SHELL(id)}",
    "008520000000", "16800000001", "110", "95588", "13800000001转8",
)  # fmt: skip


def test_toll_fraud_is_refused_by_field_and_nothing_is_dialled(desk: Hotline) -> None:
    """S4 to S6: no dial string but a line in China of an allowed class; S7: nothing but the number can be named."""
    page = desk.page(LEAD)
    for n, number in enumerate(FRAUD):
        answer = page.ask("POST", "callbacks", {"number": number, "agent": "1001"}, Idempotency_Key=f"f-{n}")
        assert (answer.status, "number" in str(answer.body)) == (422, True)
    for n, number in enumerate(FRAUD[:6]):
        answer = page.ask("POST", "owed", {"caller": number}, Idempotency_Key=f"o-{n}")
        assert (answer.status, answer.body["code"]) == (422, "bad_input")
    for more in ("context", "application", "channel_id", "variables"):
        body = {"number": NUMBER, "agent": "1001", more: "x"}
        assert page.ask("POST", "callbacks", body, Idempotency_Key="f-99").status == 422
    assert desk.rows("select count(*) from callbacks") == [(0,)]
    assert desk.rows("select count(*) from attempts") == [(0,)]


def test_forged_variables_beside_a_dial_reach_nothing(desk: Hotline) -> None:
    """S7: by CEL, the leg has our id, runs in our context and rings the number that was asked for, and no other."""
    lab, number = desk.lab, "13800000273"
    callback_id = by_key(desk, number)
    agent = desk.page("1001")
    assert agent.ask("POST", f"callbacks/{callback_id}/preview").status == 200
    forged = {"variables": {"CTI_OUT_PREFIX": "PJSIP/", "CTI_NOT_AFTER": "1"}, "channel_id": "cticb-1", "exten": "900"}
    before = len(oracle.read_cel(lab.cel))
    dialled = agent.ask("POST", f"callbacks/{callback_id}/dial?Variable=W%3D1&exten=900", forged, Variable="W=1")
    assert dialled.status == 200
    desk.until(lambda: outcomes(desk) == ["reached"], 25)
    ((ours,),) = desk.rows("select channel_id from attempts")
    legs_made = [row for row in oracle.read_cel(lab.cel)[before:] if row.event == "CHAN_START"]
    assert {row.linkedid for row in legs_made} == {ours}
    assert {row.exten for row in legs_made if row.context == "lab-citizens"} == {number}
    assert "900" not in {row.exten for row in legs_made}

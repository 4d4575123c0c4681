"""What callers hear, by the audio itself: the agent's number, notices, warnings, position; the answer is not late."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cti.lab import oracle
from cti.lab.asterisk import ASTERISK_CONF, LabAsterisk
from cti.lab.citizens import Citizens
from cti.lab.manager import Headers, Manager, headers_of
from tests.asterisk.conftest import LEAD, Hotline
from tests.asterisk.ears import ears, heard

pytestmark = pytest.mark.asterisk

NUMBER = "13800000011"


def switch(lab: LabAsterisk, **switches: str) -> None:
    """Set globals of the dialplan, as a site does in the file."""
    for name, value in switches.items():
        lab.cli(f"dialplan set global {name} {value}")


def over(citizens: Citizens) -> None:
    """Until no leg is alive."""
    citizens.wait_for(lambda: not citizens.channels(), "the call to end", 25)


def test_the_agents_number_is_heard_by_both_and_costs_the_answer_nothing(lab: LabAsterisk) -> None:
    """「1001号话务员为您服务」: words in both ears and in the recording; AgentConnect and CONNECT are on time."""
    events: list[Headers] = []
    folder = ears(lab)
    switch(lab, CTI_SAY_AGENT="yes")
    with (
        Manager("127.0.0.1", lab.ami_port, "lab", lab.lab_secret, lambda f: events.append(headers_of(f))),
        Citizens.of(lab) as citizens,
    ):
        citizens.add_member("1001", "8001")
        call_id = citizens.call("12319", 7, NUMBER, say="ear")
        citizens.wait_for(lambda: call_id in oracle.answered(lab.queue_log), "the answer")
        over(citizens)
    caller, seat = heard(folder / f"{NUMBER}.wav"), heard(folder / "8001.wav")
    kept = heard(oracle.recordings(lab.recordings)[call_id])
    at = {e["Event"]: float(e["Timestamp"]) for e in events if e.get("Event") in ("AgentCalled", "AgentConnect")}
    assert at["AgentConnect"] - at["AgentCalled"] < 2.0  # with Queue()'s AGI argument 3.6 s: after the words
    for ear in (caller, seat, kept):
        (words,) = ear.words
        assert 2.0 < words.end - words.start < 4.5
    assert caller.agent[0].start < caller.words[0].end  # the agent's hello is heard with the words, not after them
    assert caller.agent[0].end - caller.agent[0].start > 6.3
    rows = [row for row in oracle.read_queue_log(lab.queue_log) if row.call_id == call_id]
    assert [(row.verb, row.data[0]) for row in rows[1:]] == [("CONNECT", "0"), ("COMPLETECALLER", "0")]
    assert kept.seconds == pytest.approx(7, abs=0.5)


def test_nothing_is_said_unless_the_site_says_yes(lab: LabAsterisk, citizens: Citizens) -> None:
    """As installed, the caller hears the agent and nothing else, and is hung up with the agent."""
    folder = ears(lab)
    citizens.add_member("1001", "8001")
    call_id = citizens.call("12319", 20, NUMBER, say="ear")
    citizens.wait_for(lambda: call_id in oracle.answered(lab.queue_log), "the answer")
    time.sleep(1)
    citizens.hang_up_agent(call_id)
    over(citizens)
    caller = heard(folder / f"{NUMBER}.wav")
    assert caller.words == []
    assert caller.seconds < 15  # he would have stayed for 20


def test_a_sites_own_recording_wins_over_ours(lab: LabAsterisk, citizens: Citizens) -> None:
    """sounds/zh/custom/cti/NAME of another voice is played in the place of the shipped one, file by file."""
    config = lab.work / "etc/asterisk.conf"
    config.write_text(config.read_text().replace("[options]", "[options]\nsounds_search_custom_dir = yes"))
    own = lab.work / "data/sounds/zh/custom/cti"
    own.mkdir(parents=True)
    shutil.copy(ASTERISK_CONF / "sounds/zh/cti/d1.gsm", own / "recorded.gsm")
    lab.stop()
    lab.start()
    folder = ears(lab)
    switch(lab, CTI_SAY_RECORDED="yes")
    with Citizens.of(lab) as after:
        after.call("12319", 4, NUMBER, say="ear")
        after.wait_for(lambda: after.waiting(), "the caller to wait")
        over(after)
    (words,) = heard(folder / f"{NUMBER}.wav").words
    assert words.end - words.start < 0.6


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_recorded_line_notice_comes_before_the_queue(lab: LabAsterisk, citizens: Citizens, language: str) -> None:
    """Heard whole before the caller is a queue entry, in Chinese or in English."""
    folder = ears(lab)
    switch(lab, CTI_SAY_RECORDED="yes", CTI_LANGUAGE=language)
    citizens.call("12319", 7, NUMBER, say="ear")
    time.sleep(1.5)
    assert not citizens.waiting()
    citizens.wait_for(citizens.waiting, "the caller to wait")
    over(citizens)
    words = heard(folder / f"{NUMBER}.wav").words
    assert 2 < words[-1].end - words[0].start < 5


def test_the_second_in_line_hears_his_place(lab: LabAsterisk, citizens: Citizens) -> None:
    """announce-frequency in cti_queues.conf switches it; the first in line is told nothing."""
    folder = ears(lab)
    queues = lab.work / "etc/cti_queues.conf"
    queues.write_text(queues.read_text().replace("announce-frequency = 0\n", "announce-frequency = 15\n", 1))
    lab.cli("queue reload parameters hotline")
    citizens.call("12319", 8, NUMBER, say="ear")
    citizens.wait_for(lambda: len(citizens.waiting()) == 1, "the first to wait")
    citizens.call("12319", 7, "13800000012", say="ear")
    over(citizens)
    assert heard(folder / f"{NUMBER}.wav").words == []
    words = heard(folder / "13800000012.wav").words
    assert 1 < words[-1].end - words[0].start < 5
    assert "does not exist" not in (lab.log / "messages.log").read_text()


@pytest.fixture
def outage(lab: LabAsterisk, tmp_path: Path) -> Callable[[], Hotline]:
    """A hotline with two areas; numbers of the first begin with 0530555."""
    areas = {"east": {"zh": "东片区", "en": "East"}, "west": {"zh": "西片区", "en": "West"}}
    hotline = {"areas": areas, "area_prefixes": {"east": ["0530555"]}}
    return lambda: Hotline(lab, tmp_path / "service", hotline=hotline)


def test_an_outage_is_announced_to_its_area_alone(lab: LabAsterisk, outage: Callable[[], Hotline]) -> None:
    """Put by the lead, heard by callers of the area alone, with the service dead too, until its end."""
    hotline = outage()
    folder = ears(lab)
    try:
        until = datetime.now(UTC) + timedelta(seconds=26)
        body = {"area": "east", "kind": "sudden", "text": "水厂跳闸", "until": until.isoformat()}
        assert hotline.page("1001").ask("POST", "outages", body).status == 403
        put = hotline.page(LEAD).ask("POST", "outages", body)
        assert (put.status, put.body["late"]) == (201, False)
        (shown,) = hotline.board()["duty"]["outages"]
        assert (shown["area"], shown["text"]) == ("east", "水厂跳闸")
        hotline.until(lambda: "CTI_OUTAGE_1" in lab.cli("dialplan show globals"))
        with Citizens.of(lab) as citizens:
            citizens.call("12319", 9, "05305550001", say="ear")
            citizens.call("12319", 3, "05306660001", say="ear")
            over(citizens)
            hotline.service.kill()
            citizens.call("12319", 3, "05305550002", say="ear")
            over(citizens)
            time.sleep(max((until - datetime.now(UTC)).total_seconds(), 0) + 1)
            citizens.call("12319", 3, "05305550003", say="ear")
            over(citizens)
        east = heard(folder / "05305550001.wav").words
        assert 5 < east[-1].end - east[0].start < 9
        assert heard(folder / "05306660001.wav").words == []
        assert heard(folder / "05305550002.wav").words
        assert heard(folder / "05305550003.wav").words == []
    finally:
        hotline.service.stop()


def test_the_nuisance_warning_is_heard_and_recorded(hotline: Hotline, citizens: Citizens) -> None:
    """One key: caller and agent hear it while the conversation goes on; the recording proves that it was said."""
    folder = ears(hotline.lab)
    hotline.sign_in(a1001="8001")
    call_id = citizens.call("12319", 14, NUMBER, say="ear")
    hotline.until(lambda: hotline.agent("1001")["state"] == "talking")
    page = hotline.page("1001")
    assert hotline.page("1002").ask("POST", f"calls/{call_id}/announce", {"prompt": "nuisance"}).status == 409
    assert page.ask("POST", f"calls/{call_id}/announce", {"prompt": "nuisance"}).status == 202
    hotline.settled(1, 30)
    over(citizens)
    for file in (folder / f"{NUMBER}.wav", oracle.recordings(hotline.lab.recordings)[call_id]):
        words = heard(file).words
        assert 6 < words[-1].end - words[0].start < 10
    assert [row.verb for row in oracle.read_queue_log(hotline.lab.queue_log) if row.call_id == call_id] == [
        "ENTERQUEUE", "CONNECT", "COMPLETECALLER",
    ]  # fmt: skip


def test_a_silent_call_ends_by_one_key(hotline: Hotline, citizens: Citizens) -> None:
    """The agent is free at once, the caller hears that nobody was heard and is hung up, the stub says silent."""
    folder = ears(hotline.lab)
    hotline.sign_in(a1001="8001")
    call_id = citizens.call("12319", 60, NUMBER, say="ear")
    hotline.until(lambda: hotline.agent("1001")["state"] == "talking")
    assert hotline.page("1001").ask("POST", f"calls/{call_id}/end", {"ending": "silent"}).status == 202
    hotline.until(lambda: hotline.agent("1001")["state"] in ("wrap_up", "ready"), 10)
    hotline.settled(1, 20)
    over(citizens)
    caller = heard(folder / f"{NUMBER}.wav")
    assert caller.seconds < 40  # he would have stayed for 60
    words = caller.words
    assert 4 < words[-1].end - words[0].start < 8
    assert hotline.rows("select caller_kind from stubs") == [("silent",)]
    assert hotline.rows("select state from recordings") == [("ok",)]
    assert heard(oracle.recordings(hotline.lab.recordings)[call_id]).words == []  # nothing of what came after

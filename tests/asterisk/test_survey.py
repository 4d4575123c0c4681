"""满意度评价: the caller rates by one key after the agent hung up; silence, wrong keys and hang-ups lose nothing."""

from __future__ import annotations

import pytest

from cti.lab import oracle
from cti.lab.asterisk import LabAsterisk
from cti.lab.citizens import Citizens
from tests.asterisk.conftest import Hotline
from tests.asterisk.ears import ears, heard
from tests.asterisk.test_voice import NUMBER, over, switch

pytestmark = pytest.mark.asterisk

RATED = "select call_id, agent, rating from ratings"


def press(citizens: Citizens, call_id: str, key: str) -> None:
    """The citizen presses a key: on his own leg, which the lab numbers beside the one in the queue."""
    citizens.ami.send("PlayDTMF", Channel=call_id.replace(".9", ".8"), Digit=key)


def put_down(citizens: Citizens, call_id: str) -> None:
    """The agent's phone hangs up by itself, as a real one does: AMI's Hangup of his leg is none for app_queue."""
    phone = citizens.agent_leg(call_id).name.removesuffix(";1") + ";2"
    citizens.ami.send("Hangup", Channel=phone, Cause="16")


def asked(citizens: Citizens, call_id: str) -> None:
    """Until the caller hears the question."""
    reading = {("cti-survey", "Read")}
    citizens.wait_for(
        lambda: reading & {(c.context, c.application) for c in citizens.channels() if c.uniqueid == call_id},
        "the question",
    )


def verbs(lab: LabAsterisk, call_id: str) -> list[tuple[str, str]]:
    """queue_log of the call: verbs, with the rating."""
    rows = [row for row in oracle.read_queue_log(lab.queue_log) if row.call_id == call_id]
    return [(row.verb, row.data[0] if row.verb == "RATING" else "") for row in rows]


def test_the_agent_hangs_up_and_the_caller_rates(hotline: Hotline, citizens: Citizens) -> None:
    """The rating is on the ticket; the agent is free, the talk and its recording are over before the question."""
    lab, folder = hotline.lab, ears(hotline.lab)
    switch(lab, CTI_SURVEY="yes")
    hotline.sign_in(a1001="8001")
    call_id = citizens.call("12319", 60, NUMBER, say="ear")
    hotline.until(lambda: hotline.agent("1001")["state"] == "talking")
    put_down(citizens, call_id)
    asked(citizens, call_id)
    hotline.until(lambda: hotline.agent("1001")["state"] != "talking", 3)
    press(citizens, call_id, "1")
    over(citizens)
    hotline.until(lambda: hotline.rows(RATED) == [(call_id, "1001", 1)], 15)
    hotline.settled(1)
    assert verbs(lab, call_id) == [("ENTERQUEUE", ""), ("CONNECT", ""), ("COMPLETEAGENT", ""), ("RATING", "1")]
    state, length_ms, expected_ms = hotline.rows("select state, length_ms, expected_ms from recordings")[0]
    assert state == "ok"
    assert abs(length_ms - expected_ms) < 500
    recording = heard(oracle.recordings(lab.recordings)[call_id])
    assert recording.words == []
    assert heard(folder / f"{NUMBER}.wav").words
    ticket_id = hotline.rows("select ticket_id from tickets")[0][0]
    page = hotline.page("1001")
    rating = page.ask("GET", f"tickets/{ticket_id}/rating").body
    assert (rating["rating"], rating["agent"]) == (1, "1001")
    assert hotline.page("1002").ask("GET", f"tickets/{ticket_id}/rating").status == 404


def test_the_agent_invites_by_a_key_and_the_service_dies(hotline: Hotline, citizens: Citizens) -> None:
    """Without the site's switch only the invited caller is asked; what he pressed is read when the service is back."""
    hotline.sign_in(a1001="8001")
    call_id = citizens.call("12319", 60, NUMBER, say="ear")
    hotline.until(lambda: hotline.agent("1001")["state"] == "talking")
    assert hotline.page("1001").ask("POST", f"calls/{call_id}/end", {"ending": "rate"}).status == 202
    asked(citizens, call_id)
    hotline.service.kill()
    press(citizens, call_id, "3")
    over(citizens)
    assert verbs(hotline.lab, call_id)[-2:] == [("COMPLETEAGENT", ""), ("RATING", "3")]
    hotline.service.start()
    hotline.until(lambda: hotline.rows(RATED) == [(call_id, "1001", 3)], 20)
    hotline.settled(1)


def test_no_rating_is_made_of_silence_wrong_keys_or_a_hang_up(lab: LabAsterisk, citizens: Citizens) -> None:
    """Asked twice, thanked and hung up, with no service at all; who hangs up in the middle is gone."""
    switch(lab, CTI_SURVEY="yes")
    folder = ears(lab)
    for seat in ("8001", "8002", "8003"):
        citizens.add_member(f"1{seat[1:]}", seat)
    numbers = ("13800000011", "13800000012", "13800000013")
    silent, wrong, gone = calls = [citizens.call("12319", 60, number, say="ear") for number in numbers]
    citizens.wait_for(lambda: set(calls) <= set(oracle.answered(lab.queue_log)), "the answers")
    for call_id in calls:
        put_down(citizens, call_id)
    for call_id in calls:
        asked(citizens, call_id)
    press(citizens, wrong, "9")
    citizens.hang_up(gone)
    asked(citizens, wrong)
    press(citizens, wrong, "0")
    citizens.wait_for(lambda: not citizens.channels(), "the calls to end", 40)
    ended = [("ENTERQUEUE", ""), ("CONNECT", ""), ("COMPLETEAGENT", "")]
    assert [verbs(lab, call_id) for call_id in (silent, wrong, gone)] == [ended] * 3
    words = heard(folder / "13800000011.wav").words
    assert words[-1].end - words[0].start > 15  # the question twice, and the thanks

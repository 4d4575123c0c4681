"""满意度评价 of a callback: the agent hangs up first, the caller who was rung rates by one key, service or none."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cti.lab import oracle
from cti.lab.asterisk import LabAsterisk
from cti.lab.citizens import Channel, Citizens
from tests.asterisk.conftest import LEAD, Hotline
from tests.asterisk.test_voice import over, switch

pytestmark = pytest.mark.asterisk
NUMBER = "13800000281"
RESULTS = 'select what, "by" from callback_results'
SURVEY = {"cti-callback-after", "cti-survey"}


class Desk:
    """A hotline whose agent 1001 is called back with, at a seat that picks up at once."""

    def __init__(self, hotline: Hotline, citizens: Citizens) -> None:
        self.hotline, self.citizens, self.lab = hotline, citizens, hotline.lab

    def talk(self, number: str = NUMBER) -> str:
        """A lead asks for a callback; agent and caller talk. Answers the attempt's ChannelId."""
        body = {"number": number, "agent": "1001"}
        answer = self.hotline.page(LEAD).ask("POST", "callbacks", body, Idempotency_Key=number)
        assert answer.status == 201, answer
        talks = (
            "select a.channel_id from attempts a join callbacks using (callback_id) where number = ? and {} not null"
        )
        self.hotline.until(lambda: self.hotline.rows(talks.format("answered_at is"), number))
        return str(self.hotline.rows(talks.format("answered_at is"), number)[0][0])

    def put_down(self, channel_id: str) -> None:
        """The agent's phone hangs up by itself."""
        name = next(c.name for c in self.citizens.channels() if c.uniqueid == channel_id)
        self.citizens.ami.send("Hangup", Channel=name.removesuffix(";1") + ";2", Cause="16")

    def caller(self, number: str, half: str) -> Channel | None:
        """One half of the caller's leg: 1 is Asterisk's, 2 his phone's."""
        named = (c for c in self.citizens.channels() if c.name.startswith(f"Local/{number}@") and c.name[-1] == half)
        return next(named, None)

    def asked(self, number: str = NUMBER) -> None:
        """Until the caller hears the question."""

        def hears() -> bool:
            leg = self.caller(number, "1")
            return leg is not None and (leg.context, leg.application) == ("cti-survey", "Read")

        self.citizens.wait_for(hears, "the question")

    def press(self, key: str, number: str = NUMBER) -> None:
        """The caller's phone sends one digit."""
        phone = self.caller(number, "2")
        assert phone is not None
        self.citizens.ami.send("PlayDTMF", Channel=phone.name, Digit=key)

    def ratings(self) -> list[tuple[str, str, str]]:
        """(conversation, agent, key) of each RATING of queue_log that is a callback's."""
        rows = oracle.read_queue_log(self.lab.queue_log)
        mine = (row for row in rows if row.verb == "RATING" and row.call_id.startswith("cticb-"))
        return [(row.call_id, row.agent, row.data[0]) for row in mine]

    def cdr(self, channel_id: str) -> list[str]:
        """CDR rows of the conversation, by the leg they are about."""
        return [row.uniqueid for row in oracle.read_cdr(self.lab.cdr) if row.linkedid == channel_id]


@pytest.fixture
def desk(lab: LabAsterisk, tmp_path: Path) -> Iterator[Desk]:
    """The survey is on, as the site has set it."""
    switch(lab, CTI_SURVEY="yes")
    hotline = Hotline(lab, tmp_path / "service", callback={"retry_agent_s": 1})
    try:
        hotline.sign_in(a1001="3001")
        with Citizens.of(lab) as citizens:
            yield Desk(hotline, citizens)
            citizens.clear()
    finally:
        hotline.service.stop()
        switch(lab, CTI_SURVEY="no")


def test_the_agent_hangs_up_and_the_caller_rates(desk: Desk) -> None:
    """The judgement is the callback's; the agent is free, attempt and recording end with the talk, one CDR row."""
    hotline = desk.hotline
    channel_id = desk.talk()
    time.sleep(1)  # so that there is a talk to be kept
    desk.put_down(channel_id)
    desk.asked()
    hotline.until(lambda: hotline.agent("1001")["state"] != "talking", 3)
    hotline.until(lambda: hotline.rows("select state from callbacks") == [("reached",)], 3)
    desk.press("9")
    time.sleep(1)  # he is asked a second time
    desk.press("1")
    over(desk.citizens)
    assert desk.ratings() == [(channel_id, "1001", "1")]
    hotline.until(lambda: hotline.rows(RESULTS) == [("satisfied", "keypad")])
    assert hotline.rows("select result from callbacks") == [("satisfied",)]
    hotline.until(lambda: hotline.rows("select state from recordings") == [("ok",)], 15)
    ((length_ms, expected_ms),) = hotline.rows("select length_ms, expected_ms from recordings where state = 'ok'")
    assert abs(length_ms - expected_ms) < 500
    assert expected_ms < 4000
    assert desk.cdr(channel_id).count(channel_id) == 1
    assert hotline.rows("select count(*) from attempts") == [(1,)]


def stop(hotline: Hotline, fate: str) -> None:
    """The service is killed, or hears and does nothing any more."""
    assert hotline.service.process is not None
    if fate == "dead":
        hotline.service.kill()
    else:
        os.kill(hotline.service.process.pid, signal.SIGSTOP)


def go_on(hotline: Hotline, fate: str) -> None:
    """It is there again."""
    if fate == "dead":
        hotline.service.start()
    else:
        assert hotline.service.process is not None
        os.kill(hotline.service.process.pid, signal.SIGCONT)


@pytest.mark.parametrize("fate", ["dead", "frozen"])
def test_he_presses_while_the_service_is(desk: Desk, fate: str) -> None:
    """The dialplan asks and writes by itself; what was pressed is read once when the service is back."""
    hotline, number = desk.hotline, {"dead": "13800000282", "frozen": "13800000283"}[fate]
    channel_id = desk.talk(number)
    stop(hotline, fate)
    desk.put_down(channel_id)
    desk.asked(number)
    desk.press("3", number)
    over(desk.citizens)
    assert (channel_id, "1001", "3") in desk.ratings()
    go_on(hotline, fate)
    hotline.until(lambda: hotline.rows(RESULTS) == [("dissatisfied", "keypad")])
    hotline.until(lambda: hotline.rows("select state, result from callbacks") == [("reached", "dissatisfied")])
    hotline.until(lambda: hotline.rows("select state from recordings") == [("ok",)], 15)
    steps = "select count(*) from callback_steps where act = 'result'"
    assert hotline.rows(steps) == [(1,)]


def test_a_caller_who_hangs_up_first_or_a_site_that_does_not_ask_makes_no_rating(desk: Desk) -> None:
    """Nobody is asked; the callback is reached all the same."""
    number, before = "13800000284", desk.ratings()
    channel_id = desk.talk(number)
    phone = desk.caller(number, "2")
    assert phone is not None
    desk.citizens.ami.send("Hangup", Channel=phone.name, Cause="16")
    over(desk.citizens)
    switch(desk.lab, CTI_SURVEY="no")  # then nobody but who is invited by the agent's key
    other = desk.talk("13800000285")
    desk.put_down(other)
    over(desk.citizens)
    desk.hotline.until(lambda: desk.hotline.rows("select state from callbacks") == [("reached",), ("reached",)])
    assert desk.ratings() == before
    surveyed = {row.linkedid for row in oracle.read_cel(desk.lab.cel) if row.context == "cti-survey"}
    assert not surveyed & {channel_id, other}


def test_the_agent_invites_by_a_key(desk: Desk) -> None:
    """Without the site's switch: the agent's leg ends by his key, the caller is asked, and his key is the judgement."""
    number, hotline = "13800000286", desk.hotline
    switch(desk.lab, CTI_SURVEY="no")
    channel_id = desk.talk(number)
    ((callback_id,),) = hotline.rows("select callback_id from attempts where channel_id = ?", channel_id)
    assert hotline.page("1002").ask("POST", f"callbacks/{callback_id}/rate").status == 409
    assert hotline.page("1001").ask("POST", f"callbacks/{callback_id}/rate").status == 202
    desk.asked(number)
    desk.press("2", number)
    over(desk.citizens)
    assert (channel_id, "1001", "2") in desk.ratings()
    hotline.until(lambda: hotline.rows(RESULTS) == [("neutral", "keypad")])


def test_a_digit_of_the_callers_reaches_nothing_but_the_question(lab: LabAsterisk) -> None:
    """What he comes to after the talk has no extension but its own beginning, and includes nothing."""
    for context in sorted(SURVEY):
        shown = lab.cli(f"dialplan show {context}")
        assert re.findall(r"^ +'([^']+)' =>", shown, re.MULTILINE) == ["s"]
        assert "Include" not in shown

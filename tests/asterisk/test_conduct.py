"""Proof of who sits there, and pauses set past the console, on the real Asterisk."""

from __future__ import annotations

import time

import pytest

from cti.lab import oracle
from cti.lab.citizens import Citizens
from tests.asterisk.conftest import PIN, Hotline, House

pytestmark = pytest.mark.asterisk


def checked(hotline: Hotline, seat: str) -> str:
    """Agent 1001 asks on the page to sign in there; what the page is told of the seat's phone in the end."""
    page = hotline.page("1001")
    answer = page.ask("POST", "me/sign-in", {"seat": seat})
    assert (answer.status, answer.body["check"]) == (200, "checking"), answer
    assert hotline.agent("1001")["state"] == "signed_out"
    said: list[str] = []

    def over() -> bool:
        check = page.ask("GET", "me/duty").body["seat_check"]
        said[:] = ["signed in" if check is None else check["state"]]
        return said != ["checking"]

    hotline.until(over, 40)
    return said[0]


def test_the_seats_phone_rings_and_the_right_pin_signs_in(house: House) -> None:
    """The page alone signs nobody in; the PIN typed at that phone does, and Asterisk has the member."""
    hotline = house(signin__seat_check="true")
    hotline.lab.cli(f"dialplan set global LAB_TYPED {PIN}#")
    assert checked(hotline, "7001") == "signed in"
    hotline.until(lambda: "1001 (Local/7001@" in hotline.members())
    assert hotline.agent("1001")["state"] == "ready"
    log = hotline.rows("select act, seat from duty_log")
    assert log == [("signed_in", "7001")]


@pytest.mark.parametrize(("seat", "typed"), [("7001", "111222#"), ("5001", ""), ("4001", "")])
def test_a_wrong_pin_or_no_answer_signs_nobody_in_and_is_said(house: House, seat: str, typed: str) -> None:
    """Wrong, hung up, busy: the page reads that it was not confirmed; and the next try is taken at once."""
    hotline = house(signin__seat_check="true")
    hotline.lab.cli(f"dialplan set global LAB_TYPED {typed or '#'}")
    assert checked(hotline, seat) == "unproved"
    assert hotline.agent("1001")["state"] == "signed_out"
    assert "1001" not in hotline.members()
    hotline.lab.cli(f"dialplan set global LAB_TYPED {PIN}#")
    assert checked(hotline, "7002") == "signed in"


def test_signing_in_at_the_phone_itself_is_proof_enough(house: House, citizens: Citizens) -> None:
    """*50 with number and PIN: nothing rings again."""
    hotline = house(signin__seat_check="true")
    citizens.phone("*50", "3001", f"1001#wwwwwwww{PIN}#", 1)
    hotline.until(lambda: hotline.agent("1001")["state"] == "ready", 20)
    assert hotline.agent("1001")["seat"] == "3001"


def test_a_pause_set_past_the_console_is_undone(house: House) -> None:
    """HZ 第二十一条, where the profile says revert: within seconds the member is as he asked to be; logged."""
    hotline = house(busy__past_console='"revert"')
    hotline.sign_in(a1001="3001")
    hotline.lab.cli("queue pause member Local/3001@lab-seats/n queue hotline reason lunch")

    def verbs() -> list[str]:
        return [r.verb for r in oracle.read_queue_log(hotline.lab.queue_log) if r.agent == "1001"]

    # Undone within milliseconds: who looks at the member every now and then may never see the pause.
    hotline.until(lambda: verbs() == ["ADDMEMBER", "PAUSE", "UNPAUSE"])
    assert "paused" not in hotline.members()
    hotline.until(lambda: hotline.rows("select 1 from duty_log where act = 'inside'"))
    assert hotline.agent("1001")["outside"] is None
    assert hotline.rows("select act, reason from duty_log where act <> 'signed_in' order by seq") == [
        ("outside", "pause:lunch"), ("inside", "pause:lunch")
    ]  # fmt: skip
    assert verbs() == ["ADDMEMBER", "PAUSE", "UNPAUSE"]


def test_nobody_is_touched_in_the_middle_of_a_talk(house: House, citizens: Citizens) -> None:
    """The pause is undone when the conversation is over, and the conversation is whole."""
    hotline = house(busy__past_console='"revert"')
    hotline.sign_in(a1001="3001")
    citizens.call("12319", 9)
    hotline.until(lambda: hotline.agent("1001")["state"] == "talking")
    hotline.lab.cli("queue pause member Local/3001@lab-seats/n queue hotline reason lunch")
    hotline.until(lambda: hotline.agent("1001")["outside"] == "pause:lunch", 6)
    time.sleep(1)
    assert "paused" in hotline.members()
    hotline.until(lambda: "paused" not in hotline.members(), 15)
    hotline.settled(1)
    assert hotline.rows("select min(state) from recordings") == [("ok",)]

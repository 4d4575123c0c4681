"""Emergencies on a real Asterisk: the key and the list jump the queue, the lead lifts, the unit's numbers ring in turn.

queue_log, CDR and the recording are the witnesses.
"""

from __future__ import annotations

import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cti.lab import oracle
from cti.lab.asterisk import LabAsterisk
from cti.lab.citizens import Citizens
from tests.asterisk.conftest import LEAD, Hotline

pytestmark = pytest.mark.asterisk

BUSY, RINGS_OUT, ANSWERS = "13800000098", "13800000099", "13800000091"
PUMPS = "13800000085"


@pytest.fixture
def urgent(lab: LabAsterisk, tmp_path: Path) -> Iterator[Hotline]:
    """A hotline with one unit: its first number is busy, its second rings out after 2 s, its third picks up."""
    lab.cli("dialplan set global CTI_UNIT_RING_SECONDS 2")
    working = Hotline(lab, tmp_path / "service", callback={"agent_ring_s": 5, "ring_s": 3})
    unit = {
        "zh": "燃气抢修", "en": "Gas repair", "role": "emergency",
        "numbers": [{"number": number} for number in (BUSY, RINGS_OUT, ANSWERS)],
    }  # fmt: skip
    try:
        assert working.page(LEAD).ask("PUT", "directory/units/gas", unit).status == 200
        yield working
    finally:
        lab.cli('dialplan set global CTI_EMERGENCY_KEY ""')
        working.service.stop()


def joined(lab: LabAsterisk, call_id: str) -> list[str]:
    """Verbs of queue_log of one call."""
    return [row.verb for row in oracle.read_queue_log(lab.queue_log) if row.call_id == call_id]


def open_ones(hotline: Hotline) -> list[dict[str, Any]]:
    """Emergencies that nobody has acknowledged, as the lead sees them."""
    found: list[dict[str, Any]] = hotline.page(LEAD).ask("GET", "emergencies").body
    return found


def waits(citizens: Citizens, *call_ids: str) -> None:
    """Until these callers wait, in this order."""
    citizens.wait_for(lambda: citizens.waiting() == list(call_ids), "the callers to wait in order")


def over(hotline: Hotline, citizens: Citizens) -> None:
    """Every caller hangs up, and nothing lives any more."""
    for call_id in citizens.callers():
        citizens.hang_up(call_id)
    citizens.wait_for(lambda: hotline.lab.channels() == 0, "every call to end", 20)


def test_the_key_and_the_list_jump_the_queue_and_others_go_on(urgent: Hotline, citizens: Citizens) -> None:
    """Who came first without a key waits behind the one who pressed it; the list needs no key; the lead is told."""
    lab = urgent.lab
    lab.cli("dialplan set global CTI_EMERGENCY_KEY 1")
    plain = citizens.call("12319", 60, "13800000081")
    waits(citizens, plain)
    other = citizens.call("12319", 60, "13800000082", say="key7")  # a key that means nothing
    waits(citizens, plain, other)
    pressed = citizens.call("12319", 60, "13800000083", say="key1")
    waits(citizens, pressed, plain, other)
    listed = {"number": PUMPS, "reason": "泵站"}
    assert urgent.page(LEAD).ask("POST", "front-callers", listed).status == 201
    name = f"CTI_FRONT_{PUMPS}"
    citizens.wait_for(lambda: f"{name}=yes" in lab.cli("dialplan show globals"), "the switch")
    number = citizens.call("12319", 60, PUMPS)
    waits(citizens, pressed, number, plain, other)
    urgent.until(lambda: len(open_ones(urgent)) == 2)
    assert {(one["why"], one["call_id"]) for one in open_ones(urgent)} == {("menu", pressed), ("caller", number)}
    alarms = [alarm["code"] for alarm in urgent.board()["alarms"]]
    assert alarms.count("emergency") == 2
    urgent.sign_in(a1001="3001")
    citizens.wait_for(lambda: "CONNECT" in joined(lab, pressed), "the first answer")
    assert [joined(lab, c) for c in (number, plain, other)] == [["ENTERQUEUE"]] * 3
    over(urgent, citizens)
    words = words_s(lab)
    assert delay(urgent, plain) >= words + 0.9  # the words, and a second for the key
    assert delay(urgent, number) < words  # a listed number hears no menu
    assert delay(urgent, other) < words + 0.9  # any key ends the words, and the wait for one


def words_s(lab: LabAsterisk) -> float:
    """How long the menu's words last: GSM has 33 bytes for every 20 ms."""
    return round((lab.work / "data/sounds/zh/cti/emergency-menu.gsm").stat().st_size / 33 * 0.02, 1)


def delay(hotline: Hotline, call_id: str) -> float:
    """Seconds from the first sign of a call, by CDR, to its place in the queue."""
    ((entered,),) = hotline.rows("select entered_at from calls where call_id = ?", call_id)
    started = next(row.start for row in oracle.read_cdr(hotline.lab.cdr) if row.uniqueid == call_id)
    return float(entered / 1e6 - float(started))


def test_a_waiting_call_is_lifted_by_the_leads_key(urgent: Hotline, citizens: Citizens) -> None:
    """The last of three is the first, for Asterisk too: it is he who is answered."""
    calls = []
    for last in (1, 2, 3):
        calls.append(citizens.call("12319", 60, f"1380000008{last}"))
        waits(citizens, *calls)
    urgent.until(lambda: len(urgent.board()["waiting"]) == 3)
    assert urgent.page(LEAD).ask("POST", "emergencies/lift", {"call_id": calls[2]}).status == 201
    waits(citizens, calls[2], calls[0], calls[1])
    urgent.sign_in(a1001="3001")
    citizens.wait_for(lambda: "CONNECT" in joined(urgent.lab, calls[2]), "the answer")
    assert [joined(urgent.lab, c) for c in calls[:2]] == [["ENTERQUEUE"]] * 2
    over(urgent, citizens)


def test_the_units_numbers_ring_in_turn_until_one_answers(urgent: Hotline, citizens: Citizens) -> None:
    """After the call, with an empty ticket: busy, rung out, answered; each timed; CDR and recording say the same."""
    urgent.sign_in(a1001="3001")
    call = citizens.call("12319", 3, "13800000084")
    urgent.settled(1)
    (ticket,) = urgent.rows("select ticket_id from tickets where call_id = ?", call)
    page = urgent.page("1001")
    raised = page.ask("POST", "emergencies", {"ticket_id": ticket[0]})
    assert raised.status == 201
    path = f"emergencies/{raised.body['emergency_id']}"
    assert page.ask("POST", f"{path}/ring").status == 200
    urgent.until(lambda: all(c["outcome"] for c in one(urgent)["unit_calls"]), 30)
    shown = one(urgent)
    calls = shown["unit_calls"]
    assert [(c["number"], c["outcome"]) for c in calls] == [
        (BUSY, "busy"), (RINGS_OUT, "no_answer"), (ANSWERS, "answered")
    ]  # fmt: skip
    assert 1900 <= calls[1]["rang_ms"] <= 10_000  # two seconds were asked for
    assert shown["seconds"]["dialled_at"] <= shown["seconds"]["reached_at"]
    assert shown["reached_unit"] == "gas"
    urgent.until(lambda: urgent.rows("select count(*) from unit_calls where over_at is null") == [(0,)], 20)
    ((channel,),) = urgent.rows("select distinct channel_id from unit_calls")
    rows = [row for row in oracle.read_cdr(urgent.lab.cdr) if row.uniqueid == channel and row.context == "cti-unit"]
    dialled = [row.destination.partition("@")[0].removeprefix("Local/") for row in rows if row.destination]
    assert dialled == [BUSY, RINGS_OUT, ANSWERS]
    assert rows[-1].disposition == "ANSWERED"
    kept = "select path, state from recordings where call_id = ?"
    urgent.until(lambda: urgent.rows(kept, channel)[0][1] == "ok", 20)
    with wave.open(str(urgent.lab.recordings / urgent.rows(kept, channel)[0][0])) as sound:
        assert sound.getnframes() / sound.getframerate() > 2
    told = [alarm["code"] for alarm in urgent.board()["alarms"]]
    assert "unit_not_reached" not in told
    done = urgent.page(LEAD).ask("POST", f"{path}/acknowledge", {"note": "抢修已出发"})
    assert (done.status, done.body["acknowledged_by"]) == (200, LEAD)


def one(hotline: Hotline) -> dict[str, Any]:
    """The one emergency that is open."""
    (found,) = open_ones(hotline)
    return found


def test_during_the_call_the_unit_is_consulted_and_the_caller_stays(urgent: Hotline, citizens: Citizens) -> None:
    """The key while both talk: busy, the caller is back; again, and the next number answers."""
    numbers = {"numbers": [{"number": BUSY}, {"number": ANSWERS}]}
    unit = {"zh": "燃气抢修", "en": "Gas repair", "role": "emergency", **numbers}
    assert urgent.page(LEAD).ask("PUT", "directory/units/gas", unit).status == 200
    urgent.sign_in(a1001="3001")
    call = citizens.call("12319", 60, "13800000086")
    urgent.until(lambda: urgent.rows("select 1 from tickets where call_id = ?", call))
    page = urgent.page("1001")
    ((ticket,),) = urgent.rows("select ticket_id from tickets where call_id = ?", call)
    raised = page.ask("POST", "emergencies", {"ticket_id": ticket})
    assert raised.status == 201
    path = f"emergencies/{raised.body['emergency_id']}"
    for number, outcome in ((BUSY, "busy"), (ANSWERS, "answered")):
        urgent.until(lambda: page.ask("POST", f"{path}/ring").status == 200)
        urgent.until(lambda: one(urgent)["unit_calls"][-1]["outcome"], 20)
        assert [(c["number"], c["outcome"]) for c in one(urgent)["unit_calls"]][-1] == (number, outcome)
        assert call in citizens.callers()
        time.sleep(2)  # the agent hears the error tone, and has the caller back
    assert one(urgent)["reached_unit"] == "gas"
    assert one(urgent)["seconds"]["reached_at"] > one(urgent)["seconds"]["dialled_at"]
    over(urgent, citizens)

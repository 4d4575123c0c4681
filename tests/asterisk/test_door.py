"""Callers who could not get in, on a real Asterisk: counted, owed an answer, told that all is busy; read back once."""

from __future__ import annotations

import pytest

from cti.lab import oracle
from cti.lab.asterisk import LabAsterisk
from cti.lab.citizens import Citizens
from tests.asterisk.conftest import LEAD, Hotline
from tests.asterisk.ears import ears, heard
from tests.asterisk.test_missed import duties, kept, over, verbs
from tests.asterisk.test_survey import press
from tests.asterisk.test_voice import switch

pytestmark = pytest.mark.asterisk

ONE, TWO, THREE, URGENT = (f"1380000017{n}" for n in range(1, 5))
DOOR = "select call_id, why from shut_outs order by at, call_id"


def queue(lab: LabAsterisk, was: str, becomes: str) -> None:
    """Change one line of the hotline's queue."""
    path = lab.work / "etc/cti_queues.conf"
    path.write_text(path.read_text().replace(was, becomes))
    lab.cli("queue reload parameters hotline")


def told(lab: LabAsterisk) -> list[tuple[str, tuple[str, ...]]]:
    """queue_log's lines of the door: call id and data."""
    return [(row.call_id, row.data) for row in oracle.read_queue_log(lab.queue_log) if row.verb == "SHUTOUT"]


def waiting(citizens: Citizens, *calls: str) -> None:
    """Until exactly *calls* wait."""
    citizens.wait_for(lambda: sorted(citizens.waiting()) == sorted(calls), "the callers to wait")


def test_a_full_queue_and_a_closed_one(hotline: Hotline, citizens: Citizens) -> None:
    """Who comes second hears that all is busy and is owed an answer: one duty with a later try, settled when answered;
    queue_log's own figures do not have him."""
    lab, folder = hotline.lab, ears(hotline.lab)
    switch(lab, CTI_SAY_BUSY="yes")
    queue(lab, "maxlen = 0", "maxlen = 1")
    first = citizens.call("12319", 60, ONE)
    waiting(citizens, first)
    full = citizens.call("12319", 30, TWO, say="ear")
    hotline.until(lambda: kept(hotline) == {TWO: {full}}, 20)
    assert told(lab) == [(full, (TWO, "FULL"))]
    assert verbs(lab, full) == ["SHUTOUT"]
    citizens.wait_for(lambda: full not in citizens.callers(), "the words to end", 15)
    assert sum(span.end - span.start for span in heard(folder / f"{TWO}.wav").words) > 1.0
    citizens.hang_up(first)
    over(hotline, citizens, first)
    queue(lab, "joinempty = yes", "joinempty = no")
    withheld = citizens.call("12319", 30, "")
    hotline.until(lambda: hotline.rows(DOOR) == [(full, "full"), (withheld, "closed")], 20)
    queue(lab, "joinempty = no", "joinempty = yes")
    again = citizens.call("12319", 2, TWO)
    over(hotline, citizens, again)
    assert kept(hotline) == {ONE: {first}, TWO: {full, again}}
    total = hotline.page(LEAD).ask("GET", "figures").body["total"]
    assert (total["entered"], total["decided"], total["shut_out"]) == (2, 2, {"full": 1, "closed": 1})
    assert total["figures"]["reached_rate"] == {"value": 0.0, "of": 4, "clock": "caller"}
    assert hotline.board()["duty"]["missed"]["withheld"] == 1
    hotline.sign_in(a1001="3001")
    through = citizens.call("12319", 3, TWO)
    over(hotline, citizens, through)
    assert kept(hotline) == {ONE: {first}}
    queue(lab, "maxlen = 1", "maxlen = 0")


def test_all_lines_busy_but_never_to_an_emergency(hotline: Hotline, citizens: Citizens) -> None:
    """With CTI_LINES=2 the third is turned away, also by hanging up in the menu; the list and the key come in."""
    lab = hotline.lab
    switch(lab, CTI_LINES="2", CTI_SAY_BUSY="no")
    two = [citizens.call("12319", 60, number) for number in (ONE, TWO)]
    waiting(citizens, *two)
    third = citizens.call("12319", 30, THREE)
    hotline.until(lambda: kept(hotline) == {THREE: {third}}, 20)
    assert [leg for leg in citizens.channels() if leg.uniqueid == third] == []
    switch(lab, **{f"CTI_FRONT_{URGENT}": "yes"})
    listed = citizens.call("12319", 60, URGENT)
    waiting(citizens, *two, listed)
    switch(lab, CTI_EMERGENCY_KEY="1", CTI_EMERGENCY_SECONDS="5")
    shy = citizens.call("12319", 1, THREE)
    hotline.until(lambda: kept(hotline) == {THREE: {third, shy}}, 20)
    keyed = citizens.call("12319", 60, THREE)
    citizens.wait_for(
        lambda: ("cti-lines", "Read") in {(c.context, c.application) for c in citizens.channels()}, "the menu"
    )
    press(citizens, keyed, "1")
    waiting(citizens, *two, listed, keyed)
    assert told(lab) == [(third, (THREE, "LINES")), (shy, (THREE, "LINES"))]
    assert citizens.waiting()[:2] == [listed, keyed]
    citizens.clear()
    citizens.wait_for(lambda: lab.channels() == 0, "the calls to end")
    switch(lab, CTI_EMERGENCY_KEY="", CTI_EMERGENCY_SECONDS="1")
    free = citizens.call("12319", 60, ONE)
    waiting(citizens, free)
    switch(lab, CTI_LINES="", **{f"CTI_FRONT_{URGENT}": ""})


def test_turned_away_while_the_service_was_dead(hotline: Hotline) -> None:
    """Read back from queue_log, and once: another restart adds nothing. What is no digit of his number writes no field
    of the line, and his number stands in no log of ours."""
    hotline.service.kill()
    lab = hotline.lab
    with Citizens.of(lab) as citizens:
        switch(lab, CTI_LINES="1")
        first = citizens.call("12319", 60, ONE)
        waiting(citizens, first)
        away = citizens.call("12319", 30, f"{TWO[:4]}|{TWO[4:]}")
        citizens.wait_for(lambda: told(lab) == [(away, (TWO, "LINES"))], "the line")
        hotline.service.start()
        hotline.until(lambda: kept(hotline) == {TWO: {away}}, 20)
        switch(lab, CTI_LINES="")
        hotline.service.kill()
        hotline.service.start()
        hotline.until(lambda: hotline.service.log_in(LEAD, "482915") is not None, 20)
    assert [(d["number"], d["tries"]) for d in duties(hotline)] == [(TWO, 1)]
    assert hotline.rows(DOOR) == [(away, "lines")]
    assert TWO not in (hotline.service.work / "log").read_text()

"""What was missed is read back: the service away, Asterisk killed or restarted in the middle of calls."""

from __future__ import annotations

import time
from collections import Counter

import pytest

from cti.lab import oracle
from cti.lab.citizens import Citizens
from tests.asterisk.conftest import Hotline

pytestmark = pytest.mark.asterisk


def test_calls_of_an_absence_are_read_back_exactly_once(hotline: Hotline, citizens: Citizens) -> None:
    """The service dead, queue_log rotated meanwhile, a torn last line: at the next start tickets and recordings are
    there, once; a second restart changes nothing."""
    hotline.sign_in(a1001="3001", a1002="3002")
    citizens.call("12319", 3, "13800000021")
    hotline.settled(1)
    hotline.service.kill()
    time.sleep(6)  # the wrap-up of 5 s
    before = [citizens.call("12319", 3, f"1380000003{n}") for n in range(2)]
    citizens.wait_for(lambda: hotline.lab.channels() == 0, "the calls to end", 20)
    hotline.lab.queue_log.rename(hotline.lab.log / "queue_log.1")
    hotline.lab.cli("logger reload")
    time.sleep(6)
    after = [citizens.call("12319", 3, f"1380000004{n}") for n in range(2)]
    time.sleep(0.5)
    given_up = citizens.call("12319", 1.5, "13800000049")
    citizens.wait_for(lambda: hotline.lab.channels() == 0, "the calls to end", 20)
    with hotline.lab.queue_log.open("a") as log:
        log.write("1795284828|1795284828.1|hotl")
    for absences in (1, 2):
        hotline.service.start()
        hotline.settled(6)
        gaps = "select count(*) from gaps where reason = 'the service was not running' and ended_at is not null"
        hotline.until(lambda gaps=gaps, absences=absences: hotline.rows(gaps) == [(absences,)])
        hotline.service.kill()
    tickets = Counter(row[0] for row in hotline.rows("select call_id from tickets"))
    assert {*before, *after} <= set(tickets)
    assert set(tickets.values()) == {1}
    assert hotline.rows("select distinct state from recordings") == [("ok",)]
    ending = hotline.rows("select ending, caller from calls where call_id = ?", given_up)
    assert ending == [("abandoned", "13800000049")]
    linked = dict(hotline.rows("select call_id, linkedid from calls"))
    legs = {row.uniqueid: row.linkedid for row in oracle.read_cel(hotline.lab.cel)}
    assert linked == {call_id: legs[call_id] for call_id in linked}


@pytest.mark.parametrize("how", ["killed", "restarted"])
def test_asterisk_ends_in_the_middle_of_calls(hotline: Hotline, how: str) -> None:
    """F7, F8, F11: open calls are closed, agents are right and members again within 5 s of its return."""
    hotline.sign_in(a1001="3001", a1002="2002", a1003="3003")
    assert hotline.page("1003").ask("POST", "me/busy", {"reason": "meal"}).status == 200
    with Citizens.of(hotline.lab) as citizens:
        talking = citizens.call("12319", 60)
        hotline.until(lambda: hotline.agent("1001")["state"] == "talking")
        time.sleep(3)  # Asterisk writes audio every 2.05 s: what a kill leaves on the disk is what was written
        waiting = citizens.call("12319", 60)
        hotline.until(lambda: hotline.agent("1002")["state"] == "ringing")
    if how == "killed":
        hotline.lab.kill()
    else:
        hotline.lab.stop()
    hotline.until(lambda: hotline.board()["link"] != "up", 7)
    assert hotline.board()["stale_since"] is not None
    hotline.lab.start()
    back = time.monotonic()
    hotline.until(lambda: hotline.board()["link"] == "up", 5)
    hotline.until(lambda: [hotline.agent(n)["state"] for n in ("1001", "1002", "1003")] in (
        ["ready", "ready", "busy"], ["wrap_up", "ready", "busy"]), 5)  # fmt: skip
    hotline.until(lambda: all(f"{n} (Local" in hotline.members() for n in ("1001", "1002", "1003")), 5)
    hotline.until(lambda: "paused:meal" in hotline.members(), 5)
    hotline.until(lambda: hotline.rows("select count(*) from calls where ended_at is null") == [(0,)], 5)
    print(f"Asterisk {how}: right after {time.monotonic() - back:.2f} s")
    # "left" is for a reason not yet read from the files
    hotline.until(lambda: "left" not in dict(hotline.rows("select ending, ended_at from calls")), 5)
    endings = dict(hotline.rows("select call_id, ending from calls"))
    assert endings[talking] in (("lost",) if how == "killed" else ("lost", "completed"))
    assert endings[waiting] in ("lost", "abandoned")
    assert hotline.rows("select count(*) from tickets") == [(1,)]
    hotline.until(lambda: hotline.rows("select state from recordings") in ([("repaired",)], [("ok",)]), 10)
    assert hotline.page("1002").ask("POST", "me/busy", {"reason": "break"}).status == 200
    with Citizens.of(hotline.lab) as citizens:
        citizens.call("12319", 8)
        hotline.until(lambda: hotline.rows("select count(*) from tickets") == [(2,)])

"""With the service dead Asterisk goes on: asterisk-conf/ alone queues, offers, records and lets people talk."""

from __future__ import annotations

import pytest

from cti.lab import oracle
from cti.lab.asterisk import LabAsterisk
from cti.lab.citizens import Citizens

pytestmark = pytest.mark.asterisk


def test_calls_are_answered_recorded_and_talked_through(lab: LabAsterisk, citizens: Citizens) -> None:
    """Nobody listens on the service's ports: a call is still queued, answered, recorded with sound, and completed."""
    citizens.add_member("1001", "3001")
    call_id = citizens.call(seconds=4, caller="13800000001")
    citizens.wait_for(lambda: call_id in oracle.answered(lab.queue_log), "the call to be answered")
    citizens.wait_for(lambda: not citizens.channels(), "the call to end", 15)
    rows = [row for row in oracle.read_queue_log(lab.queue_log) if row.call_id == call_id]
    assert [row.verb for row in rows] == ["ENTERQUEUE", "CONNECT", "COMPLETECALLER"]
    assert rows[0].data[1] == "13800000001"
    sound = oracle.listen(oracle.recordings(lab.recordings)[call_id])
    assert sound.seconds == pytest.approx(4.0, abs=0.5)
    assert sound.loudness > 500
    legs = [row for row in oracle.read_cdr(lab.cdr) if row.uniqueid == call_id]
    assert [row.disposition for row in legs] == ["ANSWERED"]
    assert {"ANSWER", "BRIDGE_ENTER", "BRIDGE_EXIT", "CHAN_END"} <= {
        row.event for row in oracle.read_cel(lab.cel) if row.uniqueid == call_id
    }


def test_a_caller_waits_for_the_next_free_agent(lab: LabAsterisk, citizens: Citizens) -> None:
    """One agent, two callers: the second waits in the queue, then is answered after the wrap-up of cti_queues.conf."""
    citizens.add_member("1001", "3001")
    first = citizens.call(seconds=3, caller="13800000001")
    citizens.wait_for(lambda: first in oracle.answered(lab.queue_log), "the first caller to be answered")
    second = citizens.call(seconds=0, caller="13800000002")
    citizens.wait_for(lambda: citizens.waiting() == [second], "the second caller to wait")
    citizens.wait_for(lambda: second in oracle.answered(lab.queue_log), "the second caller to be answered", 15)
    rows = {(row.call_id, row.verb): row.at for row in oracle.read_queue_log(lab.queue_log)}
    assert rows[second, "CONNECT"] - rows[first, "COMPLETECALLER"] >= 4


def test_members_outlive_an_asterisk_restart(lab: LabAsterisk, citizens: Citizens) -> None:
    """persistentmembers: who signed in before a restart is a member after it, and takes the next call."""
    citizens.add_member("1001", "3001")
    lab.stop()
    lab.start()
    with Citizens.of(lab) as after:
        assert list(after.members()) == ["1001"]
        call_id = after.call(seconds=2)
        after.wait_for(lambda: oracle.answered(lab.queue_log).get(call_id) == "1001", "the call to be answered")


def test_a_transferred_call_is_recorded_to_its_end(lab: LabAsterisk, citizens: Citizens) -> None:
    """Blind and attended transfers keep one recording a call, and it goes on after the transfer."""
    citizens.add_member("1001", "3001")
    citizens.add_member("1002", "3002")
    blind = citizens.call(seconds=5, caller="13800000001")
    attended = citizens.call(seconds=6, caller="13800000002")
    citizens.wait_for(lambda: len(oracle.answered(lab.queue_log)) == 2, "both calls to be answered")
    citizens.blind_transfer(blind, "3003")
    citizens.attended_transfer(attended, "3004", consult=1)
    citizens.wait_for(lambda: not citizens.channels(), "the calls to end", 15)
    verbs = {(row.call_id, row.verb) for row in oracle.read_queue_log(lab.queue_log)}
    assert {(blind, "BLINDTRANSFER"), (attended, "ATTENDEDTRANSFER")} <= verbs
    files = oracle.recordings(lab.recordings)
    assert set(files) == {blind, attended}
    assert oracle.listen(files[blind]).seconds == pytest.approx(5, abs=0.6)


def test_a_feature_code_says_so_when_the_service_is_away(lab: LabAsterisk, citizens: Citizens) -> None:
    """*50 with nobody at the AGI port plays a prompt and hangs up; it does not hang."""
    citizens.phone("*50", "1001", "1001#w482915#")
    citizens.wait_for(lambda: any(c.application == "Playback" for c in citizens.channels()), "the prompt")
    citizens.wait_for(lambda: not citizens.channels(), "the phone to be hung up", 15)
    assert "does not exist" not in (lab.log / "messages.log").read_text()

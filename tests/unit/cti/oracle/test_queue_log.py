"""queue_log speaks the vocabulary of queues/facts.py; what breaks its grammar is refused whole."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cti.oracle.queue_log import (
    Entry,
    Fact,
    MemberAdded,
    MemberRemoved,
    PauseChanged,
    QueueLogReader,
    Reading,
    Restarted,
    RingCancelled,
    parse_line,
)
from queues.facts import Answered, Completed, Door, Ending, Entered, Left, NotAnswered, Offered, Rated, ShutOut

T = datetime.fromtimestamp(1795285585, UTC)
CALL = "1795285580.1"
HEAD = f"1795285585|{CALL}|hotline|"


def facts(line: str) -> tuple[Fact, ...]:
    entry = parse_line(line.encode())
    assert isinstance(entry, Entry)
    return entry.facts


def read(*lines: str, now: datetime = T + timedelta(minutes=1)) -> Reading:
    return QueueLogReader().read([line.encode() for line in lines], now)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("NONE|ENTERQUEUE||13800000001|1", Entered(CALL, T, "hotline", "13800000001", exact=False)),
        ("NONE|ENTERQUEUE|||1", Entered(CALL, T, "hotline", "", exact=False)),
        ("1001|COMPLETEAGENT|3|65|1", Completed(CALL, T, "1001", Ending.COMPLETED, exact=False)),
        ("1001|COMPLETECALLER|3|-3597|1", Completed(CALL, T, "1001", Ending.COMPLETED, exact=False)),
        ("1001|BLINDTRANSFER|2002|out|3|65|1", Completed(CALL, T, "1001", Ending.TRANSFERRED, exact=False)),
        ("1001|ATTENDEDTRANSFER|BRIDGE|b1|3|65|1", Completed(CALL, T, "1001", Ending.TRANSFERRED, exact=False)),
        ("1001|ATTENDEDTRANSFER|LINK|a|b|3|65|1", Completed(CALL, T, "1001", Ending.TRANSFERRED, exact=False)),
        ("1001|TRANSFER|2002|out|3|65|1", Completed(CALL, T, "1001", Ending.TRANSFERRED, exact=False)),
        ("NONE|ABANDON|1|1|9", Left(CALL, T, Ending.ABANDONED, exact=False)),
        ("NONE|EXITWITHTIMEOUT|1|1|600", Left(CALL, T, Ending.TIMED_OUT, exact=False)),
        ("NONE|EXITEMPTY|1|1|0", Left(CALL, T, Ending.EMPTY, exact=False)),
        ("NONE|EXITWITHKEY|0|1|1|12", Left(CALL, T, Ending.KEY, exact=False)),
        ("NONE|WITHDRAW|1|1|12|moved", Left(CALL, T, Ending.WITHDRAWN, exact=False)),
        ("1001|SYSCOMPAT|", Left(CALL, T, Ending.LOST, exact=False)),
        ("1001|RINGNOANSWER|15000", NotAnswered(CALL, T, "1001", 15000, exact=False)),
        ("1001|RINGNOANSWER|-40", NotAnswered(CALL, T, "1001", 0, exact=False)),
        ("1001|AGENTDUMP|", NotAnswered(CALL, T, "1001", 0, exact=False)),
        ("1001|RATING|3", Rated(CALL, T, "hotline", "1001", 3)),
        ("NONE|SHUTOUT|+8613800000001|FULL", ShutOut(CALL, T, "hotline", "+8613800000001", Door.FULL)),
        ("NONE|SHUTOUT||CLOSED", ShutOut(CALL, T, "hotline", "", Door.CLOSED)),
        ("NONE|SHUTOUT|13800000001|LINES", ShutOut(CALL, T, "hotline", "13800000001", Door.LINES)),
        ("1001|RINGCANCELED|2999", RingCancelled(CALL, T, "1001", 2999)),
    ],
)
def test_each_verb_of_a_call_is_its_fact(line: str, expected: Fact) -> None:
    """One verb, one fact, with the true ending, at the second that the line names."""
    assert facts(HEAD + line) == (expected,)


def test_an_answer_is_also_the_offer_before_it() -> None:
    """CONNECT alone tells when the agent's phone began to ring, so a call read back has a ring time."""
    leg = "1795285580.2"
    assert facts(f"{HEAD}1001|CONNECT|9|{leg}|4") == (
        Offered(CALL, T - timedelta(seconds=4), "1001", leg, exact=False),
        Answered(CALL, T, "hotline", "1001", leg, 9, exact=False),
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("MANAGER|hotline|1001|ADDMEMBER|", MemberAdded(T, "hotline", "1001", False, "MANAGER")),
        ("MANAGER|hotline|1001|ADDMEMBER|PAUSED", MemberAdded(T, "hotline", "1001", True, "MANAGER")),
        (f"{CALL}|hotline|1001|REMOVEMEMBER|", MemberRemoved(T, "hotline", "1001", CALL)),
        ("NONE|hotline|1001|PAUSE|休息", PauseChanged(T, "hotline", "1001", True, "休息")),
        ("NONE|hotline|1001|UNPAUSE|", PauseChanged(T, "hotline", "1001", False, "")),
        ("NONE|NONE|NONE|QUEUESTART|", Restarted(T)),
    ],
)
def test_lines_about_members_and_the_start(line: str, expected: Fact) -> None:
    """Sign-in, sign-out and pauses are read back, past us or not; they belong to no call."""
    entry = parse_line(f"1795285585|{line}".encode())
    assert isinstance(entry, Entry)
    assert (entry.facts, entry.call_id) == ((expected,), "")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "not epoch"),
        ("1795285585|x.1|hotline|1001", "not epoch"),
        (HEAD + "1001|COMPLETECALLER|0|5", "COMPLETECALLER: fields"),
        (HEAD + "1001|COMPLETECALLER|0|5|1|9", "COMPLETECALLER: fields"),
        (HEAD + "1001|COMPLETECALLER|0|5|1\r", "control byte"),
        (HEAD + "NONE|ENTERQUEUE||138\x0000|1", "control byte"),
        (HEAD + "NONE|ENTERQUEUE||138|00|1", "ENTERQUEUE: fields"),
        (HEAD + "1001|ENTERQUEUE||138|1", "ENTERQUEUE: member"),
        (HEAD + "NONE|CONNECT|1|1795285580.2|1", "CONNECT: member"),
        (HEAD + "1001|CONNECT|1|../x|1", "CONNECT: fields"),
        (HEAD + "1001|RINGNOANSWER|１５", "RINGNOANSWER: fields"),
        (HEAD + "1001|SHUTOUT|13800000001|FULL", "SHUTOUT: member"),
        (HEAD + "NONE|SHUTOUT|13800000001|full", "SHUTOUT: fields"),
        (HEAD + "NONE|SHUTOUT|13800000001|LINE", "SHUTOUT: fields"),
        (HEAD + "NONE|SHUTOUT|138|13800000002|FULL", "SHUTOUT: fields"),
        (HEAD + "NONE|SHUTOUT|13800000001 |FULL", "SHUTOUT: fields"),
        (HEAD + "NONE|SHUTOUT|" + "1" * 21 + "|FULL", "SHUTOUT: fields"),
        ("1795285585|NONE|hotline|NONE|SHUTOUT|138|FULL", "SHUTOUT: call id"),
        ("1795285585|NONE|hotline|1001|COMPLETECALLER|0|5|1", "COMPLETECALLER: call id"),
        (HEAD + "NONE|ENTERQUEUE||1381795285590|" + HEAD + "1001|COMPLETECALLER|0|5|1", "ENTERQUEUE: fields"),
        (HEAD + "1001|CONN" + HEAD + "1001|COMPLETECALLER|0|5|1", "not epoch"),
        (HEAD + HEAD + "1001|COMPLETECALLER|0|5|1", "not epoch"),
        ("1795" + HEAD + "1001|COMPLETECALLER|0|5|1", "not epoch"),
        ("NONE|hotline|1001|PAUSE|a|b", "not epoch"),
    ],
)
def test_a_line_that_breaks_the_grammar_is_refused_with_a_reason(line: str, reason: str) -> None:
    """Cut, glued, forged or with control bytes: no fact, and a reason that does not repeat the content."""
    (refused,) = read(line).quarantined
    assert refused.reason.startswith(reason)
    assert "138" not in refused.reason


def test_bytes_that_are_no_text_are_refused() -> None:
    """A line that is not UTF-8 gives no fact."""
    reading = QueueLogReader().read([HEAD.encode() + b"NONE|ENTERQUEUE||\xff|1"], T)
    assert [q.reason for q in reading.quarantined] == ["not UTF-8"]


def test_a_line_that_a_caller_wrote_gives_no_fact() -> None:
    """A From user with a newline cuts ENTERQUEUE short and writes the next line; that one is refused though it is
    well formed, and the lines after it count again."""
    reading = read(
        HEAD + "NONE|ENTERQUEUE||1",
        HEAD + "1001|COMPLETEAGENT|1|1|1",
        HEAD + "NONE|ABANDON|1|1|9",
    )
    assert [q.reason for q in reading.quarantined] == ["ENTERQUEUE: fields", "follows a cut ENTERQUEUE line"]
    assert [e.verb for e in reading.entries] == ["ABANDON"]


def test_unknown_verbs_are_counted_by_name() -> None:
    """A verb of another version changes nothing and stops nothing."""
    reading = read("1795285585|NONE|NONE|NONE|CONFIGRELOAD|", "1795285585|NONE|NONE|2001|PAUSEALL|x")
    assert (dict(reading.ignored), reading.entries) == ({"CONFIGRELOAD": 1, "PAUSEALL": 1}, ())


def test_times_that_cannot_be_trusted_are_noted_and_kept() -> None:
    """A clock that was set back, or a line from the future: the fact counts, its time is marked."""
    back = HEAD.replace("1795285585", "1795281985")
    far = HEAD.replace("1795285585", "4795285585")
    reading = read(HEAD + "NONE|ABANDON|1|1|9", back + "NONE|ABANDON|1|1|9", far + "NONE|ABANDON|1|1|9")
    assert len(reading.entries) == 3
    assert reading.notes == ("line 1: 3600 s before the line above", "line 2: absurd time 2121-12-15T23:46:25Z")


def test_three_lines_of_one_second_are_three_facts() -> None:
    """Nothing is deduplicated by time, call and verb: two ring-no-answers may share a second."""
    line = HEAD + "1001|RINGNOANSWER|0"
    assert len(read(line, line, line).entries) == 3

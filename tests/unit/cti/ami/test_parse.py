"""Frames to facts: the learned way reads exactly what the careful way reads."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.ami import EventError, ForgedError, parse_event
from cti.ami.events import WANTED, AgentComplete, DialBegin, Event, Hangup, OriginateResponse, QueueMemberStatus
from cti.ami.parse import _READERS, _parse_new
from tests.wire.fake_ami import event, hangup


def whole(data: bytes) -> bytes:
    return data.removesuffix(b"\r\n\r\n")


def test_every_type_has_a_reader() -> None:
    """Types, readers and the names that are let through are one list."""
    assert {kind.__name__ for kind in get_args(Event)} == WANTED == {name.decode() for name in _READERS}


def test_microseconds_are_exact() -> None:
    """``at`` is the event's own microsecond, in UTC."""
    fact = parse_event(whole(hangup()))
    assert isinstance(fact, Hangup)
    assert fact.at == datetime(2026, 11, 21, 18, 13, 48, 23507, tzinfo=UTC)
    for micro in range(0, 1_000_000, 997):
        frame = whole(hangup()).replace(b".023507", f".{micro:06}".encode())
        fact = parse_event(frame)
        assert fact is not None
        assert fact[0].microsecond == micro


def test_legs_that_died_together() -> None:
    """AgentComplete without one leg's headers is read; what is missing is None (F15)."""
    common = {"Queue": "hotline", "MemberName": "1001", "Interface": "Local/1", "HoldTime": "1", "TalkTime": "2",
              "Reason": "caller"}  # fmt: skip
    fact = parse_event(whole(event("AgentComplete", DestUniqueid="1.2", DestLinkedid="1.0", **common)))
    assert isinstance(fact, AgentComplete)
    assert (fact.uniqueid, fact.linkedid, fact.dest_uniqueid, fact.dest_linkedid) == (None, None, "1.2", "1.0")
    fact = parse_event(whole(event("AgentComplete", Uniqueid="1.1", Linkedid="1.0", **common)))
    assert isinstance(fact, AgentComplete)
    assert (fact.uniqueid, fact.linkedid, fact.dest_uniqueid) == ("1.1", "1.0", None)


def test_originates_own_leg() -> None:
    """The leg that Originate makes has no calling leg."""
    frame = event("DialBegin", "call,all", DestChannel="Local/1", DestUniqueid="1.0", DestLinkedid="1.0")
    fact = parse_event(whole(frame))
    assert isinstance(fact, DialBegin)
    assert fact.uniqueid is None


def test_originate_that_made_no_leg() -> None:
    """A failed Originate is known by our channel id; it has no Uniqueid."""
    frame = event("OriginateResponse", "call,all", ActionID="action/u/cti-7", Response="Failure", Reason="0",
                  Uniqueid="<unknown>")  # fmt: skip
    fact = parse_event(whole(frame))
    assert isinstance(fact, OriginateResponse)
    assert fact[1:] == ("cti-7", False, 0, None)


def test_never_is_none() -> None:
    """Asterisk's 0 for a moment that never was is None, not 1970."""
    frame = event("QueueMemberStatus", Queue="hotline", MemberName="1001", Interface="Local/1", Status="1", Paused="0",
                  PausedReason="", InCall="0", LastCall="0", LoginTime="1795284828", Wrapuptime="0")  # fmt: skip
    fact = parse_event(whole(frame))
    assert isinstance(fact, QueueMemberStatus)
    assert fact.last_call is None
    assert fact.login_time == datetime(2026, 11, 21, 18, 13, 48, tzinfo=UTC)


def test_unwanted_is_none() -> None:
    """Other events, answers and anything else are no facts."""
    assert parse_event(whole(event("VarSet", Variable="x", Value=""))) is None
    assert parse_event(b"Response: Success\r\nActionID: 1") is None
    assert parse_event(b"") is None


@pytest.mark.parametrize("header", ["Channel", "Uniqueid", "Linkedid", "Cause"])
def test_missing_header_is_named(header: str) -> None:
    """The error names event and header."""
    lines = [line for line in whole(hangup()).split(b"\r\n") if not line.startswith(header.encode() + b":")]
    with pytest.raises(EventError, match=f"^Hangup: header {header} is missing$"):
        parse_event(b"\r\n".join(lines))


VALUES = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(["1", "0", "<unknown>", "1795284828", ""])


@given(st.lists(st.tuples(st.sampled_from(["Channel", "Uniqueid", "Linkedid", "Cause", "X", "ChanVariable"]), VALUES)))
def test_the_learned_way_is_the_careful_way(headers: list[tuple[str, str]]) -> None:
    """For any frame both ways give the same fact or the same kind of refusal."""
    parse_event(whole(hangup()))
    head = b"Event: Hangup\r\nPrivilege: call,all\r\nTimestamp: 1795284828.023507"
    frame = b"\r\n".join([head, *(f"{name}: {value}".encode() for name, value in headers)])

    def outcome(read: object) -> object:
        try:
            return read()  # type: ignore[operator]
        except (EventError, ForgedError) as error:
            return type(error), str(error)

    assert outcome(lambda: parse_event(frame)) == outcome(lambda: _parse_new(frame, _READERS[b"Hangup"]))

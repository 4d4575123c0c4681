"""Frames from any bytes: bounded, never a crash, never a fact that Asterisk did not write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.ami import EventError, parse_event
from cti.ami.events import Hangup
from cti.ami.protocol import KEPT
from cti.ami.wire import MAX_FRAME, Framer, Stats, WireError, decode, mended, readable
from tests.wire.fake_ami import BANNER, event, hangup
from tests.wire.test_captures import capture, frames


def framer(stats: Stats | None = None, max_frame: int = MAX_FRAME) -> Framer:
    made = Framer(KEPT, stats or Stats(), max_frame)
    assert made.feed(BANNER) == []
    return made


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_any_bytes(pieces: list[bytes]) -> None:
    """Whatever arrives, the framer gives frames without blank lines, and keeps all but its bound of it."""
    made = framer(max_frame=500)
    for piece in pieces:
        for frame in made.feed(piece):
            assert frame
            assert b"\r\n\r\n" not in frame
            assert len(frame) <= 500
    assert len(made._tail) <= 500


@given(st.data())
def test_mutated_stream_never_crashes(data: st.DataObject) -> None:
    """A real stream with bytes changed, removed or put in gives facts or EventError, nothing else (F23)."""
    source = capture("cti")
    start = data.draw(st.integers(0, len(source) - 4000))
    stream = bytearray(source[start : start + 4000])
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(stream) - 1))
        length = data.draw(st.integers(0, 3))
        stream[at : at + length] = data.draw(st.sampled_from([b"", b"\r\n", b"\r\n\r\n", b"\n", b"\0", b": ", b"\xff"]))
    for frame in framer().feed(bytes(stream)):
        refusal = ""
        try:
            parse_event(frame)
        except EventError as error:
            refusal = str(error)
        assert "13800" not in refusal


CALLER = st.text(st.sampled_from("Event: HangupQ\r\n\t,.0123456789PrivilegeTimestampUniqueid测试\0"), max_size=79) | (
    st.sampled_from(
        [
            "1\r\nUniqueid: 9.9", "1\r\nQueue: other\r\nX: ", "\r\n\r\nEvent: Hangup", "1\r\nLinkedid: 9.9\r\n\r\n",
            "\r\n\r\nEvent: Hangup\r\nPrivilege: call,all\r\nUniqueid: 9.9\r\n\r\n", "x\r\nMemberName: 测试",
        ]
    )
)  # fmt: skip


@given(CALLER)
def test_a_caller_forges_no_fact(name: str) -> None:
    """A caller's text of 79 bytes inside a genuine event gives that event's true facts or none (S1).

    The text may end the event early; then the event is incomplete and refused. It never changes another field.
    """
    raw = name.encode()[:79].decode(errors="ignore")
    stream = event(
        "AgentConnect", Channel="Local/1", CallerIDNum=raw, CallerIDName=raw, Uniqueid="1.1", Linkedid="1.0",
        DestChannel="Local/2", DestUniqueid="1.2", Queue="hotline", Interface="Local/2", MemberName="测试坐席一",
        HoldTime="1", RingTime="1",
    )  # fmt: skip
    for frame in framer().feed(stream):
        try:
            fact = parse_event(frame)
        except EventError:
            continue
        if fact is not None:
            assert type(fact).__name__ == "AgentConnect"
            assert fact[1:6] == ("hotline", "测试坐席一", "Local/2", 1, 1)
            assert fact[7:] == ("1.1", "1.0", "1.2", "Local/2")


def test_extra_blank_lines_cost_nothing() -> None:
    """Debian's TestEvent ends with one CR LF too many; the event after it is whole."""
    stats = Stats()
    stream = (
        event("TestEvent", "test,all", Type="StateChange")[:-2] + b"\r\n\r\n" + hangup() + b"\r\n\r\n\r\n" + hangup()
    )
    assert framer(stats).feed(stream) == [hangup()[:-4]] * 2
    assert (stats.frames, stats.dropped) == (3, 1)


@pytest.mark.parametrize("size", [1, 7, 1448, 100_000, 3_000_000])
def test_two_megabytes_without_an_end(size: int) -> None:
    """A frame without an end is not kept beyond the bound, is counted once, and the next one is read (F23)."""
    stats = Stats()
    made = framer(stats, max_frame=4096)
    stream = b"Event: Hangup\r\nX: " + b"x" * (2_000_000 if size > 7 else 50_000) + b"\r\n\r\n" + hangup()
    got = []
    for start in range(0, len(stream), size):
        got += made.feed(stream[start : start + size])
        assert len(made._tail) <= 4096 + size
    assert got == [hangup()[:-4]]
    assert stats.oversized == 1


def test_gbk_is_recovered() -> None:
    """An old phone's GBK name is read as what it says, in a fact and in a list item; its bytes are not lost before."""
    raw = "测试".encode("gbk")
    assert decode(raw).encode("utf-8", "surrogateescape") == raw
    assert mended(decode(raw)) == readable(raw) == "测试"
    fact = parse_event(hangup()[:-4].replace(b"Channel: Local/1", b"Channel: " + raw))
    assert isinstance(fact, Hangup)
    assert fact.channel == "测试"


@given(st.binary(max_size=60))
def test_every_value_can_be_stored(raw: bytes) -> None:
    """Whatever bytes a caller sends, the text can be written to a database or a page: one bad name stops no engine."""
    readable(raw).encode()
    assert mended(decode(raw)) == readable(raw)


def test_empty_last_value_is_kept() -> None:
    """``PausedReason: `` as the last line is an empty reason, not a missing one."""
    lines = (
        b"Event: QueueMemberPause\r\nPrivilege: agent,all\r\nTimestamp: 1795284828.000001\r\nQueue: hotline\r\n"
        b"MemberName: 1001\r\nInterface: Local/1\r\nStatus: 1\r\nPaused: 1\r\nInCall: 0\r\nLastCall: 0\r\n"
        b"LoginTime: 0\r\nWrapuptime: 0\r\nPausedReason: \r\n\r\n"
    )
    (frame,) = framer().feed(lines)
    fact = parse_event(frame)
    assert fact is not None
    assert fact[6] == ""


def test_repeated_channel_variables_are_no_forgery() -> None:
    """``channelvars`` repeats ChanVariable in each event; real frames with them are in the capture."""
    many = [frame for frame in frames(capture("cti")) if frame.count(b"ChanVariable") > 1]
    assert len(many) > 50
    assert all(parse_event(frame) for frame in many if b"ActionID" not in frame)


@pytest.mark.parametrize("first", [b"SSH-2.0-x\r\n", b"HTTP/1.1 400\r\n\r\n", b"\0\0\0", b"x" * 2000])
def test_another_service_is_refused(first: bytes) -> None:
    """The first line decides; nothing of another service is taken for AMI."""
    with pytest.raises(WireError):
        Framer(KEPT, Stats()).feed(first)


def test_banner_in_pieces() -> None:
    """The banner may come byte by byte, alone or with what follows."""
    made = Framer(KEPT, Stats())
    got = [frame for byte in BANNER + hangup() for frame in made.feed(bytes([byte]))]
    assert made.version == "11.0.0"
    assert got == [hangup()[:-4]]

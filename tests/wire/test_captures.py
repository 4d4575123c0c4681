"""Streams that a real Asterisk wrote, cut in every way TCP may cut them, give the same facts.

``python -m bench.ami_stream tests/wire/captures`` records them anew; the ``.json`` beside each names the version.
"""

from __future__ import annotations

import gzip
import json
import re
from functools import cache
from pathlib import Path

import pytest

from cti.ami import Event, parse_event
from cti.ami.events import WANTED, AgentConnect, QueueMemberPause
from cti.ami.items import EntryItem, parse_item
from cti.ami.protocol import ITEMS, KEPT, AmiProtocol
from cti.ami.wire import Framer, Stats, decode, event_name

CAPTURES = Path(__file__).parent / "captures"
ACCOUNTS = ("cti", "lab")


@cache
def capture(account: str) -> bytes:
    return gzip.decompress((CAPTURES / f"kinds-{account}.ami.gz").read_bytes())


def frames(*pieces: bytes) -> list[bytes]:
    framer = Framer(KEPT, Stats())
    return [frame for piece in pieces for frame in framer.feed(piece)]


def facts(cut: list[bytes]) -> list[Event]:
    return [fact for fact in map(parse_event, cut) if fact is not None]


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def test_cut_at_every_offset() -> None:
    """Two segments, cut at each of its offsets: the same frames, so the same facts."""
    data = capture("cti")
    whole = frames(data)
    for cut in range(len(data) + 1):
        assert frames(data[:cut], data[cut:]) == whole, f"cut at {cut}"


@pytest.mark.parametrize("account", ACCOUNTS)
@pytest.mark.parametrize("size", [1, 7, 1448, 65536])
def test_segments(account: str, size: int) -> None:
    """Segments of any size give the same facts, in the same order."""
    data = capture(account)
    assert facts(frames(*pieces(data, size))) == facts(frames(data))


@pytest.mark.parametrize("account", ACCOUNTS)
def test_every_kind_is_there_and_read(account: str) -> None:
    """The captures hold every wanted kind and nothing in them is refused; both accounts see the same kinds."""
    kinds = {type(fact).__name__ for fact in facts(frames(capture(account)))}
    assert kinds == WANTED


@pytest.mark.parametrize("account", ACCOUNTS)
def test_no_fact_is_lost(account: str) -> None:
    """As many facts as wanted Event lines, counted without the framer: a TestEvent's extra CR LF costs none."""
    data = capture(account)
    lines = re.findall(rb"^Event: (\w+)\r$", data, re.MULTILINE)
    assert len(facts(frames(data))) == sum(name.decode() in WANTED for name in lines)
    if account == "lab":
        assert data.count(b"\r\n\r\n\r\nEvent: ") >= 5


def test_chinese_names_are_whole() -> None:
    """Names and reasons come out as they went in."""
    found = facts(frames(*pieces(capture("cti"), 7)))
    assert {fact.member_name for fact in found if isinstance(fact, AgentConnect)} == {
        "测试坐席一", "测试坐席二", "测试坐席三", "测试坐席四",
    }  # fmt: skip
    assert [fact.paused_reason for fact in found if isinstance(fact, QueueMemberPause)] == ["用餐", ""]


def test_entry_of_a_list() -> None:
    """A waiting caller is read from a real QueueStatus."""
    (frame,) = [frame for frame in frames(capture("cti")) if frame.startswith(b"Event: QueueEntry")]
    fields = dict(line.split(": ", 1) for line in decode(frame).split("\r\n"))
    entry = parse_item(fields)
    assert isinstance(entry, EntryItem)
    assert (entry.queue, entry.position, entry.caller_id_num) == ("hotline", 1, "13800000004")


@pytest.mark.parametrize("account", ACCOUNTS)
async def test_a_whole_session_raises_no_trouble(account: str) -> None:
    """Of a real stream nothing is quarantined but the answers to the recorder's own actions, which we never asked."""
    stats, troubles = Stats(), list[str]()
    wire = AmiProtocol(stats, lambda fact: None, lambda: None, troubles.append, troubles.append)
    wire.data_received(capture(account))
    answers = [frame for frame in frames(capture(account)) if event_name(frame) in ITEMS | {b""}]
    assert (stats.quarantined, stats.malformed, len(troubles)) == (len(answers), 0, 1)


def test_sidecars_name_the_version() -> None:
    """Each capture says which Asterisk wrote it."""
    for account in ACCOUNTS:
        about = json.loads((CAPTURES / f"kinds-{account}.json").read_text())
        assert about["asterisk"].startswith("Asterisk 22.")
        assert about["bytes"] == len(capture(account))

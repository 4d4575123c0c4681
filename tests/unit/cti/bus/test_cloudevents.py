"""What leaves the house: CloudEvents 1.0, topics of harmless bytes, and only keys that are on the list."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.bus.cloudevents import CONTENT_TYPE, KINDS, TYPE_PREFIX, event_of, is_retained, topic_of, topic_part
from cti.bus.outbox import STATE_KINDS, Message

T = datetime(2026, 11, 21, 17, 0, tzinfo=timezone(timedelta(hours=8)))
ASYNCAPI = Path(__file__).parents[4] / "docs/asyncapi.yaml"


def message(kind: str, subject: str = "1795285585.1", **data: object) -> Message:
    return Message(42, T, kind, subject, "all", data)


def text_of(part: str) -> str:
    """The id that ``topic_part`` made *part* of, by its documented rule alone."""
    found = re.fullmatch(r"(.*\d)-(\d+)", part, re.ASCII | re.DOTALL)
    dotted = f"{found[1]}_2e{found[2]}" if found else part
    return re.sub(r"(?:_[0-9a-f]{2})+", lambda m: bytes.fromhex(m[0].replace("_", "")).decode(), dotted)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("1795285585.1", "1795285585-1"),
        ("cticb-1795284828.17", "cticb-1795284828-17"),
        ("Pbx-1795284828.17", "_50bx-1795284828-17"),
        ("hotline", "hotline"),
        ("line-2", "line-2"),
        ("hot_line", "hot_5fline"),
        ("line1-2", "line1_2d2"),
        ("a/+#", "a_2f_2b_23"),
        ("热线", "_e7_83_ad_e7_ba_bf"),
    ],
)
def test_an_id_becomes_one_part_of_a_topic(text: str, part: str) -> None:
    """Only [a-z0-9_-]; the usual ids stay readable."""
    assert topic_part(text) == part


@given(st.text(min_size=1) | st.from_regex(r"\A[a-z0-9_.-]{1,12}\Z"))
def test_two_ids_never_share_a_topic(text: str) -> None:
    """The part is made of harmless bytes and leads back to its id, so no two ids have the same."""
    part = topic_part(text)
    assert re.fullmatch(r"[a-z0-9_-]+", part)
    assert text_of(part) == text


@pytest.mark.parametrize(
    ("kind", "subject", "topic"),
    [
        ("agent.state", "1001", "x/agent/1001/state"),
        ("queue.state", "hotline", "x/queue/hotline/state"),
        ("link.state", "pbx1", "x/link/pbx1/state"),
        ("call.ended", "1795285585.1", "x/call/1795285585-1/event"),
        ("ticket.opened", "t-01ke", "x/ticket/t-01ke/event"),
        ("recording.alarm", "1795285585.1", "x/recording/1795285585-1/event"),
        ("callback.closed", "cb-01ke", "x/callback/cb-01ke/event"),
        ("alarm", "pbx1", "x/alarm/event"),
    ],
)
def test_each_kind_has_its_topic(kind: str, subject: str, topic: str) -> None:
    """States are retained under …/state, events are not and come under …/event."""
    assert topic_of(message(kind, subject), "x") == topic
    assert is_retained(message(kind, subject)) == topic.endswith("/state")


def test_an_event_has_the_attributes_of_cloudevents() -> None:
    """CloudEvents 1.0, structured JSON: required attributes, the outbox number as id, the time in UTC."""
    event = json.loads(event_of(message("call.ended", ending="completed", talk_ms=65_000, wait_ms=3_000), "/main/pbx1"))
    assert event == {
        "specversion": "1.0", "id": "42", "source": "/main/pbx1", "type": "hotline.cti.call.ended.v1",
        "subject": "1795285585.1", "time": "2026-11-21T09:00:00.000000Z", "datacontenttype": "application/json",
        "data": {"ending": "completed", "talk_ms": 65_000, "wait_ms": 3_000},
    }  # fmt: skip


def data_of(kind: str, subject: str = "1795285585.1", **data: object) -> dict[str, object]:
    told: dict[str, object] = json.loads(event_of(message(kind, subject, **data), "/s"))["data"]
    return told


def test_what_is_not_on_the_list_stays() -> None:
    """An unknown key never leaves, whatever its value; nothing known is told by None."""
    assert data_of("call.answered", agent="1001", caller="13800000099", ring_ms=None) == {
        "agent": "1001",
        "ring_ms": None,
    }


@pytest.mark.parametrize(
    "value",
    ["13800000099", "138 0000 0099", "0530-1234567", 13800000099, "测试话务员戊", ["x"], {"a": 1}, "a" * 300, "a\nb"],
)
def test_no_value_that_could_be_a_person_leaves(value: object) -> None:
    """A number of nine digits and more, Chinese text, lists, control bytes: left out of every key of every kind."""
    for name, kind in KINDS.items():
        subject = "1795285585.1" if kind.room in ("call", "ticket", "recording", "callback") else "1001"
        assert data_of(name, subject, **dict.fromkeys(kind.keys, value)) == {}


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        ("call.queued", "13800000099"), ("ticket.opened", "13800000099"), ("agent.state", "13800000099"),
        ("callback.planned", "138-0000-0099 "), ("queue.state", "热线"), ("alarm", "0530 1234567"), ("call.queued", ""),
        ("ticket.note", "t-01ke"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_refused(kind: str, subject: str) -> None:
    """A subject that could be a caller's number, a kind without a topic; the refusal does not repeat the subject."""
    for tell in (lambda m: topic_of(m, "x"), lambda m: event_of(m, "/s")):
        with pytest.raises(ValueError, match=r"subject of|kind") as refusal:
            tell(message(kind, subject))
        assert not subject or subject not in str(refusal.value)


def test_every_kind_is_documented_with_its_keys() -> None:
    """docs/asyncapi.yaml and the list are one: each kind, its type and each of its keys, none more."""
    text = ASYNCAPI.read_text()
    documented = dict(
        re.findall(rf"^    {re.escape(TYPE_PREFIX)}\.([a-z_.]+)\.v1:\n((?:      .*\n)+)", text, re.MULTILINE)
    )
    assert set(documented) == set(KINDS)
    for name, kind in KINDS.items():
        assert re.findall(r"^ {18}([a-z_]+): \{", documented[name], re.MULTILINE) == list(kind.keys), name
        assert f"x-room: {kind.room}\n" in documented[name]
    assert CONTENT_TYPE in text
    assert all(kind in documented for kind in STATE_KINDS)


def test_the_time_zone_of_the_house_does_not_leave() -> None:
    """Times are told in UTC."""
    assert T.astimezone(UTC).hour == 9
    assert b"+08:00" not in event_of(message("alarm", "pbx1", code="x"), "/s")

"""Zammad's generic CTI, field by field against https://docs.zammad.org/en/latest/api/generic-cti/ (three event pages).

``DOCUMENTED`` is those pages' tables: event, field, whether it is needed, its form, and where ours comes from.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.bus.outbox import Message
from cti.bus.zammad import CAUSES, KINDS, Facts, Told, as_json, call_of, told

T = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
CALL, CALLBACK = "1795285585.1", "c-01ke"
FACTS = Facts("+8613800000071", {"1001": "测试话务员甲"})
NUMBER = r"[0-9]+|anonymous"
ANY = r".+"
CAUSE = r"normalClearing|busy|cancel|noAnswer|congestion|notFound|forwarded"

DOCUMENTED = [
    ("newCall", "event", True, "newCall", "fixed"),
    ("newCall", "from", True, NUMBER, "calls.caller, or zammad.line for a callback"),
    ("newCall", "to", True, NUMBER, "zammad.line, or callbacks.number"),
    ("newCall", "direction", True, "in|out", "in: the queue; out: a callback"),
    ("newCall", "callId", True, r"[\w.-]{1,250}", "the caller's Uniqueid, or callback id and attempt"),
    ("newCall", "user", False, ANY, "people.name of the agent who calls back; in: nobody is known yet"),
    ("newCall", "queue", False, r"[\w-]+", "the queue's name"),
    ("answer", "event", True, "answer", "fixed"),
    ("answer", "from", True, NUMBER, "as in newCall"),
    ("answer", "to", True, NUMBER, "as in newCall"),
    ("answer", "direction", True, "in|out", "as in newCall"),
    ("answer", "callId", True, r"[\w.-]{1,250}", "as in newCall"),
    ("answer", "user", False, ANY, "people.name of the agent"),
    ("answer", "answeringNumber", False, r"[0-9]{2,8}", "the agent's 工号: phone, login or id of Zammad's user"),
    ("hangup", "event", True, "hangup", "fixed"),
    ("hangup", "from", True, NUMBER, "as in newCall"),
    ("hangup", "to", True, NUMBER, "as in newCall"),
    ("hangup", "direction", True, "in|out", "as in newCall"),
    ("hangup", "callId", True, r"[\w.-]{1,250}", "as in newCall"),
    ("hangup", "cause", True, CAUSE, "calls.ending, or the attempt's outcome"),
    ("hangup", "answeringNumber", False, r"[0-9]{2,8}", "not sent: the answer said it"),
]


def message(kind: str, subject: str = CALL, **data: Any) -> Message:
    return Message(1, T, kind, subject, "all", data)


QUEUED = message("call.queued", queue="hotline")
ANSWERED = message("call.answered", agent="1001", wait_ms=900)
ENDED = message("call.ended", ending="completed", closed=True)
DIALLING = message("callback.dialling", CALLBACK, ordinal=2, agent="1001")
REACHED = message("callback.reached", CALLBACK, ordinal=2, agent="1001")
ATTEMPT = message("callback.attempt", CALLBACK, ordinal=2, outcome="reached")


def tell(message: Message, stage: str | None, facts: Facts = FACTS) -> Told | None:
    return told(message, facts, stage, "12319")


def life(*messages: Message) -> list[dict[str, Any]]:
    """The events of *messages*, each in the stage that the one before left."""
    stage, events = None, []
    for one in messages:
        found = tell(one, stage)
        if found is not None:
            stage = found.stage
            events.append(found.event)
    return events


IN, OUT = life(QUEUED, ANSWERED, ENDED), life(DIALLING, REACHED, ATTEMPT)


@pytest.mark.parametrize(("event", "field", "needed", "form", "source"), DOCUMENTED)
def test_each_documented_field(event: str, field: str, needed: bool, form: str, source: str) -> None:
    """Needed fields are always there; each has the documented form; both for calls in and for callbacks."""
    assert source
    for found in (e for e in (*IN, *OUT) if e["event"] == event):
        assert (field in found) or not needed
        value = found.get(field)
        assert value is None or (isinstance(value, str) and re.fullmatch(form, value)), found


def test_nothing_is_sent_that_is_not_documented() -> None:
    """Every field of every event stands in its page's table."""
    documented = {(event, field) for event, field, *_ in DOCUMENTED}
    assert {(e["event"], field) for e in (*IN, *OUT) for field in e} <= documented


def test_a_call_in_as_the_documentation_shows_it() -> None:
    """The three events, whole."""
    base = {"from": "8613800000071", "to": "12319", "direction": "in", "callId": CALL}
    assert [
        {"event": "newCall", **base, "queue": "hotline"},
        {"event": "answer", **base, "user": "测试话务员甲", "answeringNumber": "1001"},
        {"event": "hangup", **base, "cause": "normalClearing"},
    ] == IN


def test_a_callback_is_a_call_out_with_an_id_for_each_attempt() -> None:
    """``out``: the agent's side calls; the callId is unique per call session, so each attempt has its own."""
    base = {"from": "12319", "to": "8613800000071", "direction": "out", "callId": f"{CALLBACK}-2"}
    assert [
        {"event": "newCall", **base, "user": "测试话务员甲"},
        {"event": "answer", **base, "user": "测试话务员甲", "answeringNumber": "1001"},
        {"event": "hangup", **base, "cause": "normalClearing"},
    ] == OUT
    assert call_of(DIALLING._replace(data={"ordinal": 3})) == f"{CALLBACK}-3"


@pytest.mark.parametrize(
    ("ending", "cause"),
    [
        ("completed", "normalClearing"), ("transferred", "forwarded"), ("abandoned", "cancel"),
        ("timed_out", "congestion"), ("empty", "congestion"), ("key", "forwarded"), ("withdrawn", "forwarded"),
    ],
)  # fmt: skip
def test_every_way_to_end_has_a_documented_cause(ending: str, cause: str) -> None:
    """And none that says that an agent rejected the caller (``noAnswer``)."""
    found = tell(message("call.ended", ending=ending, closed=True), "new")
    assert found is not None
    assert found.event["cause"] == cause
    assert cause in CAUSES


@pytest.mark.parametrize(
    ("outcome", "cause"),
    [("no_answer", "noAnswer"), ("busy", "busy"), ("agent_away", "cancel"), ("failed", "congestion")],
)
def test_every_outcome_of_an_attempt_has_a_cause(outcome: str, cause: str) -> None:
    """A callback that nobody answered has a newCall and a hangup."""
    found = life(DIALLING, ATTEMPT._replace(data={"ordinal": 2, "outcome": outcome}))
    assert [event["event"] for event in found] == ["newCall", "hangup"]
    assert found[-1]["cause"] == cause


def test_a_withheld_number_is_anonymous() -> None:
    """As the documentation has it."""
    found = tell(QUEUED, None, Facts("", {}))
    assert found is not None
    assert found.event["from"] == "anonymous"


def test_a_transfer_is_no_end_and_its_end_says_forwarded() -> None:
    """The first agent hands on: the call goes on at Zammad until the caller is gone."""
    handed_on = message("call.ended", ending="transferred", closed=False)
    gone = message("call.ended", ending="transferred", closed=True)
    assert [(e["event"], e.get("cause")) for e in life(QUEUED, ANSWERED, handed_on, gone)] == [
        ("newCall", None), ("answer", None), ("hangup", "forwarded")
    ]  # fmt: skip


def test_a_hangup_waits_for_its_reason_and_gives_way_to_it() -> None:
    """AMI says only that the caller left; queue_log says why, a moment later."""
    left = tell(message("call.ended", ending="left", closed=True), "new")
    assert left is not None
    assert (left.stage, left.wait_s) == ("unsure", 60.0)
    assert tell(message("call.ended", ending="left", closed=True), "unsure") is None
    true = tell(message("call.ended", ending="timed_out", closed=True), "unsure")
    assert true is not None
    assert (true.stage, true.instead, true.event["cause"]) == ("over", True, "congestion")
    late = tell(ANSWERED, "unsure")
    assert late is not None
    assert (late.stage, late.instead) == ("answered", True)


def test_what_zammad_does_not_know_of_is_not_sent() -> None:
    """It refuses an answer or a hangup without a newCall, as for a call that ran when it was switched on."""
    assert life(ANSWERED, ENDED, REACHED, ATTEMPT) == []


@given(st.lists(st.sampled_from([QUEUED, ANSWERED, ENDED, ENDED._replace(data={"ending": "left", "closed": True})])))
def test_in_whatever_order_it_comes_zammad_hears_each_step_once(messages: list[Message]) -> None:
    """newCall first, one answer at most, nothing after the hangup that stands."""
    stage, events = None, []
    for one in messages:
        found = tell(one, stage)
        if found is not None:
            stage = found.stage
            if found.instead:
                events.pop()
            events.append(found.event["event"])
    assert events in ([], ["newCall"], ["newCall", "answer"], ["newCall", "hangup"], ["newCall", "answer", "hangup"])


def test_the_body_is_json_and_its_kinds_are_told() -> None:
    """JSON is what the documentation recommends; Chinese names stay as they are."""
    assert json.loads(as_json(IN[1])) == IN[1]
    assert "测试话务员甲" in as_json(IN[1])
    assert {m.kind for m in (QUEUED, ANSWERED, ENDED, DIALLING, REACHED, ATTEMPT)} == set(KINDS)

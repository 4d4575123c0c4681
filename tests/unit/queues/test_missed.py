"""A missed call as a duty: what makes it, what merges into it, and who may end it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from queues import missed as core
from queues.calls import Call
from queues.facts import Ending
from queues.missed import MOST_TRIES, EndReason, Missed, State, Try
from regulations import Article

T0 = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
MS = timedelta(milliseconds=1)
ARTICLES = (Article("HZ", "第二十一条", "未接来电应及时回复"),)
BOTH = frozenset(("1001", "1002"))


def duty(**more: object) -> Missed:
    return Missed("m-1", "13800000061", T0, T0, 1, (Try("1.1", T0),), **more)  # type: ignore[arg-type]


def call(**more: object) -> Call:
    return Call("1.1", "1.1", "hotline", "13800000061", T0, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("ending", list(Ending))
def test_missed_is_ended_and_never_answered(ending: Ending) -> None:
    """Whatever the reason; an answered call is none, a waiting one not yet, and what nobody saw is none."""
    later = T0 + timedelta(seconds=20)
    assert core.is_missed(call(ended_at=later, ending=ending))
    assert not core.is_missed(call(ended_at=later, ending=ending, answered_at=T0))
    assert not core.is_missed(call())
    assert not core.is_missed(None)


def test_a_try_told_late_may_be_the_first_and_a_known_one_changes_nothing() -> None:
    """The age is the earliest try's, in whatever order they are told."""
    earlier = core.tried(duty(), Try("1.0", T0 - MS))
    assert (earlier.first_at, earlier.last_at, earlier.tries) == (T0 - MS, T0, 2)
    assert [one.call_id for one in earlier.latest] == ["1.0", "1.1"]
    assert core.tried(earlier, Try("1.1", T0)) is earlier


def test_the_newest_tries_are_kept_and_all_are_counted() -> None:
    """Whoever rings without end does not fill a row."""
    found = duty()
    for n in range(2, MOST_TRIES + 30):
        found = core.tried(found, Try(f"1.{n}", T0 + n * MS))
    assert (found.tries, len(found.latest), found.first_at) == (MOST_TRIES + 29, MOST_TRIES, T0)
    assert found.latest[-1].call_id == f"1.{MOST_TRIES + 29}"


def test_a_conversation_settles_what_was_before_it_to_the_millisecond() -> None:
    """At the moment of the first try it settles, before it not; a later try is left over."""
    two = core.tried(duty(claimed_by="1001"), Try("1.2", T0 + 2 * MS))
    assert core.spoken(two, T0 - MS, "1002", State.CAME_THROUGH, T0) == (two, ())
    closed, later = core.spoken(two, T0 + MS, "1002", State.CAME_THROUGH, T0 + 9 * MS)
    assert (closed.state, closed.closed_at, closed.closed_by) == (State.CAME_THROUGH, T0 + 9 * MS, "1002")
    assert later == (Try("1.2", T0 + 2 * MS),)
    assert core.spoken(two, T0 + 2 * MS, None, State.REACHED, T0)[1] == ()
    again = core.opened("m-2", two.number, later)
    assert (again.first_at, again.tries, again.claimed_by) == (T0 + 2 * MS, 1, None)


@pytest.mark.parametrize(
    ("holder", "present", "callback", "code"),
    [
        (None, BOTH, None, "ok"),
        ("1002", BOTH, None, "missed_claimed"),
        ("1002", {"1001"}, None, "ok"),  # the holder has signed out
        ("1002", {"1001"}, "placing", "missed_claimed"),  # but his phone rings for it
        ("1001", BOTH, "placing", "ok"),
        (None, {"1002"}, None, "missed_not_signed_in"),
    ],
)
def test_who_may_claim(holder: str | None, present: set[str], callback: str | None, code: str) -> None:
    """Whoever is signed in, unless another holds it who is there."""
    found = duty(claimed_by=holder, callback_state=callback)
    assert core.may_claim(found, "1001", present, ARTICLES).code == code
    assert core.may_call_back(found, "1001", present, ARTICLES).code == code


@pytest.mark.parametrize(
    ("holder", "by", "leads", "callback", "code"),
    [
        ("1001", "1001", False, None, "ok"),
        ("1001", "1002", False, None, "missed_claimed"),
        ("1001", "9001", True, None, "ok"),
        (None, "1001", False, None, "missed_not_claimed"),
        ("1001", "1001", False, "due", "missed_planned"),
        ("1001", "9001", True, "placing", "missed_planned"),
        ("1001", "1001", False, "exhausted", "ok"),
    ],
)
def test_who_may_give_it_back(holder: str | None, by: str, leads: bool, callback: str | None, code: str) -> None:
    """The holder or a lead; a planned callback is not left without its agent."""
    found = duty(claimed_by=holder, callback_state=callback)
    assert core.may_release(found, by, leads, ARTICLES).code == code


@pytest.mark.parametrize(
    ("by", "leads", "reason", "callback", "code"),
    [
        ("1001", False, EndReason.OTHER, None, "ok"),
        ("1002", False, EndReason.OTHER, None, "missed_claimed"),
        ("9001", True, EndReason.OTHER, "due", "ok"),
        ("1001", False, EndReason.OTHER, "placing", "attempt_running"),
        ("1001", False, EndReason.UNREACHABLE, "due", "missed_not_tried"),
        ("9001", True, EndReason.UNREACHABLE, None, "missed_not_tried"),
        ("1001", False, EndReason.UNREACHABLE, "exhausted", "ok"),
    ],
)
def test_who_may_end_it_without_a_conversation(
    by: str, leads: bool, reason: EndReason, callback: str | None, code: str
) -> None:
    """The holder or a lead, with a reason that is true."""
    found = duty(claimed_by="1001", callback_state=callback)
    ruling = core.may_end(found, by, leads, reason, ARTICLES)
    assert ruling.code == code
    if code.startswith("missed"):
        assert ruling.articles == ARTICLES


def test_an_exhausted_callback_is_not_planned_again() -> None:
    """A duty has one callback, so that its attempts are not counted from nought."""
    found = duty(claimed_by="1001", callback_state="exhausted")
    assert core.may_call_back(found, "1001", BOTH, ARTICLES).code == "missed_exhausted"


def test_an_end_says_who_when_and_why() -> None:
    """Reason and words are kept; an end by a lead of what nobody had claimed names the lead."""
    closed = core.ended(duty(), "9001", EndReason.NUISANCE, "骚扰电话", T0)
    assert (closed.state, closed.closed_by, closed.claimed_by) == (State.ENDED, "9001", "9001")
    assert (closed.end_reason, closed.end_text, closed.closed_at) == (EndReason.NUISANCE, "骚扰电话", T0)

"""What must be so before the key dials: claimed, read, recorded, nobody waiting, and within the most of an hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.app import load_profile
from queues.dialgate import AGAIN, RATES, Asked, Caps, Hits, House, Placed, hit, may_dial, within_caps
from regulations import combined

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
RULES = load_profile("hz-12319")
READY = Asked(by_key=True, agent="1001", pressed_by="1001", read=True)
CALM = House(waiting=0, waiting_most=0, caller_here=False, number_running=False, trouble="")
CAPS = Caps(agent_hourly=3, hourly=5, number_daily=2)


def test_claimed_read_and_calm_is_dialled() -> None:
    """Nothing speaks against it."""
    assert may_dial(READY, CALM, RULES).allowed


@pytest.mark.parametrize(
    ("asked", "house", "code", "article"),
    [
        (Asked(True, "", "1001", True), CALM, "callback_unclaimed", ""),
        (Asked(True, "1001", None, True), CALM, "callback_by_key", ""),
        (Asked(True, "1001", "2001", True), CALM, "callback_claimed", ""),
        (Asked(True, "1001", "1001", False), CALM, "preview_first", "第十四条(九)"),
        (READY, House(1, 0, False, False, ""), "inbound_first", ""),
        (READY, House(3, 2, False, False, ""), "inbound_first", ""),
        (READY, House(0, 0, True, False, ""), "caller_is_here", ""),
        (READY, House(0, 0, False, True, ""), "number_running", ""),
        (READY, House(0, 0, False, False, "full"), "not_recorded", "第十二条（三）"),
    ],
)
def test_each_reason_speaks_by_itself(asked: Asked, house: House, code: str, article: str) -> None:
    """A refusal names its reason, in both languages, and its article where a text has one."""
    ruling = may_dial(asked, house, RULES)
    assert (ruling.allowed, ruling.code) == (False, code)
    assert ruling.zh
    assert ruling.en
    assert [a.article for a in ruling.articles] == ([article] if article else [])


def test_one_that_dials_itself_needs_no_key_and_no_preview() -> None:
    """As before: it rings the agent when it is due. Inbound first and the recording hold for it too."""
    itself = Asked(by_key=False, agent="1001", pressed_by=None, read=False)
    assert may_dial(itself, CALM, RULES).allowed
    assert may_dial(itself, House(1, 0, False, False, ""), RULES).code == "inbound_first"
    assert may_dial(itself, House(0, 0, False, False, "gone"), RULES).code == "not_recorded"


def test_where_no_text_asks_for_the_preview_none_is_needed() -> None:
    """The rule is off in a profile that does not have it."""
    assert may_dial(Asked(True, "1001", "1001", False), CALM, load_profile("qd-96556")).allowed


@given(
    st.lists(
        st.builds(
            Placed, st.integers(0, 90_000).map(lambda s: NOW - timedelta(seconds=s)),
            st.sampled_from(("1001", "1002")), st.sampled_from(("13800000001", "13800000002")),
        ), max_size=12,
    )
)  # fmt: skip
def test_the_caps_hold_and_name_when_there_is_room(recent: list[Placed]) -> None:
    """Never more than the most within any hour or day; at the moment that a refusal names, one more is within it."""
    rulings = within_caps(recent, "1001", "13800000001", CAPS, NOW)
    assert {r.code for r in rulings if not r.allowed} <= RATES
    ruling = combined(rulings)
    hour = [p for p in recent if p.at > NOW - timedelta(hours=1)]
    day = [p for p in recent if p.at > NOW - timedelta(hours=24)]
    room = (
        sum(p.agent == "1001" for p in hour) < 3 and len(hour) < 5 and sum(p.number == "13800000001" for p in day) < 2
    )
    assert ruling.allowed == room
    if not ruling.allowed:
        assert ruling.allowed_at is not None
        assert ruling.allowed_at > NOW
        assert combined(within_caps(recent, "1001", "13800000001", CAPS, ruling.allowed_at)).allowed


@given(st.lists(st.floats(0, 2000), max_size=60))
def test_a_cap_hit_again_and_again_is_told_once_an_hour(gaps: list[float]) -> None:
    """Never before the third hit within an hour, never twice within one, and always by the third after that."""
    hits, mono, told, all_ = Hits(), 0.0, [], []
    for gap in gaps:
        mono += gap
        all_.append(mono)
        hits, tell = hit(hits, mono)
        near = sum(at > mono - 3600 for at in all_) >= AGAIN
        quiet = not told or mono - told[-1] >= 3600
        assert tell == (near and quiet)
        told += [mono] if tell else []

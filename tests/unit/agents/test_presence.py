"""What an agent's screen shows, from what was asked for and what Asterisk shows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agents.presence import (
    Agent,
    Observed,
    Presence,
    busy,
    hangs_up,
    observe,
    presence,
    ready,
    rings,
    signed_in,
    signed_out,
    stops_ringing,
    talks,
)  # fmt: skip
from agents.signin import may_be_ready, may_go_busy, may_sign_in, may_sign_out
from regulations import Article

T0 = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
ANN = Agent("1001", "测试话务员甲")
REASONS = {"break"}


def on_seat() -> Agent:
    return signed_in(ANN, "8001", "PJSIP/8001", T0)


def after(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def test_a_conversation_outweighs_ringing_wrap_up_and_busy() -> None:
    """The state across the room is the one that matters most to the next caller."""
    agent = on_seat()
    assert presence(agent, after(1)) == (Presence.READY, T0)
    agent = rings(agent, "c1", after(2))
    assert presence(agent, after(2)) == (Presence.RINGING, after(2))
    agent = talks(agent, "c1", after(4))
    agent = busy(agent, "break", after(5))
    assert presence(agent, after(6)) == (Presence.TALKING, after(4))
    agent = hangs_up(agent, "c1", after(20), timedelta(seconds=5))
    assert presence(agent, after(21)) == (Presence.BUSY, after(5))


def test_wrap_up_ends_by_itself() -> None:
    """Wrap-up lasts as long as the queue's wrapuptime, then the agent is ready since its end."""
    agent = hangs_up(talks(on_seat(), "c1", after(1)), "c1", after(10), timedelta(seconds=5))
    assert presence(agent, after(14.999)) == (Presence.WRAP_UP, after(10))
    assert presence(agent, after(15)) == (Presence.READY, after(15))


def test_the_end_of_another_call_does_not_free_the_agent() -> None:
    """Two calls on one agent: only the end of the one in conversation ends it."""
    agent = talks(rings(on_seat(), "c2", after(1)), "c1", after(2))
    agent = hangs_up(agent, "c2", after(3), timedelta(seconds=5))
    assert presence(agent, after(4))[0] is Presence.TALKING
    assert stops_ringing(agent, "c2").ringing == ()


def test_a_pause_set_past_us_is_marked_until_both_agree_again() -> None:
    """Desired and observed are kept apart; the mark says what differs, and goes when it does no longer."""
    agent = observe(on_seat(), Observed(True, True, "lunch", after(1)))
    assert agent.outside == "pause:lunch"
    assert observe(agent, Observed(True, False, "", after(2))).outside is None
    agent = observe(busy(on_seat(), "break", after(1)), Observed(True, False, "", after(2)))
    assert agent.outside == "unpause"
    assert observe(signed_out(agent, after(3)), Observed(True)).outside == "member"


@pytest.mark.parametrize(
    ("agent", "seat", "taken", "code"),
    [
        (ANN, "8001", {}, "ok"),
        (ANN, "8001", {"8001": "1002"}, "seat_taken"),
        (on_seat(), "8001", {"8001": "1001"}, "already_signed_in"),
        (on_seat(), "8002", {"8001": "1001"}, "signed_in_elsewhere"),
    ],
)
def test_one_seat_one_agent(agent: Agent, seat: str, taken: dict[str, str], code: str) -> None:
    """HZ 第十八条: nobody signs in for another; each refusal cites the article."""
    ruling = may_sign_in(agent, seat, taken, Article("HZ", "第十八条", "不许他人代签"))
    assert ruling.code == code
    assert [a.cite() for a in ruling.articles] == ["HZ 第十八条"]


def test_nobody_leaves_a_ringing_phone() -> None:
    """Signing out would refuse the call that rings (HZ 第二十一条); an administrator who puts one off need not wait."""
    ringing = rings(on_seat(), "c1", T0)
    assert may_sign_out(ringing).code == "ringing"
    assert may_sign_out(ringing, "9001").allowed
    assert may_sign_out(talks(on_seat(), "c1", T0), "9001").code == "talking"


def test_refusals_name_their_reason_in_both_languages() -> None:
    """A refusal is a value with a sentence for the screen."""
    talking = talks(on_seat(), "c1", T0)
    rulings = (
        may_sign_out(ANN), may_sign_out(talking), may_go_busy(ANN, "break", REASONS), may_be_ready(ANN),
        may_go_busy(on_seat(), "nap", REASONS),
    )  # fmt: skip
    assert [r.code for r in rulings] == ["not_signed_in", "talking", "not_signed_in", "not_signed_in", "unknown_reason"]
    assert all(r.zh and r.en and not r.allowed for r in rulings)
    assert may_sign_out(on_seat()).allowed
    assert may_go_busy(on_seat(), "break", REASONS).allowed
    assert ready(busy(on_seat(), "break", T0), T0).busy_reason is None

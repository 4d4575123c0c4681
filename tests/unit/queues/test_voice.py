"""An agent's voice keys are for the caller whom he talks with."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from queues.calls import Call, Offer
from queues.facts import OfferEnd
from queues.voice import leg_of, may_speak

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
OFFER = Offer(1, "1001", "1.5", NOW, NOW, OfferEnd.ANSWERED)
CALL = Call("1.4", "1.4", "hotline", "13800000001", NOW, offers=(OFFER,), agent="1001", answered_at=NOW)


def test_who_talks_may_speak_and_nobody_else() -> None:
    """Another agent, an agent who was only rung, one who handed the caller on, and nobody's call are refused."""
    assert leg_of(CALL, "1001") == "1.5"
    assert may_speak(CALL, "1001").allowed
    rung = replace(CALL, offers=(replace(OFFER, end=OfferEnd.NO_ANSWER),))
    over = replace(CALL, offers=(replace(OFFER, talk_ended_at=NOW),))
    gone = replace(CALL, ended_at=NOW)
    for call, agent in ((CALL, "1002"), (rung, "1001"), (over, "1001"), (gone, "1001"), (None, "1001")):
        assert may_speak(call, agent).code == "not_talking"

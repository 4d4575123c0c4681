"""What a caller hears while an agent has him, and what the agent may ask for by a key."""

from __future__ import annotations

from enum import StrEnum

from queues.calls import Call
from queues.facts import OfferEnd
from regulations import Ruling, allowed, refused


class Prompt(StrEnum):
    """What caller and agent hear without the conversation ending; each a file of asterisk-conf/sounds."""

    RECORDED = "recorded"
    NUISANCE = "nuisance"  # 骚扰来电告知: recorded, and the number is shown


class AfterAgent(StrEnum):
    """What the caller hears when the agent has ended the conversation by a key."""

    SILENT = "silent"  # 无声来电: nobody was heard
    RATE = "rate"  # 邀请评价


class Rating(StrEnum):
    """The keys of the survey."""

    SATISFIED = "1"
    NEUTRAL = "2"
    DISSATISFIED = "3"


def leg_of(call: Call, agent: str) -> str | None:
    """The channel on which *agent* talks in this call now; None when he does not."""
    own = [o for o in call.offers if o.agent == agent and o.end is OfferEnd.ANSWERED and o.talk_ended_at is None]
    return own[-1].leg if own and not call.closed else None


def may_speak(call: Call | None, agent: str) -> Ruling:
    """An agent's keys are for the caller whom he talks with."""
    return _talking(call is not None and leg_of(call, agent) is not None)


def may_invite(talker: str | None, agent: str) -> Ruling:
    """After a callback as after a call in. *talker*: who talks in its conversation now; None when nobody does."""
    return _talking(talker == agent)


def _talking(true: bool) -> Ruling:
    return allowed() if true else refused("not_talking", "您未与该来电通话", "You are not talking with this caller")

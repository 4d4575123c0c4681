"""What happened to a call, as one vocabulary for both witnesses: AMI events and Asterisk's queue_log.

``exact`` tells the witness: True for an AMI timestamp (microseconds), False for queue_log (whole seconds, rounded
down). A fact may come twice, late, or from both witnesses; callflow makes the same call of every such history.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Ending(StrEnum):
    """Why a call's time in the queue, or the call, ended."""

    COMPLETED = "completed"
    TRANSFERRED = "transferred"
    ABANDONED = "abandoned"  # the caller hung up
    TIMED_OUT = "timed_out"  # waited as long as the queue allows
    EMPTY = "empty"  # the queue let nobody wait
    KEY = "key"  # the caller pressed a key
    WITHDRAWN = "withdrawn"  # taken out by an action
    LEFT = "left"  # left unanswered, the reason not yet known
    LOST = "lost"  # Asterisk or we lost sight of it (pbx lost)


class OfferEnd(StrEnum):
    """How one offer to one agent ended."""

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"  # rang out (ring-no-answer)
    REJECTED = "rejected"  # refused or busy before the ring time was over
    CANCELLED = "cancelled"  # the caller gave up, or somebody else took it
    LOST = "lost"


class Door(StrEnum):
    """Why a caller never became a queue entry."""

    FULL = "full"  # as many waited as the queue takes
    CLOSED = "closed"  # the queue lets nobody wait now (joinempty), or is not there
    LINES = "lines"  # as many callers were in as the site lets in


class Entered(NamedTuple):
    """A caller became a queue entry."""

    call_id: str
    at: datetime
    queue: str
    caller: str
    linkedid: str | None = None
    exact: bool = True
    front: bool = False
    """Whether the dialplan put the caller to the front: an emergency."""


class Offered(NamedTuple):
    """An agent's phone was asked to ring."""

    call_id: str
    at: datetime
    agent: str
    leg: str | None
    exact: bool = True
    queue: str = ""


class NotAnswered(NamedTuple):
    """An offer ended unanswered (AgentRingNoAnswer, RINGNOANSWER). ``rang_ms`` is Asterisk's own figure."""

    call_id: str
    at: datetime
    agent: str
    rang_ms: int
    exact: bool = True
    queue: str = ""


class Answered(NamedTuple):
    """An agent took the call."""

    call_id: str
    at: datetime
    queue: str
    agent: str
    leg: str | None
    hold_s: int = 0
    exact: bool = True


class Left(NamedTuple):
    """The caller left the queue unanswered; ``ending`` is LEFT until queue_log tells the true reason."""

    call_id: str
    at: datetime
    ending: Ending
    exact: bool = True


class Completed(NamedTuple):
    """The conversation with the agent ended, or was handed on."""

    call_id: str
    at: datetime
    agent: str
    ending: Ending
    exact: bool = True


class Vanished(NamedTuple):
    """Asterisk no longer knows the channel of an open call, and nobody saw it end."""

    call_id: str
    at: datetime


class Rated(NamedTuple):
    """After the agent the caller pressed a key of the survey: 1 satisfied, 2 neutral, 3 dissatisfied."""

    call_id: str
    at: datetime
    queue: str
    agent: str
    rating: int


class ShutOut(NamedTuple):
    """A caller was turned away at the door and never waited. ``caller`` is empty when withheld."""

    call_id: str
    at: datetime
    queue: str
    caller: str
    why: Door


CallFact = Entered | Offered | NotAnswered | Answered | Left | Completed | Vanished
Told = CallFact | Rated | ShutOut
"""All that Asterisk tells of a caller."""

"""One room of duty in the engine: roster, conduct, findings, handover. The engine asks every part in turn.

A part keeps its own picture in memory, writes rows with ``world.write``, and hears what the others did through ``Act``.
Parts know each other only through what they are given when they are made.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from agents.presence import Agent
from cti.ami.events import AttendedTransfer, BlindTransfer, DialBegin, DialEnd, Hangup, OriginateResponse
from cti.commands import Command, GoBusy, GoReady, Outcome, SignIn, SignOut
from cti.engine.records import Callback
from queues.calls import Call
from queues.facts import Rated, ShutOut
from queues.replies import Result
from queues.stubs import Stub
from regulations import Ruling


class ActKind(StrEnum):
    """What happened to an agent on duty."""

    SIGNED_IN = "signed_in"  # 签入
    SIGNED_OUT = "signed_out"  # 签出
    BUSY = "busy"  # 示忙
    READY = "ready"  # 就绪
    ARRIVED = "arrived"  # 到岗
    PAGE_OPENED = "page_opened"  # 登录: the first page of this person opened
    PAGE_CLOSED = "page_closed"  # the last page closed
    OUTSIDE = "outside"  # a pause, or its end, set past the console (绕过控制台)
    INSIDE = "inside"  # Asterisk and the console agree again


@dataclass(frozen=True, slots=True)
class Act:
    """One act of one agent, as it was carried into the world. ``at`` is aware UTC; ``mono`` seconds of our clock."""

    kind: ActKind
    agent: str
    at: datetime
    mono: float
    seat: str | None = None
    reason: str | None = None
    by: str | None = None
    """Who did it, when it was not the agent: a lead, or an administrator."""


CallMove = DialBegin | DialEnd | BlindTransfer | AttendedTransfer
"""What Asterisk tells of an answered call that goes to somebody else."""

StateAsked = SignIn | SignOut | GoBusy | GoReady
Handler = Callable[[Any, datetime], Outcome]
Waker = Callable[[str, datetime], None]


class Part:
    """A part that has nothing to say. Subclasses say what concerns them."""

    def commands(self) -> Mapping[type[Any], Handler]:
        """Command type -> what takes it. May raise BadInput, naming the field."""
        return {}

    def dues(self) -> Mapping[str, Waker]:
        """Topic -> what is woken with the subject, when ``world.wake_at(at, "topic:subject")`` comes true."""
        return {}

    def rules(self, asked: StateAsked, agent: Agent, now: datetime) -> Iterable[Ruling]:
        """What this part's articles say to an agent who wants to sign in or out, go busy or be ready."""
        return ()

    def instead(self, asked: StateAsked, agent: Agent, ruling: Ruling, now: datetime) -> Outcome | None:
        """After the rules have spoken: what comes in the place of what was asked, or None to go on. A check that comes
        before what is allowed; a place in a line for what is refused."""
        return None

    def acted(self, act: Act, now: datetime) -> None:
        """Something happened to an agent; told in order, within the batch that decided it."""

    def stepped(self, before: Call | None, after: Call, now: datetime) -> None:
        """A call stepped on (queues/callflow.py)."""

    def call_moved(self, call: Call, move: CallMove, now: datetime) -> None:
        """An answered call was dialled on, past the queue, or transferred, by whatever key or program."""

    def leg_gone(self, channel_id: str, at: datetime, now: datetime) -> None:
        """A leg that ``world.watched`` names is gone."""

    def turned_away(self, caller: str, now: datetime) -> None:
        """A caller whose number is blocked rang, and was turned away at the door."""

    def stub_changed(self, before: Stub | None, after: Stub, now: datetime) -> None:
        """A ticket stub was opened (*before* is None) or its particulars changed."""

    def rated(self, fact: Rated, now: datetime) -> None:
        """A caller rated the service."""

    def shut_out(self, fact: ShutOut, now: datetime) -> None:
        """A caller who is not blocked was turned away at the door, because all was full; may be told twice."""

    def called_back(self, callback: Callback, now: datetime) -> None:
        """A callback was planned, placed, closed, or given to another agent; this is how it stands."""

    def dial_rules(self, callback: Callback, agent: str, pressed_by: str | None, now: datetime) -> Iterable[Ruling]:
        """What speaks about dialling *callback* from *agent*'s phone now. ``pressed_by``: None when it is just due."""
        return ()

    def dial_placed(self, callback: Callback, channel_id: str, pressed_by: str | None, now: datetime) -> None:
        """An attempt was placed; the callback is as it was just before."""

    def unit_answered(self, ticket_id: str, result: Result, now: datetime) -> None:
        """The responsible unit's answer to a ticket was reported."""

    def unit_leg(self, channel_id: str, event: OriginateResponse | DialEnd | Hangup, now: datetime) -> None:
        """The leg on which an agent rings a unit was answered, dialled, or is gone."""

    def alive(self, channels: Container[str], began: datetime, now: datetime) -> None:
        """A snapshot of Asterisk, begun at *began*: the legs that were alive. What is younger may be missing."""

    def gap(self, began: datetime, ended: datetime | None, now: datetime) -> None:
        """The event stream broke at *began*; or, with *ended*, what is heard is live again since then."""

    def rostered(self, now: datetime) -> None:
        """Shifts came, moved or went."""

    def batched(self, now: datetime) -> None:
        """A batch has been decided and is about to be written: the part may add its own rows to ``world.changes``."""

    def started(self, now: datetime) -> None:
        """The engine runs again after ``load``: put deadlines, look at what came due meanwhile."""

    def lacks(self, command: Command) -> bool:
        """Whether *command* speaks of what memory does not hold, so that ``fetch`` must bring it first."""
        return False

    async def fetch(self, connection: AsyncConnection, commands: Iterable[Command]) -> None:
        """Bring what *commands* speak of."""

    async def load(self, connection: AsyncConnection, now: datetime) -> None:
        """Take up where the last run ended."""

    def line(self, number: str, now: datetime) -> dict[str, Any]:
        """JSON values for that agent's line of the board; they change only when something happens, not with time."""
        return {}

    def view(self, now: datetime) -> dict[str, Any]:
        """JSON values for ``board()["duty"]``; short, without callers' numbers. Keys are the part's own."""
        return {}


def take(parts: Iterable[Part], command: Command, now: datetime) -> Outcome:
    """Give *command* to the part that takes it.

    Raises:
        TypeError: nobody takes it.
        BadInput: a field of the command that cannot be taken.
    """
    for part in parts:
        handler = part.commands().get(type(command))
        if handler is not None:
            return handler(command, now)
    raise TypeError(f"no part takes {type(command).__name__}")

"""What an agent is doing, from what was asked for (desired) and what Asterisk shows (observed).

Desired and observed are kept apart: an acknowledged pause can be lost in a crash of Asterisk, and a pause can be set
past us from a phone or another AMI client. The state on a screen is always derived here, never stored.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum


class Presence(StrEnum):
    """The states a screen shows, with the regulations' words beside them."""

    SIGNED_OUT = "signed_out"  # 签出
    READY = "ready"  # 就绪
    RINGING = "ringing"  # 振铃
    TALKING = "talking"  # 通话
    WRAP_UP = "wrap_up"  # 话后整理
    BUSY = "busy"  # 示忙


@dataclass(frozen=True, slots=True)
class Observed:
    """What Asterisk last said of this agent as a queue member."""

    member: bool = False
    paused: bool = False
    reason: str = ""
    at: datetime | None = None
    interface: str = ""


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent. Times are aware, UTC.

    Attributes:
        number: the agent's work number (工号); also the queue member's name in Asterisk.
        seat: the seat signed in to, or None when signed out.
        interface: that seat's Asterisk interface, for example ``PJSIP/8001``.
        since: when the desired state (signed in, busy, ready) was last asked for.
        busy_reason: None when not busy.
        ringing: calls offered right now, as (call id, since).
        talking: the call in conversation, if any, and since when.
        wrap_until: end of wrap-up after the last call.
        observed: the member as Asterisk shows it.
        outside: set while Asterisk shows a pause, or its absence, that nobody asked for here (绕过控制台).
    """

    number: str
    name: str
    seat: str | None = None
    interface: str | None = None
    signed_in_at: datetime | None = None
    since: datetime | None = None
    busy_reason: str | None = None
    ringing: tuple[tuple[str, datetime], ...] = ()
    talking: str | None = None
    talking_since: datetime | None = None
    wrap_until: datetime | None = None
    wrap_since: datetime | None = None
    observed: Observed = Observed()
    outside: str | None = None

    @property
    def signed_in(self) -> bool:
        return self.seat is not None

    @property
    def wants_pause(self) -> bool:
        """Whether the queue member should be paused in Asterisk."""
        return self.busy_reason is not None


def presence(agent: Agent, now: datetime) -> tuple[Presence, datetime | None]:
    """The state to show and since when. A conversation outweighs ringing, ringing wrap-up, wrap-up busy."""
    if agent.talking is not None:
        return Presence.TALKING, agent.talking_since
    if agent.ringing:
        return Presence.RINGING, agent.ringing[0][1]
    if not agent.signed_in:
        return Presence.SIGNED_OUT, agent.since
    if agent.wrap_until is not None and now < agent.wrap_until and agent.busy_reason is None:
        return Presence.WRAP_UP, agent.wrap_since
    if agent.busy_reason is not None:
        return Presence.BUSY, agent.since
    ready_since = max((t for t in (agent.since, agent.wrap_until) if t is not None), default=None)
    return Presence.READY, ready_since


def signed_in(agent: Agent, seat: str, interface: str, now: datetime) -> Agent:
    """The agent on *seat*, ready from *now*."""
    return replace(agent, seat=seat, interface=interface, signed_in_at=now, since=now, busy_reason=None, outside=None)


def signed_out(agent: Agent, now: datetime) -> Agent:
    """The agent off every seat."""
    return replace(
        agent, seat=None, interface=None, signed_in_at=None, since=now, busy_reason=None, ringing=(), outside=None,
        wrap_until=None, wrap_since=None,
    )  # fmt: skip


def busy(agent: Agent, reason: str, now: datetime) -> Agent:
    """示忙 with a reason; ends a wrap-up."""
    return replace(agent, busy_reason=reason, since=now, outside=None, wrap_until=None, wrap_since=None)


def ready(agent: Agent, now: datetime) -> Agent:
    """就绪: takes calls again."""
    return replace(agent, busy_reason=None, since=now, outside=None)


def rings(agent: Agent, call_id: str, at: datetime) -> Agent:
    """A call is offered to the agent."""
    return replace(agent, ringing=(*(r for r in agent.ringing if r[0] != call_id), (call_id, at)))


def stops_ringing(agent: Agent, call_id: str) -> Agent:
    """The offer ended, however it ended."""
    return replace(agent, ringing=tuple(r for r in agent.ringing if r[0] != call_id))


def talks(agent: Agent, call_id: str, at: datetime) -> Agent:
    """The agent answered."""
    return replace(stops_ringing(agent, call_id), talking=call_id, talking_since=at, wrap_until=None, wrap_since=None)


def hangs_up(agent: Agent, call_id: str, at: datetime, wrap_up: timedelta) -> Agent:
    """The agent's part in *call_id* is over; wrap-up begins. A call that the agent is not in changes nothing."""
    agent = stops_ringing(agent, call_id)
    if agent.talking != call_id:
        return agent
    return replace(agent, talking=None, talking_since=None, wrap_since=at, wrap_until=at + wrap_up)


def observe(agent: Agent, seen: Observed) -> Agent:
    """Take what Asterisk shows, and mark what nobody asked for here. The mark stays until both agree again."""
    if agent.signed_in and seen.member and seen.paused != agent.wants_pause:
        outside = f"pause:{seen.reason}" if seen.paused else "unpause"
    elif not agent.signed_in and seen.member:
        outside = "member"
    else:
        outside = None
    return replace(agent, observed=seen, outside=outside)

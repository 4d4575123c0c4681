"""The live picture: queue, agents, waiting callers. Numbers of callers are masked; a board is read across a room."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from agents.presence import Agent, Presence, presence
from queues.calls import Call
from queues.facts import Ending


def mask(number: str) -> str:
    """A caller's number for those who do not need it: ``138****0001``; short ones keep two digits."""
    if not number:
        return ""
    if len(number) < 8:
        return number[:1] + "*" * max(len(number) - 2, 1) + number[-1:]
    return f"{number[:3]}{'*' * (len(number) - 7)}{number[-4:]}"


@dataclass(slots=True)
class Today:
    """Counts of the local day, kept as calls step on; a repeated fact, which is no step, counts nothing."""

    day: date
    entered: int = 0
    answered: int = 0
    within: int = 0
    abandoned: int = 0
    lost: int = 0
    wait_ms: int = 0
    by_agent: dict[str, int] = field(default_factory=dict)

    def count(self, before: Call | None, after: Call, limit: timedelta) -> None:
        """Take one step of one call."""
        if before is None:
            self.entered += 1
        if after.answered_at is not None and (before is None or before.answered_at is None):
            self.answered += 1
            self.within += bool(after.within(limit)[0])
            self.wait_ms += after.wait_ms or 0
            if after.agent is not None:
                self.by_agent[after.agent] = self.by_agent.get(after.agent, 0) + 1
        was, now = _gone(before), _gone(after)
        if was != now:
            self.abandoned += (now == "abandoned") - (was == "abandoned")
            self.lost += (now == "lost") - (was == "lost")

    def view(self) -> dict[str, Any]:
        """As JSON. Rates are shares from 0 to 1 of all who entered and are decided; None before the first."""
        decided = self.answered + self.abandoned + self.lost
        return {
            "entered": self.entered,
            "answered": self.answered,
            "within_limit": self.within,
            "abandoned": self.abandoned,
            "lost": self.lost,
            "average_wait_ms": self.wait_ms // self.answered if self.answered else None,
            "answer_rate": self.answered / decided if decided else None,
            "within_rate": self.within / decided if decided else None,
        }


def _gone(call: Call | None) -> str | None:
    if call is None or call.answered_at is not None or call.ending is None:
        return None
    return "lost" if call.ending is Ending.LOST else "abandoned"


def queue_view(name: str, waiting: Iterable[Call], agents: Iterable[Agent], now: datetime) -> dict[str, Any]:
    """The queue's own figures: who waits, and how many agents are in each state."""
    entries = [call.waits_since for call in waiting]
    states = [presence(agent, now)[0] for agent in agents]
    return {
        "name": name,
        "waiting": len(entries),
        "longest_since": min(entries).isoformat() if entries else None,
        "signed_in": sum(s is not Presence.SIGNED_OUT for s in states),
        **{s.value: states.count(s) for s in Presence if s is not Presence.SIGNED_OUT},
    }


def agent_view(agent: Agent, now: datetime, reasons: Mapping[str, str], calls_today: int) -> dict[str, Any]:
    """One agent as the board shows it."""
    state, since = presence(agent, now)
    shown = agent.busy_reason if state is Presence.BUSY else None
    return {
        "number": agent.number,
        "name": agent.name,
        "seat": agent.seat,
        "state": state.value,
        "since": since.isoformat() if since else None,
        "reason": shown,
        "reason_zh": reasons.get(shown, shown) if shown else None,
        "outside": agent.outside,
        "calls_today": calls_today,
        "call_id": agent.talking or (agent.ringing[0][0] if agent.ringing else None),
    }


def waiting_view(waiting: Iterable[Call]) -> list[dict[str, Any]]:
    """The waiting callers, first come first."""
    ordered = sorted(waiting, key=lambda call: call.waits_since)
    return [
        {
            "call_id": call.call_id,
            "caller_masked": mask(call.caller),
            "entered_at": call.waits_since.isoformat(),
            "ringing": [offer.agent for offer in call.ringing],
            "position": position,
            "kind": "in",
        }
        for position, call in enumerate(ordered, 1)
    ]

"""An engine without Asterisk for the pages' tests: the test moves people and calls; rows and messages are real."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from agents import presence as p
from agents.signin import may_be_ready, may_go_busy, may_sign_in, may_sign_out
from cti.bus.local import LocalBus, Subscription
from cti.bus.outbox import Message
from cti.clock import Clock
from cti.commands import (
    Command,
    DialNow,
    GoBusy,
    GoReady,
    Outcome,
    PeopleChanged,
    Popped,
    RequestCallback,
    SignIn,
    SignOut,
)
from cti.commands.conduct import OwnDuty
from cti.settings import BUSY_REASONS
from cti.store.db import Store
from cti.store.tables import attempts, callbacks, calls, offers, outbox, recordings, tickets
from queues.board import agent_view, mask
from regulations import Article, allowed, refused

REASONS = {code: reason.zh for code, reason in BUSY_REASONS.items()}
NO_PROXY = Article("HZ", "第十八条", "不许他人代签")
NIGHT = Article("KL", "第十四条(九)", "原则上每日21:00至次日8:00期间不得开展客户回复（回访）工作。")
PBX = "pbx1"


class FakeEngine:
    """Satisfies ``EnginePort``; the test lets callers ``enter``, agents ``ring``, ``answer``, ``hang_up``."""

    def __init__(self, store: Store, clock: Clock, names: Mapping[str, str]) -> None:
        self.store = store
        self.clock = clock
        self.bus = LocalBus()
        self.agents = {number: p.Agent(number, name) for number, name in names.items()}
        self.waiting: dict[str, tuple[str, datetime]] = {}
        self.today = {"entered": 0, "answered": 0, "within_limit": 0, "abandoned": 0, "lost": 0}
        self.taken: dict[str, int] = {}
        self.link = "up"
        self.stale_since: datetime | None = None
        self.night = False
        self.commands: list[Command] = []
        self.demo = False
        self._ids = itertools.count(1)

    # what the web asks

    def note(self, command: Command) -> None:
        """Pages coming and going change nothing here."""

    async def submit(self, command: Command) -> Outcome:
        """Rule as the real engine does, with the same pure rules."""
        self.commands.append(command)
        now = self.clock.now()
        if isinstance(command, PeopleChanged):
            return Outcome(allowed())
        if isinstance(command, Popped):
            await self.store.write(
                lambda c: c.execute(
                    update(tickets).where(tickets.c.ticket_id == command.ticket_id).values(popped_at=now)
                )
            )
            return Outcome(allowed())
        if isinstance(command, RequestCallback):
            return await self._callback(command, now)
        if isinstance(command, OwnDuty):  # a site without a roster: nothing of duty to show
            return Outcome(allowed(), {"permits": [], "windows": []})
        if isinstance(command, DialNow):
            return Outcome(allowed(), {"callback_id": command.callback_id})
        agent = self.agents.get(command.number)
        if agent is None:
            return Outcome(refused("unknown_agent", "没有该工号的话务员", "There is no agent with this number"))
        if isinstance(command, SignIn):
            taken = {a.seat: a.number for a in self.agents.values() if a.seat}
            ruling, after = may_sign_in(agent, command.seat, taken, NO_PROXY), None
            if ruling.allowed:
                after = p.signed_in(agent, command.seat, f"PJSIP/{command.seat}", now)
        elif isinstance(command, SignOut):
            ruling, after = may_sign_out(agent), p.signed_out(agent, now)
        elif isinstance(command, GoBusy):
            ruling, after = may_go_busy(agent, command.reason, REASONS), p.busy(agent, command.reason, now)
        else:
            assert isinstance(command, GoReady)
            ruling, after = may_be_ready(agent), p.ready(agent, now)
        if ruling.allowed and after is not None:
            self.agents[command.number] = after
            await self.tell("agent.state", command.number, "all")
        return Outcome(ruling)

    async def _callback(self, command: RequestCallback, now: datetime) -> Outcome:
        if self.night:
            zh, en = "夜间不得回访，最早11-22 08:00", "Not in quiet hours; earliest 11-22 08:00"
            return Outcome(refused("quiet_hours", zh, en, NIGHT, at=now + timedelta(hours=9), override="lead"))
        due = command.not_before or now + timedelta(hours=2)
        row = {
            "callback_id": f"cb-{next(self._ids)}", "pbx_id": PBX, "ticket_id": command.ticket_id,
            "number": command.caller, "agent": command.agent, "state": "due", "requested_at": now, "due_at": due,
            "requested_by": command.by, "request_key": command.request_key,
        }  # fmt: skip
        await self.store.write(lambda c: c.execute(insert(callbacks).values(row)))
        return Outcome(allowed(), {"callback_id": row["callback_id"], "due_at": due.isoformat()})

    def board(self) -> Mapping[str, Any]:
        """The board of the contract."""
        now = self.clock.now()
        lines = [agent_view(a, now, REASONS, self.taken.get(a.number, 0)) for a in self.agents.values()]
        states = [line["state"] for line in lines]
        entries = sorted(self.waiting.items(), key=lambda item: item[1][1])
        answered, entered = self.today["answered"], self.today["entered"]
        return {
            "at": now.isoformat(), "hotline": "12319", "name_zh": "菏泽12319城市管理热线",
            "name_en": "Heze 12319 city management hotline", "limit_s": 15, "demo": self.demo, "link": self.link,
            "stale_since": self.stale_since.isoformat() if self.stale_since else None,
            "queue": {
                "name": "hotline", "waiting": len(entries),
                "longest_since": entries[0][1][1].isoformat() if entries else None,
                "signed_in": len(states) - states.count("signed_out"),
                **{state: states.count(state) for state in ("ready", "ringing", "talking", "wrap_up", "busy")},
            },
            "today": {
                **self.today, "average_wait_ms": 6200 if answered else None,
                "answer_rate": answered / entered if entered else None,
                "within_rate": self.today["within_limit"] / entered if entered else None,
            },
            "agents": lines,
            "waiting": [
                {
                    "call_id": call_id, "caller_masked": mask(caller), "entered_at": at.isoformat(), "position": n,
                    "ringing": [a.number for a in self.agents.values() if any(r[0] == call_id for r in a.ringing)],
                    "kind": "in",
                }
                for n, (call_id, (caller, at)) in enumerate(entries, 1)
            ],
            "busy_reasons": {code: reason.model_dump() for code, reason in BUSY_REASONS.items()},
            "duty": {"figures": {"connection": {
                "rate": answered / entered if entered else None, "connected": answered, "decided": entered,
                "lost": 0, "clock": "caller", "least_percent": 95, "level": "kept", "gap": False,
            }}, "owed": {
                "open": 0, "made": 0, "unclaimed": 0, "mandatory_left": 0, "late": 0,
                "supervised": 0,
                "sample": {"listed": 0, "drawn": 0, "open": 0, "made": 0, "closes_at": None},
            }},
        }  # fmt: skip

    def subscribe(self) -> Subscription:
        """A listener."""
        return self.bus.subscribe()

    # what the test does

    def enter(self, call_id: str, caller: str, waited_s: float = 0.0) -> None:
        """A caller joins the queue, *waited_s* seconds ago."""
        self.waiting[call_id] = (caller, self.clock.now() - timedelta(seconds=waited_s))
        self.today["entered"] += 1

    def ring(self, call_id: str, number: str) -> None:
        """The call is offered to the agent."""
        self.agents[number] = p.rings(self.agents[number], call_id, self.clock.now())

    async def answer(self, call_id: str, number: str) -> str:
        """The agent takes the call; call, offer, ticket, recording and message are committed, then told."""
        caller, entered = self.waiting.pop(call_id)
        now = self.clock.now()
        wait_ms = int((now - entered).total_seconds() * 1000)
        ticket_id = f"t-{call_id}"
        call = {
            "pbx_id": PBX, "call_id": call_id, "linkedid": call_id, "queue": "hotline", "caller": caller,
            "entered_at": entered, "exact": True, "agent": number, "answered_at": now, "answer_exact": True,
            "wait_ms": wait_ms, "ring_ms": 3120, "transfers": [],
        }  # fmt: skip
        ticket = {
            "ticket_id": ticket_id, "pbx_id": PBX, "call_id": call_id, "linkedid": call_id, "hotline": "12319",
            "queue": "hotline", "caller": caller, "agent": number, "opened_at": now, "entered_at": entered,
            "answered_at": now, "wait_ms": wait_ms, "ring_ms": 3120,
        }  # fmt: skip
        offer = {
            "pbx_id": PBX, "call_id": call_id, "ordinal": 1, "agent": number, "offered_at": entered, "ended_at": now,
            "outcome": "answered", "ring_ms": 3120,
        }  # fmt: skip
        recording = {
            "pbx_id": PBX, "call_id": call_id, "ticket_id": ticket_id, "path": f"{call_id}.wav", "state": "expected"
        }  # fmt: skip

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(insert(calls).values(call))
            await connection.execute(insert(offers).values(offer))
            await connection.execute(insert(tickets).values(ticket))
            await connection.execute(insert(recordings).values(recording))

        await self.store.write(work)
        self.agents[number] = p.talks(self.agents[number], call_id, now)
        self.taken[number] = self.taken.get(number, 0) + 1
        self.today["answered"] += 1
        self.today["within_limit"] += wait_ms <= 15_000
        await self.tell("ticket.opened", ticket_id, f"agent:{number}", {"ticket_id": ticket_id, "call_id": call_id})
        return ticket_id

    async def hang_up(self, call_id: str, number: str, recording: str = "ok") -> None:
        """The conversation ends and its recording is checked."""
        now = self.clock.now()
        checked = {"state": recording, "expected_ms": 60_000, "length_ms": 60_000, "checked_at": now}

        async def work(connection: AsyncConnection) -> None:
            ended = {"talk_ended_at": now, "ended_at": now, "ending": "completed"}
            await connection.execute(update(calls).where(calls.c.call_id == call_id).values(ended))
            await connection.execute(update(recordings).where(recordings.c.call_id == call_id).values(checked))

        await self.store.write(work)
        self.agents[number] = p.hangs_up(self.agents[number], call_id, now, timedelta(seconds=5))
        await self.tell("call.ended", call_id, "all")

    async def try_callback(self, callback_id: str, ordinal: int, outcome: str, at: datetime) -> None:
        """One attempt was made."""
        row = {
            "channel_id": f"{callback_id}.{ordinal}", "callback_id": callback_id, "ordinal": ordinal, "agent": "1001",
            "started_at": at, "ended_at": at, "outcome": outcome,
        }  # fmt: skip
        await self.store.write(lambda c: c.execute(insert(attempts).values(row)))

    async def tell(self, kind: str, subject: str, audience: str, data: Mapping[str, Any] | None = None) -> int:
        """Commit an outbox row, then tell the listeners; its id."""
        row = {"at": self.clock.now(), "kind": kind, "subject": subject, "audience": audience, "data": dict(data or {})}

        async def work(connection: AsyncConnection) -> int:
            done = await connection.execute(insert(outbox).values(row))
            return int(done.inserted_primary_key[0])

        seq = await self.store.write(work)
        self.bus.publish([Message(seq, **row)])
        return seq

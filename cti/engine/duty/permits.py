"""Permits in the engine: asked, decided, withdrawn, used, lapsed; each step is a row written anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from agents import permits as core
from agents.permits import OPEN, Permit, PermitKind, PermitState
from cti.commands import Outcome
from cti.commands.conduct import AskPermit, DecidePermit, WithdrawPermit
from cti.engine.world import World
from cti.errors import BadInput
from cti.ids import Ids
from cti.store.conduct_tables import permits as table
from cti.texts import taken
from regulations import Ruling, allowed, refused

SHOWN = timedelta(hours=24)  # how long a page still shows what is over


class Permits:
    """The permits that are open, and those of the last day."""

    def __init__(self, world: World, ids: Ids, pbx_id: str) -> None:
        self.world, self.ids, self.pbx_id = world, ids, pbx_id
        self._by_id: dict[str, Permit] = {}

    def holding(self, agent: str, kind: str, now: datetime) -> Permit | None:
        """The permit that lets the agent do *kind* now, or None."""
        mine = (p for p in self._by_id.values() if core.holds(p, agent, PermitKind(kind), now))
        return min(mine, key=lambda p: p.asked_at, default=None)

    def use(self, agent: str, kind: PermitKind, now: datetime) -> None:
        """The agent did *kind*: whatever permit he had for it is used."""
        held = self.holding(agent, kind, now)
        if held is not None and held.used_at is None:
            self._put(core.used(held, now))

    def used_for(self, agent: str, kind: str, at: datetime) -> Permit | None:
        """The permit that the act at *at* used up, or None."""
        mine = (p for p in self._by_id.values() if p.agent == agent and p.kind == kind and p.used_at == at)
        return next(mine, None)

    def of(self, agent: str) -> list[Permit]:
        """The agent's own, newest first."""
        return sorted((p for p in self._by_id.values() if p.agent == agent), key=lambda p: p.asked_at, reverse=True)

    def waiting(self) -> int:
        """How many wait for a lead's word."""
        return sum(p.state is PermitState.ASKED for p in self._by_id.values())

    def over_time(self) -> list[str]:
        """Agents who went busy with a permit and still are, though its time is up."""
        late = []
        for p in self._by_id.values():
            agent = self.world.agents.get(p.agent)
            if agent is None or agent.busy_reason is None or agent.since is None:
                continue
            if core.overrun(p, agent.since):
                late.append(p.agent)
        return sorted(late)

    def ask(self, command: AskPermit, now: datetime) -> Outcome:
        """The agent asks."""
        if command.number not in self.world.agents:
            return Outcome(refused("unknown_agent", "没有该工号的话务员", "There is no agent with this number"))
        if command.kind not in set(PermitKind):
            raise BadInput("kind", f"one of {', '.join(PermitKind)} is needed (申请类别无效)")
        kind, reason = PermitKind(command.kind), taken("reason", command.reason)
        ruling = core.may_ask(command.number, kind, self._by_id.values())
        if not ruling.allowed:
            return Outcome(ruling)
        self._forget(now)
        permit = Permit(self.ids.make("p", now), command.number, kind, reason, now)
        self._put(permit)
        return Outcome(allowed(), permit_view(permit))

    def decide(self, command: DecidePermit, now: datetime) -> Outcome:
        """A lead agrees or declines."""
        answer = taken("reason", command.reason)
        permit = self._by_id.get(command.permit_id)
        if permit is None:
            return Outcome(_unknown())
        ruling = core.may_decide(permit, command.by, command.agreed, command.until, now, self.world.leads)
        if not ruling.allowed:
            return Outcome(ruling)
        permit = core.decided(permit, command.by, command.agreed, answer, command.until, now)
        self._put(permit)
        return Outcome(allowed(), permit_view(permit))

    def withdraw(self, command: WithdrawPermit, now: datetime) -> Outcome:
        """The agent takes it back; somebody else's looks as one that does not exist."""
        permit = self._by_id.get(command.permit_id)
        if permit is None or permit.agent != command.number:
            return Outcome(_unknown())
        ruling = core.may_withdraw(permit, command.number)
        if not ruling.allowed:
            return Outcome(ruling)
        permit = core.withdrawn(permit, now)
        self._put(permit)
        return Outcome(allowed(), permit_view(permit))

    def due(self, permit_id: str, now: datetime) -> None:
        """The time of a permit is up; a busy that runs on is said to the lead. Nobody is put ready by himself: his
        chair may be empty."""
        permit = self._by_id.get(permit_id)
        if permit is None:
            return
        after = core.lapsed(permit, now)
        if after is permit:
            return
        self._put(after)
        if after.kind is PermitKind.BUSY and after.agent in self.over_time():
            self.world.tell(now, "alarm", after.agent, {"code": "busy_over_time", "agent": after.agent}, "lead")

    def started(self) -> None:
        """Put the deadlines of what is open."""
        for permit in self._by_id.values():
            if permit.state in OPEN:
                self.world.wake_at(permit.lapses_at, f"permit:{permit.permit_id}")

    async def load(self, connection: AsyncConnection, now: datetime) -> None:
        """What is open, and what the pages still show."""
        c = table.c
        recent = c.state.in_([s.value for s in OPEN]) | (c.asked_at > now - SHOWN)
        for row in (await connection.execute(select(table).where(c.pbx_id == self.pbx_id, recent))).mappings():
            permit = _permit(row)
            self._by_id[permit.permit_id] = permit

    def _put(self, permit: Permit) -> None:
        self._by_id[permit.permit_id] = permit
        self.world.write(table, {**asdict(permit), "pbx_id": self.pbx_id})
        if permit.state in OPEN:
            self.world.wake_at(permit.lapses_at, f"permit:{permit.permit_id}")

    def _forget(self, now: datetime) -> None:
        for permit in list(self._by_id.values()):
            if permit.state not in OPEN and permit.asked_at < now - 2 * SHOWN:
                del self._by_id[permit.permit_id]


def permit_view(permit: Permit) -> dict[str, Any]:
    """As JSON; ``lapses_at`` is when it is over by itself."""
    view = {k: v.isoformat() if isinstance(v, datetime) else v for k, v in asdict(permit).items()}
    return {**view, "lapses_at": permit.lapses_at.isoformat()}


def _permit(row: Mapping[Any, Any]) -> Permit:
    values = {f.name: row[f.name] for f in fields(Permit)}
    return Permit(**{**values, "kind": PermitKind(row["kind"]), "state": PermitState(row["state"])})


def _unknown() -> Ruling:
    return refused("not_found", "没有该申请", "There is no such request")

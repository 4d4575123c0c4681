"""The duty log (值班记录, HZ 第二十条, GJ 第十五条): who did what and when, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from agents.counted import Counted, of_day, turned
from cti.engine.part import Act, ActKind
from cti.engine.world import World
from cti.settings import BusyReason
from cti.store.conduct_tables import duty_log as table

REMEMBERED = timedelta(hours=48)  # the longest shift and the one before it; the ledger itself has everything
LOGGED = frozenset(ActKind) - {ActKind.PAGE_OPENED, ActKind.PAGE_CLOSED}
ON_POST = (ActKind.SIGNED_IN, ActKind.SIGNED_OUT)
TURNS = (ActKind.SIGNED_IN, ActKind.SIGNED_OUT, ActKind.BUSY, ActKind.READY)
LONGEST_REASON = 80


class DutyLog:
    """One row an act; in memory the newest acts, the last time on post and today's counted busy time of each agent."""

    def __init__(self, world: World, pbx_id: str, reasons: Mapping[str, BusyReason]) -> None:
        self.world, self.pbx_id = world, pbx_id
        self._counts = {code for code, reason in reasons.items() if reason.counted}
        self._recent: dict[str, list[Act]] = {}
        self._on_post: dict[str, datetime] = {}
        self._counted: dict[str, Counted] = {}
        self._seq = 0

    def write(self, act: Act) -> None:
        """Keep an act, when it is one that the ledger holds."""
        if act.kind not in LOGGED:
            return
        self._seq += 1
        self._take(act)
        self.world.write(
            table,
            {"seq": self._seq, "pbx_id": self.pbx_id, "at": act.at, "agent": act.agent, "act": act.kind.value,
             "seat": act.seat, "reason": act.reason and act.reason[:LONGEST_REASON], "by": act.by},
        )  # fmt: skip

    def recent(self, agent: str) -> list[Act]:
        """The agent's acts of the last 48 h, in order; ``mono`` of those before this start is 0."""
        return list(self._recent.get(agent, ()))

    def last_on_post(self, agent: str) -> datetime | None:
        """When the agent signed in or out last, or None for somebody who never did."""
        return self._on_post.get(agent)

    def counted(self, agent: str, now: datetime) -> Counted:
        """Busy time that counts, since local midnight."""
        midnight = self._midnight(now)
        return of_day(self._counted.get(agent, Counted(midnight)), midnight)

    def _take(self, act: Act) -> None:
        acts = self._recent.setdefault(act.agent, [])
        acts.append(act)
        while acts[0].at < act.at - REMEMBERED:
            del acts[0]
        if act.kind in ON_POST:
            self._on_post[act.agent] = act.at
        if act.kind in TURNS:
            counts = act.kind is ActKind.BUSY and act.reason in self._counts
            self._counted[act.agent] = turned(self.counted(act.agent, act.at), counts, act.at)

    def _midnight(self, moment: datetime) -> datetime:
        return moment.astimezone(self.world.zone).replace(hour=0, minute=0, second=0, microsecond=0)

    async def load(self, connection: AsyncConnection, now: datetime) -> None:
        """The newest acts, and everybody's last time on post."""
        c = table.c
        here = c.pbx_id == self.pbx_id
        self._seq = (await connection.execute(select(func.max(c.seq)))).scalar() or 0
        since = select(table).where(here, c.at > now - REMEMBERED).order_by(c.seq)
        for row in (await connection.execute(since)).mappings():
            self._take(_act(row))
        post = [kind.value for kind in ON_POST]
        last = select(c.agent, func.max(c.at)).where(here, c.act.in_(post)).group_by(c.agent)
        self._on_post.update((agent, at) for agent, at in (await connection.execute(last)).all())


def _act(row: Mapping[Any, Any]) -> Act:
    return Act(ActKind(row["act"]), row["agent"], row["at"], 0.0, row["seat"], row["reason"], row["by"])

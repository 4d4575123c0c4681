"""Surges in the engine: tickets are counted as what they are becomes known; one alarm and one group for each surge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.commands import Outcome
from cti.commands.surge import TakeOutOfSurge
from cti.engine.part import Handler, Part, Waker
from cti.engine.world import World
from cti.ids import Ids
from cti.settings import Settings
from cti.store.stub_tables import stubs
from cti.store.surge_tables import surge_tickets, surges
from queues import surge as core
from queues.stubs import Stub
from queues.surge import By, Key, Out, Surge
from regulations import refused


class Surging(Part):
    """The surges that go on. A site whose rules give no figures counts nothing."""

    def __init__(self, world: World, ids: Ids, settings: Settings) -> None:
        self.world, self.ids, self.pbx_id = world, ids, settings.pbx_id
        self.limits = core.limits_of(world.profile)
        self.window = core.Window(self.limits.within if self.limits else 0.0)
        self.active: dict[Key, Surge] = {}
        self._recent: list[tuple[Key, str, datetime]] = []  # as the store had them at the start

    def commands(self) -> Mapping[type[Any], Handler]:
        return {TakeOutOfSurge: self._take_out}

    def dues(self) -> Mapping[str, Waker]:
        return {"surge": self._look}

    def view(self, now: datetime) -> dict[str, Any]:
        """The surges that go on, without tickets: what they have in common, since when, and how many."""
        shown = sorted(self.active.values(), key=lambda surge: surge.began_at)
        return {"surges": [
            {"surge_id": s.surge_id, "by": s.key.by.value, "code": s.key.code, "since": s.began_at.isoformat(),
             "tickets": len(s.tickets)} for s in shown
        ]}  # fmt: skip

    def stub_changed(self, before: Stub | None, after: Stub, now: datetime) -> None:
        if self.limits is None:
            return
        known = set(_keys(before)) if before is not None else set()
        keys = set(_keys(after))
        for key in sorted(known - keys):
            self.window.drop(key, after.ticket_id)
        for key in sorted(keys - known):
            self._count(key, after.ticket_id, after.opened_at, now)
            self._judge(key, now)

    def started(self, now: datetime) -> None:
        for key, ticket_id, opened_at in self._recent:
            self._count(key, ticket_id, opened_at, now)
        self._recent.clear()
        for key in sorted(self.active):
            self._judge(key, now)

    async def load(self, connection: AsyncConnection, now: datetime) -> None:
        if self.limits is None:
            return
        s, young = stubs.c, now - timedelta(seconds=self.limits.within)
        query = select(s.ticket_id, s.kind, s.area, s.opened_at).where(s.pbx_id == self.pbx_id, s.opened_at > young)
        for row in (await connection.execute(query)).all():
            found = ((By.AREA, row.area), (By.KIND, row.kind))
            self._recent += [(Key(by, code), row.ticket_id, row.opened_at) for by, code in found if code]
        going = select(surges).where(surges.c.pbx_id == self.pbx_id, surges.c.ended_at.is_(None))
        for kept in (await connection.execute(going)).mappings():
            surge = Surge(kept["surge_id"], Key(By(kept["by"]), kept["code"]), kept["began_at"], kept["most"])
            of_it = select(surge_tickets).where(surge_tickets.c.surge_id == surge.surge_id)
            for ticket in (await connection.execute(of_it)).mappings():
                ticket_id: str = ticket["ticket_id"]
                if ticket["out_at"] is None:
                    surge.tickets[ticket_id] = ticket["joined_at"]
                else:
                    surge.out[ticket_id] = Out(ticket["joined_at"], ticket["out_at"], ticket["out_by"])
            self.active[surge.key] = surge

    def _count(self, key: Key, ticket_id: str, opened_at: datetime, now: datetime) -> None:
        age = max((now - opened_at).total_seconds(), 0.0)
        self.window.put(key, ticket_id, self.world.mono - age)

    def _judge(self, key: Key, now: datetime) -> None:
        """The count rose or fell: a surge begins, grows or ends, or nothing happens."""
        if self.limits is None:
            return
        counted = self.window.tickets(key, self.world.mono)
        surge = self.active.get(key)
        if surge is None:
            if not core.begins(len(counted), self.limits):
                return
            surge = Surge(self.ids.make("g", now), key, now)
            data = {"code": "surge", "by": key.by.value, "of": key.code, "calls": len(counted)}
            self.world.tell(now, "alarm", surge.surge_id, data, "lead")
        elif core.ends(len(counted), self.limits):
            del self.active[key]
            self._write(surge, replace(surge, ended_at=now))
            return
        self._keep(core.joined(surge, counted, now))
        self.world.time_at(
            self.window.falls_to(key, self.limits.calm, self.world.mono), f"surge:{key.by.value}:{key.code}"
        )

    def _look(self, subject: str, now: datetime) -> None:
        by, _, code = subject.partition(":")
        if Key(By(by), code) in self.active:
            self._judge(Key(By(by), code), now)

    def _take_out(self, command: TakeOutOfSurge, now: datetime) -> Outcome:
        surge = next((s for s in self.active.values() if s.surge_id == command.surge_id), None)
        if surge is None:
            return Outcome(refused("no_such_surge", "集中来电已结束或不存在", "This surge is over, or there is none"))
        ruling = core.may_take_out(surge, command.out_ticket_id, command.by in self.world.leads)
        if ruling.allowed:
            self._keep(core.taken_out(surge, command.out_ticket_id, command.by, now))
        return Outcome(ruling)

    def _keep(self, surge: Surge) -> None:
        before = self.active.get(surge.key)
        self.active[surge.key] = surge
        if before != surge:
            self._write(before, surge)

    def _write(self, before: Surge | None, surge: Surge) -> None:
        row = {
            "surge_id": surge.surge_id, "pbx_id": self.pbx_id, "by": surge.key.by.value, "code": surge.key.code,
            "began_at": surge.began_at, "ended_at": surge.ended_at, "most": surge.most,
        }  # fmt: skip
        self.world.write(surges, row)
        known = before.tickets if before else {}
        for ticket_id, joined_at in surge.tickets.items():
            if ticket_id not in known:
                self._write_ticket(surge, ticket_id, joined_at, None, None)
        for ticket_id, out in surge.out.items():
            if ticket_id in known:
                self._write_ticket(surge, ticket_id, out.joined_at, out.at, out.by)

    def _write_ticket(
        self, surge: Surge, ticket_id: str, joined_at: datetime, out_at: datetime | None, out_by: str | None
    ) -> None:
        row = {
            "surge_id": surge.surge_id, "ticket_id": ticket_id, "joined_at": joined_at, "out_at": out_at,
            "out_by": out_by,
        }  # fmt: skip
        self.world.write(surge_tickets, row)


def _keys(stub: Stub) -> Iterable[Key]:
    """What the ticket may have in common with others, as far as it is said."""
    if stub.area is not None:
        yield Key(By.AREA, stub.area)
    if stub.kind is not None:
        yield Key(By.KIND, stub.kind)

"""Ticket stubs in the engine: which are open, what is said of them, and the clocks that run over them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.commands import Command, Popped
from cti.engine.duty.handover_tickets import OpenTickets
from cti.engine.part import Part
from cti.engine.world import World
from cti.ids import Ids
from cti.settings import Settings
from cti.store import tables as t
from cti.store.stub_tables import stubs
from queues.stubs import Stub

# A stub of which nothing is said leaves memory this long after its call; a command that speaks of it brings it back.
KEEP_BARE = timedelta(minutes=15)
KEEP_SAID = timedelta(days=4)  # longer than any clock of a stub runs (WD-7: 72 h)


class Ticketing(Part):
    """The open stubs are in ``world.stubs``; a row is written only when something is said that the call does not."""

    def __init__(self, world: World, ids: Ids, settings: Settings, tickets: OpenTickets) -> None:
        self.world, self.ids, self.tickets = world, ids, tickets
        self.pbx_id = settings.pbx_id
        # (when to look whether it may leave, ticket id): by age, so that a batch looks at the first alone.
        self._bare: deque[tuple[datetime, str]] = deque()
        self._said: deque[tuple[datetime, str]] = deque()

    def stub_changed(self, before: Stub | None, after: Stub, now: datetime) -> None:
        if before is None:
            self._bare.append((now + KEEP_BARE, after.ticket_id))
        if before is not None or after.said:
            self.world.write(stubs, row_of(after, self.pbx_id), shown=False)

    def batched(self, now: datetime) -> None:
        for ticket in self.world.changes.owners.values():
            if ticket.closed_at is not None:
                self.world.stubs.pop(ticket.ticket_id, None)
        self._forget(now)

    def lacks(self, command: Command) -> bool:
        return _named(command) is not None and _named(command) not in self.world.stubs

    async def fetch(self, connection: AsyncConnection, commands: Iterable[Command]) -> None:
        wanted = {name for name in map(_named, commands) if name is not None}
        await self._take(connection, t.tickets.c.ticket_id.in_(wanted - self.world.stubs.keys()), self.world.now)

    async def load(self, connection: AsyncConnection, now: datetime) -> None:
        young = t.tickets.c.opened_at > now - KEEP_BARE
        said = stubs.c.ticket_id.is_not(None) & (t.tickets.c.opened_at > now - KEEP_SAID)
        await self._take(connection, young | said | t.tickets.c.call_id.in_(list(self.world.calls)), now)

    async def _take(self, connection: AsyncConnection, which: Any, now: datetime) -> None:
        columns = [t.tickets.c[name].label(f"t_{name}") for name in ("ticket_id", "agent", "opened_at", "call_id",
                                                                    "ordinal", "caller")]  # fmt: skip
        found = select(*columns, *stubs.c).outerjoin(stubs, stubs.c.ticket_id == t.tickets.c.ticket_id)
        open_ones = (t.tickets.c.pbx_id == self.pbx_id) & t.tickets.c.closed_at.is_(None)
        for row in (await connection.execute(found.where(open_ones, which))).mappings():
            stub = stub_of(row)
            self.world.stubs[stub.ticket_id] = stub
            self._bare.append((now + KEEP_BARE, stub.ticket_id))

    def _forget(self, now: datetime) -> None:
        """Memory stays flat over any number of calls that nobody says anything of."""
        while self._bare and self._bare[0][0] <= now:
            _, ticket_id = self._bare.popleft()
            stub = self.world.stubs.get(ticket_id)
            if stub is None:
                continue
            call = self.world.calls.get(stub.call_id or "")
            if call is not None and not call.closed:
                self._bare.append((now + KEEP_BARE, ticket_id))
            elif stub.said:
                self._said.append((max(now, stub.opened_at + KEEP_SAID), ticket_id))
            else:
                del self.world.stubs[ticket_id]
        while self._said and self._said[0][0] <= now:
            self.world.stubs.pop(self._said.popleft()[1], None)


def _named(command: Command) -> str | None:
    """The ticket that *command* speaks of. A pop changes nothing of it, and comes with every call."""
    return None if isinstance(command, Popped) else getattr(command, "ticket_id", None)


def row_of(stub: Stub, pbx_id: str) -> dict[str, Any]:
    """The row of a stub's particulars."""
    return {"pbx_id": pbx_id, **{name: getattr(stub, name) for name in Stub.__slots__}}


def stub_of(row: RowMapping) -> Stub:
    """A stub from its row, or from its ticket's (``t_…``) where nothing was said yet."""
    if row["ticket_id"] is not None:
        return Stub(**{name: row[name] for name in Stub.__slots__})
    return Stub(
        row["t_ticket_id"], row["t_agent"], row["t_opened_at"], row["t_call_id"], row["t_ordinal"],
        caller=row["t_caller"],
    )  # fmt: skip

"""Ticket stubs in the engine: which are open, what is said of them, and the clocks that run over them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.commands import Command, Popped
from cti.commands.tickets import AddStub, OpenStub
from cti.engine.directory import Directory
from cti.engine.duty.handover_tickets import OpenTickets
from cti.engine.part import Handler, Part, Waker
from cti.engine.ticket_asked import TicketAsked
from cti.engine.world import World
from cti.ids import Ids
from cti.settings import Settings
from cti.store import tables as t
from cti.store.stub_tables import stubs
from queues import handout
from queues.stubs import Stub

# A stub of which nothing is said leaves memory this long after its call; a command that speaks of it brings it back.
KEEP_BARE = timedelta(minutes=15)
KEEP_SAID = timedelta(days=4)  # longer than any clock of a stub runs (WD-7: 72 h)
A_MOMENT = timedelta(milliseconds=1)  # the deadline itself is in time


class Ticketing(Part):
    """The open stubs are in ``world.stubs``; a row is written only when something is said that the call does not."""

    def __init__(self, world: World, ids: Ids, settings: Settings, tickets: OpenTickets, directory: Directory) -> None:
        self.world, self.tickets = world, tickets
        self.asked = TicketAsked(world, ids, settings, tickets, directory)
        self.pbx_id = settings.pbx_id
        self._late: dict[str, str] = {}  # ticket -> agent: hand-outs that are overdue
        # (when to look whether it may leave, ticket id): by age, so that a batch looks at the first alone.
        self._bare: deque[tuple[datetime, str]] = deque()
        self._said: deque[tuple[datetime, str]] = deque()

    def commands(self) -> Mapping[type[Any], Handler]:
        return self.asked.commands()

    def dues(self) -> Mapping[str, Waker]:
        return {"handout": self._hand_out_due}

    def line(self, number: str, now: datetime) -> dict[str, Any]:
        """How often stubs of this agent changed since the start, and which of his hand-outs are overdue."""
        late = [ticket_id for ticket_id, agent in self._late.items() if agent == number] if self._late else []
        return {"stub_changes": self.world.versions[_stubs_of(number)], "stubs_late": late}

    def stub_changed(self, before: Stub | None, after: Stub, now: datetime) -> None:
        if before is None:
            self._bare.append((now + KEEP_BARE, after.ticket_id))
            if not after.said:
                return  # every answered call comes here: nothing to write, nothing that any page waits for
        self.world.write(stubs, row_of(after, self.pbx_id), shown=False)
        if before is None or before.notes_version == after.notes_version:
            self.world.changed(_stubs_of(self._whose(after)))
            self._clock(after)

    def batched(self, now: datetime) -> None:
        for ticket in self.world.changes.owners.values():
            if ticket.closed_at is not None:
                self.world.stubs.pop(ticket.ticket_id, None)
                self._late.pop(ticket.ticket_id, None)
        self._forget(now)

    def started(self, now: datetime) -> None:
        for stub in self.world.stubs.values():
            self._clock(stub)

    def lacks(self, command: Command) -> bool:
        return isinstance(command, AddStub | OpenStub) or any(self._lacks(name) for name in _named(command))

    async def fetch(self, connection: AsyncConnection, commands: Iterable[Command]) -> None:
        given = list(commands)
        wanted = {name for command in given for name in _named(command) if self._lacks(name)}
        if wanted:
            await self._take(connection, t.tickets.c.ticket_id.in_(wanted), self.world.now)
            await self.tickets.fetch(connection, wanted)
        if any(isinstance(command, AddStub | OpenStub) for command in given):
            await self.asked.fetch(connection, given)

    async def load(self, connection: AsyncConnection, now: datetime) -> None:
        young = t.tickets.c.opened_at > now - KEEP_BARE
        runs = stubs.c.hand_out_due.is_not(None) & stubs.c.handed_out_at.is_(None) & ~stubs.c.overdue_told
        said = stubs.c.ticket_id.is_not(None) & ((t.tickets.c.opened_at > now - KEEP_SAID) | runs)
        await self._take(connection, young | said | t.tickets.c.call_id.in_(list(self.world.calls)), now)

    async def _take(self, connection: AsyncConnection, which: Any, now: datetime) -> None:
        columns = [t.tickets.c[name].label(f"t_{name}") for name in ("ticket_id", "agent", "opened_at", "call_id",
                                                                    "ordinal", "caller")]  # fmt: skip
        found = select(*columns, *stubs.c).outerjoin(stubs, stubs.c.ticket_id == t.tickets.c.ticket_id)
        open_ones = (t.tickets.c.pbx_id == self.pbx_id) & t.tickets.c.closed_at.is_(None)
        for row in (await connection.execute(found.where(open_ones, which))).mappings():
            stub = self.world.stubs.setdefault(row["t_ticket_id"], stub_of(row))
            self._bare.append((now + KEEP_BARE, stub.ticket_id))

    def _lacks(self, ticket_id: str) -> bool:
        return ticket_id not in self.world.stubs or self.tickets.find(ticket_id) is None

    def _whose(self, stub: Stub) -> str:
        owner = self.tickets.find(stub.ticket_id)
        return owner.owner if owner is not None else stub.agent

    def _clock(self, stub: Stub) -> None:
        """The clock over the hand-out: it is woken once it is overdue, and never alarmed twice."""
        if stub.hand_out_due is not None and _awaits_hand_out(stub):
            self.world.wake_at(stub.hand_out_due + A_MOMENT, f"handout:{stub.ticket_id}")
        if stub.handed_out_at is None and stub.overdue_told:
            self._late[stub.ticket_id] = self._whose(stub)
        else:
            self._late.pop(stub.ticket_id, None)

    def _hand_out_due(self, ticket_id: str, now: datetime) -> None:
        stub = self.world.stubs.get(ticket_id)
        if stub is None or stub.overdue_told or not handout.overdue(stub, now):
            return
        self.world.put_stub(replace(stub, overdue_told=True), now)
        data = {"code": "handout_overdue", "ticket_id": ticket_id, "agent": self._whose(stub)}
        self.world.tell(now, "alarm", ticket_id, data, "lead")

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
            ticket_id = self._said.popleft()[1]
            stub = self.world.stubs.get(ticket_id)
            if stub is not None and _awaits_hand_out(stub):  # returned (退单), or handed out in working days
                self._said.append((now + KEEP_BARE, ticket_id))
            else:
                self.world.stubs.pop(ticket_id, None)


def _stubs_of(agent: str) -> str:
    """What an agent's page shows of his stubs, as ``World.versions`` counts it."""
    return f"stubs:{agent}"


def _named(command: Command) -> tuple[str, ...]:
    """The tickets that *command* speaks of. A pop changes nothing of its own, and comes with every call."""
    if isinstance(command, Popped):
        return ()
    names = (getattr(command, "ticket_id", None), getattr(command, "through", None))
    return tuple(name for name in names if name is not None)


def _awaits_hand_out(stub: Stub) -> bool:
    """Whether a clock still runs that will alarm."""
    return stub.handed_out_at is None and stub.hand_out_due is not None and not stub.overdue_told


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

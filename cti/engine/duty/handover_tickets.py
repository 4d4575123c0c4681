"""Tickets that are not finished, as far as a handover can speak of them: those of the last shifts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.engine.world import TicketOwner, World
from cti.store.tables import tickets
from queues.tickets import Ticket

KEEP = timedelta(hours=36)  # no shift is longer with what was taken over from the one before; older ones are fetched


class OpenTickets:
    """Owner by ticket. A ticket fetched to be finished leaves with the finishing."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.by_id: dict[str, TicketOwner] = {}
        self._of: dict[str, dict[str, TicketOwner]] = {}  # by owner: a house has thousands, an agent a few

    def opened(self, ticket: Ticket) -> None:
        """A call was answered: the answering agent owns its ticket."""
        self._keep(TicketOwner(ticket.ticket_id, ticket.agent, ticket.opened_at))

    def of(self, owner: str, since: datetime) -> list[TicketOwner]:
        """What *owner* has had since then, or taken over since then, oldest first."""
        return sorted((x for x in self._of.get(owner, {}).values() if x.owned_at >= since), key=lambda x: x.owned_at)

    def move(self, ticket_id: str, owner: str, now: datetime) -> None:
        """Give an open ticket to *owner*."""
        if ticket_id in self.by_id:
            self._drop(ticket_id)
            moved = TicketOwner(ticket_id, owner, now)
            self._keep(moved)
            self._write(moved)

    def finish(self, ticket_id: str, by: str, now: datetime) -> None:
        """办结."""
        self._write(self._drop(ticket_id)._replace(closed_at=now, closed_by=by))

    def _keep(self, ticket: TicketOwner) -> None:
        self.by_id[ticket.ticket_id] = ticket
        self._of.setdefault(ticket.owner, {})[ticket.ticket_id] = ticket

    def _drop(self, ticket_id: str) -> TicketOwner:
        ticket = self.by_id.pop(ticket_id)
        del self._of[ticket.owner][ticket_id]
        return ticket

    def _write(self, ticket: TicketOwner) -> None:
        self.world.changes.owners[ticket.ticket_id] = ticket
        self.world.duty_version += 1

    def forget_old(self, now: datetime, needed: Iterable[str]) -> None:
        """Keep memory flat: what is neither young nor on an open sheet is in the store."""
        wanted = set(needed)
        for ticket_id in [k for k, x in self.by_id.items() if now - x.owned_at >= KEEP and k not in wanted]:
            self._drop(ticket_id)

    async def load(self, connection: AsyncConnection, now: datetime, needed: Iterable[str]) -> None:
        """The young ones, and those on open sheets."""
        young = tickets.c.owned_at > now - KEEP
        await self._take(connection, young | tickets.c.ticket_id.in_(list(needed)))

    async def fetch(self, connection: AsyncConnection, ticket_ids: Iterable[str]) -> None:
        """Bring old ones back."""
        await self._take(connection, tickets.c.ticket_id.in_(list(ticket_ids)))

    async def _take(self, connection: AsyncConnection, which: object) -> None:
        owner = func.coalesce(tickets.c.owner, tickets.c.agent)
        owned = func.coalesce(tickets.c.owned_at, tickets.c.opened_at, type_=tickets.c.opened_at.type)
        query = select(tickets.c.ticket_id, owner, owned).where(tickets.c.closed_at.is_(None), which)  # type: ignore[arg-type]
        for ticket_id, number, since in await connection.execute(query):
            self._keep(TicketOwner(ticket_id, number, since))

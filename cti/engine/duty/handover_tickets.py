"""Tickets that are not finished, as far as a handover can speak of them: those of the last shifts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.engine.records import TicketOwner
from cti.engine.world import World
from cti.store.tables import tickets
from queues.tickets import Ticket

KEEP = timedelta(hours=36)  # no shift is longer with what was taken over from the one before; older ones are fetched


class OpenTickets:
    """Whose which ticket is. A ticket fetched to be finished leaves with the finishing."""

    def __init__(self, world: World) -> None:
        self.world = world
        # Owner -> ticket -> since when: a house has thousands of tickets in a day, and few agents to look through.
        self._of: dict[str, dict[str, datetime]] = {}

    def opened(self, ticket: Ticket) -> None:
        """A call was answered: the answering agent owns its ticket."""
        self._keep(ticket.ticket_id, ticket.agent, ticket.opened_at)

    def of(self, owner: str, since: datetime) -> list[str]:
        """What *owner* has had since then, or taken over since then, oldest first."""
        owned = self._of.get(owner, {})
        return sorted((ticket_id for ticket_id, at in owned.items() if at >= since), key=owned.__getitem__)

    def find(self, ticket_id: str) -> TicketOwner | None:
        """The ticket when it is open and at hand."""
        owners = (owner for owner, owned in self._of.items() if ticket_id in owned)
        owner = next(owners, None)
        return None if owner is None else TicketOwner(ticket_id, owner, self._of[owner][ticket_id])

    def move(self, ticket_id: str, owner: str, now: datetime) -> None:
        """Give an open ticket to *owner*."""
        ticket = self.find(ticket_id)
        if ticket is not None:
            del self._of[ticket.owner][ticket_id]
            self._keep(ticket_id, owner, now)
            self._write(TicketOwner(ticket_id, owner, now))

    def finish(self, ticket: TicketOwner, by: str, now: datetime) -> None:
        """办结."""
        del self._of[ticket.owner][ticket.ticket_id]
        self._write(ticket._replace(closed_at=now, closed_by=by))

    def _keep(self, ticket_id: str, owner: str, since: datetime) -> None:
        self._of.setdefault(owner, {})[ticket_id] = since

    def _write(self, ticket: TicketOwner) -> None:
        self.world.changes.owners[ticket.ticket_id] = ticket
        self.world.changed()

    def forget_old(self, now: datetime, needed: Iterable[str]) -> None:
        """Keep memory flat: what is neither young nor on an open sheet is in the store."""
        wanted = set(needed)
        for owner, owned in self._of.items():
            self._of[owner] = {k: at for k, at in owned.items() if now - at < KEEP or k in wanted}

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
            self._keep(ticket_id, number, since)

"""The lists from which samples are drawn: one is always open, so that its commitment stands before the first ticket."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.engine.world import World
from cti.ids import Ids
from cti.store.owed_tables import draws, owed_tickets
from queues.sampling import Draw, added, closed, commitment, list_hash, next_end
from regulations import Limit

POOLS = ("callback.sample_percent", "callback.forwarded_percent")
SHIFT_ENDS = ("roster.day_from", "roster.night_from")


@dataclass(slots=True)
class OpenList:
    """A list that is open, with the rows of its tickets."""

    draw_id: str
    pool: str
    opened_at: datetime
    closes_at: datetime
    draw: Draw
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)

    def put(self, row: dict[str, Any]) -> list[dict[str, Any]]:
        """The ticket of *row* is on the list from now on; answers the rows of those that are drawn by that."""
        before = len(self.draw.drawn)
        self.draw = added(self.draw, row["ticket_id"])
        self.rows[row["ticket_id"]] = row
        row["draw_id"], row["place"] = self.draw_id, len(self.draw.listed)
        return [self.rows[ticket_id] for ticket_id in self.draw.drawn[before:]]


class Drawing:
    """The open list of each pool."""

    def __init__(self, world: World, ids: Ids, pbx_id: str) -> None:
        self.world, self.ids, self.pbx_id = world, ids, pbx_id
        self.open: dict[str, OpenList] = {}

    @property
    def at_once(self) -> bool:
        """Whether a ticket is drawn as soon as it comes: today's calls are sampled in the same shift."""
        return self.world.profile.rule("callback.same_shift") is not None

    def ends_after(self, moment: datetime) -> datetime:
        """When the shift in which *moment* lies ends; local midnight where lists are a day long."""
        limits = [self.world.profile.get(path) for path in SHIFT_ENDS] if self.at_once else []
        ends = [limit.value for limit in limits if limit is not None and isinstance(limit.value, time)]
        return next_end(moment, ends, self.world.zone)

    def started(self, now: datetime) -> None:
        """Open what is not open, and look at the rest when it ends."""
        for pool in POOLS:
            limit = self.world.profile.get(pool)
            if pool in self.open:
                self.world.wake_at(self.open[pool].closes_at, f"draw:{pool}")
            elif limit is not None and limit.value != 100:
                self._open(limit, now)

    def due(self, pool: str, now: datetime) -> list[dict[str, Any]]:
        """The list's time is over: it is closed, its draw made up, the next opened. Answers who is drawn by that."""
        found = self.open.get(pool)
        if found is None:
            return []
        if now < found.closes_at:
            self.world.wake_at(found.closes_at, f"draw:{pool}")
            return []
        before = len(found.draw.drawn)
        found.draw = closed(found.draw)
        self.world.write(draws, self._row(found, now))
        self._tell_end(found, now)
        del self.open[pool]
        limit = self.world.profile.get(pool)
        if limit is not None:
            self._open(limit, now)
        return [found.rows[ticket_id] for ticket_id in found.draw.drawn[before:]]

    async def load(self, connection: AsyncConnection) -> None:
        """The open lists; who is drawn follows from who is listed."""
        mine = (draws.c.pbx_id == self.pbx_id) & draws.c.closed_at.is_(None)
        for row in (await connection.execute(select(draws).where(mine))).mappings().all():
            draw = Draw(row["secret"], row["percent"], row["at_once"])
            found = OpenList(row["draw_id"], row["pool"], row["opened_at"], row["closes_at"], draw)
            listed = select(owed_tickets).where(owed_tickets.c.draw_id == row["draw_id"]).order_by(owed_tickets.c.place)
            for entry in (await connection.execute(listed)).mappings():
                found.put(dict(entry))
            self.open[row["pool"]] = found

    def _open(self, limit: Limit, now: datetime) -> None:
        draw = Draw(self.ids.token(), int(str(limit.value)), self.at_once)
        found = OpenList(self.ids.make("d", now), limit.path, now, self.ends_after(now), draw)
        self.open[limit.path] = found
        self.world.write(draws, self._row(found, None))
        self.world.wake_at(found.closes_at, f"draw:{limit.path}")
        data = {"state": "opened", "percent": draw.percent, "commitment": commitment(draw.secret)}
        self.world.tell(now, "callback.draw", found.draw_id, data)

    def _tell_end(self, found: OpenList, now: datetime) -> None:
        """First the closed list, then the secret: nobody can say that the list was made to suit it."""
        draw = found.draw
        counts = {"listed": len(draw.listed), "drawn": len(draw.drawn)}
        closing = {"state": "closed", "list_hash": list_hash(draw.listed), **counts}
        self.world.tell(now, "callback.draw", found.draw_id, closing)
        self.world.tell(now, "callback.draw", found.draw_id, {"state": "revealed", "secret": draw.secret})

    def _row(self, found: OpenList, closed_at: datetime | None) -> dict[str, Any]:
        draw = found.draw
        over = closed_at is not None
        return {
            "draw_id": found.draw_id, "pbx_id": self.pbx_id, "pool": found.pool, "percent": draw.percent,
            "at_once": draw.at_once, "opened_at": found.opened_at, "closes_at": found.closes_at,
            "commitment": commitment(draw.secret), "secret": draw.secret, "listed": list(draw.listed) if over else [],
            "drawn": list(draw.drawn) if over else [], "closed_at": closed_at,
            "list_hash": list_hash(draw.listed) if over else None,
        }  # fmt: skip

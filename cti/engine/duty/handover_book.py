"""The handovers that are not over, as they stand in memory, and their rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from agents.handover import Cause, Gap, Handover, HandoverState, Pair
from agents.sheet import Item, ItemKind, ItemState
from cti.engine.world import World
from cti.store import handover_tables as t


class Book:
    """Handovers in preparation, their pairs and items, and the gaps that run. Every change is a row of this batch."""

    def __init__(self, world: World, pbx_id: str) -> None:
        self.world, self.pbx_id = world, pbx_id
        self.handovers: dict[str, Handover] = {}
        self.pairs: dict[tuple[str, str], Pair] = {}
        self.items: dict[str, Item] = {}
        self._sheets: dict[tuple[str, str], dict[str, Item]] = {}
        self.gaps: dict[str, Gap] = {}

    def put_handover(self, handover: Handover) -> None:
        """Keep and write it; one that is over is forgotten with all that belongs to it."""
        self.world.write(t.handovers, {**_row(handover), "pbx_id": self.pbx_id})
        if handover.state is HandoverState.PREPARED:
            self.handovers[handover.handover_id] = handover
            return
        self.handovers.pop(handover.handover_id, None)
        self.pairs = {key: pair for key, pair in self.pairs.items() if key[0] != handover.handover_id}
        self.items = {key: item for key, item in self.items.items() if item.handover_id != handover.handover_id}
        self._sheets = {key: items for key, items in self._sheets.items() if key[0] != handover.handover_id}

    def put_pair(self, pair: Pair) -> None:
        """Keep and write it; one that was dropped is forgotten."""
        self.world.write(t.pairs, _row(pair))
        if pair.dropped:
            self.pairs.pop((pair.handover_id, pair.outgoing), None)
        else:
            self.pairs[pair.handover_id, pair.outgoing] = pair

    def put_item(self, item: Item) -> None:
        """Keep and write it."""
        self.world.write(t.items, _row(item))
        self._keep(item)

    def _keep(self, item: Item) -> None:
        self.items[item.item_id] = item
        self._sheets.setdefault((item.handover_id, item.outgoing), {})[item.item_id] = item

    def put_gap(self, gap: Gap) -> None:
        """Keep and write it; one that is over is forgotten."""
        self.world.write(t.seat_gaps, _row(gap))
        if gap.ms is None:
            self.gaps[gap.gap_id] = gap
        else:
            self.gaps.pop(gap.gap_id, None)

    def pairs_of(self, handover_id: str) -> list[Pair]:
        """The pairs of one handover, by outgoing agent."""
        found = (pair for key, pair in self.pairs.items() if key[0] == handover_id)
        return sorted(found, key=lambda pair: pair.outgoing)

    def items_of(self, pair: Pair) -> list[Item]:
        """The sheet of one pair, in the order of writing."""
        return list(self._sheets.get((pair.handover_id, pair.outgoing), {}).values())

    def own_pair(self, handover_id: str, number: str) -> Pair | None:
        """The pair in which this agent goes or comes."""
        return next((p for p in self.pairs_of(handover_id) if number in (p.outgoing, p.incoming)), None)

    def leaving(self, agent: str) -> Pair | None:
        """The pair in which this agent still holds the seat; of several the newest."""
        held = [p for p in self.pairs.values() if p.outgoing == agent and p.left_at is None]
        return max(held, key=lambda p: self.handovers[p.handover_id].at, default=None)

    def at(self, moment: datetime) -> Handover | None:
        """The handover in preparation for that moment."""
        return next((h for h in self.handovers.values() if h.at == moment), None)

    def gap_at(self, seat: str | None) -> Gap | None:
        """The gap that runs at that seat."""
        return next((gap for gap in self.gaps.values() if gap.seat == seat), None)

    async def load(self, connection: AsyncConnection) -> None:
        """Take up what was in preparation and what was running."""
        mine = t.handovers.c.pbx_id == self.pbx_id
        prepared = t.handovers.c.state == HandoverState.PREPARED.value
        for row in (await connection.execute(select(t.handovers).where(mine, prepared))).mappings():
            values = {k: v for k, v in row.items() if k != "pbx_id"}
            handover = Handover(**{**values, "state": HandoverState(row["state"])})
            self.handovers[handover.handover_id] = handover
        ids = list(self.handovers)
        kept = t.pairs.c.handover_id.in_(ids) & ~t.pairs.c.dropped
        for row in (await connection.execute(select(t.pairs).where(kept))).mappings():
            self.pairs[row["handover_id"], row["outgoing"]] = Pair(**row)
        query = select(t.items).where(t.items.c.handover_id.in_(ids)).order_by(t.items.c.added_at, t.items.c.item_id)
        for row in (await connection.execute(query)).mappings():
            self._keep(Item(**{**row, "kind": ItemKind(row["kind"]), "state": ItemState(row["state"])}))
        running = t.seat_gaps.c.handover_id.in_(ids) & t.seat_gaps.c.ms.is_(None)
        for row in (await connection.execute(select(t.seat_gaps).where(running))).mappings():
            self.gaps[row["gap_id"]] = Gap(**{**row, "cause": Cause(row["cause"])})


def closed(handover: Handover, state: HandoverState, now: datetime) -> Handover:
    """The handover, over."""
    return replace(handover, state=state, closed_at=now)


def _row(value: Any) -> dict[str, Any]:
    """The columns of a dataclass whose fields are named as they are."""
    fields: Mapping[str, Any] = asdict(value)
    return {name: found.value if isinstance(found, StrEnum) else found for name, found in fields.items()}

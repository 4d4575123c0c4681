"""What the pages show of handovers at every moment; the sheets themselves they read from the store."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from agents.handover import Gap, Pair
from agents.sheet import UNSETTLED
from cti.engine.duty.handover_book import Book
from cti.engine.duty.handover_plan import Planner
from cti.engine.duty.handover_seats import Seats
from cti.engine.world import World

DRIFT = timedelta(milliseconds=500)


class Showing:
    """Makes the view. A page counts from ``since`` by the service's wall clock, so ``since`` follows a step of it."""

    def __init__(self, world: World, book: Book, planner: Planner, seats: Seats) -> None:
        self.world, self.book, self.planner, self.seats = world, book, planner, seats
        self._since: dict[str, datetime] = {}

    def view(self, now: datetime) -> dict[str, Any]:
        """Handovers in preparation with their pairs, and the gaps that run."""
        self._since = {gap_id: at for gap_id, at in self._since.items() if gap_id in self.book.gaps}
        return {
            "handovers": [
                {
                    "id": handover.handover_id, "at": handover.at.isoformat(),
                    "candidates": sorted(self.planner.candidates(handover)),
                    "pairs": [self._pair(pair) for pair in self.book.pairs_of(handover.handover_id)],
                }
                for handover in sorted(self.book.handovers.values(), key=lambda handover: handover.at)
            ],
            "gaps": [self._gap(gap, now) for gap in sorted(self.book.gaps.values(), key=lambda gap: gap.seat)],
        }  # fmt: skip

    def _pair(self, pair: Pair) -> dict[str, Any]:
        items = self.book.items_of(pair)
        return {
            "outgoing": pair.outgoing, "incoming": pair.incoming, "seat": pair.seat,
            "present": self.seats.present(pair), "unsettled": sum(item.state in UNSETTLED for item in items),
            "out_signed": pair.out_signed_at is not None, "in_signed": pair.in_signed_at is not None,
            "left": pair.left_at is not None, "over": pair.over, "overtime_why": pair.overtime_why,
            "overtime_from": pair.overtime_from.isoformat() if pair.overtime_from and pair.overtime else None,
        }  # fmt: skip

    def _gap(self, gap: Gap, now: datetime) -> dict[str, Any]:
        ran_ms, _by_wall = gap.span.elapsed(now, self.world.mono, self.world.boot)
        since = now - timedelta(milliseconds=ran_ms)
        # The two clocks are read one after the other: without this every look would show another microsecond.
        if abs(since - self._since.get(gap.gap_id, datetime.min.replace(tzinfo=now.tzinfo))) > DRIFT:
            self._since[gap.gap_id] = since
        return {
            "seat": gap.seat, "outgoing": gap.outgoing, "incoming": gap.incoming, "limit_ms": gap.limit_ms,
            "since": self._since[gap.gap_id].isoformat(), "alarmed": gap.alarmed_at is not None,
        }  # fmt: skip

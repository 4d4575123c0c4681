"""The connection rate (呼叫接通率) over the last 24 h: kept with every call, alarmed as it nears its bound.

Nothing is kept here that the table of calls does not have: a new process reads the last 24 h and has the same figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.engine.part import Part, Waker
from cti.engine.world import World
from cti.settings import Settings
from cti.store import tables as t
from cti.store.figures_reads import calls_between
from queues.calls import Call
from queues.rolling import Bounds, Level, Rolling, level_after

SUBJECT = "connection"
CODES = {
    Level.KEPT: "connection_regained", Level.NEAR: "connection_near", Level.MISSED: "connection_missed"
}  # fmt: skip
_LEVELS = {code: level for level, code in CODES.items()}
_AHEAD = timedelta(days=1)  # entries stamped by an Asterisk whose clock is ahead of ours


class Figuring(Part):
    """The rolling window, its level, and the gaps that lie in it."""

    def __init__(self, world: World, settings: Settings) -> None:
        self.world, self.pbx_id = world, settings.pbx_id
        self.rolling = Rolling()
        self.level = Level.KEPT
        self.bounds = self._bounds()
        self._gaps: list[tuple[datetime, datetime]] = []
        self._armed: datetime | None = None

    def dues(self) -> Mapping[str, Waker]:
        return {"figures": lambda _subject, _now: None}  # being looked at again is all: ``batched`` does it

    def stepped(self, before: Call | None, after: Call, now: datetime) -> None:
        if after.queue == self.world.queue:
            self.rolling.put(after)

    def gap(self, began: datetime, ended: datetime | None, now: datetime) -> None:
        if ended is not None and ended > began:
            self._gaps.append((began, ended))

    def batched(self, now: datetime) -> None:
        self.rolling.expire(now)
        horizon = now - self.rolling.span
        if self._gaps and self._gaps[0][1] <= horizon:
            self._gaps = [gap for gap in self._gaps if gap[1] > horizon]
        self._judge(now)
        expiry = self.rolling.next_expiry()
        if expiry is not None and expiry != self._armed:
            self._armed = expiry
            self.world.wake_at(expiry, "figures:")

    def _judge(self, now: datetime) -> None:
        """Tell the lead when the level changes. While we see nothing, calls may be answered that we do not know of."""
        if self.bounds is None or self.world.stale_since is not None:
            return
        was, self.level = self.level, level_after(
            self.level, self.rolling.connected, self.rolling.decided, self.bounds
        )  # fmt: skip
        if self.level is not was:
            data = {"code": CODES[self.level], "what": "with_gap" if self._gaps else "whole"}
            self.world.tell(now, "alarm", SUBJECT, data, "lead")

    def _bounds(self) -> Bounds | None:
        def whole(path: str) -> int | None:
            limit = self.world.profile.get(path)
            return limit.value if limit is not None and isinstance(limit.value, int) else None

        least = whole("connection.rate_percent")
        if least is None:
            return None
        back, calls = whole("connection.back_percent"), whole("connection.least_calls")
        return Bounds(least, whole("connection.near_percent"), back or 0, calls or 1)

    async def load(self, connection: AsyncConnection, now: datetime) -> None:
        """The calls and gaps of the last 24 h, and the level that was told last."""
        since = now - self.rolling.span
        for call in await calls_between(connection, self.pbx_id, self.world.queue, since, now + _AHEAD):
            self.rolling.put(call)
        g = t.gaps.c
        seen = select(g.began_at, g.ended_at).where(g.pbx_id == self.pbx_id, g.ended_at > since).order_by(g.ended_at)
        self._gaps = [(began, ended) for began, ended in (await connection.execute(seen)).all() if ended > began]
        o = t.outbox.c
        told = select(o.data).where(o.kind == "alarm", o.subject == SUBJECT).order_by(o.seq.desc()).limit(1)
        last = (await connection.execute(told)).scalar()
        if last is not None:
            self.level = _LEVELS[last["code"]]

    def view(self, now: datetime) -> dict[str, Any]:
        """The rate over the last 24 h by the caller's clock, against what; ``gap``: some of it was not seen live."""
        rolling, bounds = self.rolling, self.bounds
        return {
            "figures": {
                "connection": {
                    "rate": rolling.rate, "connected": rolling.connected, "decided": rolling.decided,
                    "lost": len(rolling.lost), "clock": "caller",
                    "least_percent": bounds.least if bounds else None, "level": self.level.value,
                    "gap": bool(self._gaps) or self.world.stale_since is not None,
                }
            }
        }  # fmt: skip

"""Emergencies as the pages read them. Every function takes a connection and changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import ColumnElement

from cti.store.emergency_tables import emergencies, front_callers, unit_calls

MOST = 200  # emergencies in one answer


@dataclass(frozen=True, slots=True)
class UnitCallView:
    """One number of a unit that was to be tried. Times are aware UTC; ``rang_ms``: how long it rang."""

    unit: str
    number: str
    agent: str
    asked_at: datetime
    began_at: datetime | None
    ended_at: datetime | None
    outcome: str | None
    rang_ms: int | None


@dataclass(frozen=True, slots=True)
class EmergencyView:
    """One emergency with every moment of it, aware UTC; ``seconds`` has each one's distance from the first."""

    emergency_id: str
    why: str
    word: str
    call_id: str | None
    ticket_id: str | None
    kind: str | None
    area: str | None
    agent: str | None
    raised_at: datetime
    joined_at: datetime | None
    offered_at: datetime | None
    answered_at: datetime | None
    call_ended_at: datetime | None
    dialled_at: datetime | None
    reached_at: datetime | None
    reached_unit: str | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    note: str
    step: int
    seconds: dict[str, float]
    unit_calls: list[UnitCallView]


@dataclass(frozen=True, slots=True)
class FrontView:
    """A number that goes to the front."""

    number: str
    reason: str
    changed_by: str
    changed_at: datetime


MOMENTS = ("offered_at", "answered_at", "call_ended_at", "dialled_at", "reached_at", "acknowledged_at")


async def emergency_list(
    connection: AsyncConnection, pbx_id: str, *, closed: bool = False, ticket_id: str | None = None
) -> list[EmergencyView]:
    """Those that nobody acknowledged, the oldest first; or *closed* ones, the newest first; or those of a ticket."""
    e = emergencies.c
    if ticket_id is not None:
        return await _views(connection, (e.pbx_id == pbx_id) & (e.ticket_id == ticket_id), newest=True)
    over = e.acknowledged_at.is_not(None) if closed else e.acknowledged_at.is_(None)
    return await _views(connection, (e.pbx_id == pbx_id) & over, newest=closed)


async def emergency_view(connection: AsyncConnection, pbx_id: str, emergency_id: str) -> EmergencyView | None:
    """One, or None."""
    e = emergencies.c
    found = await _views(connection, (e.pbx_id == pbx_id) & (e.emergency_id == emergency_id), newest=True)
    return found[0] if found else None


async def front_list(connection: AsyncConnection, pbx_id: str) -> list[FrontView]:
    """The numbers on the list, by number."""
    f = front_callers.c
    query = select(f.number, f.reason, f.changed_by, f.changed_at).where(f.pbx_id == pbx_id, f.removed_at.is_(None))
    return [FrontView(*row) for row in (await connection.execute(query.order_by(f.number))).all()]


async def _views(connection: AsyncConnection, which: ColumnElement[bool], newest: bool) -> list[EmergencyView]:
    e = emergencies.c
    order = (e.raised_at.desc() if newest else e.raised_at, e.emergency_id)
    rows = (await connection.execute(select(emergencies).where(which).order_by(*order).limit(MOST))).mappings().all()
    u = unit_calls.c
    tried = select(unit_calls).where(u.emergency_id.in_([row["emergency_id"] for row in rows]))
    calls = (await connection.execute(tried.order_by(u.asked_at, u.ordinal))).mappings().all()
    return [_view(row, [c for c in calls if c["emergency_id"] == row["emergency_id"]]) for row in rows]


def _view(row: RowMapping, calls: Iterable[RowMapping]) -> EmergencyView:
    start = row["joined_at"] or row["raised_at"]
    seconds = {m: round((row[m] - start).total_seconds(), 3) for m in MOMENTS if row[m] is not None}
    names = [name for name in EmergencyView.__slots__ if name not in ("seconds", "unit_calls")]
    return EmergencyView(**{name: row[name] for name in names}, seconds=seconds, unit_calls=[_call(c) for c in calls])


def _call(row: RowMapping) -> UnitCallView:
    began, ended = row["began_at"], row["ended_at"]
    rang = None if began is None or ended is None else round((ended - began).total_seconds() * 1000)
    names = [name for name in UnitCallView.__slots__ if name != "rang_ms"]
    return UnitCallView(**{name: row[name] for name in names}, rang_ms=rang)

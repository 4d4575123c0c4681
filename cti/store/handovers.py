"""Handovers as the pages read them. Every function takes a connection, changes nothing; numbers are masked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.store import handover_tables as t
from cti.store.tables import attempts, callbacks, people
from queues.board import mask

AT_A_TIME = 500  # callbacks asked for by their ids in one query
MOST = 200  # handovers in one answer: three months of two a day


@dataclass(frozen=True, slots=True)
class CallbackLine:
    """What a callback on a sheet is about. ``number``: masked. Times are aware UTC."""

    number: str
    ticket_id: str | None
    mandatory: bool
    due_at: datetime | None
    deadline: datetime | None
    appointment_at: datetime | None
    attempts: int


@dataclass(frozen=True, slots=True)
class ItemView:
    """One line of a sheet. Times are aware UTC. ``callback``: of a line that hands over a callback."""

    item_id: str
    kind: str
    subject: str | None
    text: str
    added_by: str | None
    added_at: datetime
    state: str
    decided_by: str | None
    decided_at: datetime | None
    reason: str
    settled_by: str | None
    settled_at: datetime | None
    settled_reason: str
    callback: CallbackLine | None = None


@dataclass(frozen=True, slots=True)
class GapView:
    """One gap at a seat; ``ms`` is None while it runs."""

    seat: str
    began_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    ms: int | None
    within: bool | None
    by_wall: bool
    cause: str
    caused_by: str
    limit_ms: int | None


@dataclass(frozen=True, slots=True)
class PairView:
    """A pair with its sheet and its gaps."""

    outgoing: str
    seat: str | None
    incoming: str | None
    paired_by: str | None
    out_signed_at: datetime | None
    in_signed_at: datetime | None
    left_at: datetime | None
    relieved_at: datetime | None
    relieved_by: str | None
    overtime_why: str | None
    overtime_from: datetime | None
    overtime_ms: int | None
    items: list[ItemView] = field(default_factory=list)
    gaps: list[GapView] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class HandoverView:
    """A handover. ``state``: prepared, closed, cancelled."""

    handover_id: str
    at: datetime
    prepared_at: datetime
    state: str
    closed_at: datetime | None
    pairs: list[PairView] = field(default_factory=list)


async def handovers_between(
    connection: AsyncConnection, pbx_id: str, start: datetime, end: datetime
) -> list[HandoverView]:
    """Those whose moment lies in [start, end), newest first, at most ``MOST``."""
    return await _handovers(connection, and_(t.handovers.c.at >= start, t.handovers.c.at < end), pbx_id)


async def handovers_in_hand(connection: AsyncConnection, pbx_id: str) -> list[HandoverView]:
    """Those in preparation, newest first."""
    return await _handovers(connection, t.handovers.c.state == "prepared", pbx_id)


async def _handovers(connection: AsyncConnection, which: ColumnElement[bool], pbx_id: str) -> list[HandoverView]:
    query = select(*_columns(t.handovers, HandoverView)).where(which, t.handovers.c.pbx_id == pbx_id)
    rows = await connection.execute(query.order_by(t.handovers.c.at.desc()).limit(MOST))
    found = {row.handover_id: HandoverView(**row._mapping) for row in rows}
    pairs: dict[tuple[str, str], PairView] = {}
    kept = and_(t.pairs.c.handover_id.in_(list(found)), ~t.pairs.c.dropped)
    query = select(t.pairs.c.handover_id, *_columns(t.pairs, PairView)).where(kept).order_by(t.pairs.c.outgoing)
    for row in (await connection.execute(query)).mappings():
        pair = PairView(**_without(row))
        pairs[row["handover_id"], pair.outgoing] = pair
        found[row["handover_id"]].pairs.append(pair)
    await _fill(connection, list(found), pairs)
    return list(found.values())


async def _fill(connection: AsyncConnection, ids: list[str], pairs: dict[tuple[str, str], PairView]) -> None:
    i, g = t.items, t.seat_gaps
    lines = select(i.c.handover_id, i.c.outgoing, *_columns(i, ItemView)).where(i.c.handover_id.in_(ids))
    rows = (await connection.execute(lines.order_by(i.c.added_at, i.c.item_id))).mappings().all()
    about = await _callbacks(connection, [row["subject"] for row in rows if row["kind"] == "callback"])
    for row in rows:
        pair = pairs.get((row["handover_id"], row["outgoing"]))
        if pair is not None:
            pair.items.append(ItemView(**_without(row, "outgoing"), callback=about.get(row["subject"])))
    empty = select(g.c.handover_id, g.c.outgoing, *_columns(g, GapView)).where(g.c.handover_id.in_(ids))
    for row in (await connection.execute(empty.order_by(g.c.began_at))).mappings():
        pair = pairs.get((row["handover_id"], row["outgoing"]))
        if pair is not None:
            pair.gaps.append(GapView(**_without(row, "outgoing")))


async def _callbacks(connection: AsyncConnection, ids: list[str]) -> dict[str, CallbackLine]:
    made = select(func.count()).where(attempts.c.callback_id == callbacks.c.callback_id).scalar_subquery()
    found: dict[str, CallbackLine] = {}
    for at in range(0, len(ids), AT_A_TIME):
        some = callbacks.c.callback_id.in_(ids[at : at + AT_A_TIME])
        for row in (await connection.execute(select(callbacks, made.label("made")).where(some))).mappings():
            found[row["callback_id"]] = CallbackLine(
                mask(row["number"]), row["ticket_id"], row["mandatory"], row["due_at"], row["deadline"],
                row["appointment_at"], row["made"],
            )  # fmt: skip
    return found


def _columns(table: Any, view: Any) -> Iterable[Any]:
    names = view.__dataclass_fields__
    return [column for column in table.c if column.name in names]


def _without(row: Any, *also: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in ("handover_id", *also)}


async def names_of(connection: AsyncConnection, numbers: Iterable[str]) -> dict[str, str]:
    """Name by number."""
    rows = await connection.execute(select(people.c.number, people.c.name).where(people.c.number.in_(list(numbers))))
    return {row.number: row.name for row in rows}


async def is_handed_to(connection: AsyncConnection, ticket_id: str, number: str) -> bool:
    """Whether the ticket stands on a sheet in preparation that *number* is to check and take (逐一检查、核实)."""
    same = and_(t.pairs.c.handover_id == t.items.c.handover_id, t.pairs.c.outgoing == t.items.c.outgoing)
    handed = (
        select(t.items.c.item_id)
        .select_from(t.items.join(t.pairs, same).join(t.handovers, t.handovers.c.handover_id == t.items.c.handover_id))
        .where(
            t.items.c.subject == ticket_id, t.items.c.kind == "ticket", t.pairs.c.incoming == number,
            ~t.pairs.c.dropped, t.handovers.c.state == "prepared",
        )
    )  # fmt: skip
    return (await connection.execute(handed.limit(1))).first() is not None

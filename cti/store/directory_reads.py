"""The directory as the pages read it. Every function takes a connection and changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.store.directory_tables import on_call, units


@dataclass(frozen=True, slots=True)
class OnCallView:
    """A line of a duty list. Times are aware UTC."""

    entry_id: str
    unit: str
    number: str
    name: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class UnitView:
    """A unit. ``numbers``: [digits] or [digits, "HH:MM" from, to], in the order in which they are tried."""

    code: str
    zh: str
    en: str
    role: str
    kinds: list[str]
    areas: list[str]
    numbers: list[list[str]]
    on_call: list[OnCallView]


async def directory(connection: AsyncConnection, pbx_id: str, now: datetime) -> list[UnitView]:
    """Every unit by code, each with the lines of its duty list that are not over, by time."""
    o, u = on_call.c, units.c
    lines = select(on_call).where(o.pbx_id == pbx_id, o.removed_at.is_(None), o.ends_at > now).order_by(o.starts_at)
    names = OnCallView.__slots__
    entries = [OnCallView(**{n: row[n] for n in names}) for row in (await connection.execute(lines)).mappings()]
    kept = select(units).where(u.pbx_id == pbx_id, u.removed_at.is_(None)).order_by(u.code)
    return [
        UnitView(
            row["code"], row["zh"], row["en"], row["role"], row["kinds"], row["areas"], row["numbers"],
            [entry for entry in entries if entry.unit == row["code"]],
        )
        for row in (await connection.execute(kept)).mappings()
    ]  # fmt: skip

"""Missed callers as the pages read them. Every function takes a connection and changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.store.missed_tables import missed_calls
from cti.store.tables import callbacks

MOST = 500  # duties in one answer


@dataclass(frozen=True, slots=True)
class MissedView:
    """One missed caller. Times are aware UTC.

    Attributes:
        number: the caller's, masked for whoever may not see it.
        first_at: the first try; the age of the duty.
        callback_state: due, placing, reached, exhausted, cancelled; None when none was planned.
        due_at: when the callback is dialled next.
        end_text: the agent's own words; empty for whoever may not see the number.
    """

    missed_id: str
    number: str
    first_at: datetime
    last_at: datetime
    tries: int
    state: str
    claimed_by: str | None
    claimed_at: datetime | None
    callback_id: str | None
    callback_state: str | None
    due_at: datetime | None
    closed_at: datetime | None
    closed_by: str | None
    end_reason: str | None
    end_text: str


async def missed_list(connection: AsyncConnection, pbx_id: str, closed: bool) -> list[MissedView]:
    """Open duties, who rang first comes first; or closed ones, the newest first."""
    m = missed_calls.c
    over = m.closed_at.is_not(None) if closed else m.closed_at.is_(None)
    order = (m.closed_at.desc(),) if closed else (m.first_at,)
    query = _query().where(m.pbx_id == pbx_id, over).order_by(*order, m.missed_id).limit(MOST)
    return [_view(row) for row in (await connection.execute(query)).mappings()]


async def missed_view(connection: AsyncConnection, pbx_id: str, missed_id: str) -> MissedView | None:
    """One duty, or None."""
    query = _query().where(missed_calls.c.pbx_id == pbx_id, missed_calls.c.missed_id == missed_id)
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else _view(row)


def _query() -> Select[Any]:
    joined = missed_calls.outerjoin(callbacks, callbacks.c.callback_id == missed_calls.c.callback_id)
    return select(missed_calls, callbacks.c.due_at).select_from(joined)


def _view(row: RowMapping) -> MissedView:
    return MissedView(**{name: row[name] for name in MissedView.__slots__})

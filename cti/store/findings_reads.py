"""Findings and attendance as pages and the API show them. Every function takes a connection and changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from agents.adherence import Attendance, measures
from agents.findings import Span
from agents.shifts import Shift
from cti.store.findings_tables import attendance, findings
from cti.store.tables import calls, gaps, offers

MOST = 500


@dataclass(frozen=True, slots=True)
class StepView:
    """One step of a finding's case. ``what``: appealed, upheld, revoked, gap, was_late; ``by`` empty: the service."""

    what: str
    by: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class FindingView:
    """One finding. ``evidence.events`` hold call ids and times, never a caller's number."""

    finding_id: str
    kind: str
    agent: str
    document: str
    article: str
    wording: str
    began_at: datetime
    ended_at: datetime | None
    found_at: datetime
    state: str
    evidence: dict[str, Any]
    steps: tuple[StepView, ...]


@dataclass(frozen=True, slots=True)
class AdherenceLine:
    """One agent's shift against what was seen; milliseconds, None where it cannot be said.

    ``gap``: for a part of the shift nothing was seen; nobody is judged on that part.
    """

    agent: str
    shift_id: str
    code: str
    seat: str | None
    starts_at: datetime
    ends_at: datetime
    arrived_at: datetime | None
    early_ms: int | None
    signed_in_at: datetime | None
    late_ms: int | None
    ready_at: datetime | None
    to_ready_ms: int | None
    signed_out_at: datetime | None
    left_early_ms: int | None
    offers: int
    answered: int
    missed: int
    gap: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which findings: those that began from ``since`` to before ``until``; None asks for all."""

    since: datetime | None = None
    until: datetime | None = None
    agent: str | None = None
    kind: str | None = None
    state: str | None = None


async def findings_list(connection: AsyncConnection, pbx_id: str, wanted: Wanted) -> list[FindingView]:
    """Findings, those that go on first, then the newest; at most ``MOST``."""
    f = findings.c
    query = select(findings).where(f.pbx_id == pbx_id)
    for column, value in ((f.agent, wanted.agent), (f.kind, wanted.kind), (f.state, wanted.state)):
        if value is not None:
            query = query.where(column == value)
    if wanted.since is not None:
        query = query.where(or_(f.began_at >= wanted.since, f.state == "running"))
    if wanted.until is not None:
        query = query.where(f.began_at < wanted.until)
    rows = await connection.execute(query.order_by(f.state != "running", f.began_at.desc()).limit(MOST))
    return [_view(row) for row in rows.mappings()]


async def finding_view(connection: AsyncConnection, pbx_id: str, finding_id: str) -> FindingView | None:
    """One finding, or None."""
    query = select(findings).where(findings.c.pbx_id == pbx_id, findings.c.finding_id == finding_id)
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else _view(row)


def _view(row: RowMapping) -> FindingView:
    steps = tuple(StepView(s["what"], s["by"], datetime.fromisoformat(s["at"]), s["reason"]) for s in row["steps"])
    values = {name: row[name] for name in FindingView.__slots__ if name != "steps"}
    return FindingView(**values, steps=steps)


async def adherence_lines(
    connection: AsyncConnection, pbx_id: str, queue: str, since: datetime, until: datetime, now: datetime
) -> list[AdherenceLine]:
    """The shifts that touch [*since*, *until*) and have begun by *now*, by start and agent."""
    a = attendance.c
    which = (a.pbx_id == pbx_id) & (a.ends_at > since) & (a.starts_at < until) & (a.starts_at <= now)
    taken = await _taken(connection, queue, which)
    rows = (await connection.execute(select(attendance).where(which).order_by(a.starts_at, a.agent))).mappings().all()
    known = select(gaps.c.began_at, gaps.c.ended_at).where(
        gaps.c.pbx_id == pbx_id, or_(gaps.c.ended_at.is_(None), gaps.c.ended_at > since)
    )
    blind = [Span(*row) for row in (await connection.execute(known)).all()]
    return [_line(row, taken.get((row["agent"], row["shift_id"]), (0, 0, 0)), blind, now) for row in rows]


async def _taken(connection: AsyncConnection, queue: str, which: Any) -> dict[tuple[str, str], tuple[int, int, int]]:
    """(agent, shift) -> offers, answers and missed offers in that shift."""
    a, o = attendance.c, offers.c
    in_it = (o.offered_at >= a.starts_at) & (o.offered_at < a.ends_at)
    query = (
        select(
            a.agent, a.shift_id, func.count(), func.count().filter(o.outcome == "answered"),
            func.count().filter(o.outcome.in_(("no_answer", "rejected"))),
        )
        .select_from(
            attendance.join(offers, (o.pbx_id == a.pbx_id) & (o.agent == a.agent) & in_it).join(
                calls, (calls.c.pbx_id == o.pbx_id) & (calls.c.call_id == o.call_id)
            )
        )
        .where(which, calls.c.queue == queue)
        .group_by(a.agent, a.shift_id)
    )  # fmt: skip
    return {(row[0], row[1]): (row[2], row[3], row[4]) for row in (await connection.execute(query)).all()}


def _line(row: RowMapping, taken: tuple[int, int, int], blind: list[Span], now: datetime) -> AdherenceLine:
    shift = Shift(row["shift_id"], row["agent"], row["starts_at"], row["ends_at"], row["code"], seat=row["seat"])
    seen = Attendance(
        shift, row["arrived_at"], row["signed_in_at"], row["ready_at"], row["signed_out_at"], row["out_allowed"]
    )
    figures = measures(seen, now)
    so_far = Span(shift.starts_at, min(shift.ends_at, max(now, shift.starts_at)))
    return AdherenceLine(
        shift.agent, shift.shift_id, shift.code, shift.seat, shift.starts_at, shift.ends_at, seen.here_since,
        figures.early_ms, seen.signed_in_at, figures.late_ms, seen.ready_at, figures.to_ready_ms, seen.signed_out_at,
        figures.left_early_ms, *taken, any(gap.meets(so_far) for gap in blind),
    )  # fmt: skip

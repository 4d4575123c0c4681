"""Figures of a day: of the hotline, of each interval, of each agent. Every figure names the clock it is read from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal

from fastapi import APIRouter

from cti.store.figures_reads import (
    blind_between,
    calls_between,
    offers_between,
    on_queue_between,
    shut_out_between,
    steps_between,
)  # fmt: skip
from cti.web.context import LedgerDep, SeatedDep, Web, WebDep
from cti.web.fields import DayQuery
from queues.figures import Clock, Figure, Tally, by_interval, tallied
from queues.occupancy import offers_of, times

router = APIRouter(tags=["figures"])


@dataclass(frozen=True, slots=True)
class FigureView:
    """A figure: shares from 0 to 1, times milliseconds, null over nothing; ``of`` is what it is divided by."""

    value: float | None
    of: int
    clock: Clock


@dataclass(frozen=True, slots=True)
class CallsView:
    """Counts and figures of the calls that entered from ``since``. Those who still wait are not decided.

    ``unanswered`` counts by how they ended; ``shut_out``, which is no part of it, by why they were turned away at the
    door (full, closed, lines); ``lost_calls`` names those whose end nobody saw; ``rounded`` are known to
    whole seconds only, from queue_log.
    """

    since: datetime
    entered: int
    decided: int
    answered: int
    within: int
    unanswered: Mapping[str, int]
    shut_out: Mapping[str, int]
    lost_calls: tuple[str, ...]
    rounded: int
    figures: Mapping[str, FigureView]


@dataclass(frozen=True, slots=True)
class Unseen:
    """A stretch of the day in which the event stream was broken; what queue_log told of it is counted."""

    began_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class DayView:
    """A local day. ``steps``: how often each step of the escalation was taken."""

    day: date
    limit_s: float
    total: CallsView
    intervals: tuple[CallsView, ...]
    steps: Mapping[str, int]
    unseen: tuple[Unseen, ...]


@dataclass(frozen=True, slots=True)
class AgentView:
    """One agent's day, by the agent's clock; durations in milliseconds."""

    agent: str
    offers: int
    answered: int
    missed: int
    cancelled: int
    talk_ms: int
    wrap_up_ms: int
    idle_ms: int
    on_queue_ms: int
    figures: Mapping[str, FigureView]


@router.get("/figures")
async def of_day(
    _who: LedgerDep, web: WebDep, day: DayQuery = None, interval: Literal["15", "30", "60"] = "60"
) -> DayView:
    """The figures of a day, whole and in intervals of so many minutes."""
    chosen, since, until = _bounds(web, day)
    pbx, queue = web.settings.pbx_id, web.settings.hotline.queue
    async with web.store.read() as connection:
        calls = await calls_between(connection, pbx, queue, since, until)
        unseen = await blind_between(connection, pbx, since, min(until, web.clock.now()))
        shut_out = await shut_out_between(connection, pbx, since, until)
        steps = await steps_between(connection, pbx, since, until)
    limit = _limit(web)
    parts = by_interval(calls, limit, since, until, int(interval), shut_out)
    views = tuple(_calls(at, tally) for at, tally in parts if at <= web.clock.now())
    total = _calls(since, tallied(calls, limit, shut_out))
    return DayView(chosen, limit.total_seconds(), total, views, steps, tuple(Unseen(*span) for span in unseen))


@router.get("/figures/agents")
async def of_agents(_who: LedgerDep, web: WebDep, day: DayQuery = None) -> list[AgentView]:
    """Every agent who was offered a call or was on the queue that day, by number."""
    return await _agents(web, day)


@router.get("/me/figures")
async def own(who: SeatedDep, web: WebDep, day: DayQuery = None) -> AgentView:
    """One's own day."""
    return (await _agents(web, day, (who.number,)))[0]


async def _agents(web: Web, day: date | None, only: Iterable[str] | None = None) -> list[AgentView]:
    _, since, end = _bounds(web, day)
    until = max(min(end, web.clock.now()), since)
    pbx, queue = web.settings.pbx_id, web.settings.hotline.queue
    async with web.store.read() as connection:
        offers = await offers_between(connection, pbx, queue, since, until)
        ready = await on_queue_between(connection, pbx, since, until)
    limit, wrap_up = _limit(web), timedelta(seconds=web.settings.hotline.wrap_up_s)
    views = []
    for agent in sorted({*offers, *ready}) if only is None else only:
        handled = offers.get(agent, [])
        counts = offers_of((h for h in handled if h.offered_at >= since), limit)
        spent = times(ready.get(agent, []), handled, wrap_up, since, until)
        if only is None and not counts.offers and not (spent.on_queue_ms or spent.talk_ms):
            continue
        figures = {**counts.figures(), "occupancy": spent.occupancy}
        view = AgentView(
            agent, counts.offers, counts.answered, counts.missed, counts.cancelled, *spent, _figures(figures)
        )  # fmt: skip
        views.append(view)
    return views


def _bounds(web: Web, day: date | None) -> tuple[date, datetime, datetime]:
    """The local day asked for, or today, from midnight to midnight."""
    chosen = day or web.clock.now().astimezone(web.zone).date()
    start, end = (datetime.combine(d, time(), web.zone) for d in (chosen, chosen + timedelta(days=1)))
    utc = web.clock.now().tzinfo
    return chosen, start.astimezone(utc), end.astimezone(utc)


def _limit(web: Web) -> timedelta:
    return timedelta(seconds=web.engine.board()["limit_s"])


def _calls(since: datetime, tally: Tally) -> CallsView:
    return CallsView(
        since, tally.entered, tally.decided, tally.answered, tally.within, dict(tally.unanswered), dict(tally.shut_out),
        tuple(tally.lost), tally.rounded, _figures(tally.figures()),
    )  # fmt: skip


def _figures(figures: Mapping[str, Figure]) -> dict[str, FigureView]:
    return {name: FigureView(*figure) for name, figure in figures.items()}

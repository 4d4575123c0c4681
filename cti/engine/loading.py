"""The world from the database: at start, and for calls that were forgotten and are spoken of again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from agents.presence import Agent, rings, talks
from cti.bus.outbox import Message
from cti.engine.joining import JOINED
from cti.engine.records import Callback, Dialling, Recording
from cti.engine.world import ALARMS, MOST_ALARMS, World
from cti.store import tables as t
from cti.store.dial_tables import callback_extensions
from cti.store.owed_tables import callback_steps
from queues.board import Today
from queues.callbacks import Attempt, AttemptOutcome
from queues.calls import Call, Offer
from queues.facts import Ending, OfferEnd

RECENT = timedelta(hours=24)  # recordings that were not whole are looked at again for this long


async def load_world(connection: AsyncConnection, world: World, pbx_id: str, now: datetime) -> None:
    """Fill *world* with people on duty, open calls, open callbacks, recordings in doubt and today's counts."""
    await load_people(connection, world, pbx_id)
    open_ids = select(t.calls.c.call_id).where(t.calls.c.pbx_id == pbx_id, t.calls.c.ended_at.is_(None))
    await load_calls(connection, world, pbx_id, (await connection.execute(open_ids)).scalars().all())
    for call in world.calls.values():
        _occupy(world, call)
    still_open = t.callbacks.c.state.in_(("due", "placing"))
    await load_callbacks(connection, world, (t.callbacks.c.pbx_id == pbx_id) & still_open)
    last = (await connection.execute(select(t.outbox.c.at).order_by(t.outbox.c.seq.desc()).limit(1))).scalar()
    if last is not None:
        world.stale_since, world.stale_reason = last, "the service was not running"
    open_gap = select(t.gaps.c.began_at, t.gaps.c.reason).where(t.gaps.c.pbx_id == pbx_id, t.gaps.c.ended_at.is_(None))
    for began_at, reason in (await connection.execute(open_gap.order_by(t.gaps.c.began_at.desc()).limit(1))).all():
        world.stale_since, world.stale_reason = began_at, reason  # the link was away already: it is one gap
    recent = (t.outbox.c.kind.in_(ALARMS)) & (t.outbox.c.at > now - RECENT)
    newest = select(t.outbox).where(recent).order_by(t.outbox.c.seq.desc()).limit(MOST_ALARMS)
    world.alarms.extendleft(Message(**row) for row in (await connection.execute(newest)).mappings())
    await _load_recordings(connection, world, pbx_id, now)
    await _load_today(connection, world, pbx_id, now)


async def load_people(connection: AsyncConnection, world: World, pbx_id: str) -> None:
    """Everybody who may be an agent, with the desired state that was committed last."""
    rows = (await connection.execute(select(t.agents).where(t.agents.c.pbx_id == pbx_id))).mappings().all()
    desired = {row["number"]: _known(Agent, row) for row in rows}
    p = t.people.c
    seated = select(p.number, p.name, p.role).where(p.active, p.role.in_(("agent", "lead")))
    world.leads.clear()  # who is lead no longer must not be taken for one
    for number, name, role in (await connection.execute(seated)).all():
        if role == "lead":
            world.leads.add(number)
        if number not in world.agents:
            world.agents[number] = Agent(**{**desired.get(number, {"number": number}), "name": name})


async def load_calls(connection: AsyncConnection, world: World, pbx_id: str, call_ids: Iterable[str]) -> None:
    """Bring calls back into memory; ids that the store does not know are passed over."""
    wanted = [call_id for call_id in call_ids if call_id not in world.calls]
    for start in range(0, len(wanted), 500):
        part = wanted[start : start + 500]
        offers: dict[str, list[Offer]] = {}
        query = select(t.offers).where(t.offers.c.pbx_id == pbx_id, t.offers.c.call_id.in_(part))
        for row in (await connection.execute(query.order_by(t.offers.c.ordinal))).mappings():
            end = OfferEnd(row["outcome"]) if row["outcome"] else None
            offers.setdefault(row["call_id"], []).append(Offer(**{**_known(Offer, row), "end": end}))
        calls = select(t.calls).where(t.calls.c.pbx_id == pbx_id, t.calls.c.call_id.in_(part))
        for row in (await connection.execute(calls)).mappings():
            values = {**_known(Call, row), "offers": tuple(offers.get(row["call_id"], ()))}
            values["ending"] = Ending(row["ending"]) if row["ending"] else None
            values["transfers"] = tuple(row["transfers"])
            world.remember(Call(**values))
        kept = select(t.recordings).where(t.recordings.c.pbx_id == pbx_id, t.recordings.c.call_id.in_(part))
        for row in (await connection.execute(kept)).mappings():
            world.recordings.setdefault(row["call_id"], Recording(**_known(Recording, row)))


def _occupy(world: World, call: Call) -> None:
    for offer in call.offers:
        agent = world.agents.get(offer.agent)
        if agent is None:
            continue
        if offer.end is None:
            world.agents[agent.number] = rings(agent, call.call_id, offer.offered_at)
        elif offer.end is OfferEnd.ANSWERED and offer.talk_ended_at is None and offer.ended_at is not None:
            world.agents[agent.number] = talks(agent, call.call_id, offer.ended_at)


async def load_callbacks(connection: AsyncConnection, world: World, which: ColumnElement[bool]) -> None:
    """Bring callbacks with their attempts into memory."""
    rows = (await connection.execute(select(t.callbacks).where(which))).mappings().all()
    if not rows:
        return
    ids = select(t.callbacks.c.callback_id).where(which)
    s, e = callback_steps.c, callback_extensions.c
    asked = select(s.callback_id, s.request_key).where(s.callback_id.in_(ids), s.act == JOINED, s.request_key != "")
    keys: dict[str, tuple[str, ...]] = {}
    for callback_id, key in await connection.execute(asked.order_by(s.at, s.step_id)):
        keys[callback_id] = (*keys.get(callback_id, ()), key)
    behind = select(e.callback_id, e.extension).where(e.callback_id.in_(ids))
    extensions: dict[str, str] = {row[0]: row[1] for row in await connection.execute(behind)}
    for row in rows:
        if row["callback_id"] in world.callbacks:
            continue
        attempts = select(t.attempts).where(t.attempts.c.callback_id == row["callback_id"])
        made = (await connection.execute(attempts.order_by(t.attempts.c.ordinal))).mappings().all()
        diallings = tuple(
            Dialling(
                a["channel_id"],
                a["agent"],
                Attempt(a["ordinal"], a["started_at"], a["ended_at"], AttemptOutcome(a["outcome"])),
                a["answered_at"],
            )
            for a in made
        )
        known = {**_known(Callback, row), "diallings": diallings, "joined": tuple(row["joined"])}
        callback_id = row["callback_id"]
        extension, joined_keys = extensions.get(callback_id, ""), keys.get(callback_id, ())
        world.remember_callback(Callback(**known, extension=extension, joined_keys=joined_keys))


async def _load_recordings(connection: AsyncConnection, world: World, pbx_id: str, now: datetime) -> None:
    r = t.recordings
    doubtful = (r.c.state == "expected") | ((r.c.state != "ok") & (r.c.checked_at > now - RECENT))
    query = select(r).where(r.c.pbx_id == pbx_id, doubtful).limit(10_000)
    for row in (await connection.execute(query)).mappings():
        world.recordings[row["call_id"]] = Recording(**_known(Recording, row))


async def _load_today(connection: AsyncConnection, world: World, pbx_id: str, now: datetime) -> None:
    local = now.astimezone(world.zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    limit_ms = int(world.limit.total_seconds() * 1000)
    c = t.calls.c
    answered = c.answered_at.is_not(None)
    gone = c.answered_at.is_(None) & c.ending.is_not(None)
    columns = (
        func.count(), func.count().filter(answered), func.count().filter(answered & (c.wait_ms <= limit_ms)),
        func.count().filter(gone & (c.ending != Ending.LOST.value)),
        func.count().filter(gone & (c.ending == Ending.LOST.value)),
        func.coalesce(func.sum(c.wait_ms).filter(answered), 0),
    )  # fmt: skip
    today = (c.pbx_id == pbx_id) & (c.queue == world.queue) & (c.entered_at >= midnight)
    row = (await connection.execute(select(*columns).where(today))).one()
    agents = select(c.agent, func.count()).where(today, answered).group_by(c.agent)
    by_agent = {str(number): int(count) for number, count in (await connection.execute(agents)).all()}
    entered, answered_n, within, abandoned, lost, wait_ms = (int(value) for value in row)
    world.today = Today(local.date(), entered, answered_n, within, abandoned, lost, wait_ms, by_agent)


def _known(kind: Any, row: Mapping[Any, Any]) -> dict[str, Any]:
    """The columns of *row* that are fields of the dataclass *kind*."""
    names = {f.name for f in fields(kind)}
    return {name: value for name, value in row.items() if name in names}

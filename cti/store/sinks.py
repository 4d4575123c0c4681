"""What sinks are owed, how each try went, and who they are. Written by cti/bus/sinks.py, never on the way of a call."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, bindparam, delete, exists, func, insert, select, update
from sqlalchemy import text as sql
from sqlalchemy.dialects.sqlite import insert as upsert

from cti.store.db import Statements
from cti.store.sinks_tables import deliveries, sink_calls, sink_tries, sinks
from cti.store.tables import callbacks, calls, cursors, people

ZAMMAD = "zammad"
PRUNED_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Sink:
    """One place that hears what happens. Times are aware UTC; ``url`` is None for Zammad (settings)."""

    sink_id: str
    kind: str
    name: str
    url: str | None
    kinds: tuple[str, ...]
    with_numbers: bool
    secret: str | None
    former_secret: str | None
    former_until: datetime | None
    from_seq: int
    created_at: datetime
    created_by: str | None = None
    ended_at: datetime | None = None
    end_reason: str | None = None
    failing_since: datetime | None = None
    last_success_at: datetime | None = None
    last_status: str | None = None

    def secrets(self, now: datetime) -> list[str]:
        """What signs at *now*: the newest first, and for a while the one before it."""
        former = self.former_secret if self.former_until is not None and now < self.former_until else None
        return [secret for secret in (self.secret, former) if secret]


class Owed(NamedTuple):
    """One message that a sink has yet to take. ``due_at`` aware UTC."""

    sink_id: str
    seq: int
    key: str
    kind: str
    body: str
    due_at: datetime
    tries: int = 0


class Tried(NamedTuple):
    """How one try ended: ``status`` is an HTTP status or a word. ``due_at``: of the next try, None for never again.

    ``counted``: whether it was the message that failed, and not the sink.
    """

    owed: Owed
    at: datetime
    status: str
    took_ms: int
    taken: bool
    counted: bool = False
    due_at: datetime | None = None


async def open_sinks(connection: Statements) -> list[Sink]:
    """Those that are to hear what happens, in the order of their making."""
    query = select(sinks).where(sinks.c.ended_at.is_(None)).order_by(sinks.c.created_at, sinks.c.sink_id)
    return [sink_of(row) for row in (await connection.execute(query)).mappings()]


def sink_of(row: Any) -> Sink:
    """The sink that a row of ``sinks`` is."""
    return Sink(**{**{name: row[name] for name in Sink.__slots__}, "kinds": tuple(row["kinds"])})


async def put_sink(connection: Statements, sink: Sink) -> None:
    """Keep *sink*, new or changed."""
    values = {name: getattr(sink, name) for name in Sink.__slots__} | {"kinds": list(sink.kinds)}
    await connection.execute(upsert(sinks).values(values).on_conflict_do_update(set_=values))


async def put_health(connection: Statements, sink: Sink) -> None:
    """Keep how *sink* answers, and nothing else of it: an administrator may have changed the rest meanwhile."""
    values = {name: getattr(sink, name) for name in ("failing_since", "last_success_at", "last_status")}
    await connection.execute(update(sinks).where(sinks.c.sink_id == sink.sink_id).values(values))


async def end_sink(connection: Statements, sink_id: str, now: datetime, reason: str) -> bool:
    """It hears no more, and what it was owed is dropped; False when it had ended, or never was."""
    over = update(sinks).where(sinks.c.sink_id == sink_id, sinks.c.ended_at.is_(None))
    ended = (await connection.execute(over.values(ended_at=now, end_reason=reason))).rowcount > 0
    if ended:
        await connection.execute(delete(deliveries).where(deliveries.c.sink_id == sink_id))
        await connection.execute(delete(sink_calls).where(sink_calls.c.sink_id == sink_id))
    return ended


async def last_seq(connection: Statements) -> int:
    """The highest number that the outbox ever gave."""
    found = await connection.execute(sql("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'"))
    return int(found.scalar_one_or_none() or 0)


async def forget_position(connection: Statements, consumer: str) -> None:
    """*consumer* reads no more: when it begins again, it begins with the present."""
    await connection.execute(delete(cursors).where(cursors.c.name == f"outbox:{consumer}"))


async def owe(connection: Statements, owed: Sequence[Owed]) -> None:
    """Keep what is to be told. What is owed already, or stands in the log as told, is not changed."""
    if owed:
        rows = [one._asdict() for one in owed]
        await connection.execute(upsert(deliveries).on_conflict_do_nothing(), rows)


async def heads(
    connection: Statements, sink_id: str, now: datetime, busy: Collection[str], most: int, fewest_tries_first: bool
) -> list[Owed]:
    """What may be told next: of each key the oldest, when it is due; none of the keys *busy*.

    *fewest_tries_first*: for asking a sink that failed, with a message that is likely to be good, due or not.
    """
    d = deliveries.c
    query = select(deliveries).where(*_first_of_keys(sink_id, busy))
    if fewest_tries_first:
        query = query.where((d.due_at <= now) | (d.tries > 0)).order_by(d.tries, d.seq)
    else:
        query = query.where(d.due_at <= now).order_by(d.seq)
    rows = (await connection.execute(query.limit(most))).all()
    return [Owed(r.sink_id, r.seq, r.key, r.kind, r.body, r.due_at, r.tries) for r in rows]


async def next_due(connection: Statements, sink_id: str) -> datetime | None:
    """When the first of those that wait for their time is due."""
    query = select(deliveries.c.due_at).where(*_first_of_keys(sink_id, ())).order_by(deliveries.c.due_at).limit(1)
    return (await connection.execute(query)).scalar_one_or_none()


def _first_of_keys(sink_id: str, busy: Collection[str]) -> list[ColumnElement[bool]]:
    """Owed to the sink, and nothing elder of the same key with it."""
    d, elder = deliveries.c, deliveries.alias("elder").c
    same = (elder.sink_id == d.sink_id) & elder.given_up_at.is_(None) & (elder.key == d.key)
    first = ~exists().where(same, elder.seq < d.seq)
    return [d.sink_id == sink_id, d.given_up_at.is_(None), first, *([d.key.not_in(busy)] if busy else [])]


async def record(connection: Statements, tried: Sequence[Tried]) -> None:
    """Write how tries ended: taken leaves, failed waits or is given up, and each stands in the log."""
    log = [
        {"sink_id": t.owed.sink_id, "seq": t.owed.seq, "kind": t.owed.kind, "at": t.at, "status": t.status[:40],
         "took_ms": t.took_ms}
        for t in tried
    ]  # fmt: skip
    await connection.execute(insert(sink_tries), log)
    one = (deliveries.c.sink_id == bindparam("of_sink"), deliveries.c.seq == bindparam("of_seq"))
    taken = [{"of_sink": t.owed.sink_id, "of_seq": t.owed.seq} for t in tried if t.taken]
    if taken:
        await connection.execute(delete(deliveries).where(*one), taken)
    failed = [
        {"of_sink": t.owed.sink_id, "of_seq": t.owed.seq, "new_tries": t.owed.tries + 1,
         "new_due": t.due_at or t.owed.due_at, "over": t.at if t.due_at is None else None}
        for t in tried
        if t.counted and not t.taken
    ]  # fmt: skip
    if failed:
        values = {
            "tries": bindparam("new_tries"), "due_at": bindparam("new_due", type_=deliveries.c.due_at.type),
            "given_up_at": bindparam("over", type_=deliveries.c.given_up_at.type),
        }  # fmt: skip
        await connection.execute(update(deliveries).where(*one).values(values), failed)


async def release(connection: Statements, sink_id: str, now: datetime, tried_at_most: int) -> None:
    """The sink is back: what failed with it is due at once."""
    d = deliveries.c
    waiting = update(deliveries).where(
        d.sink_id == sink_id, d.given_up_at.is_(None), d.tries.between(1, tried_at_most), d.due_at > now
    )
    await connection.execute(waiting.values(due_at=now))


async def again(connection: Statements, sink_id: str, now: datetime) -> int:
    """What was given up is owed anew; returns how much."""
    d = deliveries.c
    dropped = update(deliveries).where(d.sink_id == sink_id, d.given_up_at.is_not(None))
    return (await connection.execute(dropped.values(given_up_at=None, tries=0, due_at=now))).rowcount


async def unsay(connection: Statements, sink_id: str, key: str, before_seq: int) -> bool:
    """Take back what *key* has held and nobody has tried yet; whether there was such a message."""
    d = deliveries.c
    held = delete(deliveries).where(d.sink_id == sink_id, d.key == key, d.seq < before_seq, d.tries == 0)
    return (await connection.execute(held.where(d.kind == "call.ended"))).rowcount > 0


async def stages(connection: Statements, sink_id: str, call_ids: Collection[str]) -> dict[str, str]:
    """How far each of *call_ids* has been told."""
    c = sink_calls.c
    query = select(c.call_id, c.stage).where(c.sink_id == sink_id, c.call_id.in_(call_ids))
    return {row["call_id"]: row["stage"] for row in (await connection.execute(query)).mappings()}


async def put_stages(connection: Statements, sink_id: str, changed: dict[str, str], now: datetime) -> None:
    """Keep how far calls have been told."""
    if changed:
        rows = [{"sink_id": sink_id, "call_id": key, "stage": stage, "at": now} for key, stage in changed.items()]
        row = upsert(sink_calls)
        await connection.execute(
            row.on_conflict_do_update(set_={"stage": row.excluded.stage, "at": row.excluded.at}), rows
        )


async def callers(connection: Statements, pbx_id: str, call_ids: Collection[str]) -> dict[str, str]:
    """Callers' numbers of calls, empty when withheld, and the numbers that callbacks of these ids ring."""
    c, b = calls.c, callbacks.c
    of_calls = select(c.call_id, c.caller).where(c.pbx_id == pbx_id, c.call_id.in_(call_ids))
    found = {row["call_id"]: row["caller"] for row in (await connection.execute(of_calls)).mappings()}
    of_callbacks = select(b.callback_id, b.number).where(b.callback_id.in_(call_ids))
    rung = (await connection.execute(of_callbacks)).mappings()
    return found | {row["callback_id"]: row["number"] for row in rung}


async def names(connection: Statements, numbers: Collection[str]) -> dict[str, str]:
    """Agents' names by 工号."""
    query = select(people.c.number, people.c.name).where(people.c.number.in_(numbers))
    return {row["number"]: row["name"] for row in (await connection.execute(query)).mappings()}


async def prune(connection: Statements, before: datetime) -> int:
    """Delete tries, stages and given-up messages that are older than *before*; how many tries went.

    At most ``PRUNED_AT_ONCE`` tries: call again until it returns less.
    """
    old = select(sink_tries.c.try_id).where(sink_tries.c.at < before).limit(PRUNED_AT_ONCE)
    gone = (await connection.execute(delete(sink_tries).where(sink_tries.c.try_id.in_(old)))).rowcount
    await connection.execute(delete(sink_calls).where(sink_calls.c.at < before))
    await connection.execute(delete(deliveries).where(deliveries.c.given_up_at < before))
    return gone


async def counts(connection: Statements) -> dict[str, tuple[int, int]]:
    """Of each sink: messages owed, messages given up."""
    d = deliveries.c
    known, over = func.count(d.seq).label("known"), func.count(d.given_up_at).label("over")
    found = (await connection.execute(select(d.sink_id, known, over).group_by(d.sink_id))).mappings()
    return {row["sink_id"]: (row["known"] - row["over"], row["over"]) for row in found}


async def tries_of(connection: Statements, sink_ids: Iterable[str], most: int) -> dict[str, list[dict[str, Any]]]:
    """The newest *most* tries of each sink."""
    found: dict[str, list[dict[str, Any]]] = {}
    for sink_id in sink_ids:
        query = select(sink_tries).where(sink_tries.c.sink_id == sink_id).order_by(sink_tries.c.try_id.desc())
        found[sink_id] = [dict(row) for row in (await connection.execute(query.limit(most))).mappings()]
    return found

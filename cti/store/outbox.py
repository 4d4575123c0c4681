"""The outbox in the database: rows of one commit with dense, rising numbers, and how far each consumer has come.

Written by the one writer inside its transaction, so the numbers are dense: a batch that is rolled back takes its
numbers back with it, and a pruned row's number is never given again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Integer, Row, Select, cast, delete, func, insert, select, text
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.bus.outbox import STATE_KINDS, Message
from cti.store.db import Statements
from cti.store.tables import cursors, outbox

PRUNED_AT_ONCE = 5_000
"""Rows that one ``prune`` deletes at most, so that no write waits long for it."""

# SQLite keeps the highest number ever given here (AUTOINCREMENT). Asking for it costs one statement a batch;
# RETURNING would turn the batch into one statement for each row (measured: 10.8 ms instead of 1.6 ms for 100 rows).
_HIGHEST = text("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'")


async def append(connection: Statements, messages: Sequence[Message]) -> list[Message]:
    """Write *messages* in their order, inside the writer's transaction; they come back with their ``seq``."""
    if not messages:
        return []
    highest = (await connection.execute(_HIGHEST)).scalar_one_or_none() or 0
    numbered = [m._replace(seq=highest + n) for n, m in enumerate(messages, 1)]
    await connection.execute(insert(outbox), [m._asdict() | {"data": dict(m.data)} for m in numbered])
    return numbered


async def after(connection: AsyncConnection, seq: int, most: int) -> list[Message]:
    """The next *most* messages behind number *seq*, in order."""
    query = select(outbox).where(outbox.c.seq > seq).order_by(outbox.c.seq).limit(most)
    return [_message(row) for row in await connection.execute(query)]


async def states(connection: AsyncConnection, seq: int) -> list[Message]:
    """The last state told of each agent, queue and link up to number *seq*, in order."""
    last = _last_states().where(outbox.c.seq <= seq)
    query = select(outbox).where(outbox.c.seq.in_(last)).order_by(outbox.c.seq)
    return [_message(row) for row in await connection.execute(query)]


async def position(connection: Statements, consumer: str) -> int:
    """The last number that *consumer* is done with; 0 when it has never told."""
    query = select(cursors.c.position).where(cursors.c.name == _name(consumer))
    return int((await connection.execute(query)).scalar_one_or_none() or 0)


async def advance(connection: Statements, consumer: str, seq: int) -> None:
    """*consumer* is done with everything up to *seq*. It never goes back: an older number changes nothing."""
    row = upsert(cursors).values(name=_name(consumer), position=str(seq))
    further = cast(cursors.c.position, Integer) < seq
    await connection.execute(row.on_conflict_do_update(set_={"position": str(seq)}, where=further))


async def prune(connection: Statements, before: datetime, consumers: Iterable[str]) -> int:
    """Delete what is older than *before* and read by each of *consumers*; returns how many rows went.

    Kept: what one of them has not read yet (a consumer that has never told has read nothing), and the last state of
    each agent, queue and link, which is told again to a broker that forgot it. At most ``PRUNED_AT_ONCE`` rows: call
    again until it returns less.
    """
    read = [await position(connection, consumer) for consumer in consumers]
    old = select(outbox.c.seq).where(outbox.c.at < before, outbox.c.seq.not_in(_last_states()))
    if read:
        old = old.where(outbox.c.seq <= min(read))
    going = old.order_by(outbox.c.seq).limit(PRUNED_AT_ONCE)
    return (await connection.execute(delete(outbox).where(outbox.c.seq.in_(going)))).rowcount


def _last_states() -> Select[tuple[int]]:
    states = select(func.max(outbox.c.seq)).where(outbox.c.kind.in_(STATE_KINDS))
    return states.group_by(outbox.c.kind, outbox.c.subject)


def _name(consumer: str) -> str:
    return f"outbox:{consumer}"


def _message(row: Row[tuple[int, datetime, str, str, str, dict[str, object]]]) -> Message:
    return Message(row.seq, row.at, row.kind, row.subject, row.audience, row.data)

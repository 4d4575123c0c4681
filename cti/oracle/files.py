"""Asterisk's own files, as the service uses them: new facts with their cursor, channel ends, the fate of an attempt."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import structlog
from sqlalchemy import select

from cti.clock import Clock
from cti.engine.inputs import Read, Traced
from cti.oracle.cdr_cel import Cdr, Cel, ChannelIndex, parse_cdr, parse_cel, read_rows
from cti.oracle.queue_log import QueueLogReader
from cti.oracle.tail import TailCursor, end_of, read_new
from cti.settings import AsteriskSettings
from cti.store import tables as t
from cti.store.db import Store
from queues.callbacks import AttemptOutcome
from queues.facts import Entered, NotAnswered, Offered, Told

log = structlog.get_logger()

CURSOR = "queue_log"
LOOK_BACK = 64 * 1024 * 1024  # bytes of CDR and CEL that are searched for a channel; about a day of a busy hotline


class AsteriskFiles:
    """queue_log with a cursor that is committed together with the facts; CDR and CEL on demand."""

    def __init__(self, settings: AsteriskSettings, store: Store, clock: Clock) -> None:
        self._settings, self._store, self._clock = settings, store, clock
        self._reader = QueueLogReader()
        self._cursor: TailCursor | None = None
        self._said: frozenset[str] = frozenset()

    async def open(self) -> None:
        """Take up the cursor. A first start owes nothing to the calls before it and begins at the end."""
        async with self._store.read() as connection:
            query = select(t.cursors.c.position).where(t.cursors.c.name == CURSOR)
            kept = (await connection.execute(query)).scalar_one_or_none()
        if kept is not None:
            self._cursor = TailCursor.parse(kept) if kept else None
            return
        self._cursor = await asyncio.to_thread(end_of, self._settings.queue_log)
        position = str(self._cursor or "")
        row = {"name": CURSOR, "position": position}
        await self._store.write(lambda connection: connection.execute(t.cursors.insert(), [row]))

    async def read(self, complete: bool) -> Read | None:
        """What is new in queue_log, or None. *complete*: with linkedids from CEL, which AMI has not told."""
        lines: list[bytes] = []
        before = self._cursor
        while True:
            tail = await asyncio.to_thread(read_new, self._settings.queue_log, self._cursor)
            self._trouble(frozenset(trouble.code for trouble in tail.troubles))
            self._cursor = tail.cursor
            lines += tail.lines
            if not tail.lines:
                break
        if self._cursor == before and not lines:
            return None
        reading = self._reader.read(lines, self._clock.now())
        for refused in reading.quarantined:
            log.warning("queue_log_line_refused", reason=refused.reason)
        facts = [(entry.queue, fact) for entry in reading.entries for fact in entry.facts]
        taken = [_in_queue(queue, fact) for queue, fact in facts if isinstance(fact, Told)]
        if complete:
            taken = await self._linked(taken)
        return Read(tuple(taken), {CURSOR: str(self._cursor or "")})

    async def channel_ends(self, channel_ids: set[str]) -> dict[str, datetime]:
        """When channels ended, by CEL; those that it does not know are left out."""
        if not channel_ids:
            return {}
        index = await asyncio.to_thread(_index, self._settings, channel_ids)
        return {k: c.ended_at for k, c in index.of(channel_ids).items() if c.ended_at is not None}

    async def trace(self, channel_id: str, gone: bool) -> Traced | None:
        """What became of an attempt, by its ChannelId; None while it may still be under way.

        *gone* says that its channel lives no more. What CEL does not tell is then unknown, and an attempt of which it
        has no trace at all was never carried out.
        """
        if not self._settings.cel.exists():
            return Traced(channel_id, AttemptOutcome.UNKNOWN, None, None) if gone else None
        index = await asyncio.to_thread(_index, self._settings, {channel_id})
        agent = index.get(channel_id)
        if agent is None:
            return Traced(channel_id, AttemptOutcome.FAILED, None, None) if gone else None
        if agent.ended_at is None and not gone:
            return None
        ended = agent.ended_at
        if agent.bridged_at is not None:
            return Traced(channel_id, AttemptOutcome.REACHED, agent.bridged_at, ended)
        if agent.answered_at is None:
            return Traced(channel_id, AttemptOutcome.AGENT_AWAY, None, ended)
        rung = [leg for leg in index.legs(channel_id) if leg.started_at and leg.started_at > agent.answered_at]
        if not rung:
            return Traced(channel_id, AttemptOutcome.AGENT_AWAY, None, ended)
        busy = any("BUSY" in leg.dispositions for leg in (agent, *rung))
        return Traced(channel_id, AttemptOutcome.BUSY if busy else AttemptOutcome.NO_ANSWER, None, ended)

    async def _linked(self, facts: list[Told]) -> list[Told]:
        entered = {fact.call_id for fact in facts if isinstance(fact, Entered)}
        if not entered:
            return facts
        known = (await asyncio.to_thread(_index, self._settings, entered)).of(entered)
        return [
            fact._replace(linkedid=known[fact.call_id].linkedid)
            if isinstance(fact, Entered) and fact.call_id in known
            else fact
            for fact in facts
        ]

    def _trouble(self, codes: frozenset[str]) -> None:
        for code in sorted(codes - self._said):
            log.warning("queue_log_trouble", code=code, file=str(self._settings.queue_log))
        self._said = codes


def _in_queue(queue: str, fact: Told) -> Told:
    return fact._replace(queue=queue) if isinstance(fact, Offered | NotAnswered) else fact


def _index(settings: AsteriskSettings, channel_ids: set[str]) -> ChannelIndex:
    """CEL and CDR rows that name one of *channel_ids*, as channel or as linkedid."""
    index = ChannelIndex()
    cels, _ = read_rows(_mentioning(settings.cel, channel_ids), parse_cel)
    index.add_cels(row for row in cels if isinstance(row, Cel))
    cdrs, _ = read_rows(_mentioning(settings.cdr, channel_ids), parse_cdr)
    index.add_cdrs(row for row in cdrs if isinstance(row, Cdr))
    return index


def _mentioning(path: Path, channel_ids: Iterable[str]) -> list[bytes]:
    wanted = {f'"{channel_id}"'.encode() for channel_id in channel_ids}
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(file.tell() - LOOK_BACK, 0))
            return [line.rstrip(b"\n") for line in file if not wanted.isdisjoint(line.rstrip(b"\n").split(b","))]
    except OSError as error:
        log.warning("records_unreadable", file=path.name, reason=error.strerror)
        return []

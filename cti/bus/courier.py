"""One sink's messages, carried there: calls side by side, each in its order, and the sink spared while it fails."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from cti.bus import retries, webhooks
from cti.bus.posting import Poster, Reply
from cti.bus.retries import Health, Verdict
from cti.clock import Clock, sleep_or
from cti.commands.sinks import SinkStood
from cti.settings import Settings
from cti.store import sinks as rows
from cti.store.db import Statements, Store
from cti.store.sinks import ZAMMAD, Owed, Sink, Tried

MOST_AT_ONCE = 16  # messages under way to one sink: all that memory holds of its backlog
GATHER_S = 0.02  # results that come together are written together
LONGEST_PAUSE_S = {ZAMMAD: 60.0, "webhook": 300.0}
GAVE_UP_APART_S = 3600.0  # one alarm an hour, however many messages a sink refuses
NOTED_S = 60.0  # last success and last status are written this often, and at once when the sink fails or is back

MakePoster = Callable[[], Poster]
Result = tuple[Tried, Reply]
log = structlog.get_logger(__name__)


class Courier:
    """Carries to one sink until cancelled; ``wake`` it when more is owed.

    Args:
        note: where a long absence is told.
        ended: told that this sink is to hear no more.
    """

    def __init__(
        self,
        sink: Sink,
        settings: Settings,
        store: Store,
        clock: Clock,
        rng: random.Random,
        poster: Poster,
        note: Callable[[SinkStood], None],
        ended: Callable[[], None],
    ) -> None:
        self.sink = sink
        self._store, self._clock, self._rng, self._poster = store, clock, rng, poster
        self._note, self._ended = note, ended
        self._url = sink.url or settings.zammad.url
        # Where Zammad is, the machine's administrator has written into the settings; anybody else's address is checked.
        self._near = None if sink.kind == ZAMMAD else frozenset(settings.webhooks.hosts)
        self._longest = LONGEST_PAUSE_S[sink.kind]
        self._health = Health()
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._results: list[Result] = []
        self._woken = asyncio.Event()
        self._alarmed = False
        self._noted_at = -NOTED_S
        self._gave_up_at = -GAVE_UP_APART_S
        self._due: float | None = None

    @property
    def busy(self) -> int:
        """Requests that wait for their answer."""
        return sum(not task.done() for task in self._under_way.values())

    def wake(self) -> None:
        """There is something to tell."""
        self._woken.set()

    async def run(self) -> None:
        """Carry until cancelled. Raises OperationalError when the database stays locked."""
        try:
            while True:
                self._woken.clear()
                await self._write_results()
                self._raise_fault()
                wait = await self._send()
                if wait is None:
                    await self._woken.wait()
                else:
                    await sleep_or(self._clock, wait, self._woken)
                await self._clock.sleep(GATHER_S)
        finally:
            for task in self._under_way.values():
                task.cancel()
            await asyncio.gather(*self._under_way.values(), return_exceptions=True)
            await self._poster.close()

    def _raise_fault(self) -> None:
        """A try that ended without a result would hold its call up for ever."""
        for task in self._under_way.values():
            if task.done() and (fault := task.exception()) is not None:
                raise fault

    async def _send(self) -> float | None:
        """Start what may be sent; seconds until there may be more without being woken, or None."""
        left = self._health.until - self._clock.monotonic()
        if not self._health.well and left > 0:
            return left
        # A sink that failed is asked with one message; the others wait for what comes of it.
        room = (MOST_AT_ONCE if self._health.well else 1) - len(self._under_way)
        if room <= 0:
            return None
        async with self._store.read() as connection:
            now = self._clock.now()
            found = await rows.heads(connection, self.sink.sink_id, now, self._under_way, room, not self._health.well)
            due = None if found else await rows.next_due(connection, self.sink.sink_id)
        for owed in found:
            self._under_way[owed.key] = asyncio.create_task(self._carry(owed))
        if due is None or self._under_way:
            return None
        return max((due - now).total_seconds(), 1.0)

    async def _carry(self, owed: Owed) -> None:
        """One try."""
        body, at, began = owed.body.encode(), self._clock.now(), self._clock.monotonic()
        headers = {}
        if self.sink.kind != ZAMMAD:
            webhook_id = f"{owed.sink_id}-{owed.seq}"
            headers = webhooks.headers(self.sink.secrets(at), webhook_id, at, body)
        reply = await self._poster.post(self._url, body, headers, self._near)
        took_ms = int((self._clock.monotonic() - began) * 1000)
        taken = retries.verdict_of(reply.status) is Verdict.TAKEN
        self._results.append((Tried(owed, at, str(reply.status or reply.trouble), took_ms, taken), reply))
        self._woken.set()

    async def _write_results(self) -> None:
        """Judge and write what came back; in the order in which it came."""
        results, self._results = self._results, []
        if not results:
            return
        before, now = self._health, self._clock.now()
        tried = [self._judged(one, reply, now) for one, reply in results]
        gone = self.sink.kind != ZAMMAD and any(reply.status == 410 for _, reply in results)
        back = self._health.well and not before.well
        sink = self._noted(tried, now)
        failing = sink.failing_since is not None and now - sink.failing_since
        over = gone or (self.sink.kind != ZAMMAD and failing and failing >= retries.DISABLED_AFTER)

        async def work(connection: Statements) -> None:
            await rows.record(connection, tried)
            if back:
                await rows.release(connection, sink.sink_id, now, retries.FRESH)
            if sink != self.sink:
                await rows.put_health(connection, sink)
            if over:
                await rows.end_sink(connection, sink.sink_id, now, "gone" if gone else "failing")

        await self._store.write(work)
        self.sink = sink
        for one in tried:
            self._under_way.pop(one.owed.key, None)
        self._tell(tried, failing or timedelta(0), bool(over))

    def _judged(self, one: Tried, reply: Reply, now: datetime) -> Tried:
        verdict = retries.verdict_of(reply.status)
        if verdict is Verdict.TAKEN:
            self._health = Health()
            return one
        counted = self._health.well
        self._health = retries.failed(
            self._health, verdict, self._clock.monotonic(), self._longest, self._rng.random(), reply.retry_after_s
        )  # fmt: skip
        if not counted:
            return one
        wait = retries.next_try_s(one.owed.tries + 1, self._rng.random())
        return one._replace(counted=True, due_at=None if wait is None else now + timedelta(seconds=wait))

    def _noted(self, tried: Sequence[Tried], now: datetime) -> Sink:
        """The sink's own line of health; the same one when there is nothing worth a write."""
        sink, last = self.sink, tried[-1]
        success = max((one.at for one in tried if one.taken), default=None)
        since = sink.failing_since
        if success is not None:
            since = None
        elif since is None:
            since = now
        mono = self._clock.monotonic()
        if since == sink.failing_since and mono - self._noted_at < NOTED_S:
            return sink
        self._noted_at = mono
        success = success or sink.last_success_at
        return replace(sink, failing_since=since, last_success_at=success, last_status=last.status[:40])

    def _tell(self, tried: Sequence[Tried], failing: timedelta, over: bool) -> None:
        sink = self.sink
        mono = self._clock.monotonic()
        gave_up = any(one.counted and one.due_at is None for one in tried)
        if gave_up and mono - self._gave_up_at >= GAVE_UP_APART_S:
            self._gave_up_at = mono
            self._note(SinkStood(sink.sink_id, sink.name, "gave_up"))
        if failing >= retries.ALARMED_AFTER and not self._alarmed:
            self._alarmed = True
            log.warning("sink_away", sink=sink.sink_id, status=tried[-1].status)
            self._note(SinkStood(sink.sink_id, sink.name, "away"))
        if sink.failing_since is None and self._alarmed:
            self._alarmed = False
            self._note(SinkStood(sink.sink_id, sink.name, "back"))
        if over:
            log.warning("sink_ended", sink=sink.sink_id, status=tried[-1].status)
            self._note(SinkStood(sink.sink_id, sink.name, "ended"))
            self._ended()

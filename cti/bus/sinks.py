"""From the outbox to the systems that asked for it: Zammad and webhooks. At least once, in order for each call.

What a sink is to hear becomes a row (``deliveries``) in the transaction that moves the outbox's cursor; the row goes
when the sink has taken it. So a crash sends again what it cannot know to have arrived, with the same id and the same
bytes, and memory holds no more than what is under way, however long a sink is away. Nothing here is on the way of a
call: the engine tells of a commit and goes on, and without a sink not even that.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence

import structlog

from cti.bus.courier import Courier, MakePoster
from cti.bus.follower import Follower
from cti.bus.outbox import Message
from cti.bus.shaping import shape
from cti.bus.webhooks import taken_url
from cti.bus.zammad import KINDS as ZAMMAD_KINDS
from cti.clock import Clock
from cti.commands.sinks import SinkStood
from cti.errors import BadInput
from cti.settings import Settings
from cti.store import outbox
from cti.store import sinks as rows
from cti.store.db import Statements, Store
from cti.store.sinks import ZAMMAD, Sink

CONSUMER = "sinks"
SAVE_S = 5.0  # the position is written this often while nothing of it concerns a sink
AGAIN_S = 5.0  # after a fault: a busy database

log = structlog.get_logger(__name__)


class Sinks:
    """Tells every sink. ``run`` it as a task; ``wake`` it after each commit; ``changed`` when a sink came or went.

    Args:
        make_poster: makes what posts, one for each sink.
        note: where a sink's long absence is told (the engine).

    Raises:
        BadInput: ``zammad.url`` is not an address that may be used.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        clock: Clock,
        rng: random.Random,
        make_poster: MakePoster,
        note: Callable[[SinkStood], None],
    ) -> None:
        self._settings, self._store, self._clock, self._rng = settings, store, clock, rng
        self._make_poster, self._note = make_poster, note
        self._changes = asyncio.Event()
        self._outbox = Follower(store, clock)
        self._saved_at = 0.0
        self.couriers: dict[str, Courier] = {}
        _check_zammad(settings)

    @property
    def working(self) -> bool:
        """Whether anybody is to hear anything: then the outbox keeps what has not been read."""
        return bool(self.couriers)

    def wake(self, messages: Sequence[Message] = ()) -> None:
        """There are new rows in the outbox, and they are committed; *messages* spare reading them back."""
        if self.couriers:
            self._outbox.wake(messages)

    def changed(self) -> None:
        """A sink was added, changed or ended: look at them anew."""
        self._changes.set()

    async def run(self) -> None:
        """Tell until cancelled."""
        while True:
            self._changes.clear()
            work = asyncio.ensure_future(self._work())
            changes = asyncio.ensure_future(self._changes.wait())
            try:
                await asyncio.wait((work, changes), return_when=asyncio.FIRST_COMPLETED)
            finally:
                self.couriers = {}
                for task in (work, changes):
                    task.cancel()
                ended, _ = await asyncio.gather(work, changes, return_exceptions=True)
            if isinstance(ended, Exception):  # a locked database, or a fault of ours: calls must not suffer from it
                log.error("sinks_failed", reason=_reason(ended))
                await self._clock.sleep(AGAIN_S)

    async def _zammad(self, connection: Statements) -> None:
        """Zammad is on or off by the settings; switched on again, it begins with the present."""
        known = {sink.sink_id for sink in await rows.open_sinks(connection)}
        if not self._settings.zammad.url:
            if ZAMMAD in known:
                await rows.end_sink(connection, ZAMMAD, self._clock.now(), "off")
        elif ZAMMAD not in known:
            seq = await rows.last_seq(connection)
            sink = Sink(ZAMMAD, ZAMMAD, "Zammad", None, ZAMMAD_KINDS, True, None, None, None, seq, self._clock.now())
            await rows.put_sink(connection, sink)

    async def _work(self) -> None:
        await self._store.write(self._zammad)
        async with self._store.read() as connection:
            found = await rows.open_sinks(connection)
        if not found:
            await self._store.write(lambda c: rows.forget_position(c, CONSUMER))
            await asyncio.Event().wait()
        self._outbox.begin(await self._begin(found))
        self.couriers = {sink.sink_id: self._courier(sink) for sink in found}
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._intake(found))
            for courier in self.couriers.values():
                tasks.create_task(courier.run())

    async def _begin(self, found: Sequence[Sink]) -> int:
        """Where reading goes on: where it ended, or with the present for the first sink of all."""
        async with self._store.read() as connection:
            position = await outbox.position(connection, CONSUMER)
        begin = position or min(sink.from_seq for sink in found)
        if not position:
            await self._store.write(lambda c: outbox.advance(c, CONSUMER, begin))
        return begin

    def _courier(self, sink: Sink) -> Courier:
        return Courier(
            sink, self._settings, self._store, self._clock, self._rng, self._make_poster(), self._note, self.changed
        )  # fmt: skip

    async def _intake(self, found: Sequence[Sink]) -> None:
        while True:
            await self._take(found, await self._outbox.next())

    async def _take(self, found: Sequence[Sink], messages: Sequence[Message]) -> None:
        """Turn *messages* into what sinks are owed, and move the cursor with it."""
        last = messages[-1].seq
        wanted = {kind for sink in found for kind in sink.kinds}
        concerned = [message for message in messages if message.kind in wanted]
        now, settings = self._clock.now(), self._settings

        async def work(connection: Statements) -> set[str]:
            owed = await shape(connection, found, concerned, settings, now) if concerned else []
            await rows.owe(connection, owed)
            await outbox.advance(connection, CONSUMER, last)
            return {one.sink_id for one in owed}

        self._outbox.position = last
        if concerned or self._clock.monotonic() - self._saved_at > SAVE_S:
            self._saved_at = self._clock.monotonic()
            for sink_id in await self._store.write(work):
                if (courier := self.couriers.get(sink_id)) is not None:
                    courier.wake()


def _check_zammad(settings: Settings) -> None:
    """Raises BadInput, without the address: its token is a secret."""
    zammad = settings.zammad
    if zammad.url and not zammad.plain_http:
        try:
            taken_url(zammad.url, ())
        except BadInput as error:
            if not zammad.url.startswith("https:"):
                raise BadInput("zammad.url", f"{error.message}; or set zammad.plain_http") from None


def _reason(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return type(error).__name__

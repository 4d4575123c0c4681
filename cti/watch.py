"""Keeps the engine's picture true: resync after FullyBooted, an audit every 30 s, Asterisk's files every second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from cti.ami import Link, LinkState
from cti.clock import Clock, sleep_or
from cti.engine import Engine
from cti.engine.inputs import LinkChanged, Read, Synced
from cti.errors import Unavailable
from cti.oracle.files import AsteriskFiles

log = structlog.get_logger()

AUDIT_S = 30.0
POLL_S = 1.0
RETRY_S = 1.0


class Watch:
    """Asks Asterisk, and its files, how things stand.

    Files are read every second, but what was read is given to the engine one second later: by then the AMI events of
    the same moments, with their microseconds, have come.
    """

    def __init__(self, engine: Engine, link: Callable[[], Link], files: AsteriskFiles, clock: Clock) -> None:
        self._engine, self._link, self._files, self._clock = engine, link, files, clock
        self._wanted = asyncio.Event()
        self._fresh = False
        self._held: Read | None = None
        self._reading = asyncio.Lock()

    def link_changed(self, state: LinkState, reason: str) -> None:
        """The link's state; UP asks for a resync."""
        log.info("link", state=state.value, reason=reason)
        self._engine.put(LinkChanged(state, reason))
        if state is LinkState.UP:
            self.resync()

    def resync(self) -> None:
        """Take a snapshot now, and treat what was known as stale until it is there."""
        self._fresh = True
        self._wanted.set()

    async def run(self) -> None:
        """Resync when asked, audit otherwise; until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._poll(), name="poll-files")
            while True:
                await sleep_or(self._clock, AUDIT_S, self._wanted)
                self._wanted.clear()
                if self._link().state is LinkState.UP and not await self._look():
                    await self._clock.sleep(RETRY_S)
                    self._wanted.set()

    async def _look(self) -> bool:
        fresh, began = self._fresh, self._clock.now()
        try:
            snapshot = await self._link().snapshot()
        except Unavailable as error:
            log.warning("snapshot_failed", code=error.code)
            return False
        await self._read(hold=False, complete=fresh)
        alive = {item.uniqueid for item in snapshot.channels}
        ended = await self._files.channel_ends(self._engine.channels_unknown_to(alive))
        self._engine.put(Synced(snapshot, began, fresh, ended))
        if fresh and snapshot.missing == 0:
            self._fresh = False
        return snapshot.missing == 0

    async def _poll(self) -> None:
        while True:
            await self._clock.sleep(POLL_S)
            await self._read(hold=True, complete=False)

    async def _read(self, hold: bool, complete: bool) -> None:
        async with self._reading:
            new = await self._files.read(complete)
            if self._held is not None:
                self._engine.put(self._held)
                self._held = None
            if new is None:
                return
            if hold:
                self._held = new
            else:
                self._engine.put(new)

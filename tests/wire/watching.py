"""What the tests of the link share: a link with its ears open, and waiting without sleeping."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from cti.ami import Event, Link, LinkSettings, LinkState
from cti.clock import Clock
from tests.wire.fake_ami import RIGHT

T = TypeVar("T", bound=tuple[Any, ...])


@dataclass
class Ears:
    """Everything a link told, in order."""

    events: list[Event] = field(default_factory=list)
    states: list[tuple[LinkState, str]] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    on_event: Callable[[Event], None] | None = None
    _heard: asyncio.Event = field(default_factory=asyncio.Event)

    def event(self, event: Event) -> None:
        self.events.append(event)
        self._heard.set()
        if self.on_event is not None:
            self.on_event(event)

    def state(self, state: LinkState, reason: str) -> None:
        self.states.append((state, reason))
        self._heard.set()

    def trouble(self, text: str) -> None:
        self.troubles.append(text)
        self._heard.set()

    def all(self, kind: type[T]) -> list[T]:
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, true: Callable[[], bool], seconds: float = 20.0) -> None:
        """Wait until something that was told makes *true* so. The limit only keeps a broken test from hanging."""
        async with asyncio.timeout(seconds):
            while not true():
                self._heard.clear()
                await self._heard.wait()

    async def until_state(self, state: LinkState, seconds: float = 20.0) -> None:
        await self.until(lambda: bool(self.states) and self.states[-1][0] is state, seconds)


@contextlib.asynccontextmanager
async def running(
    port: int, clock: Clock, secret: str = RIGHT, jitter: float = 0.5, **settings: Any
) -> AsyncIterator[tuple[Link, Ears]]:
    """A link to the peer at *port*, stopped at the end of the block."""
    ears = Ears()
    link = Link(
        LinkSettings("127.0.0.1", port, "cti", secret, **settings),
        clock, ears.event, ears.state, ears.trouble, jitter=lambda: jitter,
    )  # fmt: skip
    task = asyncio.create_task(link.run())
    try:
        yield link, ears
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def turns(true: Callable[[], bool], most: int = 20_000) -> None:
    """Let the loop turn until *true*: for what no callback tells, such as what a peer has received."""
    for _ in range(most):
        if true():
            return
        await asyncio.sleep(0)
    raise AssertionError(f"not so after {most} turns of the loop")

"""The local bus: every subscriber has a bounded queue of its own, and a slow one is cut, never waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from cti.bus.outbox import Message

MOST_WAITING = 1024


class Subscription:
    """One listener. ``lagging`` once it fell behind by ``MOST_WAITING``: it must ask for a snapshot again."""

    def __init__(self, bus: LocalBus) -> None:
        self._bus = bus
        self._queue: asyncio.Queue[Message] = asyncio.Queue(MOST_WAITING)
        self.lagging = False

    async def next(self) -> Message:
        """The next message, in order of commit."""
        return await self._queue.get()

    def offer(self, message: Message) -> None:
        """Take *message*, or give up on this listener when it is full."""
        try:
            self._queue.put_nowait(message)
        except asyncio.QueueFull:
            self.lagging = True
            self.close()

    def close(self) -> None:
        """Hear no more."""
        self._bus.leave(self)


class LocalBus:
    """Fans committed messages out to whoever listens inside this process."""

    def __init__(self) -> None:
        self._listeners: set[Subscription] = set()

    def subscribe(self) -> Subscription:
        """A listener that hears everything published from now on."""
        subscription = Subscription(self)
        self._listeners.add(subscription)
        return subscription

    def leave(self, subscription: Subscription) -> None:
        """Forget a listener; twice is once."""
        self._listeners.discard(subscription)

    def publish(self, messages: Iterable[Message]) -> None:
        """Tell every listener. Called only after the commit that made the rows durable."""
        for message in messages:
            for listener in tuple(self._listeners):
                listener.offer(message)

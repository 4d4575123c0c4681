"""Reading the outbox on from a position: what was just committed from memory, the rest from the store."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from cti.bus.outbox import Message
from cti.clock import Clock
from cti.store import outbox
from cti.store.db import Store

BATCH = (
    500  # rows read at once; more than MQTT's window, since each pause between two of them costs a TCP delay of 40 ms
)
AT_HAND = 2_000  # messages kept in memory for the next batch; who is further behind reads the rest
LINGER_S = 0.05  # from one reading of the outbox to the next: at most 20 a second, whatever the traffic


class Follower:
    """One reader's place in the outbox.

    Attributes:
        position: seq of the last row that the reader is done with; the reader moves it on.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._news = asyncio.Event()
        self._at_hand: deque[Message] = deque(maxlen=AT_HAND)
        self._caught_up = False
        self.position = 0

    @property
    def at_hand(self) -> int:
        """How many messages are kept in memory."""
        return len(self._at_hand)

    def begin(self, position: int) -> None:
        """Read on from *position*, from the store at first."""
        self._at_hand.clear()
        self._caught_up = False
        self.position = position

    def wake(self, messages: Sequence[Message] = ()) -> None:
        """There are new rows, and they are committed; *messages* spare reading them back."""
        self._at_hand.extend(messages)
        self._news.set()

    async def next(self) -> list[Message]:
        """The rows after ``position``, in order, at most ``BATCH``; waits until there are any."""
        while True:
            if self._caught_up:
                await self._news.wait()
                await self._clock.sleep(LINGER_S)
            self._news.clear()
            messages = self._next_at_hand() or await self._next_stored()
            self._caught_up = len(messages) < BATCH
            if messages:
                return messages

    def _next_at_hand(self) -> list[Message]:
        """The messages that follow directly on the position, when they are still in memory."""
        while self._at_hand and self._at_hand[0].seq <= self.position:
            self._at_hand.popleft()
        if not self._at_hand or self._at_hand[0].seq != self.position + 1:
            return []
        return [self._at_hand.popleft() for _ in range(min(len(self._at_hand), BATCH))]

    async def _next_stored(self) -> list[Message]:
        async with self._store.read() as connection:
            return await outbox.after(connection, self.position, BATCH)

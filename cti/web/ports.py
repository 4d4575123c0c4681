"""What the pages need of the engine; the engine satisfies it without knowing of the pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from cti.bus.local import Subscription
from cti.commands import Command, Outcome


class EnginePort(Protocol):
    """The engine, seen from the web."""

    async def submit(self, command: Command) -> Outcome:
        """Do it, or refuse: a refusal is an outcome whose ruling says no. Faults are raised as ``CtiError``."""

    def note(self, command: Command) -> None:
        """Do it without an answer; returns at once."""

    def board(self) -> Mapping[str, Any]:
        """The live board in JSON values (queues/board.py); cheap, and the newest at every call."""

    def subscribe(self) -> Subscription:
        """Committed messages from now on."""

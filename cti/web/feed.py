"""The board for the streams, taken from the engine at most five times a second however many pages look at it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cti.clock import Clock
from cti.web.ports import EnginePort

SPACING_S = 0.2


class BoardFeed:
    """One picture for all streams, with a version that rises only when something but the time has changed."""

    def __init__(self, engine: EnginePort, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._taken_at = float("-inf")
        self._board: Mapping[str, Any] = {}
        self.version = 0

    def current(self) -> Mapping[str, Any]:
        """The board, at most ``SPACING_S`` old."""
        now = self._clock.monotonic()
        if now - self._taken_at >= SPACING_S:
            fresh = self._engine.board()
            if _still(fresh) != _still(self._board):
                self.version += 1
            self._board, self._taken_at = fresh, now
        return self._board


def _still(board: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in board.items() if key != "at"}

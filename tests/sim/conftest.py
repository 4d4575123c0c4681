"""A batch of the simulation waits for nobody: virtual time stands still while it is committed."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cti.engine import engine
from tests.sim.house import House


@pytest.fixture(autouse=True)
def no_gathering(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "GATHER_S", 0.0)
    monkeypatch.setattr(engine, "RETRY_S", 0.0)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Four agents at their seats, no roster; past the seconds in which nothing is yet known."""
    async with House(tmp_path, random.Random(7), mangle=False) as made:
        await made.wait(5)
        yield made

"""A broker, a store and a clock for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cti.store.db import Store
from tests.integration.broker import (
    Broker,
    GatedClock,
)
from tests.stores import open_store


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    broker = Broker(tmp_path)
    try:
        await broker.start()
        yield broker
    finally:
        broker.kill()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await open_store(tmp_path / "cti.db")
    yield store
    await store.close()


@pytest.fixture
def clock() -> GatedClock:
    return GatedClock()

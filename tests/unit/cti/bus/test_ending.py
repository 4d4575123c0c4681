"""A bus that is to end ends, also when the broker's answer comes at that very moment."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import aiomqtt
import pytest

from cti.bus import mqtt
from tests.integration.broker import GatedClock, make_bus
from tests.stores import open_store


class _SlowBroker:
    port = 1883


async def _at_once(client: Any, *_: Any, **__: Any) -> Any:
    return client


@pytest.mark.parametrize("where", ["__aenter__", "publish"])
async def test_an_end_that_meets_the_answer_is_obeyed(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While connecting, and while the first word is being acknowledged."""
    waiting = asyncio.Event()

    async def late(client: Any, *_: Any, **__: Any) -> Any:
        """What ``asyncio.wait_for`` does before Python 3.12: the answer is there, the cancellation is gone. Once."""
        if not waiting.is_set():
            waiting.set()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
        return client

    monkeypatch.setattr(mqtt, "INSIST_S", 0.1)
    monkeypatch.setattr(mqtt, "_raise_when_lost", lambda _client: asyncio.Event().wait())
    for name in ("__aenter__", "publish"):
        monkeypatch.setattr(aiomqtt.Client, name, late if name == where else _at_once)
    monkeypatch.setattr(aiomqtt.Client, "__aexit__", AsyncMock(return_value=None))
    store = await open_store(tmp_path / "cti.db")
    running = asyncio.create_task(make_bus(_SlowBroker(), store, GatedClock()).run())  # type: ignore[arg-type]
    try:
        async with asyncio.timeout(20):
            await waiting.wait()
            running.cancel()
            await asyncio.wait((running,))
        assert running.cancelled()
    finally:
        running.cancel()
        await store.close()

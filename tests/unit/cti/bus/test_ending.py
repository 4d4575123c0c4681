"""A bus that is to end ends, also when the broker's answer comes at that very moment."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from cti.store.db import Store
from tests.integration.broker import GatedClock, make_bus


class _SlowBroker:
    port = 1883


class _Late:
    """What ``asyncio.wait_for`` does before Python 3.12: the answer is there, and the cancellation is gone. Once."""

    def __init__(self) -> None:
        self.waiting = asyncio.Event()

    async def __call__(self, *_: Any, **__: Any) -> None:
        if self.waiting.is_set():
            return
        self.waiting.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()


async def _at_once(*_: Any, **__: Any) -> None:
    return None


@pytest.mark.parametrize("where", ["__aenter__", "publish"])
async def test_an_end_that_meets_the_answer_is_obeyed(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While connecting, and while the first word is being acknowledged."""
    late = _Late()
    for name in ("__aenter__", "__aexit__", "publish"):
        monkeypatch.setattr(aiomqtt.Client, name, late if name == where else _at_once)
    store = await Store.open(tmp_path / "cti.db")
    try:
        bus = make_bus(_SlowBroker(), store, GatedClock())  # type: ignore[arg-type]
        running = asyncio.create_task(bus.run())
        await late.waiting.wait()
        running.cancel()
        await asyncio.wait((running,), timeout=10)
        assert running.cancelled()
    finally:
        running.cancel()
        await store.close()

"""Serving: a taken port and a bad certificate are one clear line, and stopping does not wait for open streams."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from cti.settings import Settings, WebSettings
from cti.web.app import STOP_S, WebError, listen, serve
from tests.unit.cti.web.conftest import HEADERS, PINS


def test_a_taken_port_is_named(settings: Settings) -> None:
    """With the setting to change."""
    with listen(settings.web, 0) as holder:
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(WebError, match=rf"web\.port: 127\.0\.0\.1:{port} .*in use"):
            listen(settings.web, port)


async def test_a_missing_certificate_is_named(app: FastAPI, tmp_path: Path) -> None:
    """Before anything is served, and the port is given back."""
    settings = WebSettings(certificate=tmp_path / "none.pem", key=tmp_path / "none.key")
    listener = listen(settings, 0)
    with pytest.raises(WebError, match=r"web\.certificate"):
        await serve(app, settings, listener)
    assert listener.fileno() == -1


async def test_stopping_ends_open_streams(app: FastAPI, settings: Settings) -> None:
    """The stream is closed by us, well before the server would cut it."""
    listener = listen(settings.web, 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    serving = asyncio.ensure_future(serve(app, settings.web, listener))
    async with httpx.AsyncClient(base_url=url, headers=HEADERS, trust_env=False) as client:
        await client.post("/api/v1/session", json={"number": "1001", "pin": PINS["1001"]})
        async with client.stream("GET", "/api/v1/stream") as stream:
            lines = stream.aiter_lines()
            assert await anext(lines) == "event: hello"
            serving.cancel()
            ticking = asyncio.ensure_future(_keep_ticking(app))
            async with asyncio.timeout(STOP_S):
                async for _line in lines:
                    pass
            ticking.cancel()
    with suppress(asyncio.CancelledError):
        await serving
    assert app.state.web.streams["1001"] == 0


async def _keep_ticking(app: FastAPI) -> None:
    while True:
        await app.state.web.clock.advance(0.2)

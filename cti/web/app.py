"""The web application put together, and served inside the service's own task group."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from zoneinfo import ZoneInfo

import uvicorn
from fastapi import APIRouter, FastAPI

from cti.clock import Clock
from cti.errors import CtiError
from cti.settings import Settings, WebSettings
from cti.store.db import Store
from cti.store.people import Pins
from cti.web import (
    agents,
    auth,
    board,
    callbacks,
    conduct,
    desk,
    directory,
    emergencies,
    ext,
    figures,
    findings,
    handover,
    leave,
    ledger,
    missed,
    nuisance,
    owed,
    pages,
    people,
    problems,
    recordings,
    roster,
    sinks,
    stream,
    stubs,
    surges,
    tickets,
    tokens,
    transfers,
    voice,
    zammad,
)
from cti.web.context import Web
from cti.web.guard import Guard
from cti.web.ports import EnginePort
from regulations import Profile

SITE_ZONE = ZoneInfo("Asia/Shanghai")
NO_RULES = Profile("", "", "", "Asia/Shanghai")
STOP_S = 2  # for what does not end by itself, such as a browser that reads no more


class WebError(CtiError):
    """The pages cannot be served; the message says what to do."""

    code = "web"


def routed() -> FastAPI:
    """The application's routes, without the parts behind them."""
    app = FastAPI(
        title="Hotline CTI", version="1", summary="The phone side of a public hotline",
        openapi_url="/api/v1/openapi.json", docs_url=None, redoc_url=None, swagger_ui_oauth2_redirect_url=None,
    )  # fmt: skip
    api = APIRouter(prefix="/api/v1", responses=problems.RESPONSES)
    parts = (  # the ledger before tickets: /tickets/export is no ticket of that name
        auth, agents, ledger, recordings, desk, tickets, stubs, callbacks, owed, people, conduct, figures, findings,
        roster, leave, handover, missed, transfers, nuisance, directory, emergencies, surges, board, stream, sinks,
        tokens, ext, zammad, voice,
    )  # fmt: skip
    for part in parts:
        api.include_router(part.router)
    api.include_router(stubs.words)
    app.include_router(api)
    pages.install(app)
    return app


def make_app(
    engine: EnginePort,
    store: Store,
    settings: Settings,
    clock: Clock,
    tokens: Callable[[], str],
    *,
    pins: Pins | None = None,
    zone: ZoneInfo = SITE_ZONE,
    profile: Profile = NO_RULES,
) -> FastAPI:
    """The application.

    Args:
        engine: where commands go and the board comes from.
        store: opened by the caller, who closes it after the server has ended.
        settings: the site's settings.
        clock: all time.
        tokens: makes session tokens, at least 128 random bits each.
        pins: the PIN checker shared with the phone's sign-in; one of our own when None.
        zone: the hotline's time zone (regulations profile), in which "today" begins.
        profile: the hotline's figures, by which a ticket's clocks and repeats are shown.
    """
    app = routed()
    app.state.web = Web(engine, store, settings, clock, tokens, pins or Pins(), pages.build_id(), zone, profile)
    problems.install(app)
    app.add_middleware(Guard, policy=pages.policy(), fault_id=tokens)
    return app


def listen(settings: WebSettings, port: int | None = None) -> socket.socket:
    """A listening socket on the site's address; *port* 0 takes a free one.

    Raises:
        WebError: when the address cannot be taken.
    """
    wanted = settings.port if port is None else port
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, wanted))
    except OSError as error:
        listener.close()
        raise WebError(f"web.port: {settings.host}:{wanted} cannot be used: {error.strerror}; set another") from error
    return listener


class _Server(uvicorn.Server):
    """A uvicorn server that leaves the signals to the service."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(app: FastAPI, settings: WebSettings, listener: socket.socket) -> None:
    """Serve until cancelled; then let requests end for at most ``STOP_S`` seconds. No access log: URLs hold ids.

    Raises:
        WebError: when certificate or key cannot be used.
    """
    config = uvicorn.Config(
        app, lifespan="off", access_log=False, log_config=None, server_header=False,
        timeout_graceful_shutdown=STOP_S,
        ssl_certfile=str(settings.certificate) if settings.certificate else None,
        ssl_keyfile=str(settings.key) if settings.key else None,
    )  # fmt: skip
    try:
        config.load()
    except OSError as error:
        listener.close()
        raise WebError(f"web.certificate, web.key: cannot be used: {error.strerror or error}") from error
    app.state.web.closing = False
    server = _Server(config)
    running = asyncio.ensure_future(server.serve(sockets=[listener]))
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        app.state.web.closing = True
        server.should_exit = True
        await running
        raise

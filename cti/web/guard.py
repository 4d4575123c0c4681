"""Around every request: size limit, cross-site check, security headers, and faults that tell nothing but an id."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cti.web.problems import Problem

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
LARGEST_BODY = 16 * 1024
LARGEST_TICKET = 128 * 1024  # Zammad repeats the users, the organization and the group with each ticket
LARGEST_FILE = 2 * 1024 * 1024
LARGER = {
    ("POST", "/api/v1/roster/import"): LARGEST_FILE,
    ("POST", "/api/v1/ext/zammad/tickets"): LARGEST_TICKET,
}
"""Routes with a limit of their own, in bytes."""
SIGNATURE = "x-hub-signature"
ASKED_BY = "x-cti-request"
"""The header that every unsafe request carries: a form of another site cannot set one."""

log = structlog.get_logger(__name__)


class Guard:
    """ASGI middleware. Fixed policy, no settings: nothing here is a site's choice."""

    def __init__(self, app: ASGIApp, policy: str, fault_id: Callable[[], str]) -> None:
        self._app = app
        self._policy = policy
        self._fault_id = fault_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                self._dress(MutableHeaders(scope=message), scope["path"])
            await send(message)

        refusal = refuse(scope["method"], scope["scheme"], scope["path"], Headers(scope=scope))
        if refusal is not None:
            await refusal.response()(scope, receive, sending)
            return
        try:
            await self._app(scope, receive, sending)
        except Exception:
            fault_id = self._fault_id()
            log.exception("web.fault", fault_id=fault_id, method=scope["method"])
            if started:
                raise
            await Problem("fault", fault_id=fault_id).response()(scope, receive, sending)

    def _dress(self, headers: MutableHeaders, path: str) -> None:
        headers["Content-Security-Policy"] = self._policy
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "no-referrer"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        if path.startswith("/api/"):
            headers["Cache-Control"] = "no-store"


def refuse(method: str, scheme: str, path: str, headers: Headers) -> Problem | None:
    """Why this request goes no further, or None. Origin and the page's header are both asked of unsafe methods."""
    if method in SAFE:
        return None
    origin = headers.get("origin")
    foreign = origin is not None and urlsplit(origin)[:2] != (scheme, headers.get("host"))
    sent_here = headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")
    # A token or a signature is sent by hand, never by a browser of itself, and no form can set their headers either.
    by_hand = ASKED_BY in headers or SIGNATURE in headers or headers.get("authorization", "").startswith("Bearer ")
    if foreign or not sent_here or not by_hand:
        return Problem("cross_site")
    if "transfer-encoding" in headers:
        return Problem("length_required")
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        return Problem("unreadable")
    largest = LARGER.get((method, path), LARGEST_BODY)
    return Problem("too_large") if int(length) > largest else None

"""The pages: one shell document, modules and catalogues as files, nothing from elsewhere and nothing inline but the
import map, which the policy names by its hash."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parent / "static"
PAGES = ("/login", "/agent", "/callbacks", "/board", "/desk", "/roster")
_IMPORT_MAP = re.compile(r'<script type="importmap">(.*?)</script>', re.DOTALL)


class Files(StaticFiles):
    """Files that are asked for again each time, by ETag, so that an update never mixes old and new modules."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


def shell() -> str:
    """The document of every page."""
    return (STATIC / "index.html").read_text(encoding="utf-8")


def policy() -> str:
    """The Content-Security-Policy."""
    found = _IMPORT_MAP.search(shell())
    digest = hashlib.sha256(found[1].encode() if found else b"").digest()
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'sha256-{base64.b64encode(digest).decode()}'",
            "style-src 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "media-src 'self'",
            "worker-src 'self'",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


def build_id() -> str:
    """A short hash of all files of the pages: a page that hears another one offers to load itself anew."""
    digest = hashlib.sha256()
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(STATIC).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def install(app: FastAPI) -> None:
    """Serve the pages from *app*."""
    document = shell()

    async def page() -> HTMLResponse:
        return HTMLResponse(document, headers={"Cache-Control": "no-cache"})

    async def start() -> RedirectResponse:
        return RedirectResponse("/agent")

    for path in PAGES:
        app.add_api_route(path, page, include_in_schema=False)
    app.add_api_route("/", start, include_in_schema=False)
    app.mount("/static", Files(directory=STATIC), name="static")

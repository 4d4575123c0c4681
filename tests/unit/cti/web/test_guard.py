"""Every request: cross-site, size, headers, and faults that show only an id."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from tests.unit.cti.web.conftest import Login
from tests.web.fake import FakeEngine


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.test"},
        {"Origin": "http://cti.test"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_requests_from_elsewhere_change_nothing(
    login: Login, engine: FakeEngine, headers: dict[str, str]
) -> None:
    """A foreign Origin or fetch site is refused even with cookie and header."""
    client = await login("1001")
    answer = await client.post("/api/v1/me/sign-in", json={"seat": "8001"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")
    assert engine.commands == []


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "PATCH"])
async def test_unsafe_methods_need_the_pages_header(login: Login, method: str) -> None:
    """A form of another site cannot send it."""
    client = await login("1001")
    del client.headers["X-CTI-Request"]
    answer = await client.request(method, "/api/v1/me/ready")
    assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")


async def test_own_origin_passes(login: Login) -> None:
    """The page's own requests carry Origin, and that is well."""
    client = await login("1001")
    headers = {"Origin": "https://cti.test", "Sec-Fetch-Site": "same-origin"}
    assert (await client.post("/api/v1/me/sign-in", json={"seat": "8001"}, headers=headers)).status_code == 200


async def test_large_chunked_and_deep_bodies_are_refused(login: Login) -> None:
    """16 KiB is far more than any request here needs."""
    client = await login("1001")
    large = await client.post("/api/v1/me/sign-in", json={"seat": "1" * 20_000})
    deep = await client.post("/api/v1/me/sign-in", content="[" * 16_000, headers={"Content-Type": "application/json"})
    chunked = await client.post("/api/v1/me/sign-in", headers={"Transfer-Encoding": "chunked"})
    assert [large.status_code, chunked.status_code] == [413, 411]
    assert deep.status_code in (400, 422)


async def test_security_headers_are_on_every_answer(visitor: httpx.AsyncClient) -> None:
    """Pages, files, API and errors alike; the API is never stored."""
    for path in ("/login", "/static/main.js", "/api/v1/health", "/api/v1/me", "/nothing", "/static/../app.py"):
        headers = (await visitor.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers
    assert (await visitor.get("/api/v1/me")).headers["cache-control"] == "no-store"


async def test_a_fault_shows_only_an_id_which_is_in_the_log(
    app: FastAPI, login: Login, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No stack, no SQL, no path, no secret in the answer."""
    client = await login("1001")

    def broken() -> dict[str, object]:
        raise RuntimeError("SELECT secret FROM /var/lib/cti")

    monkeypatch.setattr(engine, "board", broken)
    with capture_logs() as logs:
        answer = await client.get("/api/v1/board")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert logs[0]["fault_id"] == answer.json()["fault_id"]


async def test_unknown_paths_and_methods_are_problems_too(login: Login) -> None:
    """One shape for every error."""
    client = await login("1001")
    for answer, code in (
        (await client.get("/api/v1/nothing"), "not_found"),
        (await client.put("/api/v1/me/ready"), "method_not_allowed"),
        (await client.post("/api/v1/me/sign-in", content="{"), "bad_input"),
    ):
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == code
        assert answer.json()["type"] == f"urn:cti:problem:{code}"

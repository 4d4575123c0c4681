"""One POST to a sink, and what came of it. No redirect is followed, no proxy asked, no answer read to its end.

A name is looked up here and the connection goes to an address that was found good, so that a name cannot point to the
public when it is checked and to a neighbour when it is used.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Collection, Mapping
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx

from cti.bus.webhooks import is_public
from cti.clock import Clock

TIMEOUT_S = 20.0  # the specification recommends 15 to 30
CONNECT_S = 5.0
MOST_READ = 64 * 1024  # of an answer; read only so that the connection can be used again

Lookup = Callable[[str, int], Awaitable[list[str]]]


class Reply(NamedTuple):
    """The HTTP status, or None and a word for why there is none; ``retry_after_s`` when the sink asked for a wait."""

    status: int | None
    trouble: str = ""
    retry_after_s: float | None = None


async def look_up(host: str, port: int) -> list[str]:
    """The addresses of *host*, by the machine's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Poster:
    """Keeps connections open between posts. ``close`` before the loop ends."""

    def __init__(self, clock: Clock, lookup: Lookup = look_up) -> None:
        self._clock, self._lookup = clock, lookup
        self._opened: httpx.AsyncClient | None = None

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], near: Collection[str] | None) -> Reply:
        """POST *body* as JSON. *near*: hosts that may have a private address; None: wherever the site says."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return await self._post(url, body, headers, near)
        except TimeoutError:
            return Reply(None, "timeout")
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
            return Reply(None, type(error).__name__)  # its words may hold the address, and so a token

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str], near: Collection[str] | None) -> Reply:
        parts = urlsplit(url)
        host, extensions = parts.hostname or "", {}
        target = httpx.URL(url)
        if near is not None and host not in near and not _is_here(host):
            addresses = await self._lookup(host, parts.port or (443 if parts.scheme == "https" else 80))
            if not addresses or not all(is_public(ipaddress.ip_address(address)) for address in addresses):
                return Reply(None, "private_address")
            target, extensions = target.copy_with(host=addresses[0]), {"sni_hostname": host}
        sent = {"Host": parts.netloc, "Content-Type": "application/json", "User-Agent": "hotline-cti", **headers}
        request = self._client().build_request("POST", target, content=body, headers=sent, extensions=extensions)
        response = await self._client().send(request, stream=True)
        try:
            read = 0
            async for chunk in response.aiter_raw():
                read += len(chunk)
                if read > MOST_READ:
                    break
        finally:
            await response.aclose()
            self._client().cookies.clear()  # a sink that sets cookies would fill the memory, and each next request
        return Reply(response.status_code, "", self._retry_after(response.headers.get("retry-after", "")))

    def _retry_after(self, value: str) -> float | None:
        """Seconds, from either form of Retry-After (RFC 9110, 10.2.3); None when it says nothing that can be read."""
        if value.isascii() and value.isdigit():
            return float(value[:9])
        try:
            at = parsedate_to_datetime(value)
        except (ValueError, TypeError):
            return None
        return None if at.tzinfo is None else max((at - self._clock.now()).total_seconds(), 0.0)

    def _client(self) -> httpx.AsyncClient:
        if self._opened is None:  # loading certificates takes a while: only who has a sink pays for it
            timeout = httpx.Timeout(TIMEOUT_S, connect=CONNECT_S)
            self._opened = httpx.AsyncClient(
                verify=ssl.create_default_context(), timeout=timeout, follow_redirects=False, trust_env=False
            )
        return self._opened

    async def close(self) -> None:
        """Close every connection."""
        if self._opened is not None:
            await self._opened.aclose()
            self._opened = None


def _is_here(host: str) -> bool:
    return host in ("localhost", "127.0.0.1", "::1")

"""Webhooks as Standard Webhooks 1.0.0 has them: payload, signature, secrets, and which addresses are taken. Pure.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import json
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from cti.bus.cloudevents import KINDS, told
from cti.bus.outbox import Message
from cti.errors import BadInput

PREFIX = "whsec_"
SECRET_BYTES = 32  # the specification asks for 24 to 64
BOTH_SIGN_FOR = timedelta(hours=24)
"""After a rotation the former secret signs too for this long."""
LONGEST_URL = 500
WITH_CALLER = ("call.", "ticket.opened")  # kinds whose message a caller's number may be added to

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def new_secret(random_bytes: bytes) -> str:
    """``whsec_`` and *random_bytes* in base64."""
    return PREFIX + base64.b64encode(random_bytes).decode()


def signatures(secrets: Iterable[str], webhook_id: str, at: datetime, body: bytes) -> str:
    """The ``webhook-signature`` header: ``v1,<base64>`` for each of *secrets*, with spaces between."""
    content = b".".join((webhook_id.encode(), str(int(at.timestamp())).encode(), body))
    keys = [base64.b64decode(secret.removeprefix(PREFIX)) for secret in secrets]
    return " ".join(f"v1,{base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()}" for key in keys)


def headers(secrets: Iterable[str], webhook_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of one try at *at*; the id is the same at every try, the timestamp is the try's."""
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signatures(secrets, webhook_id, at, body),
    }


def payload(message: Message, caller: str | None) -> str:
    """The body for *message*: type, timestamp, subject, data. Only what MQTT may tell too, so nothing of the caller's;
    *caller* is his number for a sink that an administrator has granted numbers to, else None.

    Raises:
        ValueError: its kind is unknown or its subject may not be told.
    """
    data = told(message)
    if caller is not None and message.kind.startswith(WITH_CALLER):
        data["caller"] = caller
    at = message.at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    event = {"type": message.kind, "timestamp": at, "subject": message.subject, "data": data}
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))


def order_of(message: Message) -> str:
    """What the message's order is kept within: its call where it has one, else what it is about."""
    return str(message.data.get("call_id") or message.subject)


def taken_url(url: str, allowed: Collection[str]) -> str:
    """*url*, when messages may go there: https; plain http only to this machine and to hosts of *allowed*.

    Raises:
        BadInput: ``url``, saying what is wrong.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise BadInput("url", "cannot be read (无法解析)") from error
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url or not host:
        raise BadInput("url", f"an address of at most {LONGEST_URL} ASCII characters is needed (须为有效网址)")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise BadInput("url", "no user name, password or fragment (不得含用户名、口令或片段)")
    near = _is_loopback(host) or host in allowed
    if not (parts.scheme == "https" or (parts.scheme == "http" and near)):
        raise BadInput("url", "https is needed, or a host of webhooks.hosts (须为https，或先列入webhooks.hosts)")
    address = _literal(host)
    if address is not None and not near and not is_public(address):
        raise BadInput("url", "a private address must be named in webhooks.hosts (内网地址须列入webhooks.hosts)")
    return url


def is_public(address: Address) -> bool:
    """Whether it is an address of the public network, and not one of this machine or its neighbours."""
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_global and not address.is_multicast


def taken_kinds(kinds: Iterable[str]) -> list[str]:
    """*kinds* of messages, each once.

    Raises:
        BadInput: ``kinds``, when there is none or one is unknown.
    """
    found = list(dict.fromkeys(kinds))
    if not found or any(kind not in KINDS for kind in found):
        raise BadInput("kinds", f"one or more of: {', '.join(KINDS)}")
    return found


def _is_loopback(host: str) -> bool:
    address = _literal(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None

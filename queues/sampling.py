"""The draw of the sample, which nobody can steer or foresee and everybody can check (QD 第十二条（二）).

A secret is made when a list opens, and its SHA-256 is published at once. Each ticket has a rank: HMAC-SHA-256 of its
id under the secret. At the end the list's own SHA-256 and then the secret are published; who has kept the first
message replays the draw. Whoever does not know the secret cannot tell which rank a ticket will have, and no ticket
leaves a list again, so adding tickets late moves nothing that he could want.

``at_once`` (当班抽查): a ticket is drawn as soon as it comes, when its rank is below the percentage; whenever fewer
than the percentage (rounded down) are drawn, the lowest ranks of the list follow. Otherwise nothing is drawn before
the end, and the ranks are taken under a key made of the secret and of the closed list, so that even the ranks do not
exist before the list is closed. Either way at least the percentage, rounded up, are drawn in the end.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

SPACE = 1 << 256


class Draw(NamedTuple):
    """A list of tickets in the order in which they came. ``percent``: 1 to 100; ``secret``: hidden until the end."""

    secret: str
    percent: int
    at_once: bool
    listed: tuple[str, ...] = ()
    drawn: tuple[str, ...] = ()
    closed: bool = False


def commitment(secret: str) -> str:
    """What is published when a list opens: SHA-256 of the secret, hex."""
    return hashlib.sha256(secret.encode()).hexdigest()


def list_hash(listed: Iterable[str]) -> str:
    """What is published when a list is closed, before the secret: SHA-256 of the ids, one a line."""
    return hashlib.sha256("".join(f"{ticket_id}\n" for ticket_id in listed).encode()).hexdigest()


def rank(key: str, ticket_id: str) -> int:
    """The place of a ticket in the draw, evenly spread in [0, 2**256)."""
    return int.from_bytes(hmac.digest(key.encode(), ticket_id.encode(), "sha256"))


def least(count: int, percent: int) -> int:
    """At least *percent* of *count*: rounded up."""
    return -(-count * percent // 100)


def added(draw: Draw, ticket_id: str) -> Draw:
    """The list with one more ticket; a ticket is on a list once, and never leaves it.

    Raises:
        ValueError: the list is closed.
    """
    if draw.closed:
        raise ValueError("draw: the list is closed")
    if ticket_id in draw.listed:
        return draw
    draw = draw._replace(listed=(*draw.listed, ticket_id))
    if not draw.at_once:
        return draw
    if rank(draw.secret, ticket_id) * 100 < draw.percent * SPACE:
        draw = draw._replace(drawn=(*draw.drawn, ticket_id))
    return _filled(draw, draw.secret, len(draw.listed) * draw.percent // 100)


def closed(draw: Draw) -> Draw:
    """The list closed, and the draw made up to at least the percentage."""
    key = draw.secret if draw.at_once else draw.secret + list_hash(draw.listed)
    return _filled(draw, key, least(len(draw.listed), draw.percent))._replace(closed=True)


def replayed(secret: str, percent: int, at_once: bool, listed: Sequence[str]) -> tuple[str, ...]:
    """Who is drawn from *listed*, made anew from what is published."""
    draw = Draw(secret, percent, at_once)
    for ticket_id in listed:
        draw = added(draw, ticket_id)
    return closed(draw).drawn


def _filled(draw: Draw, key: str, wanted: int) -> Draw:
    missing = wanted - len(draw.drawn)
    if missing <= 0:
        return draw
    rest = sorted(set(draw.listed) - set(draw.drawn), key=lambda ticket_id: rank(key, ticket_id))
    return draw._replace(drawn=(*draw.drawn, *rest[:missing]))


def next_end(now: datetime, ends: Iterable[time], zone: ZoneInfo) -> datetime:
    """The next of the local times *ends* after *now*, which is aware; local midnight when there are none."""
    local = now.astimezone(zone)
    times = list(ends) or [time()]
    days = (local.date(), local.date() + timedelta(days=1))
    moments = (datetime.combine(day, at, zone) for day in days for at in times)
    return min(moment for moment in moments if moment > local).astimezone(now.tzinfo)

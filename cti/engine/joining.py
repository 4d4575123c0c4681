"""One open callback for each number, merged (QD 第十二条（四）): whatever else is asked about joins it.

Who is to be asked for behind a company's main number (分机) is another caller than the next extension.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, select

from cti.commands import Command, RequestCallback
from cti.commands.owed import OweCallback
from cti.engine.records import Callback
from cti.engine.world import World
from cti.ids import Ids
from cti.store import tables as t
from cti.store.owed_tables import callback_steps

JOINED = "joined"  # the step that is written about it
MISSED = "missed:"  # begins the key of a missed caller's callback


@dataclass(frozen=True, slots=True)
class Joins:
    """What a request brings to the open callback. ``deadline``: by when it is to be made, aware UTC; None: any time.

    ``agent`` makes it if nobody holds it yet; ``since`` is when the caller first asked, None: not sooner than known.
    """

    ticket_id: str | None
    mandatory: bool = False
    deadline: datetime | None = None
    agent: str = ""
    by: str = ""
    key: str | None = None
    since: datetime | None = None


def of_key(world: World, key: str | None) -> Callback | None:
    """The callback that was asked for under *key*, whether it was made for it or joined."""
    return next((c for c in world.callbacks.values() if key in c.keys), None) if key else None


def asked_before(commands: Iterable[Command]) -> ColumnElement[bool] | None:
    """Which stored callbacks the keys of *commands* speak of; None when there is no key among them."""
    keys = {c.request_key for c in commands if isinstance(c, RequestCallback) and c.request_key}
    keys |= {c.key for c in commands if isinstance(c, OweCallback)}
    if not keys:
        return None
    joined = select(callback_steps.c.callback_id).where(callback_steps.c.request_key.in_(keys))
    return t.callbacks.c.request_key.in_(keys) | t.callbacks.c.callback_id.in_(joined)


def open_one(world: World, number: str, extension: str = "") -> Callback | None:
    """The open callback to this caller. *number* as it is dialled (cti/numbers.py)."""
    return world.owed_to(number).get(extension)


def join(world: World, ids: Ids, other: Callback, asked: Joins, now: datetime) -> Callback:
    """*other*, which is open, called back about *asked* as well; what was agreed and tried of it stays and counts.

    Asked again it changes nothing.
    """
    known = (other.ticket_id, *other.joined)
    joined = other.joined if asked.ticket_id is None or asked.ticket_id in known else (*other.joined, asked.ticket_id)
    changed = replace(other, joined=joined)
    if other.ticket_id is None and joined:
        changed = replace(changed, ticket_id=joined[-1], joined=joined[:-1])
    if asked.key and asked.key not in other.keys:
        changed = replace(changed, joined_keys=(*other.joined_keys, asked.key))
    changed = replace(
        changed, mandatory=other.mandatory or asked.mandatory, agent=other.agent or asked.agent,
        deadline=min((at for at in (other.deadline, asked.deadline) if at is not None), default=None),
        requested_at=min(other.requested_at, asked.since or other.requested_at),
    )  # fmt: skip
    if changed != other:
        world.put_callback(changed)
        key = None if changed.joined_keys == other.joined_keys else asked.key
        step(world, ids, other.callback_id, asked.by, JOINED, asked.ticket_id or "", now, key)
    return changed


def step(
    world: World, ids: Ids, callback_id: str, by: str, act: str, detail: str, now: datetime, key: str | None = None
) -> None:
    """One line of what was done about a callback."""
    row = {
        "step_id": ids.make("s", now), "callback_id": callback_id, "at": now, "by": by, "act": act, "detail": detail,
        "request_key": key,
    }  # fmt: skip
    world.write(callback_steps, row)

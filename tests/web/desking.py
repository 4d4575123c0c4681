"""Rows of the callback desk for its tests: callbacks, attempts, and a ticket's recording with its file."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, update

from cti.ami import events as ami
from cti.commands import GoReady
from cti.engine.inputs import Dial, Dialled
from cti.store.tables import attempts, callbacks, recordings, tickets
from recordings import path_of
from tests.web.duty import NINE, DutySite
from tests.web.fake import PBX

CALL = "pbx-1795395600.1"
AUDIO = b"RIFF" + bytes(range(256)) * 8


async def put_callback(site: DutySite, name: str, **more: Any) -> str:
    """A callback that is due at 10:00 and that nobody has claimed, unless *more* says otherwise; its id."""
    row = {
        "callback_id": f"cb-{name}", "pbx_id": PBX, "ticket_id": None, "number": "13800000091", "agent": "",
        "state": "due", "requested_at": NINE, "requested_by": "system", "due_at": NINE + timedelta(hours=1),
        "by_key": True, "joined": [], **more,
    }  # fmt: skip
    await site.store.write(lambda c: c.execute(insert(callbacks), [row]))
    return f"cb-{name}"


async def change_callback(site: DutySite, callback_id: str, **values: Any) -> None:
    """Other columns for it."""
    one = update(callbacks).where(callbacks.c.callback_id == callback_id)
    await site.store.write(lambda c: c.execute(one.values(**values)))


async def put_attempt(
    site: DutySite, callback_id: str, ordinal: int, at: datetime, outcome: str, channel_id: str = ""
) -> None:
    """An attempt of 20 s by 1001."""
    row = {
        "channel_id": channel_id or f"{callback_id}.{ordinal}", "callback_id": callback_id, "ordinal": ordinal,
        "agent": "1001", "started_at": at, "ended_at": at + timedelta(seconds=20), "outcome": outcome,
    }  # fmt: skip
    await site.store.write(lambda c: c.execute(insert(attempts), [row]))


async def put_recording(
    site: DutySite, ticket_id: str, root: Path, audio: bytes = AUDIO, state: str = "ok", call_id: str = CALL
) -> Path:
    """The ticket's call becomes *call_id*, whose recording lies below *root*; its file."""
    moved = update(tickets).where(tickets.c.ticket_id == ticket_id).values(call_id=call_id)
    await site.store.write(lambda c: c.execute(moved))
    return await put_file(site, root, call_id, ticket_id, audio, state)


async def put_file(
    site: DutySite, root: Path, call_id: str, ticket_id: str | None, audio: bytes = AUDIO, state: str = "ok"
) -> Path:
    """A recording of *call_id* below *root*, and its row; its file."""
    file = root / path_of(call_id)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(audio)
    row = {
        "pbx_id": PBX, "call_id": call_id, "ticket_id": ticket_id, "path": path_of(call_id), "state": state,
        "size": len(audio), "sha256": hashlib.sha256(audio).hexdigest(),
    }  # fmt: skip
    await site.store.write(lambda c: c.execute(insert(recordings), [row]))
    return file


async def dialled(site: DutySite, agent: str, *, over: bool = False) -> None:
    """The dial that was sent last: *agent* picks up and the caller answers; *over*: both hang up again."""
    dial = [effect for effect in await site.acted() if isinstance(effect, Dial)][-1]
    pbx, channel = site.pbx, dial.channel_id
    now = site.clock.now()
    if not over:
        pbx.place(dial)
        site.engine.put(Dialled(channel, True))
        pbx._say_dial(channel, ami.OriginateResponse(now, channel, True, 4, channel))
        pbx._say_dial(channel, ami.DialEnd(now, channel, channel, "1.1", channel, "PJSIP/t", "ANSWER"))
        running = pbx.dials[channel]
        running.state, running.status, running.rang_at, running.answered_at = "talking", "ANSWER", now, now
    else:
        pbx._end_dial(pbx.dials[channel])
    await site.ask(GoReady(agent))  # taken behind what was heard before

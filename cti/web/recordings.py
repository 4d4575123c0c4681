"""The recordings of a ticket's call and of the callbacks about it, for who calls back. Others learn of none.

The path comes from our own row, never from the asker; every folder is opened without following links; the file is
the one that was hashed when the call ended; each part that is sent is written down first.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import structlog
from fastapi import APIRouter, Header
from fastapi import Path as InPath
from sqlalchemy import and_, insert, select
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from cti.recordings.checker import CHUNK, digest_of, opened
from cti.store.play_reads import TalkView, heard_for, talk_heard, talks_heard
from cti.store.play_tables import plays
from cti.store.tables import callbacks, recordings, tickets
from cti.web.context import SeatedDep, Web, WebDep, Who
from cti.web.problems import Problem
from recordings import path_of

router = APIRouter(tags=["recordings"])
log = structlog.get_logger(__name__)

_RANGE = re.compile(r"bytes=(?:([0-9]{1,15})-([0-9]{0,15})|-([0-9]{1,15}))", re.ASCII)
_FAR = 64  # characters of a Range header: one range never needs more
Ranged = Annotated[str, Header(alias="Range")]


class Part(NamedTuple):
    """Bytes of a file, first and last, both within it."""

    first: int
    last: int


def part_of(asked: str, size: int) -> Part | None:
    """The part that a Range header asks for; None for the whole file.

    Raises:
        Problem: ``range``; several ranges, another unit, nothing, or nothing within the file.
    """
    if not asked:
        return None
    found = _RANGE.fullmatch(asked) if len(asked) <= _FAR else None
    if found is None:
        raise _not_within(size)
    first, last, tail = found.groups()
    if tail is not None:
        part = Part(max(size - int(tail), 0), size - 1)
    else:
        part = Part(int(first), min(int(last), size - 1) if last else size - 1)
    if not 0 <= part.first <= part.last:
        raise _not_within(size)
    return part


def _not_within(size: int) -> Problem:
    return Problem("range", headers={"Content-Range": f"bytes */{size}"})


@router.get("/tickets/{ticket_id}/recording", response_class=StreamingResponse)
async def recording(ticket_id: str, who: SeatedDep, web: WebDep, asked: Ranged = "") -> StreamingResponse:
    """The call that the ticket came from, as audio/wav: for the agent whose open callback is about it, and a lead."""
    async with web.store.read() as connection:
        callback_id = await heard_for(connection, web.settings.pbx_id, ticket_id, _whose(who))
        row = None if callback_id is None else (await connection.execute(_query(ticket_id))).one_or_none()
        if row is None or callback_id is None:
            known = await connection.scalar(select(tickets.c.ticket_id).where(tickets.c.ticket_id == ticket_id))
            raise _refused(who, ticket_id=known)
    return await _played(web, who, asked, row, ticket_id, callback_id)


@router.get("/tickets/{ticket_id}/conversations")
async def conversations(ticket_id: str, who: SeatedDep, web: WebDep) -> list[TalkView]:
    """The recorded conversations of callbacks about the ticket that this person may hear; for others there are none."""
    async with web.store.read() as connection:
        return await talks_heard(connection, web.settings.pbx_id, ticket_id, _whose(who))


@router.get("/callbacks/{callback_id}/recordings/{ordinal}", response_class=StreamingResponse)
async def conversation(
    callback_id: str, ordinal: Annotated[int, InPath(ge=1, le=99)], who: SeatedDep, web: WebDep, asked: Ranged = ""
) -> StreamingResponse:
    """The conversation of one attempt of a callback: for the agent whose it is, until its result, and for a lead."""
    pbx_id = web.settings.pbx_id
    async with web.store.read() as connection:
        talk = await talk_heard(connection, pbx_id, callback_id, ordinal, _whose(who))
        same = (recordings.c.pbx_id == pbx_id, recordings.c.call_id == (talk.channel_id if talk else ""))
        row = (await connection.execute(select(recordings).where(*same))).one_or_none()
        if row is None or talk is None:
            c = callbacks.c
            named = select(c.ticket_id, c.callback_id).where(c.callback_id == callback_id)
            known = (await connection.execute(named)).one_or_none() or (None, None)
            raise _refused(who, ticket_id=known[0], callback_id=known[1])
    return await _played(web, who, asked, row, talk.ticket_id or "", callback_id)


def _whose(who: Who) -> str | None:
    return None if who.leads else who.number


def _refused(who: Who, *, ticket_id: str | None = None, callback_id: str | None = None) -> Problem:
    """Written down with the ids that are in our rows: an address is the asker's word, and may hold a number."""
    log.info("recording.refused", by=who.number, ticket_id=ticket_id, callback_id=callback_id)
    return Problem("not_found")


async def _played(web: Web, who: Who, asked: str, row: Any, ticket_id: str, callback_id: str) -> StreamingResponse:
    """The file of the recording's row, or the part that is *asked*; written down before it is sent."""
    if row.state == "expected":
        raise Problem("recording_writing")
    if not row.size or row.sha256 is None:  # missing, or never whole
        raise _refused(who, ticket_id=ticket_id, callback_id=callback_id)
    asked_part = part_of(asked, row.size)
    part = asked_part or Part(0, row.size - 1)
    file, stack = await asyncio.to_thread(_hold, web.settings.asterisk.recordings, row)
    with ExitStack() as held:
        held.push(stack)
        play = {
            "pbx_id": web.settings.pbx_id, "call_id": row.call_id, "ticket_id": ticket_id, "callback_id": callback_id,
            "by": who.number, "at": web.clock.now(), **part._asdict(),
        }  # fmt: skip
        await web.store.write(lambda connection: connection.execute(insert(plays), [play]))
        held.pop_all()
    headers = {"Accept-Ranges": "bytes", "Content-Length": str(part.last - part.first + 1)}
    if asked_part is not None:
        headers["Content-Range"] = f"bytes {part.first}-{part.last}/{row.size}"
    return _Playing(file, stack, part, 200 if asked_part is None else 206, headers)


def _query(ticket_id: str) -> Any:
    same = and_(recordings.c.pbx_id == tickets.c.pbx_id, recordings.c.call_id == tickets.c.call_id)
    return select(recordings).select_from(tickets.join(recordings, same)).where(tickets.c.ticket_id == ticket_id)


class _Playing(StreamingResponse):
    """Sends part of an open file and closes it: whatever is put at its path meanwhile, this one is sent."""

    def __init__(self, file: int, stack: ExitStack, part: Part, status: int, headers: dict[str, str]) -> None:
        super().__init__(_bytes(file, part), status, headers, "audio/wav")
        self._stack = stack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._stack:
            await super().__call__(scope, receive, send)


def _bytes(file: int, part: Part) -> Iterator[bytes]:
    at = part.first
    while at <= part.last and (chunk := os.pread(file, min(CHUNK, part.last + 1 - at), at)):
        at += len(chunk)
        yield chunk


def _hold(root: Path, row: Any) -> tuple[int, ExitStack]:
    """The file of the row, open, and what closes it. Blocking.

    Raises:
        Problem: ``not_found``; ``recording_changed`` when its bytes are not those that were hashed.
    """
    with ExitStack() as stack:
        try:
            file = stack.enter_context(opened(root, path_of(row.call_id), os.O_RDONLY))
            same = os.fstat(file).st_size == row.size and digest_of(file) == row.sha256
        except (OSError, ValueError) as error:
            log.warning("recording.unreadable", call_id=row.call_id)
            raise Problem("not_found") from error
        if not same:
            log.error("recording.changed", call_id=row.call_id)
            raise Problem("recording_changed")
        return file, stack.pop_all()

"""The one SSE stream of a browser: pops for its agent with outbox ids, the board without, and hello.

A page that comes back says which id it saw last and gets what it missed; a page that is new gets the ticket of the
conversation that is running. The end of a session, or falling behind, ends the stream; the browser then asks again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from pydantic import TypeAdapter
from starlette.types import Receive, Scope, Send

from cti.bus.local import Subscription
from cti.bus.outbox import Message
from cti.commands import PageClosed, PageOpened
from cti.store.reads import POPS, last_seq, missed_pops, ticket_in_hand
from cti.store.ticket_reads import TicketView, ticket_view
from cti.web.board import as_text, board_for
from cti.web.context import AnyoneDep, Web, WebDep, Who, session_of
from cti.web.feed import SPACING_S
from cti.web.problems import Problem

router = APIRouter(tags=["stream"])

RETRY_MS = 1000
KEEPALIVE_S = 15.0
OTHERS_SPACING_S = 1.0
BOARD_AT_LEAST_S = 5.0  # a page that hears nothing for longer knows that its stream is dead
SESSION_CHECK_S = 3.0
MISSED_FOR = timedelta(hours=12)
STREAMS_EACH = 16

_TICKET = TypeAdapter(TicketView)


class EventStream(StreamingResponse):
    """Closes its generator when the browser goes, so that the subscription ends with it."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncGenerator[bytes], status_code: int = 200) -> None:
        super().__init__(events, status_code, headers={"X-Accel-Buffering": "no"})
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._events):
            await super().__call__(scope, receive, send)


@router.get("/stream", response_class=EventStream)
async def stream(
    who: AnyoneDep,
    web: WebDep,
    last_event_id: Annotated[str, Header()] = "",
    after: Annotated[str, Query(description="as Last-Event-ID, for a client that opens the stream anew")] = "",
) -> EventStream:
    """Events ``pop``, ``board`` and ``hello`` (text/event-stream)."""
    if web.streams[who.number] >= STREAMS_EACH:
        raise Problem("too_many_streams", headers={"Retry-After": "5"})
    return EventStream(counted(web, who, _seq(last_event_id or after)))


def _seq(text: str) -> int | None:
    """The id that the browser saw last; anything but a number counts as a new page."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else None


async def counted(web: Web, who: Who, after: int | None) -> AsyncGenerator[bytes]:
    """The stream's bytes, counted while it is open."""
    web.streams[who.number] += 1
    heard = web.engine.subscribe()
    web.engine.note(PageOpened(who.number))
    try:
        async with aclosing(_events(web, who, after, heard)) as events:
            async for event in events:
                yield event
    finally:
        heard.close()
        web.streams[who.number] -= 1
        web.engine.note(PageClosed(who.number))


async def _events(web: Web, who: Who, after: int | None, heard: Subscription) -> AsyncGenerator[bytes]:
    # We listen before we look, so nothing falls between; `seen` then drops what both have.
    seen = after or 0
    async for seq, chunk in _opening(web, who, after):
        seen = max(seen, seq)
        yield chunk
    sent = _Sent(web, who)
    yield sent.board()
    async with aclosing(_heard_and_ticks(web, heard)) as turns:
        async for message in turns:
            if message is not None and message.kind in POPS and message.seq > seen:
                if message.audience == f"agent:{who.number}" and who.sees_callers:
                    pop = await _pop(web, message.seq, message.subject)
                    if pop is not None:
                        yield sent.mark(pop)
                seen = message.seq
            if web.closing or heard.lagging or await sent.session_over():
                return
            due = sent.due()
            if due is not None:
                yield due


async def _opening(web: Web, who: Who, after: int | None) -> AsyncIterator[tuple[int, bytes]]:
    """hello, and what a page that just opened must show. A resumed page's id moves on only with its pops."""
    not_before = web.clock.now() - MISSED_FOR
    async with web.store.read() as connection:
        newest = await last_seq(connection)
        if after is None or after > newest:  # new, or the store was set back: the id means nothing here
            in_hand = await ticket_in_hand(connection, who.number, not_before)
            missed = [(newest, in_hand)] if in_hand is not None else []
        else:
            missed = await missed_pops(connection, who.number, after, not_before)
    hello = {
        "build": web.build, "number": who.number, "now": web.clock.now().isoformat(), "after": newest
    }  # fmt: skip
    yield (
        newest if after is None or after > newest else after,
        format_sse_event(event="hello", data_str=json.dumps(hello), id=str(newest) if after is None else None,
                         retry=RETRY_MS),
    )  # fmt: skip
    for seq, ticket_id in missed if who.sees_callers else []:
        pop = await _pop(web, seq, ticket_id)
        if pop is not None:
            yield seq, pop


async def _pop(web: Web, seq: int, ticket_id: str) -> bytes | None:
    async with web.store.read() as connection:
        view = await ticket_view(connection, ticket_id, web.rules())
    if view is None:
        return None
    return format_sse_event(event="pop", data_str=_TICKET.dump_json(view).decode(), id=str(seq))


async def _heard_and_ticks(web: Web, heard: Subscription) -> AsyncGenerator[Message | None]:
    """Each message as it comes, and None every ``SPACING_S``."""
    message = asyncio.ensure_future(heard.next())
    tick = asyncio.ensure_future(web.clock.sleep(SPACING_S))
    try:
        while True:
            await asyncio.wait({message, tick}, return_when=asyncio.FIRST_COMPLETED)
            if message.done():
                said = message.result()
                message = asyncio.ensure_future(heard.next())
                yield said
            if tick.done():
                tick = asyncio.ensure_future(web.clock.sleep(SPACING_S))
                yield None
    finally:
        message.cancel()
        tick.cancel()


class _Sent:
    """What this stream has sent and when, and so what is due."""

    def __init__(self, web: Web, who: Who) -> None:
        self._web = web
        self._who = who
        self._version = -1
        self._mine: object = None
        self._board_at = self._checked_at = self._last_at = web.clock.monotonic()

    def mark(self, chunk: bytes) -> bytes:
        """Remember that something went out, for the keepalive."""
        self._last_at = self._web.clock.monotonic()
        return chunk

    def board(self) -> bytes:
        """The board now."""
        board = self._web.feed.current()
        self._version = self._web.feed.version
        self._mine = self._own(board)
        self._board_at = self._web.clock.monotonic()
        return self.mark(format_sse_event(event="board", data_str=as_text(board_for(self._who, board))))

    def due(self) -> bytes | None:
        """The board when it changed or is long ago, else a keepalive when that is due."""
        now = self._web.clock.monotonic()
        board = self._web.feed.current()  # it looks again, and so rises, at most five times a second
        spacing = BOARD_AT_LEAST_S
        if self._web.feed.version != self._version:
            # What others do, an agent at work need not see five times a second: painting it would delay the pop.
            spacing = 0.0 if self._who.leads or self._own(board) != self._mine else OTHERS_SPACING_S
        if now - self._board_at >= spacing:
            return self.board()
        return self.mark(KEEPALIVE_COMMENT) if now - self._last_at >= KEEPALIVE_S else None

    def _own(self, board: Mapping[str, Any]) -> object:
        """What an agent's page must show at once: the own line, and whether the picture is live."""
        own = next((line for line in board["agents"] if line["number"] == self._who.number), None)
        return own, board["link"], board["stale_since"]

    async def session_over(self) -> bool:
        """Whether the session has ended; asked of the store every few seconds."""
        now = self._web.clock.monotonic()
        if now - self._checked_at < SESSION_CHECK_S:
            return False
        self._checked_at = now
        return await session_of(self._web, self._who.token_hash) is None

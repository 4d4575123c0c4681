"""A real HTTP server that is a Zammad or a webhook's receiver, sinks to tell it, and time that passes when told."""

from __future__ import annotations

import asyncio
import json
import random
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import insert

from cti.bus.outbox import Message
from cti.bus.posting import Poster
from cti.bus.sinks import Sinks
from cti.bus.zammad import CAUSES
from cti.clock import VirtualClock
from cti.commands.sinks import SinkStood
from cti.lab.ports import free_port
from cti.settings import make_settings
from cti.store import outbox
from cti.store import sinks as rows
from cti.store import tables as t
from cti.store.db import Store
from cti.store.sinks import Sink
from tests.stores import open_store

NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
TOKEN = "a-token-of-the-tests"
PATH = f"/api/v1/cti/{TOKEN}"
SECRET = "whsec_" + "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="
NUMBER = "13800000071"

COMMON = {"event", "from", "to", "direction", "callId"}
FIELDS = {  # https://docs.zammad.org/en/latest/api/generic-cti/: what each event has, and what of it is optional
    "newCall": (COMMON, {"user", "queue"}),
    "answer": (COMMON, {"user", "answeringNumber"}),
    "hangup": (COMMON | {"cause"}, {"answeringNumber"}),
}


class Got(NamedTuple):
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Receiver:
    """Keeps every request. ``answer`` decides the status; ``down`` closes the port, ``up`` opens it again."""

    def __init__(self) -> None:
        self.port = free_port()
        self.got: list[Got] = []
        self.answer: Callable[[Got], int | tuple[int, dict[str, str]]] = lambda got: 200
        self._server: ThreadingHTTPServer | None = None
        self.up()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def up(self) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", "0"))
                headers = {name.lower(): value for name, value in self.headers.items()}
                got = Got(self.path, headers, self.rfile.read(length))
                receiver.got.append(got)
                said = receiver.answer(got)
                status, more = said if isinstance(said, tuple) else (said, {})
                self.send_response(status)
                for name, value in {"Content-Length": "2", **more}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                """Nothing: the tests look at what was kept."""

        ThreadingHTTPServer.allow_reuse_address = True
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def down(self) -> None:
        """Nobody listens; connections that are open are cut at the next word."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class Zammad(Receiver):
    """Takes what the documentation of generic CTI says, and nothing else; keeps calls as Zammad's log does."""

    def __init__(self) -> None:
        self.calls: dict[str, list[dict[str, Any]]] = {}
        self.faults: list[str] = []
        super().__init__()
        self.answer = self._take

    def events(self, call_id: str) -> list[str]:
        """What was heard of one call, each event once: a repetition is the same body."""
        return [event["event"] for event in self.calls.get(call_id, [])]

    def _take(self, got: Got) -> int:
        if got.path != PATH:
            return 401
        event = got.json
        fault = self._fault(event, got.headers.get("content-type", ""))
        if fault:
            self.faults.append(fault)
            return 422
        known = self.calls.get(event["callId"])
        if event["event"] != "newCall" and known is None:
            self.faults.append("No such call_id")
            return 500
        known = self.calls.setdefault(event["callId"], [])
        if event not in known:
            known.append(event)
        return 200

    def _fault(self, event: Any, content_type: str) -> str:
        if content_type != "application/json" or not isinstance(event, dict):
            return "not JSON"
        if event.get("event") not in FIELDS:
            return f"Unknown event {event.get('event')}"
        needed, optional = FIELDS[event["event"]]
        if not needed <= event.keys() <= needed | optional:
            return f"{event['event']}: fields {sorted(event)}"
        if not all(isinstance(value, str) and value for value in event.values()):
            return "a field is not a text"
        for field in ("from", "to"):
            if not (event[field].isdigit() or event[field] == "anonymous"):
                return f"{field} is no number"
        if event["direction"] not in ("in", "out"):
            return "Invalid direction!"
        if event["event"] == "hangup" and event["cause"] not in CAUSES:
            return "unknown cause"
        return "" if len(event["callId"]) <= 250 else "callId is too long"


class WatchedStore(Store):
    """Knows whether it is at work, so that a test moves the clock only while nothing else happens."""

    working = 0

    async def write(self, work: Any) -> Any:
        self.working += 1
        try:
            return await super().write(work)
        finally:
            self.working -= 1

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Any]:
        self.working += 1
        try:
            async with super().read() as connection:
                yield connection
        finally:
            self.working -= 1


class Teller:
    """Sinks over a database of their own. ``boot`` starts them, ``kill`` ends them without a word."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.path = folder / "cti.db"
        self.settings = make_settings({"ami": {"secret": "x"}, **settings})
        self.clock = VirtualClock(NOON)
        self.told: list[SinkStood] = []

    async def boot(self) -> None:
        store = await open_store(self.path, WatchedStore)
        assert isinstance(store, WatchedStore)
        self.store = store
        rng = random.Random(7)
        self.sinks = Sinks(self.settings, store, self.clock, rng, lambda: Poster(self.clock), self.told.append)
        self.task = asyncio.create_task(self.sinks.run())
        await self.settle()

    async def kill(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.store.close()

    async def settle(self) -> None:
        """Until nothing is under way and everything sleeps."""
        quiet = 0
        while quiet < 4:
            await asyncio.sleep(0.001)
            busy = self.store.working or any(courier.busy for courier in self.sinks.couriers.values())
            quiet = 0 if busy else quiet + 1
            assert not self.task.done()

    async def wait(self, seconds: float, step: float = 30.0) -> None:
        """Let time pass, and let what it wakes be done; each *step* in three pieces, for what lingers a moment."""
        end = self.clock.monotonic() + seconds
        while (left := end - self.clock.monotonic()) > 0:
            for piece in (0.06, 0.03, min(step, left)):
                await self.clock.advance(min(piece, max(end - self.clock.monotonic(), 0.0)), settle=5)
                await self.settle()

    async def tell(self, *messages: Message) -> None:
        """The engine commits *messages*."""
        kept = await self.store.write(lambda connection: outbox.append(connection, messages))
        self.sinks.wake(kept)

    async def call(self, n: int, caller: str = NUMBER) -> str:
        """The row of a call."""
        call_id = f"1795285585.{n}"
        row = {
            "pbx_id": "pbx1", "call_id": call_id, "linkedid": call_id, "queue": "hotline", "caller": caller,
            "entered_at": NOON, "exact": True, "answer_exact": True, "transfers": [],
        }  # fmt: skip
        await self.store.write(lambda connection: connection.execute(insert(t.calls), [row]))
        return call_id

    async def subscribe(self, url: str, *kinds: str, sink_id: str = "w-1", **more: Any) -> None:
        """A webhook to *url*."""

        async def work(connection: Any) -> None:
            seq = await rows.last_seq(connection)
            sink = Sink(sink_id, "webhook", "oa", url, kinds, **{
                "with_numbers": False, "secret": SECRET, "former_secret": None, "former_until": None,
                "from_seq": seq, "created_at": self.clock.now(), **more,
            })  # fmt: skip
            await rows.put_sink(connection, sink)

        await self.store.write(work)
        self.sinks.changed()
        await self.settle()

    async def rows(self, table: Any) -> list[dict[str, Any]]:
        """Every row of *table*."""
        async with self.store.read() as connection:
            return [dict(row) for row in (await connection.execute(table.select())).mappings()]


def queued(call_id: str) -> Message:
    return Message(0, NOON, "call.queued", call_id, "all", {"queue": "hotline"})


def answered(call_id: str) -> Message:
    data = {"agent": "1001", "wait_ms": 900, "ring_ms": 400, "within": True, "within_ring": True}
    return Message(0, NOON, "call.answered", call_id, "all", data)


def ended(call_id: str, ending: str = "completed", closed: bool = True) -> Message:
    return Message(0, NOON, "call.ended", call_id, "all", {"ending": ending, "wait_ms": 900, "closed": closed})

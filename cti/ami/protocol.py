"""panoramisk's protocol behind our own wire: one TCP session with Asterisk.

panoramisk keeps what it does well: ActionIDs, telling an answer from a list, collecting list items. Reading bytes,
writing bytes and what happens at a loss are ours; docs/adr/0002 says why.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from panoramisk.actions import Action as Exchange
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.message import Message

from cti.ami.actions import Action, encode
from cti.ami.events import WANTED, Event, FullyBooted, Shutdown
from cti.ami.parse import EventError, ForgedError, parse_event
from cti.ami.wire import Framer, Stats, WireError, decode, event_name
from cti.errors import Unavailable

ITEMS = frozenset(
    (
        b"QueueParams",
        b"QueueMember",
        b"QueueEntry",
        b"QueueStatusComplete",
        b"CoreShowChannel",
        b"CoreShowChannelsComplete",
    )
)
"""Names of frames that belong to an answer. They carry our ActionID and no Timestamp."""

LINK_EVENTS = frozenset({FullyBooted.__name__, Shutdown.__name__})
"""What the link itself needs, whatever is wanted of it."""

KEPT = ITEMS | frozenset(name.encode() for name in WANTED)


class LinkDown(Unavailable):
    """There is no session with Asterisk. Whether an action sent before the loss was carried out is not known."""

    code = "link_down"


class AmiProtocol(AMIProtocol):  # type: ignore[misc]
    """One session, from connect to loss; never used twice.

    Args:
        stats: counters to add to.
        on_event: told each fact, in order; what it raises is counted and reported, the session goes on.
        on_booted: told when Asterisk has booted.
        on_lost: told once and at once why the session is of no more use, before what waits on it fails.
        on_trouble: told in one line, without callers' data, what was wrong on the wire.
        wanted: names of the events to parse; the others are dropped unread.
        system_name: Asterisk's ``systemname``; when given, events that do not carry it are quarantined.
    """

    def __init__(
        self,
        stats: Stats,
        on_event: Callable[[Event], None],
        on_booted: Callable[[], None],
        on_lost: Callable[[str], None],
        on_trouble: Callable[[str], None],
        system_name: str = "",
        wanted: frozenset[str] = WANTED,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.banner: asyncio.Future[None] = loop.create_future()
        self.lost: asyncio.Future[str] = loop.create_future()
        """Done with the reason as soon as the session is of no more use."""
        self.gone: asyncio.Future[None] = loop.create_future()
        """Done when the socket is closed."""
        self.heard = 0
        """How often anything was received: a sign of life."""
        self.booted = False
        self.responses: dict[str, Exchange] = {}
        self.transport: asyncio.Transport | None = None
        self._stats = stats
        self._framer = Framer(ITEMS | {name.encode() for name in wanted | LINK_EVENTS}, stats)
        self._on_event, self._on_booted, self._on_lost, self._on_trouble = on_event, on_booted, on_lost, on_trouble
        self._mark = f"\r\nSystemName: {system_name}\r\n".encode() if system_name else b""
        self._own = f"action/{Exchange.action_id_generator.uid}/"
        self._ending = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("AMI needs a stream transport")
        self.transport = transport
        if self.lost.done():
            transport.abort()

    def data_received(self, data: bytes) -> None:
        self.heard += 1
        before = self._stats.quarantined, self._stats.oversized
        try:
            frames = self._framer.feed(data)
        except WireError as error:
            self.drop(str(error))
            return
        if self._framer.version is not None and not self.banner.done():
            self.banner.set_result(None)
        for frame in frames:
            name = event_name(frame)
            try:
                if name and name not in ITEMS:
                    self._event(frame)
                else:
                    self._answer(frame)
            except Exception as error:  # noqa: BLE001  a fault of ours in one frame must not cost the session
                self._stats.malformed += 1
                self._on_trouble(f"{decode(name) or 'an answer'} could not be handled: {type(error).__name__}")
        self._report(*before)

    def connection_lost(self, exc: Exception | None) -> None:
        self.drop(self._ending or ("closed by Asterisk" if exc is None else f"connection lost: {type(exc).__name__}"))
        if not self.gone.done():
            self.gone.set_result(None)

    def drop(self, reason: str) -> None:
        """End the session now. Every action that waits fails with LinkDown; nothing is kept to be sent again."""
        if not self.lost.done():
            self.lost.set_result(reason)
            self._on_lost(reason)
        for exchange in self.responses.values():
            if not exchange.future.done():
                exchange.future.set_exception(LinkDown(reason))
        self.responses.clear()
        if self.transport is not None:
            self.transport.abort()

    def send(self, action: Action, as_list: bool | None = None) -> Exchange:
        """Write *action* and return panoramisk's record of it, whose ``future`` gets the answer.

        ``as_list`` is panoramisk's; what an action answers is known here, so it is not taken from the caller.

        Raises:
            ActionError: before any byte is written.
            LinkDown: the session is lost.
        """
        if self.lost.done() or self.transport is None:
            raise LinkDown(self.lost.result() if self.lost.done() else "not connected")
        # None lets panoramisk read it from the answer; False, because it takes QueueAdd's success for a list's start.
        exchange = Exchange(
            {"Action": action.name, **({"ActionID": self._own + action.own_id} if action.own_id else {})},
            as_list=None if action.lists else False,
        )
        data = encode(action, exchange.id)
        self.responses[exchange.id] = exchange
        self.transport.write(data)
        return exchange

    def forget(self, exchange: Exchange) -> None:
        """Stop waiting for the answer; one that still comes is counted as late."""
        self.responses.pop(exchange.id, None)

    def _event(self, frame: bytes) -> None:
        if self._mark and self._mark not in frame and not frame.startswith(b"Event: FullyBooted\r\n"):
            self._quarantine()
            return
        try:
            event = parse_event(frame)
        except ForgedError:
            self._quarantine()
            return
        except EventError as error:
            self._stats.malformed += 1
            self._on_trouble(str(error))
            return
        if event is None or (isinstance(event, FullyBooted) and self.booted):
            return
        if isinstance(event, Shutdown):
            self._ending = "Asterisk was shut down"
        self._stats.events += 1
        try:
            self._on_event(event)
        except Exception as error:  # noqa: BLE001  a fault in one consumer must not cost the link to the PBX
            self._stats.sink_errors += 1
            self._on_trouble(f"on_event failed on {type(event).__name__}: {type(error).__name__}")
        if isinstance(event, FullyBooted):
            self.booted = True
            self._on_booted()

    def _answer(self, frame: bytes) -> None:
        message = Message.from_line(decode(frame))
        if message is None or _repeats(message) or message.id is None:
            self._quarantine()
        elif message.id in self.responses:
            self.handle_message(message)
        elif message.id.startswith(self._own):
            self._stats.late += 1
        else:
            self._quarantine()

    def _quarantine(self) -> None:
        self._stats.quarantined += 1

    def _report(self, quarantined: int, oversized: int) -> None:
        """One line for each lot of bytes, so that a flood of forged frames is not a flood of lines."""
        if self._stats.quarantined != quarantined:
            count = self._stats.quarantined - quarantined
            self._on_trouble(
                f"{count} AMI frames were not written by Asterisk: forged through a caller's text,"
                " or timestampevents = yes is missing in manager.conf"
            )
        if self._stats.oversized != oversized:
            self._on_trouble("an AMI frame was too large and was skipped")


def _repeats(message: Message) -> bool:
    return any(isinstance(value, list) and "ChanVariable" not in name for name, value in message.items())

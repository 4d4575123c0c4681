"""One AMI session kept alive: connect, log in, wait for the boot, watch, come back.

Nothing is ever sent twice. What to do after a gap is the caller's: ``on_state(UP)`` is the moment to take a snapshot.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

from panoramisk.message import Message

from cti.ami.actions import Action, CoreSettings, CoreShowChannels, CoreStatus, Login, Ping, QueueStatus
from cti.ami.events import WANTED, Event
from cti.ami.items import ChannelItem, EntryItem, Item, MemberItem, ParamsItem, parse_item
from cti.ami.protocol import AmiProtocol, LinkDown
from cti.ami.wire import Stats, mended
from cti.clock import Clock
from cti.errors import Unavailable

T = TypeVar("T")
_RANDOM = secrets.SystemRandom()

FIRST_DELAY_S = 0.2
EARLY_DELAY_S = 0.8
"""Longest wait in the first minute after a loss, so that a restarted Asterisk is met within 1 s."""
LAST_DELAY_S = 5.0
EARLY_S = 60.0
STEADY_S = 5.0
"""A session that lived this long ends the backing off."""


class ActionTimeout(Unavailable):
    """No whole answer within the deadline. Whether Asterisk carried the action out is not known."""

    code = "action_timeout"


class LinkError(Unavailable):
    """Asterisk answered what cannot be used."""

    code = "link_error"


class _Refused(Exception):
    """The login was refused; trying again would only fill the security log."""


class LinkState(Enum):
    """Where the link stands. Only ``UP`` is live; in every other state what was known is stale."""

    DOWN = "down"
    """No session; retried by itself."""
    CONNECTING = "connecting"
    """First attempt, or the first after ``retry``."""
    BOOTING = "booting"
    """Logged in; Asterisk has not booted, so only Ping is sent."""
    UP = "up"
    REFUSED = "refused"
    """Wrong name, secret or address; waits for ``retry``."""


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """Where Asterisk is and how long to wait for it. All times in seconds, above 0.

    A dead peer is seen within ``ping_interval_s`` + 2 * ``ping_timeout_s``: 6.5 s as set here.
    """

    host: str
    port: int
    username: str
    secret: str = field(repr=False)
    action_timeout_s: float = 5.0
    ping_interval_s: float = 3.0
    ping_timeout_s: float = 1.75
    banner_timeout_s: float = 3.0
    """For the connection, and again for Asterisk's first line: a frozen Asterisk still accepts connections."""
    boot_warning_s: float = 60.0
    system_name: str = ""
    """Asterisk's ``systemname``, when it has one: a second wall against forged events."""

    def __post_init__(self) -> None:
        for name in ("action_timeout_s", "ping_interval_s", "ping_timeout_s", "banner_timeout_s", "boot_warning_s"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name}: more than 0 seconds is needed")


@dataclass(frozen=True, slots=True)
class Reply:
    """Asterisk's answer to one action."""

    success: bool
    message: str
    fields: dict[str, str]
    """All headers of the answer, by Asterisk's names."""
    items: list[dict[str, str]]
    """Of a list, without its first and last message."""
    missing: int = 0
    """Items that Asterisk announced and that did not arrive whole."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How things stand in Asterisk. Events read after it may still be older than it: audit again."""

    queues: tuple[ParamsItem, ...]
    members: tuple[MemberItem, ...]
    entries: tuple[EntryItem, ...]
    channels: tuple[ChannelItem, ...]
    started: str
    """Asterisk's start in its own local time; another text means another run of Asterisk."""
    version: str
    missing: int
    """Items that are not in here though Asterisk has them; 0 in a whole snapshot."""


class Link:
    """The service's one session with Asterisk.

    Args:
        settings: where and how long.
        clock: the time that every deadline is measured by.
        on_event: told each typed event in order, on the loop; must return at once.
        on_state: told each change of state and why.
        on_trouble: told in one line, without callers' data, what was wrong on the wire.
        jitter: a number in [0, 1) for each wait, so that many clients do not come back in step.
        wanted: names of the events that *on_event* is told; the others are dropped before they are parsed.
    """

    def __init__(
        self,
        settings: LinkSettings,
        clock: Clock,
        on_event: Callable[[Event], None],
        on_state: Callable[[LinkState, str], None],
        on_trouble: Callable[[str], None],
        jitter: Callable[[], float] = _RANDOM.random,
        wanted: frozenset[str] = WANTED,
    ) -> None:
        self.state = LinkState.DOWN
        self.reason = ""
        self.stats = Stats()
        self._settings = settings
        self._clock = clock
        self._on_event, self._on_state, self._report = on_event, on_state, on_trouble
        self._jitter = jitter
        self._wanted = wanted
        self._wire: AmiProtocol | None = None
        self._retry = asyncio.Event()

    async def run(self) -> None:
        """Keep the session. Ends only by cancelling, and then leaves neither socket nor task."""
        failures, since = 0, self._clock.monotonic()
        self._move(LinkState.CONNECTING, "")
        try:
            while True:
                started = self._clock.monotonic()
                try:
                    await self._session()
                except LinkDown as error:
                    self._move(LinkState.DOWN, str(error))
                except _Refused as error:
                    self._move(LinkState.REFUSED, str(error))
                    await self._retry.wait()
                    self._move(LinkState.CONNECTING, "")
                now = self._clock.monotonic()
                if now - started >= STEADY_S:
                    failures, since = 0, now
                await self._clock.sleep(self._delay(failures, now - since))
                failures += 1
        finally:
            self._move(LinkState.DOWN, "stopped")

    def retry(self) -> None:
        """Try again after ``REFUSED``: somebody mended the account."""
        self._retry.set()

    async def send(self, action: Action) -> Reply:
        """Ask Asterisk once. Success means accepted, not done.

        Raises:
            ActionError: the action must not be sent; no byte was.
            LinkDown: the link is not up, or was lost before the answer.
            ActionTimeout: no whole answer within ``action_timeout_s``.
        """
        if self.state is not LinkState.UP or self._wire is None:
            raise LinkDown(f"the link to Asterisk is {self.state.value}" + (f": {self.reason}" if self.reason else ""))
        return await self._ask(self._wire, action, self._settings.action_timeout_s)

    async def snapshot(self) -> Snapshot:
        """Queues, members, entries and legs as Asterisk has them now.

        Raises:
            LinkError: Asterisk refused one of the questions.
            LinkDown, ActionTimeout: as ``send``; ask again.
        """
        status = await self._demand(CoreStatus())
        settings = await self._demand(CoreSettings())
        replies = [await self._demand(QueueStatus()), await self._demand(CoreShowChannels())]
        items, missing = [], 0
        for reply in replies:
            missing += reply.missing
            for fields in reply.items:
                try:
                    items.append(parse_item(fields))
                except ValueError as error:
                    missing += 1
                    self.stats.malformed += 1
                    self._on_trouble(str(error))
        return Snapshot(
            queues=_only(ParamsItem, items),
            members=_only(MemberItem, items),
            entries=_only(EntryItem, items),
            channels=_only(ChannelItem, items),
            started=f"{status.fields.get('CoreStartupDate', '')} {status.fields.get('CoreStartupTime', '')}".strip(),
            version=settings.fields.get("AsteriskVersion", ""),
            missing=missing,
        )

    async def _demand(self, action: Action) -> Reply:
        reply = await self.send(action)
        if not reply.success:
            raise LinkError(f"Asterisk refused {action.name}: {reply.message}")
        return reply

    async def _session(self) -> None:
        """One session from connect to loss.

        Raises:
            LinkDown: always in the end, with the reason.
            _Refused: the login was refused.
        """
        settings = self._settings
        wire = AmiProtocol(
            self.stats,
            self._on_event,
            self._booted,
            self._lost,
            self._on_trouble,
            settings.system_name,
            self._wanted,
        )
        self._wire = wire
        try:
            await self._connect(wire)
            await self._login(wire)
            await self._watch(wire)
        except LinkDown as error:
            wire.drop(str(error))
            raise
        finally:
            self._wire = None
            wire.drop("stopped")
            if wire.transport is not None:
                await wire.gone

    async def _connect(self, wire: AmiProtocol) -> None:
        settings = self._settings
        where = f"{settings.host}:{settings.port}"
        loop = asyncio.get_running_loop()
        try:
            await self._within(
                settings.banner_timeout_s, loop.create_connection(lambda: wire, settings.host, settings.port)
            )
            first = asyncio.wait((wire.banner, wire.lost), return_when=asyncio.FIRST_COMPLETED)
            await self._within(settings.banner_timeout_s, first)
        except TimeoutError:
            raise LinkDown(f"{where} does not answer: is Asterisk frozen?") from None
        except OSError as error:
            raise LinkDown(f"cannot connect to {where}: {error.strerror or type(error).__name__}") from None
        if wire.lost.done():
            raise LinkDown(f"{where} ended the session before its banner: {wire.lost.result()}")

    async def _login(self, wire: AmiProtocol) -> None:
        settings = self._settings
        try:
            reply = await self._ask(wire, Login(settings.username, settings.secret), settings.action_timeout_s)
        except ActionTimeout:
            raise LinkDown("no answer to the login") from None
        if reply.message == "Authentication failed":
            raise _Refused(f"{reply.message}: check name, secret and permit of [{settings.username}] in manager.conf")
        if not reply.success:
            raise LinkDown(f"login refused: {reply.message}")
        if not wire.booted:
            self._move(LinkState.BOOTING, "Asterisk is booting")

    async def _watch(self, wire: AmiProtocol) -> None:
        settings = self._settings
        warn_at = self._clock.monotonic() + settings.boot_warning_s
        misses = 0
        while misses < 2:
            if misses == 0:
                try:
                    raise LinkDown(await self._within(settings.ping_interval_s, asyncio.shield(wire.lost)))
                except TimeoutError:
                    heard = wire.heard
            try:
                await self._ask(wire, Ping(), settings.ping_timeout_s)
                misses = 0
            except ActionTimeout:
                # Behind a flood of events the answer may be late; what comes in proves that the peer lives.
                misses = misses + 1 if wire.heard == heard else 0
            if not wire.booted and self._clock.monotonic() >= warn_at:
                warn_at = float("inf")
                self._on_trouble("logged in, but no FullyBooted: is Asterisk booting, has the account read = system?")
        raise LinkDown("no answer to two pings: Asterisk is frozen or the network is cut")

    async def _ask(self, wire: AmiProtocol, action: Action, seconds: float) -> Reply:
        exchange = wire.send(action)
        try:
            answer = await self._within(seconds, exchange.future)
        except TimeoutError:
            raise ActionTimeout(f"no answer to {action.name} in {seconds:g} s") from None
        finally:
            wire.forget(exchange)
        return _reply(answer if isinstance(answer, list) else [answer])

    async def _within(self, seconds: float, work: Awaitable[T]) -> T:
        """The result of *work*, or TimeoutError after *seconds* of our own clock; asyncio's timeouts know only its."""
        task = asyncio.ensure_future(work)
        timer = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            done, _ = await asyncio.wait((task, timer), return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            if not task.done():
                task.cancel()
                await asyncio.wait((task, timer))
        if task not in done:
            raise TimeoutError
        return task.result()

    def _booted(self) -> None:
        self._move(LinkState.UP, "")

    def _lost(self, reason: str) -> None:
        if self.state in (LinkState.UP, LinkState.BOOTING):
            self._move(LinkState.DOWN, reason)

    def _move(self, state: LinkState, reason: str) -> None:
        if (state, reason) == (self.state, self.reason):
            return
        self.state, self.reason = state, reason
        self._retry.clear()
        try:
            self._on_state(state, reason)
        except Exception as error:  # noqa: BLE001  a fault in one consumer must not cost the link to the PBX
            self.stats.sink_errors += 1
            self._on_trouble(f"on_state failed on {state.value}: {type(error).__name__}")

    def _on_trouble(self, text: str) -> None:
        try:
            self._report(text)
        except Exception:  # noqa: BLE001  as above; there is nobody left to tell
            self.stats.sink_errors += 1

    def _delay(self, failures: int, lasting: float) -> float:
        longest = EARLY_DELAY_S if lasting < EARLY_S else LAST_DELAY_S
        delay: float = min(FIRST_DELAY_S * 2 ** min(failures, 10), longest)
        return max(FIRST_DELAY_S, delay * (1 - self._jitter() / 2))


def _reply(messages: list[Message]) -> Reply:
    first, last = messages[0], messages[-1]
    items = [_fields(message) for message in messages[1:-1]]
    announced = last.get("ListItems", "") if len(messages) > 1 else ""
    missing = int(announced) - len(items) if announced.isascii() and announced.isdigit() else 0
    return Reply(bool(first.success), mended(first.message), _fields(first), items, max(missing, 0))


def _fields(message: Message) -> dict[str, str]:
    found = ((name, value) for name, value in message.items() if name != "content")
    return {name: mended("\n".join(value) if isinstance(value, list) else value) for name, value in found}


def _only(kind: type[T], items: list[Item | None]) -> tuple[T, ...]:
    return tuple(item for item in items if isinstance(item, kind))

"""The composition root: the one place that knows every class, and the one TaskGroup that everything lives in."""

from __future__ import annotations

import asyncio
import fcntl
import gc
import os
import random
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog

from cti.agi.server import AgiServer
from cti.ami import Link, LinkSettings
from cti.bus.mqtt import CONSUMER, MqttBus
from cti.bus.outbox import Message
from cti.bus.posting import Poster
from cti.bus.sinks import CONSUMER as SINKS
from cti.bus.sinks import Sinks
from cti.clock import Clock, SystemClock
from cti.deadlines import Deadlines
from cti.engine import Engine
from cti.engine.hearing import HEARD
from cti.engine.inputs import Due
from cti.errors import BadInput, CtiError
from cti.hands import Hands
from cti.ids import Ids
from cti.oracle.files import AsteriskFiles
from cti.recordings.checker import RecordingChecker
from cti.settings import Settings
from cti.store import outbox
from cti.store import sinks as sink_rows
from cti.store.db import Statements, Store
from cti.store.people import Pins, Role, check_pin
from cti.watch import Watch
from cti.web.app import listen, make_app, serve
from cti.web.throttle import LoginThrottle
from regulations import Profile, ProfileError, overridden, parse_profile

log = structlog.get_logger()
GC_EVERY = 20_000  # allocations between two looks for cycles
KEEP_TRIES = timedelta(days=30)  # the log of what was told to sinks, and what was given up
KEEP_MESSAGES = timedelta(days=7)  # a page or a broker that was away longer starts from the present state
REGULATIONS = Path(__file__).parent.parent / "regulations"


class AlreadyRunning(CtiError):
    """Another instance uses this database: two would dial every callback twice."""

    code = "already_running"


def load_profile(name: str, house: Path | None = None) -> Profile:
    """The hotline's rules, with the site's own figures over them.

    Args:
        name: a name in regulations/, or a path ending in .toml.
        house: the site's file of figures of its own (regulations/overrides.py), if it has one.

    Raises:
        BadInput: a file is not there, or does not load; names the file and the dotted path.
    """
    path = Path(name) if name.endswith(".toml") else REGULATIONS / f"{name}.toml"
    profile = _rules(path, "hotline.profile", parse_profile)
    return profile if house is None else _rules(house, "hotline.house", partial(overridden, profile))


def _rules(path: Path, setting: str, parse: Callable[[str], Profile]) -> Profile:
    try:
        return parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(setting, f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadInput(str(path), f"(file): is not UTF-8: {error.reason}") from error
    except ProfileError as error:
        raise BadInput(str(path), str(error)) from error


@contextmanager
def only_instance(database: Path) -> Iterator[None]:
    """Hold the database's lock file while running; it goes with the process, however that ends.

    Raises:
        AlreadyRunning: another process holds it.
    """
    database.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(f"{database}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise AlreadyRunning(f"database {database}: another cti is running on it") from error
    try:
        yield
    finally:
        os.close(handle)


async def run_service(settings: Settings, clock: Clock | None = None, rng: random.Random | None = None) -> None:
    """Run until cancelled.

    Raises:
        CtiError: it cannot start; the message is one line for the administrator.
    """
    clock, rng = clock or SystemClock(), rng or random.SystemRandom()
    profile = load_profile(settings.hotline.profile, settings.hotline.house)
    with only_instance(settings.database):
        store = await Store.open(settings.database)
        try:
            await make_service(settings, profile, store, clock, rng).run()
        finally:
            await store.close()


def make_service(settings: Settings, profile: Profile, store: Store, clock: Clock, rng: random.Random) -> Service:
    """The service with every part wired; the caller opens and closes the store.

    Raises:
        BadInput: the profile's time zone is unknown.
    """
    try:
        zone = ZoneInfo(profile.zone)
    except ZoneInfoNotFoundError as error:
        raise BadInput("zone", f"{profile.zone} is not a known time zone") from error
    return Service(settings, profile, zone, store, clock, rng)


def _trouble(what: str) -> None:
    log.warning("ami", trouble=what)


class Service:
    """Every part, wired."""

    def __init__(
        self, settings: Settings, profile: Profile, zone: ZoneInfo, store: Store, clock: Clock, rng: random.Random
    ) -> None:
        self.settings, self.store, self.clock = settings, store, clock
        ids = Ids(rng)
        self.files = AsteriskFiles(settings.asterisk, store, clock)
        self.mqtt = MqttBus(settings.mqtt, f"{settings.pbx_id}-{socket.gethostname().lower()}", store, clock, rng)
        self.sinks = Sinks(settings, store, clock, rng, lambda: Poster(clock), lambda stood: self.engine.note(stood))
        self.deadlines = Deadlines(clock, lambda key: self.engine.put(Due(key)))
        self.engine = Engine(
            settings, profile, zone, store, clock, ids,
            act=lambda effect: self.hands.act(effect), wake=self.deadlines.at, time=self.deadlines.after,
            after_commit=self._committed, on_overflow=lambda: self.watch.resync(),
        )  # fmt: skip
        self.watch = Watch(self.engine, lambda: self.link, self.files, clock)
        ami = settings.ami
        account = LinkSettings(
            ami.host, ami.port, ami.username, ami.secret, ami.action_timeout_s, system_name=ami.system_name
        )
        self.link = Link(
            account, clock, self.engine.hear, self.watch.link_changed, _trouble, rng.random,
            frozenset(kind.__name__ for kind in HEARD),
        )  # fmt: skip
        checker = RecordingChecker(settings.asterisk.recordings, clock)
        self.hands = Hands(settings, self.link, checker, self.files, self.engine.agent, self.engine.put)
        self.pins = Pins()
        self.web = make_app(self.engine, store, settings, clock, ids.token, pins=self.pins, zone=zone, profile=profile)
        self.web.state.web.sinks_changed = self.sinks.changed
        self.throttle: LoginThrottle = self.web.state.web.throttle  # one for page and phone
        busy_reason = next(iter(settings.hotline.busy_reasons))
        self.agi = AgiServer(settings.agi, self.engine.submit, self._phone_pin, busy_reason)

    async def _phone_pin(self, number: str, pin: str, seat: str) -> bool:
        """Whether the PIN typed at a seat's phone is an agent's or a lead's; guessing is slowed as on the page."""
        source = f"seat {seat}"
        if self.throttle.wait_s(number, source):
            return False
        self.throttle.begin(number, source)
        person = await check_pin(self.store, self.pins, number, pin)
        if person is not None:
            self.throttle.succeeded(number, source)
        return person is not None and person.role in (Role.AGENT, Role.LEAD)

    def _committed(self, messages: list[Message]) -> None:
        self.mqtt.wake(messages)
        self.sinks.wake(messages)

    async def _keep_house(self) -> None:
        """Once an hour: messages that are old, and read by broker and sinks where there are any, leave the outbox."""
        while True:
            before = self.clock.now() - KEEP_TRIES
            while await self.store.write(partial(sink_rows.prune, before=before)) == sink_rows.PRUNED_AT_ONCE:
                continue
            while await self.store.write(self._prune) == outbox.PRUNED_AT_ONCE:
                continue
            await self.clock.sleep(3600)

    async def _prune(self, connection: Statements) -> int:
        consumers = [*([CONSUMER] if self.settings.mqtt.host else []), *([SINKS] if self.sinks.working else [])]
        return await outbox.prune(connection, self.clock.now() - KEEP_MESSAGES, consumers)

    async def run(self) -> None:
        """Load, start every task, and end them all when one ends."""
        await self.engine.load()
        await self.files.open()
        listener = listen(self.settings.web)
        # What is loaded by now lives as long as the process: it need not be looked at by every collection, and calls
        # make few cycles, so collections may be rarer too.
        gc.collect()
        gc.freeze()
        gc.set_threshold(GC_EVERY)
        log.info("starting", pbx=self.settings.pbx_id, web=f"{self.settings.web.host}:{self.settings.web.port}")
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.engine.run(), name="engine")
                group.create_task(self.deadlines.run(), name="deadlines")
                group.create_task(self.watch.run(), name="watch")
                group.create_task(self.link.run(), name="ami-link")
                group.create_task(self.mqtt.run(), name="mqtt")
                group.create_task(self.sinks.run(), name="sinks")
                group.create_task(self._keep_house(), name="housekeeping")
                group.create_task(self.agi.run(), name="agi")
                group.create_task(serve(self.web, self.settings.web, listener), name="web")
        finally:
            await self.hands.close()

"""From the outbox to an MQTT broker: in order, each message at least once, however long the broker was away.

The position moves only behind what the broker has acknowledged, so whatever happens the rest is sent again, with the
same CloudEvents id. The last states are told again on each new connection: a broker may have forgotten them. Who is
refused (credentials, ACL, a client id in use elsewhere) says so and asks again every five minutes, not more often.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple

import aiomqtt
import structlog
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from sqlalchemy.exc import OperationalError

from cti.bus.cloudevents import CONTENT_TYPE, event_of, is_retained, topic_of, topic_part
from cti.bus.follower import BATCH, Follower
from cti.bus.outbox import Message
from cti.clock import Clock
from cti.settings import MqttSettings
from cti.store import outbox
from cti.store.db import Store

CONSUMER = "mqtt"
WINDOW = 100  # publishes in flight; awaiting each one alone is bound by its round trip (design, decision 12)
SAVE_S = 1.0  # the position is written this often; after a crash what was sent since is sent again
KEEPALIVE_S = 15
TIMEOUT_S = 10.0
INSIST_S = 3.0  # longer than the last word of a session that leaves
BACKOFF_S = (0.5, 10.0)
STABLE_S = 60.0  # two instances with one name throw each other out: short sessions must not make us faster
REFUSED_S = 300.0
# MQTT 5 reason codes that asking again soon cannot change; paho gives the same numbers for MQTT 3.1.1.
_FINAL = {
    132: "it does not speak this version: set mqtt.version",
    133: "it does not take our client id",
    134: "wrong user name or password: mqtt.username, mqtt.password",
    135: "not authorised: user name, password or ACL",
    138: "we are banned",
    142: "another client has taken our client id: is a second instance running?",
    144: "it does not take our topic: mqtt.prefix, mqtt.site",
}

log = structlog.get_logger(__name__)


class BusState(StrEnum):
    """Where the connection stands."""

    OFF = "off"  # no broker is configured
    AWAY = "away"
    UP = "up"
    REFUSED = "refused"


class BusStatus(NamedTuple):
    """``since`` is aware UTC; ``reason`` is for people, empty when all is well."""

    state: BusState
    reason: str
    since: datetime


class _AwayError(Exception):
    """The broker cannot be reached, or went away."""


class _RefusedError(Exception):
    """The broker does not want us."""


class _Client(aiomqtt.Client):
    """Keeps the broker's refusal of a publish, which aiomqtt takes for an acknowledgement (MQTT 5 only)."""

    refusal: ReasonCode | None = None

    @property
    def _pending_calls(self) -> Any:
        """What the base walks through at each publish. We subscribe to nothing, so the publishes are all."""
        return self._pending_publishes.keys()

    def _on_publish(
        self, client: Any, userdata: Any, mid: int, reason_code: ReasonCode, properties: Properties
    ) -> None:
        if reason_code.is_failure:
            self.refusal = reason_code
        super()._on_publish(client, userdata, mid, reason_code, properties)


class MqttBus:
    """Publishes the outbox. ``run`` it as a task; ``wake`` it after each commit."""

    def __init__(self, settings: MqttSettings, instance: str, store: Store, clock: Clock, rng: random.Random) -> None:
        self._settings, self._store, self._clock, self._rng = settings, store, clock, rng
        self._base = f"{settings.prefix}/v1/{settings.site}"
        self._client_id = f"{settings.prefix.replace('/', '-')}-{settings.site}-{topic_part(instance)}"
        self._source = f"/{settings.site}/{topic_part(instance)}"
        self._status_topic = f"{self._base}/service/{topic_part(instance)}/status"
        self._outbox = Follower(store, clock)
        self._saved = 0
        self._up_at = 0.0
        self.status = BusStatus(BusState.AWAY if settings.host else BusState.OFF, "", clock.now())

    def wake(self, messages: Sequence[Message] = ()) -> None:
        """There are new rows in the outbox, and they are committed; *messages* spare reading them back."""
        self._outbox.wake(messages if self.status.state is BusState.UP else ())

    async def run(self) -> None:
        """Publish until cancelled; returns at once when no broker is configured."""
        if not self._settings.host:
            return
        async with self._store.read() as connection:
            self._saved = await outbox.position(connection, CONSUMER)
        self._outbox.begin(self._saved)
        tries = 0
        while True:
            try:
                await self._until_over()
            except _RefusedError as error:
                self._say(BusState.REFUSED, str(error))
                await self._clock.sleep(REFUSED_S)
            except _AwayError as error:
                if self.status.state is BusState.UP and self._clock.monotonic() - self._up_at > STABLE_S:
                    tries = 0
                self._say(BusState.AWAY, str(error))
                least, most = BACKOFF_S
                await self._clock.sleep(min(least * 2 ** min(tries, 10), most) * self._rng.uniform(0.5, 1.0))
                tries += 1

    async def _until_over(self) -> None:
        """A session in a task of its own, which is told to end until it does.

        Before Python 3.12 ``asyncio.wait_for``, with which aiomqtt waits, loses a cancellation that comes together with
        the broker's answer; a service that is to end would then publish for ever.
        """
        session = asyncio.ensure_future(self._session())
        try:
            await asyncio.wait((session,))
        except asyncio.CancelledError:
            while not session.done():
                session.cancel()
                await asyncio.wait((session,), timeout=INSIST_S)
            raise
        session.result()

    async def _session(self) -> None:
        """One connection, from greeting to loss.

        Raises:
            _AwayError: it was lost or not made.
            _RefusedError: the broker refused us.
        """
        try:
            async with self._client() as client:
                client.pending_calls_threshold = BATCH
                try:
                    await self._talk(client)
                finally:
                    await self._leave(client)
        except aiomqtt.MqttError as error:
            raise _translated(error) from error

    async def _talk(self, client: _Client) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_raise_when_lost(client))
                tasks.create_task(self._save_regularly())
                tasks.create_task(self._send(client))
        except ExceptionGroup as errors:  # not except*: what is raised inside that comes out as a group again
            lost = errors.subgroup((aiomqtt.MqttError, _AwayError, _RefusedError))
            if lost is not None:
                first = _first(lost)
                raise first from first.__cause__  # it says why the connection ended
            if (busy := errors.subgroup(OperationalError)) is not None:
                raise _AwayError(f"the database is busy: {type(_first(busy)).__name__}") from None
            raise

    async def _send(self, client: _Client) -> None:
        await client.publish(self._status_topic, b"online", qos=1, retain=True)
        _obey()  # this wait, too, may have lost it; the task group tells a task only once
        _raise_if_refused(client)
        async with self._store.read() as connection:
            known = await outbox.states(connection, self._outbox.position)
        for start in range(0, len(known), BATCH):
            await self._publish(client, known[start : start + BATCH])
        self._up_at = self._clock.monotonic()
        self._say(BusState.UP, "")
        self._outbox.begin(self._outbox.position)  # what the last connection left in memory is stored too
        while True:
            messages = await self._outbox.next()
            await self._publish(client, messages)
            self._outbox.position = messages[-1].seq

    async def _publish(self, client: _Client, messages: Sequence[Message]) -> None:
        """Send *messages* in order without awaiting each; returns when the broker has acknowledged all of them."""
        properties = _properties() if self._settings.version == "5" else None
        flights = []
        for message in messages:
            try:
                topic, payload = topic_of(message, self._base), event_of(message, self._source)
            except ValueError as error:
                log.error("mqtt_message_left_out", seq=message.seq, reason=str(error))
                continue
            flights.append(
                client.publish(topic, payload, 1, is_retained(message), properties, timeout=math.inf)
            )  # one time limit for all: a timer and a task for each message cost more than the message
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await asyncio.gather(*flights)
        except TimeoutError:
            raise _AwayError(f"no acknowledgement in {TIMEOUT_S:g} s") from None
        _raise_if_refused(client)

    async def _save_regularly(self) -> None:
        while True:
            await self._clock.sleep(SAVE_S)
            await self._save()

    async def _save(self) -> None:
        position = self._outbox.position
        if position != self._saved:
            await self._store.write(lambda connection: outbox.advance(connection, CONSUMER, position))
            self._saved = position

    async def _leave(self, client: _Client) -> None:
        """A clean end takes back "online" itself: the last will is for the other ends."""
        with contextlib.suppress(aiomqtt.MqttError):  # it is gone already: its will speaks for us
            await client.publish(self._status_topic, b"offline", qos=1, retain=True, timeout=2)
        with contextlib.suppress(OperationalError):  # busy: what was sent since is sent again
            await self._save()

    def _client(self) -> _Client:
        settings = self._settings
        return _Client(
            settings.host, settings.port, identifier=self._client_id, keepalive=KEEPALIVE_S, timeout=TIMEOUT_S,
            username=settings.username or None, password=settings.password or None, max_inflight_messages=WINDOW,
            protocol=aiomqtt.ProtocolVersion.V5 if settings.version == "5" else aiomqtt.ProtocolVersion.V311,
            will=aiomqtt.Will(self._status_topic, b"offline", qos=1, retain=True),
        )  # fmt: skip

    def _say(self, state: BusState, reason: str) -> None:
        if (state, reason) != self.status[:2]:
            (log.info if state is BusState.UP else log.warning)("mqtt_" + state.value, reason=reason)
            self.status = BusStatus(state, reason, self._clock.now())


def _obey() -> None:
    """Raises CancelledError when this task was told to end and goes on all the same."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def _raise_when_lost(client: _Client) -> None:
    """We subscribe to nothing, so the only thing that this can see is the end of the connection."""
    async for _ in client.messages:
        continue


def _raise_if_refused(client: _Client) -> None:
    if client.refusal is not None:
        raise _RefusedError(f"the broker refused a publish: {_why(client.refusal)}")


def _translated(error: aiomqtt.MqttError) -> _AwayError | _RefusedError:
    cause = error if isinstance(error, aiomqtt.MqttCodeError) else error.__cause__
    code = getattr(cause, "rc", None)
    if isinstance(code, ReasonCode):
        return (_RefusedError if code.value in _FINAL else _AwayError)(f"the broker refused us: {_why(code)}")
    return _AwayError(str(cause or error))


def _why(code: ReasonCode) -> str:
    return _FINAL.get(code.value, str(code))


def _first(errors: BaseExceptionGroup[Any]) -> Exception:
    first = errors.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


class _Packed(Properties):
    """Properties that are packed once: they are the same for every message."""

    def pack(self) -> bytes:
        if "_bytes" not in self.__dict__:
            self.__dict__["_bytes"] = super().pack()  # type: ignore[no-untyped-call]
        packed: bytes = self.__dict__["_bytes"]
        return packed


@cache
def _properties() -> Properties:
    properties = _Packed(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.ContentType = CONTENT_TYPE
    properties.PayloadFormatIndicator = 1  # UTF-8
    return properties

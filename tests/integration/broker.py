"""A real Mosquitto, a witness who hears everything, and a bus to put between them."""

from __future__ import annotations

import asyncio
import getpass
import json
import random
import socket
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from cti.bus.mqtt import MqttBus
from cti.bus.outbox import Message
from cti.clock import SystemClock
from cti.lab.ports import free_port
from cti.lab.tools import find
from cti.settings import MqttSettings
from cti.store import outbox
from cti.store.db import Store

T = datetime(2026, 11, 21, 9, 0, 0, 123456, UTC)
BASE = "cti/v1/main"
STATUS = f"{BASE}/service/pbx1/status"
VERSIONS = pytest.mark.parametrize("version", ["3.1.1", "5"])
DEADLINE_S = 20.0


class Broker:
    """One Mosquitto on a port of its own. ``kill`` is SIGKILL; ``start`` again brings it back, empty."""

    def __init__(self, work: Path, extra: str = "allow_anonymous true\n") -> None:
        self.port = free_port()
        self.log = work / "mosquitto.log"
        self._config = work / "mosquitto.conf"
        # As root it would become another user, who may not read our files.
        self._config.write_text(f"listener {self.port} 127.0.0.1\nuser {getpass.getuser()}\nlog_type all\n{extra}")
        self.process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        with self.log.open("ab") as log:
            argv = [*find("mosquitto"), "-c", str(self._config)]
            self.process = await asyncio.to_thread(subprocess.Popen, argv, stdout=log, stderr=log)
        await until(self._listens)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None


class GatedClock(SystemClock):
    """Waits are short, and none ends while the gate is closed: the test says when the bus may go on."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.asked.append(seconds)
        await super().sleep(min(seconds, 0.01))
        await self.gate.wait()


class Witness:
    """A subscriber that keeps all it hears."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self.client = client
        self.heard: list[aiomqtt.Message] = []
        self._news = asyncio.Condition()

    async def listen(self) -> None:
        try:
            async for message in self.client.messages:
                async with self._news:
                    self.heard.append(message)
                    self._news.notify_all()
        except aiomqtt.MqttError:
            return  # the broker was killed: what was heard before counts

    async def wait(self, enough: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE_S), self._news:
            await self._news.wait_for(enough)

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(bytes(m.payload)) for m in self.heard if not m.topic.matches(STATUS)]  # type: ignore[arg-type]

    def ids(self) -> list[int]:
        """Ids in the order of arrival, each once: what a consumer that drops repetitions sees."""
        return list(dict.fromkeys(int(event["id"]) for event in self.events()))

    def status(self) -> bytes:
        return next((bytes(m.payload) for m in reversed(self.heard) if m.topic.matches(STATUS)), b"")  # type: ignore[arg-type]


@asynccontextmanager
async def witness(broker: Broker, topic: str = "#", version: str = "5", **login: str) -> AsyncIterator[Witness]:
    protocol = aiomqtt.ProtocolVersion.V5 if version == "5" else aiomqtt.ProtocolVersion.V311
    async with aiomqtt.Client("127.0.0.1", broker.port, protocol=protocol, **login) as client:  # type: ignore[arg-type]
        found = Witness(client)
        await client.subscribe(topic, qos=1)
        listening = asyncio.create_task(found.listen())
        try:
            yield found
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


@asynccontextmanager
async def running(bus: MqttBus) -> AsyncIterator[None]:
    task = asyncio.create_task(bus.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not true():  # noqa: ASYNC110 - a state of another process, which sends no event
            await asyncio.sleep(0.01)


def make_bus(broker: Broker, store: Store, clock: GatedClock, **settings: str) -> MqttBus:
    return MqttBus(MqttSettings(host="127.0.0.1", port=broker.port, **settings), "pbx1", store, clock, random.Random(7))  # type: ignore[arg-type]


def call(n: int, kind: str = "call.queued", **data: object) -> Message:
    return Message(0, T, kind, f"1795285585.{n}", "all", data or {"queue": "hotline"})


def agent(state: str, number: str = "1001") -> Message:
    data = {"state": state, "since": T.isoformat(), "reason": None, "queue": "hotline", "seat": "3001"}
    return Message(0, T, "agent.state", number, "all", data)


async def tell(store: Store, bus: MqttBus, *messages: Message) -> None:
    await store.write(lambda connection: outbox.append(connection, messages))
    bus.wake()


async def position(store: Store) -> int:
    async with store.read() as connection:
        return await outbox.position(connection, "mqtt")

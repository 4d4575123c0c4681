"""The MQTT bus against a real Mosquitto, in both versions: in order, at least once, whatever ends first."""

from __future__ import annotations

import asyncio
import base64
import getpass
import hashlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import aiomqtt
import pytest
from sqlalchemy.exc import OperationalError

from cti.bus import mqtt
from cti.bus.cloudevents import KINDS
from cti.bus.mqtt import REFUSED_S, BusState, MqttBus
from cti.bus.outbox import Message
from cti.clock import SystemClock
from cti.lab.asterisk import free_port
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


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    broker = Broker(tmp_path)
    try:
        await broker.start()
        yield broker
    finally:
        broker.kill()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(tmp_path / "cti.db")
    yield store
    await store.close()


@pytest.fixture
def clock() -> GatedClock:
    return GatedClock()


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


@VERSIONS
async def test_events_arrive_as_cloudevents_in_order(
    broker: Broker, store: Store, clock: GatedClock, version: str
) -> None:
    """Each message under its topic, with its outbox number as id; states are retained, events are not."""
    bus = make_bus(broker, store, clock, version=version)
    async with witness(broker) as heard, running(bus):
        await heard.wait(lambda: heard.status() == b"online")
        await tell(store, bus, agent("ready"), call(1), call(1, "call.offered", agent="1001"))
        await heard.wait(lambda: len(heard.events()) == 3)
        await tell(store, bus, call(1, "call.answered", agent="1001", wait_ms=900, ring_ms=400, within=True))
        await heard.wait(lambda: len(heard.events()) == 4)
    assert heard.ids() == [1, 2, 3, 4]
    assert [str(m.topic) for m in heard.heard][1:5] == [
        f"{BASE}/agent/1001/state",
        *[f"{BASE}/call/1795285585-1/event"] * 3,
    ]
    assert heard.events()[3] == {
        "specversion": "1.0", "id": "4", "source": "/main/pbx1", "type": "hotline.cti.call.answered.v1",
        "subject": "1795285585.1", "time": "2026-11-21T09:00:00.123456Z", "datacontenttype": "application/json",
        "data": {"agent": "1001", "wait_ms": 900, "ring_ms": 400, "within": True},
    }  # fmt: skip
    if version == "5":
        assert heard.heard[1].properties is not None
        assert heard.heard[1].properties.ContentType == "application/cloudevents+json"
    async with witness(broker) as late:
        await late.wait(lambda: len(late.heard) == 2)
    assert (late.status(), late.ids()) == (b"offline", [1]), "a clean end says offline; of the rest only states stay"


@VERSIONS
async def test_a_broker_killed_gets_everything_later_in_order(
    broker: Broker, store: Store, clock: GatedClock, version: str
) -> None:
    """kill -9 of a broker that keeps nothing, 200 messages while it is away: all arrive in order, none is lost, and
    the retained states are right again, also those that nothing has changed since."""
    bus = make_bus(broker, store, clock, version=version)
    async with running(bus):
        async with witness(broker) as before:
            await tell(store, bus, agent("ready"), agent("ready", "1002"), *(call(n) for n in range(10)))
            await before.wait(lambda: len(before.events()) == 12)
            clock.gate.clear()
            broker.kill()
        await until(lambda: bus.status.state is BusState.AWAY)
        for first in range(10, 210, 20):
            await tell(store, bus, *(call(n) for n in range(first, first + 19)), agent("talking"))
        await broker.start()
        async with witness(broker) as after:
            clock.gate.set()
            await after.wait(lambda: 212 in after.ids())
            assert bus.status.state is BusState.UP
        async with witness(broker, f"{BASE}/agent/+/state") as states:
            await states.wait(lambda: len(states.heard) == 2)
    fresh = [n for n in after.ids() if n > 12]
    assert fresh == list(range(13, 213))
    assert {e["subject"]: (e["id"], e["data"]["state"]) for e in states.events()} == {
        "1001": ("212", "talking"),
        "1002": ("2", "ready"),
    }


async def test_a_frozen_broker_is_seen_and_nothing_is_lost(
    broker: Broker, store: Store, clock: GatedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes bytes and acknowledges none: given up after the deadline, and sent again with the same ids."""
    monkeypatch.setattr(mqtt, "TIMEOUT_S", 0.5)
    bus = make_bus(broker, store, clock)
    async with running(bus), witness(broker) as heard:
        await tell(store, bus, call(1))
        await heard.wait(lambda: heard.ids() == [1])
        broker.signal(signal.SIGSTOP)
        try:
            await tell(store, bus, call(2), call(3))
            await until(lambda: bus.status.state is BusState.AWAY)
        finally:
            broker.signal(signal.SIGCONT)
        await heard.wait(lambda: heard.ids() == [1, 2, 3])


async def test_what_could_not_be_noted_is_sent_again(
    broker: Broker, store: Store, clock: GatedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The position is behind the acknowledgement, never before it: when it could not be written, the next start sends
    the same ids again. A consumer that drops those has each message once; when it was written, nothing comes twice."""
    busy = OperationalError("", {}, Exception("locked"))
    async with witness(broker) as heard:
        with monkeypatch.context() as locked:
            locked.setattr(outbox, "advance", AsyncMock(side_effect=busy))
            bus = make_bus(broker, store, clock)
            async with running(bus):
                await tell(store, bus, *(call(n) for n in range(5)))
                await heard.wait(lambda: heard.ids() == [1, 2, 3, 4, 5])
        assert await position(store) == 0
        for last in (6, 7):
            again = make_bus(broker, store, clock)
            async with running(again):
                await tell(store, again, call(last))
                await heard.wait(lambda last=last: last in heard.ids())  # type: ignore[misc]
                await wait_for_position(store, last)
    assert heard.ids() == [1, 2, 3, 4, 5, 6, 7]
    assert [int(e["id"]) for e in heard.events()].count(6) == 1


async def wait_for_position(store: Store, seq: int) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while await position(store) < seq:  # noqa: ASYNC110 - a row, which sends no event
            await asyncio.sleep(0.01)


_CLIENT = """
import asyncio, random, sys
from pathlib import Path
from cti.bus.mqtt import MqttBus
from cti.clock import SystemClock
from cti.settings import MqttSettings
from cti.store.db import Store
async def main():
    store = await Store.open(Path(sys.argv[1]))
    settings = MqttSettings(host="127.0.0.1", port=int(sys.argv[2]), version=sys.argv[3])
    await MqttBus(settings, "pbx1", store, SystemClock(), random.Random(7)).run()
asyncio.run(main())
"""


@VERSIONS
async def test_the_last_will_speaks_for_a_killed_service(broker: Broker, tmp_path: Path, version: str) -> None:
    """kill -9 of the process: those who listen hear "offline", and those who come later find it."""
    argv = [sys.executable, "-c", _CLIENT, str(tmp_path / "other.db"), str(broker.port), version]
    process = await asyncio.create_subprocess_exec(*argv, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)})
    try:
        async with witness(broker) as heard:
            await heard.wait(lambda: heard.status() == b"online")
            process.kill()
            await heard.wait(lambda: heard.status() == b"offline")
        async with witness(broker) as late:
            await late.wait(lambda: late.status() == b"offline")
            assert late.heard[0].retain
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


USERS = {"cti": "one", "board": "two", "other": "three"}


def hashed(password: str) -> str:
    """A line of a Mosquitto password file: PBKDF2, 101 rounds."""
    salt = b"not a secret"
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, 101)
    return "$7$101$" + "$".join(base64.b64encode(part).decode() for part in (salt, digest))


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[Broker]:
    """A broker as docs/operating.md wants it: nobody unnamed, only the service writes, a reader reads its part."""
    users, acl = tmp_path / "users", tmp_path / "acl"
    users.write_text("".join(f"{name}:{hashed(word)}\n" for name, word in USERS.items()))
    acl.write_text(f"user cti\ntopic write {BASE}/#\nuser board\ntopic read {BASE}/queue/#\nuser other\ntopic read x\n")
    for file in (users, acl):
        file.chmod(0o644)
    broker = Broker(tmp_path, f"allow_anonymous false\npassword_file {users}\nacl_file {acl}\n")
    try:
        await broker.start()
        yield broker
    finally:
        broker.kill()


@VERSIONS
async def test_wrong_credentials_are_said_and_not_hammered(
    guarded: Broker, store: Store, clock: GatedClock, version: str
) -> None:
    """One attempt, a status that names the settings to look at, and five minutes until the next."""
    bus = make_bus(guarded, store, clock, version=version, username="cti", password="wrong")
    clock.gate.clear()
    async with running(bus):
        await tell(store, bus, call(1))
        await until(lambda: bus.status.state is BusState.REFUSED)
        assert "mqtt.password" in bus.status.reason or "user name" in bus.status.reason
        await until(lambda: clock.asked == [REFUSED_S])
        assert guarded.log.read_text().count("New connection from") - guarded.log.read_text().count("Client <unk") <= 2
    assert await position(store) == 0


async def test_a_refused_publish_is_not_taken_for_an_acknowledged_one(
    guarded: Broker, store: Store, clock: GatedClock
) -> None:
    """The ACL lets us in but not write (MQTT 5 tells it): said, and the message waits until it is put right."""
    bus = make_bus(guarded, store, clock, username="other", password="three")
    clock.gate.clear()
    async with running(bus):
        await tell(store, bus, call(1))
        await until(lambda: bus.status.state is BusState.REFUSED)
        assert "ACL" in bus.status.reason
    assert await position(store) == 0


@VERSIONS
async def test_readers_read_their_part_and_write_nothing(
    guarded: Broker, store: Store, clock: GatedClock, version: str
) -> None:
    """Nobody unnamed gets in; a named reader sees only what it may, and what it writes to our topics reaches nobody."""
    with pytest.raises(aiomqtt.MqttError):
        async with witness(guarded, version=version):
            pytest.fail("an unnamed client was let in")
    bus = make_bus(guarded, store, clock, version=version, username="cti", password="one")
    queue = Message(0, T, "queue.state", "hotline", "all", {"waiting": 1})
    async with witness(guarded, version=version, username="board", password="two") as board, running(bus):
        await board.client.publish(f"{BASE}/queue/hotline/state", b"forged", qos=1, retain=True)
        await tell(store, bus, agent("ready"), call(1), queue)
        await board.wait(lambda: bool(board.heard))
        await until(lambda: bus.status.state is BusState.UP)
    assert [(str(m.topic), e["data"]) for m, e in zip(board.heard, board.events(), strict=True)] == [
        (f"{BASE}/queue/hotline/state", {"waiting": 1})
    ]


async def test_two_instances_with_one_name_do_not_fight_faster_and_faster(
    broker: Broker, store: Store, clock: GatedClock
) -> None:
    """Mosquitto 2.0 only closes the older connection; each short session makes the next wait longer."""
    bus = make_bus(broker, store, clock)
    waits: list[float] = []
    async with running(bus):
        for _ in range(5):
            await until(lambda: bus.status.state is BusState.UP)
            clock.gate.clear()
            async with aiomqtt.Client("127.0.0.1", broker.port, identifier="cti-main-pbx1"):
                await until(lambda: bus.status.state is BusState.AWAY)
            clock.gate.set()
            waits = [s for s in clock.asked if s not in (mqtt.SAVE_S, mqtt.LINGER_S)]
    least, most = mqtt.BACKOFF_S
    assert len(waits) == 5
    assert all(min(least * 2**n, most) / 2 <= wait <= min(least * 2**n, most) for n, wait in enumerate(waits))


async def test_a_name_that_another_took_is_said_and_not_fought_for(store: Store, clock: GatedClock) -> None:
    """A broker that tells it (MQTT 5 reason code 142): we stop for five minutes and name the cause."""

    async def takes_over(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in ("2003000000", "e0028e00"):  # CONNACK; DISCONNECT: session taken over
            await reader.read(1024)
            writer.write(bytes.fromhex(answer))
        await reader.read()
        writer.close()

    server = await asyncio.start_server(takes_over, "127.0.0.1", 0)
    async with server:
        settings = MqttSettings(host="127.0.0.1", port=server.sockets[0].getsockname()[1])
        bus = MqttBus(settings, "pbx1", store, clock, random.Random(7))
        clock.gate.clear()
        async with running(bus):
            await until(lambda: bus.status.state is BusState.REFUSED)
            await until(lambda: REFUSED_S in clock.asked)
    assert "second instance" in bus.status.reason


async def test_no_broker_is_no_trouble(store: Store, clock: GatedClock) -> None:
    """None is needed: the task ends at once and the outbox stays for whoever comes later."""
    bus = MqttBus(MqttSettings(), "pbx1", store, clock, random.Random(7))
    await asyncio.wait_for(bus.run(), 1)
    assert bus.status.state is BusState.OFF


@VERSIONS
async def test_no_canary_reaches_the_broker(broker: Broker, store: Store, clock: GatedClock, version: str) -> None:
    """A caller's number, name and words in every field of every kind, against the rules of the outbox: not one byte of
    them passes, and what cannot be told is left out without stopping the rest."""
    canary = {"number": "13800000099", "name": "王芳", "words": "my name is Wang Fang, 138 0000 0099"}
    bus = make_bus(broker, store, clock, version=version)
    spoilt = []
    for name, kind in KINDS.items():
        for value in (*canary.values(), int(canary["number"]), [canary["number"]], {"a": canary["name"]}):
            data = {**dict.fromkeys(kind.keys, value), "caller": value, "phone": value, "note": value}
            spoilt += [Message(0, T, name, s, "all", data) for s in ("t-01ke", canary["number"], canary["name"])]
    spoilt.append(Message(0, T, "ticket.note", "t-01ke", "all", {"words": "x"}))
    async with witness(broker) as heard, running(bus):
        await tell(store, bus, *spoilt, call(1))
        await heard.wait(lambda: any(e["subject"] == "1795285585.1" for e in heard.events()))
    everything = b"\n".join(str(m.topic).encode() + b" " + bytes(m.payload) for m in heard.heard)  # type: ignore[arg-type]
    assert len(heard.events()) > len(KINDS)
    for secret in ("13800000099", "0000 0099", "Wang", "王", "738b", "e78e8b"):
        assert secret.encode() not in everything

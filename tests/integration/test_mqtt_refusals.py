"""What the broker refuses, and what never reaches it: credentials, names, numbers of citizens."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import random
from collections.abc import AsyncIterator
from pathlib import Path

import aiomqtt
import pytest

from cti.bus import mqtt
from cti.bus.cloudevents import KINDS
from cti.bus.follower import LINGER_S
from cti.bus.mqtt import REFUSED_S, BusState, MqttBus
from cti.bus.outbox import Message
from cti.settings import MqttSettings
from cti.store.db import Store
from tests.integration.broker import (
    BASE,
    VERSIONS,
    Broker,
    GatedClock,
    T,
    agent,
    call,
    make_bus,
    position,
    running,
    tell,
    until,
    witness,
)

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
            waits = [s for s in clock.asked if s not in (mqtt.SAVE_S, LINGER_S)]
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
    canary = {"number": "13800000099", "name": "测试话务员戊", "words": "my name is a canary, 138 0000 0099"}
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

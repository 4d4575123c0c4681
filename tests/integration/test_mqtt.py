"""The MQTT bus against a real Mosquitto, in both versions: in order, at least once, whatever ends first."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from unittest.mock import AsyncMock

import pytest
from sqlalchemy.exc import OperationalError

from cti.bus import mqtt
from cti.bus.mqtt import BusState
from cti.store import outbox
from cti.store.db import Store
from tests.integration.broker import (
    BASE,
    DEADLINE_S,
    VERSIONS,
    Broker,
    GatedClock,
    agent,
    call,
    make_bus,
    position,
    running,
    tell,
    until,
    witness,
)


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

"""Zammad and webhooks over real HTTP on loopback, in virtual time: nothing lost, each call in order, twice is once."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import random
import sqlite3
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from cti.bus import courier
from cti.store import outbox
from cti.store import sinks as rows
from cti.store.sinks_tables import deliveries, sink_tries, sinks
from tests.integration.sinks import (
    NUMBER,
    PATH,
    SECRET,
    Got,
    Receiver,
    Teller,
    Zammad,
    answered,
    ended,
    queued,
)

Made = Callable[..., Any]
WHOLE = ["newCall", "answer", "hangup"]


@pytest.fixture
def zammad() -> Iterator[Zammad]:
    made = Zammad()
    yield made
    made.down()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.down()


@pytest.fixture
async def teller(tmp_path: Path) -> AsyncIterator[Made]:
    """Makes tellers; all are ended with the test."""
    async with AsyncExitStack() as stack:

        async def make(**settings: Any) -> Teller:
            made = Teller(tmp_path, **settings)
            await made.boot()
            stack.push_async_callback(made.kill)
            return made

        yield make


def at_zammad(zammad: Zammad) -> dict[str, str]:
    return {"url": f"{zammad.url}{PATH}"}


async def test_a_call_is_told_to_zammad_in_order(zammad: Zammad, teller: Made) -> None:
    """newCall, answer, hangup: as documented, none twice, and nothing is owed afterwards."""
    t = await teller(zammad=at_zammad(zammad))
    call_id = await t.call(1)
    await t.tell(queued(call_id))
    await t.wait(1)
    await t.tell(answered(call_id))
    await t.wait(1)
    await t.tell(ended(call_id))
    await t.wait(1)
    assert zammad.calls[call_id] == [
        {"event": "newCall", "from": NUMBER, "to": "12319", "direction": "in", "callId": call_id, "queue": "hotline"},
        {"event": "answer", "from": NUMBER, "to": "12319", "direction": "in", "callId": call_id,
         "answeringNumber": "1001"},
        {"event": "hangup", "from": NUMBER, "to": "12319", "direction": "in", "callId": call_id,
         "cause": "normalClearing"},
    ]  # fmt: skip
    assert (zammad.faults, len(zammad.got), await t.rows(deliveries)) == ([], 3, [])


async def test_an_hour_without_zammad_loses_nothing_and_mixes_nothing(zammad: Zammad, teller: Made) -> None:
    """90 calls while nobody listens: within two minutes of its return each is told whole and in its order."""
    t = await teller(zammad=at_zammad(zammad))
    zammad.down()
    calls = [await t.call(n) for n in range(90)]
    for call_id in calls:
        await t.tell(queued(call_id), answered(call_id), ended(call_id))
        await t.wait(40)
        assert sum(c.busy for c in t.sinks.couriers.values()) <= courier.MOST_AT_ONCE
        assert t.sinks._outbox.at_hand <= 3
    assert len(await t.rows(deliveries)) == 270
    tries = len(await t.rows(sink_tries))
    assert 20 <= tries <= 140, "a sink that is away is asked now and then, not for every message"
    assert [stood.state for stood in t.told] == ["away"]
    zammad.up()
    await t.wait(120, step=0.5)
    assert {call_id: zammad.events(call_id) for call_id in calls} == dict.fromkeys(calls, WHOLE)
    assert (zammad.faults, await t.rows(deliveries)) == ([], [])
    assert [stood.state for stood in t.told] == ["away", "back"]


async def test_killed_in_the_middle_it_tells_again_what_it_cannot_know(receiver: Receiver, teller: Made) -> None:
    """The answer never came: the same webhook-id and the same bytes come again, and nothing is left out."""
    t = await teller()
    await t.subscribe(f"{receiver.url}/in", "call.queued", "call.answered", "call.ended")
    call_id = await t.call(1)
    hanging, never = threading.Event(), threading.Event()

    def hang(_got: Got) -> int:
        hanging.set()
        never.wait(30)
        return 500

    receiver.answer = hang
    await t.tell(queued(call_id), answered(call_id))
    async with asyncio.timeout(10):
        while not hanging.is_set():
            await t.clock.advance(0.02)
            await asyncio.sleep(0.001)
    await t.kill()
    receiver.answer = lambda got: 200
    await t.boot()
    await t.tell(ended(call_id))
    await t.wait(400)
    never.set()
    ids = [got.headers["webhook-id"] for got in receiver.got]
    assert list(dict.fromkeys(ids)) == ["w-1-1", "w-1-2", "w-1-3"]
    assert len({(got.headers["webhook-id"], got.body) for got in receiver.got}) == 3
    heard = len(receiver.got)
    await t.kill()
    await t.boot()
    await t.wait(60)
    assert len(receiver.got) == heard, "what was taken is not told again"


@pytest.mark.parametrize("seed", range(2))
async def test_whatever_a_sink_answers_and_whenever_we_die_each_call_is_told_in_order(
    zammad: Zammad, teller: Made, seed: int
) -> None:
    """Half of its answers are faults, and the service is killed now and then: nothing lost, nothing early."""
    rng = random.Random(seed)
    t = await teller(zammad=at_zammad(zammad))
    taking = zammad.answer
    zammad.answer = lambda got: rng.choice((500, 422, 503, 429, 404)) if rng.random() < 0.5 else taking(got)
    calls = [await t.call(n) for n in range(15)]
    left = {call_id: [queued(call_id), answered(call_id), ended(call_id)] for call_id in calls}
    while left:
        call_id = rng.choice(sorted(left))
        await t.tell(left[call_id].pop(0))
        if not left[call_id]:
            del left[call_id]
        await t.wait(rng.choice((0.2, 2, 20)), step=5)
        if rng.random() < 0.06:
            await t.kill()
            await t.boot()
    zammad.answer = taking
    await t.wait(timedelta(hours=6).total_seconds(), step=600)
    assert {call_id: zammad.events(call_id) for call_id in calls} == dict.fromkeys(calls, WHOLE)
    assert (zammad.faults, await t.rows(deliveries)) == ([], [])


async def test_one_call_that_is_refused_holds_up_only_itself(zammad: Zammad, teller: Made) -> None:
    """Its answer is refused for half an hour: its hangup waits, the other calls do not."""
    t = await teller(zammad=at_zammad(zammad))
    bad, *good = [await t.call(n) for n in range(6)]
    taking = zammad.answer
    zammad.answer = lambda got: 500 if got.json["callId"] == bad and got.json["event"] == "answer" else taking(got)
    for call_id in (bad, *good):
        await t.tell(queued(call_id), answered(call_id), ended(call_id))
    await t.wait(30, step=1)
    assert [zammad.events(call_id) for call_id in good] == [WHOLE] * 5
    assert zammad.events(bad) == ["newCall"]
    zammad.answer = taking
    await t.wait(2000)
    assert zammad.events(bad) == WHOLE


async def test_webhooks_are_signed_and_hold_no_number_unless_granted(receiver: Receiver, teller: Made) -> None:
    """The signature is checked as the specification has it; the number comes with the grant alone."""
    t = await teller()
    await t.subscribe(f"{receiver.url}/plain", "call.queued")
    await t.subscribe(f"{receiver.url}/granted", "call.queued", sink_id="w-2", with_numbers=True)
    await t.tell(queued(await t.call(1)))
    await t.wait(1)
    found = {got.path: got for got in receiver.got}
    for got in found.values():
        content = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
        key = base64.b64decode(SECRET.removeprefix("whsec_"))
        signature = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
        assert got.headers["webhook-signature"] == f"v1,{signature}"
        assert abs(int(got.headers["webhook-timestamp"]) - t.clock.now().timestamp()) < 5
    assert found["/plain"].json["data"] == {"queue": "hotline"}
    assert found["/granted"].json["data"] == {"queue": "hotline", "caller": NUMBER}


async def test_410_ends_the_subscription(receiver: Receiver, teller: Made) -> None:
    """It is told nothing more, what it was owed is dropped, and the lead hears of it."""
    t = await teller()
    await t.subscribe(f"{receiver.url}/in", "call.queued")
    receiver.answer = lambda got: 410
    await t.tell(*[queued(await t.call(n)) for n in range(3)])
    await t.wait(5)
    heard = len(receiver.got)
    await t.tell(queued(await t.call(9)))
    await t.wait(3600)
    assert len(receiver.got) == heard
    assert [(s["end_reason"], s["ended_at"] is not None) for s in await t.rows(sinks)] == [("gone", True)]
    assert await t.rows(deliveries) == []
    assert [stood.state for stood in t.told] == ["ended"]
    assert not t.sinks.working


async def test_a_sink_that_asks_for_patience_gets_it(receiver: Receiver, teller: Made) -> None:
    """429 with Retry-After: 600: not one request for ten minutes, then everything."""
    t = await teller()
    await t.subscribe(f"{receiver.url}/in", "call.queued")
    receiver.answer = lambda got: (429, {"Retry-After": "600"})
    await t.tell(queued(await t.call(1)))
    await t.wait(5)
    assert len(receiver.got) == 1
    receiver.answer = lambda got: 200
    await t.tell(queued(await t.call(2)))
    await t.wait(580)
    assert len(receiver.got) == 1
    await t.wait(60)
    assert Counter(got.headers["webhook-id"] for got in receiver.got) == {"w-1-1": 2, "w-1-2": 1}


async def test_five_days_of_failures_end_a_subscription(receiver: Receiver, teller: Made) -> None:
    """Nothing but failures: alarm after five minutes, the end after five days; every try is in the log."""
    t = await teller()
    receiver.down()
    await t.subscribe(f"{receiver.url}/in", "call.queued")
    await t.tell(queued(await t.call(1)))
    await t.wait(timedelta(days=4, hours=23).total_seconds(), step=1200)
    assert [stood.state for stood in t.told] == ["away"]
    assert len(await t.rows(deliveries)) == 1, "it was the sink that failed: the message is still owed"
    await t.wait(timedelta(hours=2).total_seconds(), step=1200)
    assert [stood.state for stood in t.told] == ["away", "ended"]
    assert [sink["end_reason"] for sink in await t.rows(sinks)] == ["failing"]
    log = await t.rows(sink_tries)
    assert 100 < len(log) < 2000
    assert {row["status"] for row in log} == {"ConnectError"}


async def test_no_redirect_is_followed_and_no_neighbour_is_asked(receiver: Receiver, teller: Made) -> None:
    """A redirect is a failure. A name that leads to this machine is not asked unless the site has named it."""
    t = await teller()
    other = Receiver()
    receiver.answer = lambda got: (307, {"Location": f"{other.url}/in"})
    await t.subscribe(f"{receiver.url}/in", "call.queued")
    await t.subscribe(f"https://localhost.localdomain:{other.port}/in", "call.queued", sink_id="w-2")
    await t.tell(queued(await t.call(1)))
    await t.wait(2)
    other.down()
    tried = {(row["sink_id"], row["status"]) for row in await t.rows(sink_tries)}
    assert ("w-1", "307") in tried
    assert {status for sink, status in tried if sink == "w-2"} <= {"private_address", "gaierror"}
    assert other.got == []


async def test_without_a_sink_nothing_is_read_or_kept(tmp_path: Path, teller: Made) -> None:
    """No cursor, no row, no read: a commit costs one look at an empty dictionary. A later sink begins there."""
    t = await teller()
    await t.tell(*[queued(f"1795285585.{n}") for n in range(5)])
    await t.wait(60)
    async with t.store.read() as connection:
        assert await outbox.position(connection, "sinks") == 0
    assert t.sinks._outbox.at_hand == 0
    late = Receiver()
    await t.subscribe(f"{late.url}/in", "call.queued")
    await t.tell(queued("1795285585.77"))
    await t.wait(2)
    late.down()
    assert [got.json["subject"] for got in late.got] == ["1795285585.77"]


async def test_a_message_that_is_refused_for_three_days_is_given_up_and_can_be_told_again(
    receiver: Receiver, teller: Made
) -> None:
    """Ten tries by the schedule while other messages are taken; then an alarm, and an administrator tells it anew."""
    t = await teller()
    await t.subscribe(f"{receiver.url}/in", "call.queued")
    receiver.answer = lambda got: 422 if got.headers["webhook-id"] == "w-1-1" else 200
    await t.tell(queued(await t.call(1)))
    for n in range(2, 90):
        await t.wait(3600, step=3600)
        await t.tell(queued(f"1795285585.{n}"))
    await t.wait(3600 * 8, step=3600)
    refused = [row for row in await t.rows(sink_tries) if row["seq"] == 1]
    assert 10 <= len(refused) <= 12, "while three refusals in a row made it look away, tries do not count"
    assert timedelta(hours=56) < refused[-1]["at"] - refused[0]["at"] < timedelta(hours=96)
    assert [stood.state for stood in t.told] == ["away", "back", "gave_up"]  # at first nothing else was told
    assert [(row["given_up_at"] is not None, row["tries"]) for row in await t.rows(deliveries)] == [(True, 10)]
    receiver.answer = lambda got: 200
    assert await t.store.write(lambda connection: rows.again(connection, "w-1", t.clock.now())) == 1
    t.sinks.changed()
    await t.wait(5)
    assert receiver.got[-1].headers["webhook-id"] == "w-1-1"
    assert await t.rows(deliveries) == []


async def test_a_database_that_cannot_be_written_ends_nothing(
    receiver: Receiver, teller: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came back cannot be written down: seconds later it is told again, with its id, and work goes on."""
    t = await teller()
    await t.subscribe(f"{receiver.url}/in", "call.queued")
    kept, faults = rows.record, [OperationalError("COMMIT", None, sqlite3.OperationalError("disk I/O error"))]

    async def record(connection: Any, tried: Any) -> None:
        if faults:
            raise faults.pop()
        await kept(connection, tried)

    monkeypatch.setattr(rows, "record", record)
    await t.tell(queued(await t.call(1)))
    await t.wait(20, step=1)
    assert [got.headers["webhook-id"] for got in receiver.got] == ["w-1-1", "w-1-1"]
    assert await t.rows(deliveries) == []

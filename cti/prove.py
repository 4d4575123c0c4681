"""One simulated call through the whole chain: AMI, queue, offer, answer, ticket, pop, recording, MQTT, each timed.

It runs beside the service, on the live PBX: a caller and an agent made of tones meet in a queue of their own
(asterisk-conf), so no citizen waits longer and no agent's phone rings. What is measured is what the service did.
"""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import aiomqtt
import httpx
from sqlalchemy import delete, insert, select

from cti.ami import Link, LinkSettings, LinkState, Originate, QueueAdd, QueueRemove
from cti.clock import Clock, SystemClock
from cti.engine.world import PROVE_QUEUE
from cti.errors import CtiError
from cti.lab.asterisk import LabAsterisk, find_program
from cti.lab.broker import start_broker
from cti.lab.ports import free_port
from cti.lab.service import LabService
from cti.settings import Settings, load_settings
from cti.store import tables as t
from cti.store.db import Store
from cti.store.people import Pins, add_person, set_active
from cti.web.context import COOKIE, hash_token

T = TypeVar("T")
PROVER = "99999999"  # the work number of the agent made of tones
AGENT_LEG = "Local/agent@cti-prove/n"
PATIENCE_S = 20.0
POLL_S = 0.02

Say = Callable[[str], None]


class ProofError(CtiError):
    """A link of the chain that did not hold; the message says which and what to look at."""

    code = "proof"


@dataclass(slots=True)
class Proof:
    """What the call showed. Times in milliseconds after the step before it."""

    ok: bool = False
    tickets: int = 0
    recording_ok: bool = False
    recording_s: float | None = None
    answer_ms: int | None = None
    pop_ms: int | None = None
    links: dict[str, int | str] = field(default_factory=dict)
    failed: str | None = None

    def view(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "ok": self.ok, "tickets": self.tickets, "recording_ok": self.recording_ok, "recording_s": self.recording_s,
            "answer_ms": self.answer_ms, "pop_ms": self.pop_ms, "links": self.links, "failed": self.failed,
        }  # fmt: skip


async def prove_live(settings: Settings, clock: Clock, say: Say) -> Proof:
    """Run the proof against the service that uses *settings*; a broken chain is a result, not an exception."""
    store = await Store.open(settings.database)
    proof = Proof()
    try:
        await _Prover(settings, clock, store, proof, say).run()
        proof.ok = proof.tickets == 1 and proof.recording_ok
    except (CtiError, httpx.HTTPError, aiomqtt.MqttError) as error:
        proof.failed = str(error) or type(error).__name__
        say(f"✗ {proof.failed}")
    finally:
        await store.close()
    return proof


class _Prover:
    def __init__(self, settings: Settings, clock: Clock, store: Store, proof: Proof, say: Say) -> None:
        self.settings, self.clock, self.store, self.proof, self._say = settings, clock, store, proof, say
        self.up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        ami = settings.ami
        account = LinkSettings(ami.host, ami.port, ami.username, ami.secret, ami.action_timeout_s)
        self.link = Link(account, clock, lambda event: None, self._state, lambda trouble: None, wanted=frozenset())

    def _state(self, state: LinkState, reason: str) -> None:
        if state is LinkState.UP and not self.up.done():
            self.up.set_result(None)
        elif state is LinkState.REFUSED and not self.up.done():
            self.up.set_exception(ProofError(f"AMI: {reason}"))

    async def run(self) -> None:
        """The whole proof, and everything put back afterwards."""
        began = self.clock.now()
        linking = asyncio.create_task(self.link.run(), name="prove-link")
        try:
            await self._within(self.up, "AMI: no session; is Asterisk running, is manager.d/cti.conf loaded?")
            self._tell("AMI", self.clock.now() - began)
            token = await self._enter()
            try:
                await self._call(token)
            finally:
                await self.link.send(QueueRemove(PROVE_QUEUE, AGENT_LEG))
                await self._leave(token)
        finally:
            linking.cancel()
            await asyncio.gather(linking, return_exceptions=True)

    async def _enter(self) -> str:
        """Somebody whose page the ticket can pop on."""
        pins, token = Pins(), secrets.token_urlsafe(24)
        async with self.store.read() as connection:
            known = (await connection.execute(select(t.people.c.number).where(t.people.c.number == PROVER))).first()
        if known is None:
            await add_person(self.store, pins, PROVER, "拨测", "agent", str(10**11 + secrets.randbelow(9 * 10**11)))
        else:
            await set_active(self.store, PROVER, True)
        now = self.clock.now()
        row = {"token_hash": hash_token(token), "number": PROVER, "created_at": now,
               "expires_at": now + timedelta(minutes=5)}  # fmt: skip
        await self.store.write(lambda c: c.execute(insert(t.sessions), [row]))
        return token

    async def _leave(self, token: str) -> None:
        gone = t.sessions.c.token_hash == hash_token(token)
        await self.store.write(lambda c: c.execute(delete(t.sessions).where(gone)))
        await set_active(self.store, PROVER, False)

    async def _call(self, token: str) -> None:
        await self.link.send(QueueRemove(PROVE_QUEUE, AGENT_LEG))  # of a proof that was broken off
        added = await self.link.send(QueueAdd(PROVE_QUEUE, AGENT_LEG, PROVER))
        if not added.success:
            raise ProofError(f"queue: {PROVE_QUEUE} takes no member ({added.message}): is cti_queues.conf included?")
        listening: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        pop = asyncio.create_task(self._pop(token, listening), name="prove-pop")
        subscribed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heard = asyncio.create_task(self._mqtt(subscribed), name="prove-mqtt") if self.settings.mqtt.host else None
        try:
            await self._ready(pop, listening, "pop: the page's stream does not answer")
            if heard is not None:
                await self._ready(heard, subscribed, "MQTT: the broker does not answer")
            await self._watch(pop, heard)
        finally:
            tasks = [task for task in (pop, heard) if task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _ready(self, task: asyncio.Task[datetime], ready: asyncio.Future[None], trouble: str) -> None:
        await self._within(asyncio.wait((task, ready), return_when=asyncio.FIRST_COMPLETED), trouble)
        if task.done():
            task.result()

    async def _watch(self, pop: asyncio.Task[datetime], heard: asyncio.Task[datetime] | None) -> None:
        sent = self.clock.now()
        # Equally long ids: Asterisk refuses one that is the beginning of a living leg's.
        call_id, channel_id = (f"ctiprove-{int(sent.timestamp())}.{n}{secrets.randbelow(10**8):08}" for n in (1, 2))
        dial = Originate("Local/queue@cti-prove/n", "cti-prove", "caller", channel_id, other_channel_id=call_id)
        reply = await self.link.send(dial)
        if not reply.success:
            raise ProofError(f"queue: Asterisk refused the call ({reply.message}): is cti_extensions.conf included?")
        calls, offers = t.calls.c, t.offers.c
        call = await self._row(select(t.calls).where(calls.linkedid == channel_id), "queue: the call never came")
        self._tell("queue", call["entered_at"] - sent)
        mine = offers.call_id == call["call_id"]
        offer = await self._row(select(t.offers).where(mine), "offer: nobody was rung")
        self._tell("offer", offer["offered_at"] - call["entered_at"])
        answered = select(t.calls).where(calls.call_id == call["call_id"], calls.answered_at.is_not(None))
        call = await self._row(answered, "answer: nobody answered")
        self.proof.answer_ms = self._tell("answer", call["answered_at"] - offer["offered_at"])
        owed = select(t.tickets).where(t.tickets.c.call_id == call["call_id"])
        ticket = await self._row(owed, "ticket: no stub was opened")
        self._tell("ticket", ticket["opened_at"] - call["answered_at"])
        popped = await self._within(pop, "pop: the ticket did not reach the agent's page")
        self.proof.pop_ms = self._tell("pop", popped - call["answered_at"])
        if heard is None:
            self.proof.links["MQTT"] = "not configured"
            self._say("– MQTT not configured")
        else:
            arrived = await self._within(heard, "MQTT: call.answered did not arrive")
            self._tell("MQTT", arrived - call["answered_at"])
        await self._recording(call["call_id"])
        async with self.store.read() as connection:
            self.proof.tickets = len((await connection.execute(owed)).all())

    async def _recording(self, call_id: str) -> None:
        looked = (t.recordings.c.call_id == call_id) & (t.recordings.c.state != "expected")
        row = await self._row(select(t.recordings).where(looked), "recording: never looked at")
        self.proof.recording_ok = row["state"] in ("ok", "repaired")
        self.proof.recording_s = None if row["length_ms"] is None else row["length_ms"] / 1000
        if not self.proof.recording_ok:
            raise ProofError(f"recording: {row['state']}: {row['reason']}; is the folder readable for the service?")
        self._tell("recording", timedelta(milliseconds=row["length_ms"] or 0))

    async def _row(self, query: Any, trouble: str) -> Any:
        limit = self.clock.monotonic() + PATIENCE_S
        while self.clock.monotonic() < limit:
            async with self.store.read() as connection:
                row = (await connection.execute(query)).mappings().first()
            if row is not None:
                return row
            await self.clock.sleep(POLL_S)
        raise ProofError(trouble)

    async def _pop(self, token: str, listening: asyncio.Future[None]) -> datetime:
        """When the ticket reached the page of the agent made of tones."""
        web = self.settings.web
        address = f"{'https' if web.certificate else 'http'}://{web.host}:{web.port}/api/v1/stream"
        # The certificate names the pages' public host, and this is the loopback of the same machine.
        async with (
            httpx.AsyncClient(verify=False, timeout=PATIENCE_S) as client,  # noqa: S501
            client.stream("GET", address, headers={"Cookie": f"{COOKIE}={token}"}) as reply,
        ):
            if reply.status_code != 200:
                raise ProofError(f"pop: the page's stream answered {reply.status_code}")
            async for line in reply.aiter_lines():
                if line == "event: board" and not listening.done():
                    listening.set_result(None)
                if line == "event: pop" and listening.done():
                    return self.clock.now()
        raise ProofError("pop: the page's stream ended")

    async def _mqtt(self, subscribed: asyncio.Future[None]) -> datetime:
        """When call.answered came from the broker."""
        mqtt = self.settings.mqtt
        async with aiomqtt.Client(
            mqtt.host, mqtt.port, username=mqtt.username or None, password=mqtt.password or None
        ) as client:
            await client.subscribe(f"{mqtt.prefix}/v1/{mqtt.site}/call/+/event", qos=1)
            subscribed.set_result(None)
            async for message in client.messages:
                if b"call.answered" in bytes(message.payload) and PROVER.encode() in bytes(message.payload):
                    return self.clock.now()
        raise ProofError("MQTT: the broker ended the session")

    async def _within(self, work: Awaitable[T], trouble: str) -> T:
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await work
        except TimeoutError:
            raise ProofError(trouble) from None

    def _tell(self, link: str, took: timedelta) -> int:
        ms = round(took / timedelta(milliseconds=1))
        self.proof.links[link] = ms
        self._say(f"✓ {link:<10}{ms:>7} ms")
        return ms


def prove_lab(say: Say) -> Proof:
    """Bring Asterisk, a broker and the service up in a temporary folder, prove them, and take all of it down.

    Raises:
        CtiError: a part could not be brought or started; one line with the way out.
    """
    with tempfile.TemporaryDirectory(prefix="cti-prove-") as folder, ExitStack() as stack:
        program = find_program(say)
        lab = LabAsterisk(Path(folder) / "lab", program)
        stack.callback(lab.stop)
        lab.start()
        port = free_port()
        stack.callback(start_broker(Path(folder), port))
        service = LabService.beside(lab, Path(folder) / "service", mqtt={"host": "127.0.0.1", "port": port})
        stack.callback(service.stop)
        service.prepare([])
        service.start()
        say("Asterisk, Mosquitto and the service are up")
        return asyncio.run(prove_live(load_settings(service.work / "config.toml"), SystemClock(), say))

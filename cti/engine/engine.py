"""The loop: drain the inbox, let the pure core decide, write one transaction, and only then tell and act."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from agents.presence import Agent
from cti.ami import Event
from cti.bus.local import LocalBus, Subscription
from cti.bus.outbox import Message
from cti.clock import Clock
from cti.commands import Command, Outcome
from cti.engine.asking import Asking
from cti.engine.dialling import Diallings
from cti.engine.duty.parts import names_strangers, parts_of
from cti.engine.hearing import HEARD, Hearing
from cti.engine.inputs import (
    Aligned,
    Asked,
    Checked,
    Dialled,
    Due,
    Effect,
    Heard,
    Input,
    LinkChanged,
    Read,
    Synced,
    Traced,
)  # fmt: skip
from cti.engine.joining import asked_before
from cti.engine.loading import load_callbacks, load_calls, load_people, load_world
from cti.engine.outcomes import checked
from cti.engine.persist import persist
from cti.engine.steps import Steps
from cti.engine.syncing import Syncing
from cti.engine.world import DUTY, Changes, World
from cti.errors import BadInput, CtiError, Unavailable
from cti.ids import CALLBACK_LEG, Ids
from cti.settings import Settings
from cti.store import tables as t
from cti.store.db import Store
from cti.workdays import load_calendar
from queues.board import agent_view, queue_view, waiting_view
from regulations import Profile

log = structlog.get_logger()

MOST_WAITING = 100_000  # inputs; beyond it the oldest knowledge is worthless and a resync is cheaper
MOST_AT_ONCE = 500  # inputs in one transaction
GATHER_S = 0.007  # a batch waits this long for company: one commit instead of many, far below the 20 ms promised
QUEUE_STATE_APART = timedelta(milliseconds=200)  # a retained state that changes faster is read by nobody
RETRY_S = 0.25  # between tries when the database is locked, by a backup for example


class Engine:
    """The only consumer of inputs and the only writer of the world.

    Args:
        after_commit: told which messages became durable (MQTT wakes up).
        act: takes each effect after the commit of what decided it.
        wake: asked to put ``Due(key)`` at a moment of the wall clock.
        time: asked to put ``Due(key)`` at a moment of the monotonic clock, seconds.
        on_overflow: told that inputs were dropped; the caller resyncs.
    """

    def __init__(
        self,
        settings: Settings,
        profile: Profile,
        zone: ZoneInfo,
        store: Store,
        clock: Clock,
        ids: Ids,
        act: Callable[[Effect], None],
        wake: Callable[[str, datetime], None],
        time: Callable[[str, float], None],
        after_commit: Callable[[list[Message]], None],
        on_overflow: Callable[[], None],
    ) -> None:
        hotline = settings.hotline
        self.settings, self.store, self.clock = settings, store, clock
        self.world = World(profile, zone, profile.hotline, hotline.queue, timedelta(seconds=hotline.wrap_up_s))
        self.world.calendar = load_calendar(hotline.workdays, clock.now().year)
        self._labels = {code: reason.zh for code, reason in hotline.busy_reasons.items()}
        self._steps = Steps(self.world, ids)
        self._diallings = Diallings(self.world, ids, settings.callback)
        self._hearing = Hearing(self.world, self._steps, self._diallings)
        self._syncing = Syncing(self.world, self._steps, self._hearing, settings.pbx_id)
        self._asking = Asking(self.world, self._diallings, ids, settings)
        self.world.ask = self._asking.take
        self.world.fact = self._steps.take
        self.world.plan = self._diallings.plan
        self.world.boot = clock.boot
        self.world.parts = parts_of(self.world, ids, settings)
        self._act, self._wake, self._time = act, wake, time
        self._after_commit, self._on_overflow = after_commit, on_overflow
        self._bus = LocalBus()
        self._inbox: deque[Input] = deque()
        self._ring = asyncio.Event()

    def put(self, item: Input) -> None:
        """Give the engine one input; returns at once."""
        if len(self._inbox) >= MOST_WAITING:
            self._inbox.clear()
            self._on_overflow()
        self._inbox.append(item)
        self._ring.set()

    def hear(self, event: Event) -> None:
        """Give the engine one AMI event."""
        if isinstance(event, HEARD):
            self.put(Heard(event))

    async def submit(self, command: Command) -> Outcome:
        """Ask for something and wait until the answer is durable.

        Raises:
            BadInput: naming the field of the command that cannot be taken.
            Unavailable: the service is ending.
        """
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.put(Asked(command, answer))
        return await answer

    def note(self, command: Command) -> None:
        """Ask for something without waiting for the answer."""
        self.put(Asked(command, None))

    def subscribe(self) -> Subscription:
        """Hear every message from now on, after its commit."""
        return self._bus.subscribe()

    def agent(self, number: str) -> Agent | None:
        """The agent as he stands now."""
        return self.world.agents.get(number)

    def channels_unknown_to(self, alive: set[str]) -> set[str]:
        """Channels of open calls, callers' and agents' legs, that are not in *alive*."""
        calls = self.world.open_calls()
        legs = {o.leg for call in calls for o in call.offers if o.leg is not None and o.talk_ended_at is None}
        return ({call.call_id for call in calls} | legs) - alive

    async def load(self) -> None:
        """Take up where the last run ended; to be awaited before ``run``."""
        self.world.now = self.clock.now()
        async with self.store.read() as connection:
            await load_world(connection, self.world, self.settings.pbx_id, self.clock.now())
            for part in self.world.parts:
                await part.load(connection, self.clock.now())
        self.put(Due("start:"))

    async def run(self) -> None:
        """Consume until cancelled."""
        try:
            while True:
                await self._wait()
                batch = [self._inbox.popleft() for _ in range(min(len(self._inbox), MOST_AT_ONCE))]
                await self._take(batch)
        finally:
            for item in self._inbox:
                if isinstance(item, Asked) and item.answer is not None and not item.answer.done():
                    item.answer.set_exception(Unavailable("the service is ending"))

    async def _wait(self) -> None:
        while not self._inbox:
            self._ring.clear()
            await self._ring.wait()
        await self.clock.sleep(GATHER_S)

    async def _take(self, batch: list[Input]) -> None:
        await self._fetch(batch)
        now = self.clock.now()
        world = self.world
        world.changes = changes = Changes()
        world.now, world.mono = now, self.clock.monotonic()
        world.new_day(now)
        answers = [(item, self._guarded(item, now)) for item in batch]
        self._guarded(Due("batched:"), now)
        self._tell_states(now)
        world.forget_closed(now)
        messages = await self._commit(changes) if changes.rows() else []
        world.versions.update(changes.shown)
        self._bus.publish(messages)
        if messages:
            self._after_commit(messages)
        for key, at in changes.wakes.items():
            self._wake(key, at)
        for key, mono in changes.timers.items():
            self._time(key, mono)
        for effect in changes.effects:
            self._act(effect)
        for item, outcome in answers:
            if isinstance(item, Asked) and item.answer is not None and not item.answer.done():
                if isinstance(outcome, Outcome):
                    item.answer.set_result(outcome)
                elif isinstance(outcome, CtiError):
                    item.answer.set_exception(outcome)

    async def _fetch(self, batch: list[Input]) -> None:
        """Bring what this batch speaks of and memory no longer holds: old calls, new people."""
        rare = [item for item in batch if not isinstance(item, Heard)]
        if not rare:
            return
        known = self.world.calls
        unknown = {f.call_id for item in rare if isinstance(item, Read) for f in item.facts if f.call_id not in known}
        commands = [item.command for item in rare if isinstance(item, Asked)]
        asked = asked_before(commands)
        strangers = any(names_strangers(c, self.world.agents) for c in commands)
        lacking = [part for part in self.world.parts if any(part.lacks(command) for command in commands)]
        if unknown or strangers or asked is not None or lacking:
            async with self.store.read() as connection:
                await load_calls(connection, self.world, self.settings.pbx_id, unknown)
                await load_people(connection, self.world, self.settings.pbx_id)
                attempts = {channel_id for channel_id in unknown if channel_id.startswith(CALLBACK_LEG)}
                rated = select(t.attempts.c.callback_id).where(t.attempts.c.channel_id.in_(attempts))
                of_ratings = t.callbacks.c.callback_id.in_(rated)
                await load_callbacks(connection, self.world, of_ratings if asked is None else asked | of_ratings)
                for part in lacking:
                    await part.fetch(connection, commands)

    def _guarded(self, item: Input, now: datetime) -> Outcome | CtiError | None:
        """One input that we cannot take must not stop the hotline, nor come again at every start: it is told."""
        try:
            return self._apply(item, now)
        except BadInput as error:
            return error
        except Exception as error:
            log.exception("input_failed", input=type(item).__name__, reason=type(error).__name__)
            self.world.tell(now, "alarm", self.settings.pbx_id, {"code": "input_failed"}, "lead")
            return CtiError("the service could not do this; it has been logged")

    def _apply(self, item: Input, now: datetime) -> Outcome | None:
        match item:
            case Heard(event):
                self._hearing.take(event, now)
            case Asked(command, _):
                return self._asking.take(command, now)
            case Read(facts, cursors):
                for fact in facts:
                    self._steps.take(fact, now)
                self.world.changes.cursors.update(cursors)
            case LinkChanged():
                self._syncing.link(item, now)
            case Synced():
                self._syncing.synced(item, now)
            case Checked():
                checked(self.world, item, now)
            case Dialled():
                self._diallings.sent(item, now)
            case Traced():
                self._diallings.traced(item, now)
            case Aligned(number, trouble):
                self._aligned(number, trouble, now)
            case Due(key):
                self._due(key, now)
        return None

    def _due(self, key: str, now: datetime) -> None:
        topic, _, subject = key.partition(":")
        match topic:
            case "callback":
                self._diallings.due(subject, now)
            case "outside":
                self._hearing.still_outside(subject, now)
            case "batched":
                for part in self.world.parts:
                    part.batched(now)
            case "queue":
                pass  # being looked at again is all: the state is told below
            case "wrap":
                self.world.changes.agents.add(subject)
            case "start":
                self.world.changes.agents.update(agent.number for agent in self.world.crew())
                for callback in self.world.callbacks.values():
                    if callback.due_at is not None:
                        self.world.wake_at(callback.due_at, f"callback:{callback.callback_id}")
                for part in self.world.parts:
                    part.started(now)
            case _:
                self._due_of_parts(topic, subject, now)

    def _due_of_parts(self, topic: str, subject: str, now: datetime) -> None:
        for part in self.world.parts:
            waker = part.dues().get(topic)
            if waker is not None:
                return waker(subject, now)
        raise ValueError(f"nobody asked to be woken for {topic}")

    def _aligned(self, number: str, trouble: str | None, now: datetime) -> None:
        self.world.aligning.discard(number)
        self.world.wake_at(now + timedelta(seconds=2), f"outside:{number}")
        if trouble is not None:
            self.world.tell(
                now, "alarm", number, {"code": "agent_not_aligned", "agent": number, "why": trouble}, "lead"
            )

    def _tell_states(self, now: datetime) -> None:
        """One agent.state for each agent, and one queue.state, that differ from what was told last."""
        world = self.world
        for number in sorted(world.changes.agents):
            agent = world.agents[number]
            view = agent_view(agent, now, self._labels, 0)
            data = {k: view[k] for k in ("state", "since", "reason", "seat")} | {"queue": world.queue}
            if world.told_agents.get(number) != data:
                world.told_agents[number] = data
                world.tell(now, "agent.state", number, data)
            if view["state"] == "wrap_up" and agent.wrap_until is not None:
                world.wake_at(agent.wrap_until, f"wrap:{number}")
        if now - world.told_queue_at < QUEUE_STATE_APART:
            self._wake("queue:", world.told_queue_at + QUEUE_STATE_APART)
            return
        view = queue_view(world.queue, world.waiting(), world.crew(), now)
        del view["name"]
        if view != world.told_queue:
            world.told_queue, world.told_queue_at = view, now
            world.tell(now, "queue.state", world.queue, view)

    async def _commit(self, changes: Changes) -> list[Message]:
        while True:
            try:
                return await self.store.write(lambda c: persist(c, self.world, changes, self.settings.pbx_id))
            except OperationalError as error:
                # Locked or full: the batch is kept and tried again. A ticket may come late, never be lost.
                log.error("database_busy", reason=type(error.orig).__name__)
                self.world.kept_agents.clear()  # what was written in vain is not kept
                await self.clock.sleep(RETRY_S)

    def _duty(self, now: datetime) -> dict[str, Any]:
        """What the parts show; ``version`` rises when a page of the duty desk should ask again."""
        views: dict[str, Any] = {"version": self.world.versions[DUTY]}
        for part in self.world.parts:
            views.update(part.view(now))
        return views

    def board(self) -> Mapping[str, Any]:
        """The live picture as JSON values; callers' numbers are masked."""
        world, now = self.world, self.clock.now()
        world.mono = self.clock.monotonic()
        agents = world.crew()
        waiting = list(world.waiting())
        reasons = self.settings.hotline.busy_reasons
        lines = [agent_view(a, now, self._labels, world.today.by_agent.get(a.number, 0)) for a in agents]
        for part in world.parts:
            for line in lines:
                line.update(part.line(line["number"], now))
        return {
            "at": now.isoformat(),
            "hotline": world.hotline,
            "name_zh": world.profile.name_zh,
            "name_en": world.profile.name_en,
            "limit_s": world.limit.total_seconds(),
            "demo": self.settings.demo,
            "link": world.link,
            "stale_since": world.stale_since.isoformat() if world.stale_since else None,
            "queue": queue_view(world.queue, waiting, agents, now),
            "today": world.today.view(),
            "agents": lines,
            "waiting": waiting_view(waiting),
            "busy_reasons": {code: reason.model_dump() for code, reason in reasons.items()},
            "duty": self._duty(now),
            "alarms": [
                {"at": m.at.isoformat(), "kind": m.kind, "subject": m.subject, **m.data} for m in reversed(world.alarms)
            ],
        }

"""What the engine holds in memory, and what one batch changed of it. The database is the truth; this is its front."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Table

from agents.presence import Agent
from cti.bus.outbox import Message
from cti.commands import Command, Outcome
from cti.engine.inputs import CheckRecording, Effect, SetGlobal
from cti.engine.part import Act, ActKind, Part
from cti.engine.records import Callback, Recording, TicketOwner
from queues.board import Today
from queues.callbacks import CallbackLimits, limits_of
from queues.calls import Call, Offer
from queues.facts import CallFact
from queues.planning import quarter_of
from queues.stubs import Stub
from queues.tickets import Ticket
from queues.workdays import WEEKENDS
from regulations import Profile

PROVE_QUEUE = "cti-prove"  # of asterisk-conf/cti_queues.conf; its calls are real, but no part of the hotline's figures

ALARMS = ("alarm", "recording.alarm")
DUTY = "duty"  # what the pages of the duty desk show
OPEN = ("due", "placing")  # states of a callback that is still to be made
MOST_ALARMS = 20  # the newest; a board is no ledger

SWITCH_NAME = re.compile(r"CTI_[A-Z0-9_]{1,60}")
SWITCH_VALUE = re.compile(r"[A-Za-z0-9_.,/-]{0,120}")

# A closed call is kept this long for late facts (queue_log's true reason, a second witness); then the store has it.
KEEP_CLOSED = timedelta(seconds=30)


@dataclass(slots=True)
class Changes:
    """One batch: rows to write, messages to tell, effects to start after the commit."""

    calls: dict[str, Call] = field(default_factory=dict)
    offers: dict[tuple[str, int], Offer] = field(default_factory=dict)
    agents: set[str] = field(default_factory=set)
    tickets: list[Ticket] = field(default_factory=list)
    sharper: list[Call] = field(default_factory=list)  # calls whose ticket's times became exact
    popped: list[tuple[str, datetime]] = field(default_factory=list)
    owners: dict[str, TicketOwner] = field(default_factory=dict)  # tickets that were taken over or finished
    recordings: dict[str, Recording] = field(default_factory=dict)
    callbacks: dict[str, Callback] = field(default_factory=dict)
    gaps: list[dict[str, Any]] = field(default_factory=list)
    cursors: dict[str, str] = field(default_factory=dict)
    records: dict[Table, dict[tuple[Any, ...], dict[str, Any]]] = field(default_factory=dict)  # rows of the parts
    messages: list[Message] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    switched: set[str] = field(default_factory=set)  # names of World.switches whose value changed
    wakes: dict[str, datetime] = field(default_factory=dict)
    timers: dict[str, float] = field(default_factory=dict)  # like wakes, at seconds of the monotonic clock
    shown: Counter[str] = field(default_factory=Counter)  # what rises in World.versions after the commit

    def rows(self) -> bool:
        """Whether there is anything to write."""
        return bool(
            self.calls or self.agents or self.tickets or self.popped or self.recordings or self.callbacks
            or self.gaps or self.cursors or self.messages or self.sharper or self.records or self.owners
        )  # fmt: skip


class World:
    """Calls, agents and callbacks as they stand after the inputs so far."""

    ask: Callable[[Command, datetime], Outcome]
    """Rules on a command and carries it out, as if a person had sent it; put in by the engine."""

    fact: Callable[[CallFact, datetime], None]
    """Takes a fact about a call, as if a witness had told it; put in by the engine."""

    plan: Callable[[Callback, datetime, datetime], Callback]
    """Puts a callback where the planner has it, not before a moment; put in by the engine."""

    def __init__(self, profile: Profile, zone: ZoneInfo, hotline: str, queue: str, wrap_up: timedelta) -> None:
        self.profile = profile
        self.zone = zone
        self.hotline = hotline
        self.queue = queue
        self.wrap_up = wrap_up
        answer = profile.get("answer.within")
        self.limit = timedelta(seconds=answer.seconds()) if answer else timedelta(seconds=15)
        self.callback_limits: CallbackLimits = limits_of(profile, zone)
        self.calendar = WEEKENDS  # the engine puts the site's in its place
        self.calls: dict[str, Call] = {}
        self.legs: dict[str, str] = {}
        self.linked: dict[str, str] = {}  # linkedid -> call id
        self.watched: set[str] = set()  # further legs whose end the parts want to hear of
        self._queued: set[str] = set()  # of the calls: a board is made for each batch, and closed calls are many
        self.agents: dict[str, Agent] = {}
        self.leads: set[str] = set()  # shift leads: on the board only while they are signed in themselves
        self.callbacks: dict[str, Callback] = {}
        self._owed_to: dict[str, dict[str, str]] = {}  # number -> extension -> its open callback
        self.due_in: Counter[datetime] = Counter()  # start of a quarter-hour -> callbacks that are due in it
        self.rostered_crew: Callable[[datetime], int | None] = lambda _at: None  # the roster puts its own in
        self.recordings: dict[str, Recording] = {}
        self.stubs: dict[str, Stub] = {}  # by ticket id: those that are not finished
        self.closed: deque[tuple[datetime, str]] = deque()
        self.today = Today(date.min)
        self.link = "connecting"
        self.stale_since: datetime | None = None  # the beginning of the gap that is open
        self.stale_reason = ""
        self.aligning: set[str] = set()  # agents whose actions are on their way to Asterisk
        self.kept_agents: dict[str, dict[str, Any]] = {}  # rows as they were written last
        self.told_agents: dict[str, dict[str, Any]] = {}
        self.told_queue: dict[str, Any] = {}
        self.told_queue_at = datetime.min.replace(tzinfo=UTC)
        self.alarms: deque[Message] = deque(maxlen=MOST_ALARMS)
        self.now = datetime.min.replace(tzinfo=UTC)  # the wall clock at the batch
        self.mono = 0.0  # the monotonic clock at the batch, seconds
        self.boot = ""  # of the machine: what the monotonic clock may be compared within
        self.pages: Counter[str] = Counter()  # open pages by person
        self.stepped_at: datetime | None = None  # the newest step of the wall clock, in its reading after it
        self.switches: dict[str, str] = {}  # desired values of the dialplan's global variables
        self.parts: list[Part] = []
        self.versions: Counter[str] = Counter()  # of what pages show, by what it is; only of what is durable
        self.changes = Changes()

    def tell(self, at: datetime, kind: str, subject: str, data: dict[str, Any], audience: str = "all") -> None:
        """Put a message into this batch's outbox."""
        message = Message(0, at, kind, subject, audience, data)
        self.changes.messages.append(message)
        if kind in ALARMS:
            self.alarms.append(message)

    def wake_at(self, at: datetime, key: str) -> None:
        """Ask for ``Due(key)`` at *at*; a later request for the same key replaces the earlier."""
        self.changes.wakes[key] = at

    def time_at(self, mono: float, key: str) -> None:
        """Ask for ``Due(key)`` when the monotonic clock shows *mono* seconds, whatever the wall clock does."""
        self.changes.timers[key] = mono

    def write(self, table: Table, row: dict[str, Any], *, shown: bool = True) -> None:
        """Keep a part's row with this batch: inserted, or all its columns replaced. A row names every column it has.

        *shown*: whether a page of the duty desk shows it, so that every open one asks again.
        """
        key = tuple(row[column.name] for column in table.primary_key)
        self.changes.records.setdefault(table, {})[key] = row
        if shown:
            self.changed()

    def changed(self, what: str = DUTY) -> None:
        """Pages that show *what* ask again, once this batch is durable: asked before, they would read what was."""
        self.changes.shown[what] += 1

    def switch(self, name: str, value: str) -> None:
        """Declare the value of a global variable of the dialplan; set now, and again whenever Asterisk forgot it.

        Args:
            name: CTI_ and A-Z, 0-9, underscore.
            value: at most 120 of letters, digits and ``_.,/-``; "" clears.

        Raises:
            ValueError: another name or value, which a dialplan could read as more than a value.
        """
        if not SWITCH_NAME.fullmatch(name) or not SWITCH_VALUE.fullmatch(value):
            raise ValueError("switch: CTI_NAME and a plain value of at most 120 characters are needed")
        if self.switches.get(name) != value:
            self.switches[name] = value
            self.changes.switched.add(name)
            self.apply_switch(name)

    def apply_switch(self, name: str) -> None:
        """Set what is declared, once the link is up; until then the end of the gap will."""
        if self.link == "up":
            self.changes.effects.append(SetGlobal(name, self.switches[name]))

    def acted(
        self,
        kind: ActKind,
        agent: str,
        now: datetime,
        *,
        seat: str | None = None,
        reason: str | None = None,
        by: str | None = None,
    ) -> None:
        """Tell every part what happened to an agent."""
        act = Act(kind, agent, now, self.mono, seat, reason, by)
        for part in self.parts:
            part.acted(act, now)

    def rostered(self, now: datetime) -> None:
        """Tell every part that shifts came, moved or went."""
        for part in self.parts:
            part.rostered(now)

    def put_call(self, call: Call) -> None:
        """Keep the call and write it, and those of its offers that changed, with this batch."""
        before = self.calls.get(call.call_id)
        for offer in call.offers:
            if before is None or offer not in before.offers:
                self.changes.offers[call.call_id, offer.ordinal] = offer
        self.changes.calls[call.call_id] = call
        self.remember(call)

    def remember(self, call: Call) -> None:
        """Keep the call as it stands."""
        self.calls[call.call_id] = call
        self.linked[call.linkedid] = call.call_id
        (self._queued.add if call.waiting else self._queued.discard)(call.call_id)
        for offer in call.offers:
            if offer.leg is not None:
                self.legs[offer.leg] = call.call_id

    def put_stub(self, stub: Stub, now: datetime) -> None:
        """Keep the particulars of a ticket stub; every part hears of it, and the part of the tickets writes it."""
        before = self.stubs.get(stub.ticket_id)
        self.stubs[stub.ticket_id] = stub
        for part in self.parts:
            part.stub_changed(before, stub, now)

    def put_agent(self, agent: Agent) -> None:
        """Keep the agent and write the desired state with this batch."""
        self.agents[agent.number] = agent
        self.changes.agents.add(agent.number)

    def put_callback(self, callback: Callback) -> None:
        """Keep the callback and write it, with its attempts, in this batch; every part hears of it."""
        self.remember_callback(callback)
        self.changes.callbacks[callback.callback_id] = callback
        self.changed()  # the desk shows it
        for part in self.parts:
            part.called_back(callback, self.now)

    def remember_callback(self, callback: Callback) -> None:
        """Keep the callback as it stands, and find it by its number while it is open."""
        before = self.callbacks.get(callback.callback_id)
        self.callbacks[callback.callback_id] = callback
        if before is not None and before.due_at is not None:
            slot = quarter_of(before.due_at)
            self.due_in[slot] -= 1
            if not self.due_in[slot]:
                del self.due_in[slot]
        if callback.due_at is not None:
            self.due_in[quarter_of(callback.due_at)] += 1
        of_number = self._owed_to.setdefault(callback.number, {})
        if callback.state in OPEN:
            of_number[callback.extension] = callback.callback_id
        elif of_number.get(callback.extension) == callback.callback_id:
            del of_number[callback.extension]
        if not of_number:
            del self._owed_to[callback.number]

    def owed_to(self, number: str) -> dict[str, Callback]:
        """The open callbacks to *number*, as it is dialled: extension ("" for none) -> callback."""
        return {extension: self.callbacks[one] for extension, one in self._owed_to.get(number, {}).items()}

    def put_recording(self, recording: Recording) -> None:
        """Keep what is known of a recording and write it with this batch."""
        self.recordings[recording.call_id] = recording
        self.changes.recordings[recording.call_id] = recording

    def judge_recording(self, call_id: str, talk_ms: int) -> None:
        """Have a recording, where there is one, judged by the talk's length (ms), which is kept until that is done.

        Without the length nobody could ask again after a crash in between.
        """
        recording = self.recordings.get(call_id)
        if recording is not None and recording.path:
            self.put_recording(replace(recording, expected_ms=talk_ms))
            self.changes.effects.append(CheckRecording(call_id, talk_ms))

    def waiting(self) -> Iterable[Call]:
        """Queue entries that nobody has answered yet."""
        return [call for call_id in self._queued if (call := self.calls[call_id]).queue == self.queue]

    def open_calls(self) -> list[Call]:
        """Calls whose caller is still there, as far as is known."""
        return [call for call in self.calls.values() if not call.closed]

    def crew(self) -> list[Agent]:
        """Agents as the board shows them, by number."""
        shown = (a for a in self.agents.values() if a.signed_in or a.number not in self.leads)
        return sorted(shown, key=lambda a: a.number)

    def new_day(self, now: datetime) -> None:
        """Start the day's counts anew at local midnight."""
        day = now.astimezone(self.zone).date()
        if self.today.day != day:
            self.today = Today(day)
            open_ones = {k: c for k, c in self.callbacks.items() if c.closed_at is None}
            self.callbacks = open_ones

    def forget_closed(self, now: datetime) -> None:
        """Drop calls that closed ``KEEP_CLOSED`` ago; memory stays flat over any number of calls."""
        while self.closed and now - self.closed[0][0] > KEEP_CLOSED:
            _, call_id = self.closed.popleft()
            call = self.calls.get(call_id)
            if call is None or not call.closed:
                continue
            for offer in call.offers:
                self.legs.pop(offer.leg or "", None)
            if self.linked.get(call.linkedid) == call_id:
                del self.linked[call.linkedid]
            del self.calls[call_id]

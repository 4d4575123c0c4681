"""What people ask of ticket stubs: each is ruled on by the pure core, and only then changes the stub."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.commands import Command, Outcome
from cti.commands.tickets import (
    AddStub,
    HandOut,
    OpenStub,
    Remind,
    ReturnStub,
    SaveNotes,
    SetParticulars,
    TakeStub,
    UnitTook,
    VerifyCaller,
)
from cti.engine.directory import Directory
from cti.engine.duty.handover_tickets import OpenTickets
from cti.engine.part import Handler
from cti.engine.world import World
from cti.errors import BadInput
from cti.ids import Ids
from cti.settings import Settings
from cti.store import tables as t
from cti.store.stub_tables import stub_steps, stubs
from cti.texts import lines_taken, taken
from queues import chasing, handout, particulars
from queues.kinds import CHANNELS
from queues.stubs import Stub
from queues.tickets import Ticket
from regulations import Ruling, allowed, refused

LONGEST_KEY = 80
NEWEST = 1_000_000_000  # no hand types so many versions


class TicketAsked:
    """Takes the commands of cti/commands/tickets.py."""

    def __init__(self, world: World, ids: Ids, settings: Settings, tickets: OpenTickets, directory: Directory) -> None:
        self.world, self.ids, self.tickets, self.directory = world, ids, tickets, directory
        self.pbx_id, self.areas = settings.pbx_id, settings.hotline.areas
        # Brought for the commands of one batch: what a further stub copies, and which keys were used already.
        self._sources: dict[str, Ticket] = {}
        self._last: dict[str | None, int] = {}
        self._used: dict[str, str] = {}

    def commands(self) -> Mapping[type[Any], Handler]:
        """Command type -> what takes it."""
        return {
            SetParticulars: self._set, VerifyCaller: self._verify, SaveNotes: self._save, HandOut: self._hand_out,
            UnitTook: self._took, ReturnStub: self._return, Remind: self._remind, AddStub: self._add,
            OpenStub: self._open, TakeStub: self._take,
        }  # fmt: skip

    async def fetch(self, connection: AsyncConnection, commands: Iterable[Command]) -> None:
        """What commands that open stubs build on; read anew for each batch, since others may have opened some."""
        asked = [c for c in commands if isinstance(c, AddStub | OpenStub)]
        keys = [c.key for c in asked]
        found = await connection.execute(
            select(stubs.c.request_key, stubs.c.ticket_id).where(stubs.c.request_key.in_(keys))
        )
        self._used = {row.request_key: row.ticket_id for row in found}
        sources = [c.ticket_id for c in asked if isinstance(c, AddStub)]
        rows = (await connection.execute(select(t.tickets).where(t.tickets.c.ticket_id.in_(sources)))).mappings()
        self._sources = {row["ticket_id"]: Ticket(**{name: row[name] for name in Ticket.__slots__}) for row in rows}
        calls = {ticket.call_id for ticket in self._sources.values() if ticket.call_id is not None}
        of_pbx = (t.tickets.c.pbx_id == self.pbx_id) & t.tickets.c.call_id.in_(calls)
        last = select(t.tickets.c.call_id, func.max(t.tickets.c.ordinal)).where(of_pbx).group_by(t.tickets.c.call_id)
        self._last = {row[0]: row[1] for row in await connection.execute(last)}

    # What is said of it.

    def _set(self, asked: SetParticulars, now: datetime) -> Outcome:
        wrong = particulars.wrong_field(asked.values, self.areas)
        if wrong is not None:
            raise BadInput(wrong, "not one of the values that this site has (不在可选值内)")
        stub, ruling = self._stub(asked.ticket_id, asked.by)
        if stub is not None and ruling.allowed:
            after = self._timed(particulars.said(stub, asked.values))
            if after != stub:
                self.world.put_stub(after, now)
                detail = " ".join(f"{name}={value or '-'}" for name, value in asked.values.items())
                self._step(stub, asked.by, "said", detail, now)
        return Outcome(ruling)

    def _verify(self, asked: VerifyCaller, now: datetime) -> Outcome:
        stub, ruling = self._stub(asked.ticket_id, asked.by)
        if stub is not None and ruling.allowed and stub.verified != asked.verified:
            who, at = (asked.by, now) if asked.verified else (None, None)
            self.world.put_stub(replace(stub, verified=asked.verified, verified_by=who, verified_at=at), now)
            self._step(stub, asked.by, "verified" if asked.verified else "unverified", "", now)
        return Outcome(ruling)

    def _save(self, asked: SaveNotes, now: datetime) -> Outcome:
        text = lines_taken("text", asked.text, longest=particulars.MOST_NOTES)
        if not 0 < asked.version <= NEWEST:
            raise BadInput("version", f"1 to {NEWEST} is needed")
        stub, ruling = self._stub(asked.ticket_id, asked.by)
        if stub is None or not ruling.allowed:
            return Outcome(ruling)
        ruling = particulars.may_save(stub, text, asked.version)
        if ruling.allowed and (text, asked.version) != (stub.notes, stub.notes_version):
            self.world.put_stub(replace(stub, notes=text, notes_version=asked.version), now)
        return Outcome(ruling, {"version": asked.version})

    # Its way to the unit.

    def _hand_out(self, asked: HandOut, now: datetime) -> Outcome:
        stub, ruling = self._stub(asked.ticket_id, asked.by)
        if asked.unit not in self.directory.units:
            return Outcome(refused("no_such_unit", "名录中没有该单位", "The directory has no such unit"))
        if stub is None or not ruling.allowed:
            return Outcome(ruling)
        ruling = handout.may_hand_out(stub)
        after = handout.handed_out(stub, asked.unit, self._clocks(stub), self.world.zone, now)
        if ruling.allowed and after != stub:
            self.world.put_stub(after, now)
            self._step(stub, asked.by, "handed_out", asked.unit, now)
        return Outcome(ruling)

    def _took(self, asked: UnitTook, now: datetime) -> Outcome:
        stub, ruling = self._stub(asked.ticket_id, asked.by)
        if stub is None or not ruling.allowed:
            return Outcome(ruling)
        ruling = handout.may_be_taken(stub)
        if ruling.allowed and stub.taken_at is None:
            self.world.put_stub(replace(stub, taken_at=now), now)
            self._step(stub, asked.by, "taken", stub.unit or "", now)
        return Outcome(ruling)

    def _return(self, asked: ReturnStub, now: datetime) -> Outcome:
        reason = taken("reason", asked.reason)
        stub, ruling = self._stub(asked.ticket_id, asked.by)
        if stub is None or not ruling.allowed:
            return Outcome(ruling)
        ruling = handout.may_be_returned(stub, self.world.profile.get("ticket.return_within"), now)
        if ruling.allowed:
            after = handout.returned(stub, self._clocks(stub), self.world.zone, now)
            self.world.put_stub(replace(after, overdue_told=False), now)
            self._step(stub, asked.by, "returned", reason, now)
        return Outcome(ruling)

    def _remind(self, asked: Remind, now: datetime) -> Outcome:
        reason = taken("reason", asked.reason, optional=True)
        stub, ruling = self._stub(asked.ticket_id, asked.by)
        if stub is None:
            return Outcome(ruling)
        through, of_caller = self._stub(asked.through, asked.by)
        chased = through is not None and of_caller.allowed and stub.caller != "" and through.caller == stub.caller
        if not ruling.allowed and not chased:
            return Outcome(ruling)
        lead = asked.by in self.world.leads
        ruling = chasing.may_remind(stub, self.chasing(), now, special=bool(reason), lead=lead)
        if ruling.allowed:
            self.world.put_stub(replace(stub, reminders=stub.reminders + 1, reminded_at=now), now)
            self._step(stub, asked.by, "reminded", reason, now)
        return Outcome(ruling)

    def chasing(self) -> chasing.Rules:
        """The figures for callers who chase."""
        profile = self.world.profile
        return chasing.Rules(profile.get("chase.after_percent"), profile.get("chase.reminders"))

    # Further stubs.

    def _add(self, asked: AddStub, now: datetime) -> Outcome:
        key = taken("key", asked.key, longest=LONGEST_KEY)
        if key in self._used:
            return Outcome(allowed(), {"ticket_id": self._used[key]})
        stub, ruling = self._stub(asked.ticket_id, asked.by)
        source = self._sources.get(asked.ticket_id)
        if stub is None or source is None or not ruling.allowed:
            return Outcome(ruling)
        ordinal = self._last.get(source.call_id, 1) + 1
        ruling = particulars.may_add(ordinal) if source.call_id is not None else _no_call()
        if not ruling.allowed:
            return Outcome(ruling)
        self._last[source.call_id] = ordinal
        ticket = replace(source, ticket_id=self.ids.make("t", now), opened_at=now, ordinal=ordinal)
        further = replace(particulars.further(stub, ticket.ticket_id, ordinal, key), opened_at=now)
        self._opened(ticket, further, key, now)
        self._step(stub, asked.by, "added", ticket.ticket_id, now)
        return Outcome(ruling, {"ticket_id": ticket.ticket_id})

    def _open(self, asked: OpenStub, now: datetime) -> Outcome:
        key = taken("key", asked.key, longest=LONGEST_KEY)
        if key in self._used:
            return Outcome(allowed(), {"ticket_id": self._used[key]})
        wrong = particulars.wrong_field({"kind": asked.kind, "area": asked.area}, self.areas)
        if wrong is not None or asked.channel not in CHANNELS:
            raise BadInput(wrong or "channel", "not one of the values that this site has (不在可选值内)")
        caller = taken("caller", asked.caller, longest=32, optional=True)
        text = lines_taken("text", asked.text, longest=particulars.MOST_NOTES)
        agent = asked.by if asked.by in self.world.agents else ""
        ticket = Ticket(
            self.ids.make("t", now), None, "", self.world.hotline, "", caller, agent, now, now, now, 0, None
        )
        opened = Stub(
            ticket.ticket_id, agent, now, None, 1, asked.channel, caller, asked.kind, asked.area, notes=text,
            notes_version=1 if text else 0, request_key=key,
        )  # fmt: skip
        self._opened(ticket, self._timed(opened), key, now)
        self._step(opened, taken("by", asked.by, longest=40), "opened", asked.channel, now)
        return Outcome(allowed(), {"ticket_id": ticket.ticket_id})

    def _opened(self, ticket: Ticket, stub: Stub, key: str, now: datetime) -> None:
        self._used[key] = ticket.ticket_id
        self.world.changes.tickets.append(ticket)
        self.world.put_stub(stub, now)
        self.world.changed()

    def _take(self, asked: TakeStub, now: datetime) -> Outcome:
        stub = self.world.stubs.get(asked.ticket_id)
        if stub is None:
            return Outcome(_finished())
        ruling = particulars.may_take(stub) if asked.by in self.world.agents else _no_agent()
        if ruling.allowed:
            self.world.put_stub(replace(stub, agent=asked.by), now)
            self.tickets.move(stub.ticket_id, asked.by, now)
            self.world.changed()
            self._step(stub, asked.by, "took", "", now)
        return Outcome(ruling)

    def _stub(self, ticket_id: str, by: str) -> tuple[Stub | None, Ruling]:
        stub = self.world.stubs.get(ticket_id)
        if stub is None:
            return None, _finished()
        owner = self.tickets.find(ticket_id)
        return stub, particulars.may_change(stub, by, owner.owner if owner else None, by in self.world.leads)

    def _clocks(self, stub: Stub) -> handout.Clocks:
        world = self.world
        return handout.clocks_of(world.profile, stub.kind, stub.grade, stub.complaint_grade, world.calendar)

    def _timed(self, stub: Stub) -> Stub:
        after = handout.timed(stub, self._clocks(stub), self.world.zone)
        return after if after.hand_out_due == stub.hand_out_due else replace(after, overdue_told=False)

    def _step(self, stub: Stub, by: str, act: str, detail: str, now: datetime) -> None:
        row = {
            "step_id": self.ids.make("s", now), "ticket_id": stub.ticket_id, "at": now, "by": by, "act": act,
            "detail": detail,
        }  # fmt: skip
        self.world.write(stub_steps, row, shown=False)


def _finished() -> Ruling:
    return refused("ticket_closed", "该工单已办结或不存在", "The ticket is finished, or there is none")


def _no_call() -> Ruling:
    return refused("no_call", "该工单不是来电开立的", "The stub was not opened by a call")


def _no_agent() -> Ruling:
    return refused("unknown_agent", "没有该工号的话务员", "There is no agent with this number")

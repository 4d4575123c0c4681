"""Emergencies in the engine: raised by the caller, a list, words or people; told until a lead acknowledges."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.ami.events import DialEnd, Hangup, OriginateResponse
from cti.commands import Outcome
from cti.commands.emergency import AcknowledgeEmergency, LiftCall, NotLifted, RaiseEmergency, RingUnit, UnitNotRung
from cti.engine.directory import Directory
from cti.engine.emergency_rows import emergency_of, row_of, unit_rows
from cti.engine.fronting import Fronting
from cti.engine.inputs import Lift
from cti.engine.part import CallMove, Handler, Part, Waker
from cti.engine.unit_ringing import UnitRinging
from cti.engine.world import World
from cti.ids import Ids
from cti.settings import Settings
from cti.store.emergency_tables import emergencies, unit_calls
from cti.texts import taken
from queues import emergency as core
from queues.calls import Call
from queues.emergency import Emergency, Why, ladder_of
from queues.stubs import Stub
from regulations import Article, allowed, refused

KEEP = timedelta(hours=24)  # an acknowledged one stays in memory, so that its unit can be rung again


class Emergencies(Part):
    """Those that nobody has acknowledged, and those of the last day."""

    def __init__(self, world: World, ids: Ids, settings: Settings, directory: Directory, front: Fronting) -> None:
        self.world, self.ids, self.pbx_id, self.front = world, ids, settings.pbx_id, front
        self.words = settings.hotline.emergency_words
        self.ladder = ladder_of(world.profile)
        unit_within = world.profile.get("emergency.unit_within")
        self.unit_within = None if unit_within is None else unit_within.seconds()
        self.by_id: dict[str, Emergency] = {}
        self.by_call: dict[str, str] = {}
        self.by_ticket: dict[str, str] = {}
        self._to_mark: set[str] = set()  # tickets whose stub does not say yet that it is one
        self.ringing = UnitRinging(world, ids, settings, directory, self._changed)

    def commands(self) -> Mapping[type[Any], Handler]:
        return {
            RaiseEmergency: self._raise_ticket, LiftCall: self._lift, NotLifted: self._not_lifted,
            RingUnit: self._ring, UnitNotRung: self.ringing.not_rung, AcknowledgeEmergency: self._acknowledge,
        }  # fmt: skip

    def dues(self) -> Mapping[str, Waker]:
        return {"emergency": self._look, "unit": self._look_for_unit, "held": self.ringing.unheard}

    def view(self, now: datetime) -> dict[str, Any]:
        """Those that nobody has acknowledged, the oldest first; for the leads."""
        shown = sorted((e for e in self.by_id.values() if e.open), key=lambda e: (e.raised_at, e.emergency_id))
        return {"emergencies": [self._short(e) for e in shown]}

    def stepped(self, before: Call | None, after: Call, now: datetime) -> None:
        emergency_id = self.by_call.get(after.call_id)
        if emergency_id is not None:
            self._follow(self.by_id[emergency_id], after)
        elif after.front and after.queue == self.world.queue and not (before and before.front):
            why = Why.CALLER if self.front.lists(after.caller) else Why.MENU
            self._raise(why, now, call=after)

    def stub_changed(self, before: Stub | None, after: Stub, now: datetime) -> None:
        known = self.by_ticket.get(after.ticket_id) or self._of_call(after)
        if known is not None:
            emergency = self.by_id[known]
            self._changed(replace(emergency, ticket_id=after.ticket_id, kind=after.kind, area=after.area))
            self._mark(after)
        elif after.emergency or after.kind == core.KIND:
            if before is None or not (before.emergency or before.kind == core.KIND):
                self._raise(Why.KIND, now, stub=after)
        elif after.notes and (before is None or before.notes != after.notes):
            word = core.word_in(after.notes, self.words)
            if word is not None and (before is None or core.word_in(before.notes, self.words) is None):
                self._raise(Why.WORDS, now, stub=after, word=word)

    def batched(self, now: datetime) -> None:
        while self._to_mark:  # now, when every part has heard of the change that made it one
            stub = self.world.stubs.get(self._to_mark.pop())
            if stub is not None and not stub.emergency:
                self.world.put_stub(replace(stub, emergency=True), now)

    def unit_leg(self, channel_id: str, event: OriginateResponse | DialEnd | Hangup, now: datetime) -> None:
        self.ringing.heard(channel_id, event, now)

    def call_moved(self, call: Call, move: CallMove, now: datetime) -> None:
        emergency_id = self.by_call.get(call.call_id)
        if emergency_id is not None:
            self.ringing.call_moved(self.by_id[emergency_id], move)

    def gap(self, began: datetime, ended: datetime | None, now: datetime) -> None:
        if ended is not None:
            self.ringing.gap(now)

    def alive(self, channels: Container[str], began: datetime, now: datetime) -> None:
        self.ringing.alive(channels, began, now)

    def started(self, now: datetime) -> None:
        for emergency in list(self.by_id.values()):
            if emergency.open:
                self._changed(core.resumed(emergency, self.world.mono, self.world.boot))
                self._arm(self.by_id[emergency.emergency_id])
                self._arm_unit(emergency)

    async def load(self, connection: AsyncConnection, now: datetime) -> None:
        e = emergencies.c
        wanted = (e.pbx_id == self.pbx_id) & (e.acknowledged_at.is_(None) | (e.raised_at > now - KEEP))
        rows = (await connection.execute(select(emergencies).where(wanted))).mappings().all()
        tried = select(unit_calls).where(unit_calls.c.emergency_id.in_([row["emergency_id"] for row in rows]))
        dials = (await connection.execute(tried.order_by(unit_calls.c.asked_at, unit_calls.c.ordinal))).mappings().all()
        for row in rows:
            self._remember(emergency_of(row, [d for d in dials if d["emergency_id"] == row["emergency_id"]]))

    # What makes one.

    def _raise(
        self, why: Why, now: datetime, *, call: Call | None = None, stub: Stub | None = None, word: str = ""
    ) -> Emergency:
        call_id = call.call_id if call else stub.call_id if stub else None
        emergency = Emergency(self.ids.make("e", now), why, now, call_id=call_id, word=word)
        if stub is not None:
            emergency = replace(
                emergency, ticket_id=stub.ticket_id, kind=stub.kind, area=stub.area, agent=stub.agent or None
            )
            self._mark(stub)
        self._forget(now)
        emergency = core.armed(emergency, self.ladder, self.world.mono, self.world.boot)
        self._changed(emergency)
        self._tell(emergency, "emergency", now)
        self._arm(emergency)
        of_call = call or self.world.calls.get(call_id or "")
        if of_call is not None:
            self._follow(self.by_id[emergency.emergency_id], of_call)
        return self.by_id[emergency.emergency_id]

    def _of_call(self, stub: Stub) -> str | None:
        """The emergency of the stub's call, when no ticket has it yet."""
        known = self.by_call.get(stub.call_id or "")
        return known if known is not None and self.by_id[known].ticket_id is None else None

    def _mark(self, stub: Stub) -> None:
        if not stub.emergency:
            self._to_mark.add(stub.ticket_id)

    def _follow(self, emergency: Emergency, call: Call) -> None:
        """The call's own moments."""
        ended = call.talk_ended_at or call.ended_at
        self._changed(
            replace(
                emergency, joined_at=call.entered_at, offered_at=call.offers[0].offered_at if call.offers else None,
                answered_at=call.answered_at, agent=call.agent or emergency.agent, call_ended_at=ended,
            )
        )  # fmt: skip
        if ended is not None and emergency.call_ended_at is None:
            self._arm_unit(self.by_id[emergency.emergency_id])

    # Until somebody acknowledges.

    def _arm(self, emergency: Emergency) -> None:
        if emergency.due_mono is not None:
            self.world.time_at(emergency.due_mono, f"emergency:{emergency.emergency_id}")

    def _look(self, emergency_id: str, now: datetime) -> None:
        emergency = self.by_id.get(emergency_id)
        if emergency is None or not core.is_due(emergency, self.world.mono):
            return
        emergency = core.told_again(emergency, self.ladder, self.world.mono)
        self._changed(emergency)
        self._tell(emergency, "emergency_again", now)
        self._arm(emergency)

    def _arm_unit(self, emergency: Emergency) -> None:
        open_end = emergency.call_ended_at is not None and emergency.dialled_at is None
        if self.unit_within is not None and open_end and emergency.not_rung_at is None and emergency.call_ended_at:
            gone = (self.world.now - emergency.call_ended_at).total_seconds()
            left = min(max(self.unit_within - gone, 0.0), self.unit_within)
            self.world.time_at(self.world.mono + left, f"unit:{emergency.emergency_id}")

    def _look_for_unit(self, emergency_id: str, now: datetime) -> None:
        emergency = self.by_id.get(emergency_id)
        if emergency is not None and emergency.dialled_at is None and emergency.not_rung_at is None:
            self._changed(replace(emergency, not_rung_at=now))
            self._tell(emergency, "emergency_not_rung", now)

    def _tell(self, emergency: Emergency, code: str, now: datetime) -> None:
        present = sorted(n for n in self.world.leads if self._there(n))
        data = {
            "code": code, "emergency_id": emergency.emergency_id, "why": emergency.why.value, "step": emergency.step,
            "lead": core.whose(emergency.step, present, sorted(self.world.leads)) or "",
            "agent": emergency.agent or "",
        }  # fmt: skip
        self.world.tell(now, "alarm", emergency.emergency_id, data, "lead")

    def _there(self, number: str) -> bool:
        agent = self.world.agents.get(number)
        return self.world.pages[number] > 0 or (agent is not None and agent.signed_in)

    # What people ask.

    def _raise_ticket(self, command: RaiseEmergency, now: datetime) -> Outcome:
        stub = self.world.stubs.get(command.ticket_id)
        if stub is None:
            return Outcome(refused("no_such_ticket", "工单已办结或不存在", "This ticket is closed, or there is none"))
        known = self.by_ticket.get(stub.ticket_id) or self._of_call(stub)
        if known is None:
            known = self._raise(Why.KIND, now, stub=stub).emergency_id
        return Outcome(allowed(*self._articles()), {"emergency_id": known})

    def _lift(self, command: LiftCall, now: datetime) -> Outcome:
        call = self.world.calls.get(command.call_id)
        if command.by not in self.world.leads:
            return Outcome(core.lead_only(self._articles()))
        if call is None or not call.waiting or call.queue != self.world.queue:
            return Outcome(refused("not_waiting", "该来电已不在排队", "This call waits no more"))
        known = self.by_call.get(call.call_id) or self._raise(Why.LEAD, now, call=call).emergency_id
        self.world.changes.effects.append(Lift(call.call_id))
        return Outcome(allowed(*self._articles()), {"emergency_id": known})

    def _not_lifted(self, command: NotLifted, now: datetime) -> Outcome:
        call = self.world.calls.get(command.call_id)
        if call is not None and call.waiting:  # else an agent took it meanwhile: sooner still
            data = {"code": "not_lifted", "call_id": command.call_id}
            self.world.tell(now, "alarm", command.call_id, data, "lead")
        return Outcome(allowed())

    def _ring(self, command: RingUnit, now: datetime) -> Outcome:
        emergency = self.by_id.get(command.emergency_id)
        if emergency is None:
            return _unknown()
        return Outcome(self.ringing.ring(emergency, command.by, self._articles(), now))

    def _acknowledge(self, command: AcknowledgeEmergency, now: datetime) -> Outcome:
        emergency = self.by_id.get(command.emergency_id)
        if emergency is None:
            return _unknown()
        note = taken("note", command.note, optional=True)
        ruling = core.may_acknowledge(emergency, command.by, command.by in self.world.leads, self._articles())
        if ruling.allowed:
            self._changed(core.acknowledged(emergency, command.by, note, now))
        return Outcome(ruling)

    # What is kept.

    def _changed(self, emergency: Emergency) -> None:
        before = self.by_id.get(emergency.emergency_id)
        if emergency == before:
            return
        self._remember(emergency)
        self.world.write(emergencies, row_of(emergency, self.pbx_id))
        for row in unit_rows(emergency, before):
            self.world.write(unit_calls, row)

    def _remember(self, emergency: Emergency) -> None:
        self.by_id[emergency.emergency_id] = emergency
        self.by_call.setdefault(emergency.call_id or "", emergency.emergency_id)
        self.by_call.pop("", None)
        if emergency.ticket_id is not None:
            self.by_ticket[emergency.ticket_id] = emergency.emergency_id
        self.ringing.remember(emergency)

    def _forget(self, now: datetime) -> None:
        for old in [e for e in self.by_id.values() if not e.open and not e.running and now - e.raised_at > KEEP]:
            del self.by_id[old.emergency_id]
            if self.by_call.get(old.call_id or "") == old.emergency_id:
                del self.by_call[old.call_id or ""]
            self.by_ticket.pop(old.ticket_id or "", None)
            self.ringing.forget(old)

    def _articles(self) -> tuple[Article, ...]:
        return core.articles_of(self.world.profile)

    def _short(self, e: Emergency) -> dict[str, Any]:
        return {
            "emergency_id": e.emergency_id, "call_id": e.call_id, "ticket_id": e.ticket_id, "why": e.why.value,
            "word": e.word, "raised_at": e.raised_at.isoformat(), "step": e.step, "agent": e.agent,
            "kind": e.kind, "area": e.area,
            "reached_at": e.reached_at.isoformat() if e.reached_at else None, "ringing": e.running is not None,
        }  # fmt: skip


def _unknown() -> Outcome:
    return Outcome(refused("no_such_emergency", "没有这一紧急事件", "There is no such emergency"))

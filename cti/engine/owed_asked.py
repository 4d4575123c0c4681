"""What people ask of owed callbacks: who makes one, what the caller said, what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.commands import Command, Outcome
from cti.commands import owed as ask
from cti.commands.tickets import OpenStub
from cti.engine.duty.handover_tickets import OpenTickets
from cti.engine.joining import MISSED, step
from cti.engine.loading import load_callbacks
from cti.engine.owed_said import Said, chosen
from cti.engine.part import Handler
from cti.engine.records import Callback, Dialling
from cti.engine.world import World
from cti.ids import Ids
from cti.settings import Settings
from cti.store import tables as t
from cti.store.owed_tables import callback_steps
from cti.store.stub_tables import stub_steps
from cti.texts import taken
from queues import handout, particulars, results
from queues import owed as core
from queues.callbacks import AttemptOutcome, Override, may_override
from queues.endings import may_close
from queues.owed import Mark
from queues.results import Standing
from queues.stubs import Stub
from regulations import Ruling, allowed, refused

TALKED = (AttemptOutcome.PLACING, AttemptOutcome.REACHED)
SentBackTold = Callable[[str, Callback, datetime], None]


class OwedAsked:
    """Takes the commands of cti/commands/owed.py, but for OweCallback. ``sent_back`` hears which ticket went back."""

    def __init__(
        self, world: World, ids: Ids, settings: Settings, tickets: OpenTickets, sent_back: SentBackTold
    ) -> None:
        self.world, self.ids, self.tickets, self._sent_back = world, ids, tickets, sent_back
        self.said = Said(world, settings.pbx_id, self.step)
        self.ring = settings.callback.longest_ring
        self._matters: dict[str, str] = {}  # keys of this batch that opened a stub already

    def commands(self) -> Mapping[type[Any], Handler]:
        """Command type -> what takes it."""
        on_callbacks: dict[type[Any], Callable[[Any, Callback, datetime], Outcome]] = {
            ask.ClaimCallback: self._claim, ask.ReleaseCallback: self._release, ask.AssignCallback: self._assign,
            ask.CloseCallback: self._close, ask.RecordResult: self._result, ask.RecordRefusal: self._refusal,
            ask.AgreeAppointment: self._agree, ask.SendBack: self._send_back, ask.NewMatter: self._matter,
        }  # fmt: skip
        found: dict[type[Any], Handler] = {kind: self._on(handler) for kind, handler in on_callbacks.items()}
        return {**found, ask.MarkTicket: self._mark, ask.LiftSupervision: self.said.lift}

    def _on(self, handler: Callable[[Any, Callback, datetime], Outcome]) -> Handler:
        def take(command: Any, now: datetime) -> Outcome:
            callback = self.world.callbacks.get(command.callback_id)
            if callback is None:
                return Outcome(refused("not_found", "没有该回访", "There is no such callback"))
            return handler(command, callback, now)

        return take

    def lacks(self, command: Command) -> bool:
        """Whether a callback that was closed on another day, or a key that was used before, must be read first."""
        callback_id = getattr(command, "callback_id", None)
        return isinstance(command, ask.NewMatter) or (
            callback_id is not None and callback_id not in self.world.callbacks
        )

    async def fetch(self, connection: AsyncConnection, commands: Iterable[Command]) -> None:
        """Bring them."""
        given = list(commands)
        named = {getattr(command, "callback_id", None) for command in given} - {None, *self.world.callbacks}
        if named:
            await load_callbacks(connection, self.world, t.callbacks.c.callback_id.in_(named))
        keys = [command.key for command in given if isinstance(command, ask.NewMatter)]
        s = callback_steps.c
        used = select(s.request_key, s.detail).where(s.request_key.in_(keys))
        self._matters = {row[0]: row[1] for row in await connection.execute(used)} if keys else {}

    def step(self, callback_id: str, by: str, act: str, detail: str, now: datetime, key: str | None = None) -> None:
        """One line of what was done about a callback."""
        step(self.world, self.ids, callback_id, by, act, detail, now, key)

    # Who makes it.

    def _claim(self, asked: ask.ClaimCallback, callback: Callback, now: datetime) -> Outcome:
        merge = self.world.profile.rule("callback.merge")
        ruling = core.may_claim(callback.agent, asked.by, callback.state, merge)
        return self._given(ruling, callback, asked.by, asked.by, "claimed", now)

    def _release(self, asked: ask.ReleaseCallback, callback: Callback, now: datetime) -> Outcome:
        ruling = core.may_release(callback.agent, asked.by, self._leads(asked.by), callback.state)
        return self._given(ruling, callback, "", asked.by, "released", now)

    def _assign(self, asked: ask.AssignCallback, callback: Callback, now: datetime) -> Outcome:
        known = asked.agent in self.world.agents
        ruling = core.may_assign(self._leads(asked.by), known, callback.state)
        return self._given(ruling, callback, asked.agent, asked.by, "assigned", now)

    def _given(self, ruling: Ruling, callback: Callback, agent: str, by: str, act: str, now: datetime) -> Outcome:
        if ruling.allowed and callback.agent != agent:
            # What nobody holds is dialled by nobody's phone: whoever takes it next presses the key.
            self.world.put_callback(replace(callback, agent=agent, by_key=callback.by_key or not agent))
            self.step(callback.callback_id, by, act, agent, now)
        return Outcome(ruling)

    # How it ends.

    def _close(self, asked: ask.CloseCallback, callback: Callback, now: datetime) -> Outcome:
        reason = taken("reason", asked.reason)
        standing = self._standing(callback, asked.by)
        unwritten = callback.state == "exhausted" and not callback.close_reason
        if not standing.mine:
            ruling = core.not_yours(callback.agent)
        elif callback.state != "due" and not unwritten:
            ruling = core.not_open(callback.state)
        else:
            ruling = may_close(callback.attempts, self.world.callback_limits, reason, standing.lead)
        if ruling.allowed:
            self._end(callback, "exhausted", reason, now)
            self.step(callback.callback_id, asked.by, "closed", reason, now)
        return Outcome(ruling)

    def _end(self, callback: Callback, state: str, reason: str, now: datetime) -> None:
        closed_at = callback.closed_at or now
        self.world.put_callback(replace(callback, state=state, due_at=None, closed_at=closed_at, close_reason=reason))
        if callback.closed_at is None:
            self.world.tell(now, "callback.closed", callback.callback_id, {"state": state})

    def _result(self, asked: ask.RecordResult, callback: Callback, now: datetime) -> Outcome:
        what, cause, text = self.said.read(asked)
        talk = _talk(callback)
        standing = self._standing(callback, asked.by)
        if callback.result == what.value:
            standing = standing._replace(result=None)  # the caller's own key said it; the words may follow
        ruling = results.may_record(standing, self.world.profile)
        if ruling.allowed and talk is not None:
            self.said.record(callback, talk.channel_id, asked.by, what, cause, text, now)
        return Outcome(ruling)

    def _refusal(self, asked: ask.RecordRefusal, callback: Callback, now: datetime) -> Outcome:
        what = chosen(results.NotTalked, "what", asked.what)
        text = taken("text", asked.text, longest=results.MOST_TEXT, optional=True)
        talk = _talk(callback)
        ruling = results.may_record(self._standing(callback, asked.by), self.world.profile)
        if ruling.allowed and talk is not None:
            self.said.refuse(callback, talk, asked.by, what, text, now)
        return Outcome(ruling)

    def _agree(self, asked: ask.AgreeAppointment, callback: Callback, now: datetime) -> Outcome:
        reason = taken("override", asked.override, optional=True)
        override = Override(asked.by, reason) if reason else None
        limits = self.world.callback_limits
        if override is not None:
            leave = self._may_override(asked.by, callback, reason)
            if not leave.allowed:
                return Outcome(leave)
        standing = self._standing(callback, asked.by)
        ruling = results.may_agree(standing, callback.attempts, limits, self.ring, asked.at, now, override)
        if ruling.allowed:
            changed = replace(callback, appointment_at=asked.at)
            if override is not None:
                changed = replace(changed, override_by=override.by, override_reason=override.reason)
            self.step(callback.callback_id, asked.by, "appointment", asked.at.isoformat(), now)
            self.said.agreed(changed, now)
        return Outcome(ruling)

    def _may_override(self, by: str, callback: Callback, reason: str) -> Ruling:
        if not self._leads(by):
            return refused("lead_only", "须由值班长批准", "The shift lead allows it")
        concerned = frozenset({callback.agent, callback.requested_by} - {""})
        return may_override(self.world.callback_limits, by, concerned, reason)

    def _send_back(self, asked: ask.SendBack, callback: Callback, now: datetime) -> Outcome:
        reason = taken("reason", asked.reason)
        tickets = [name for name in (callback.ticket_id, *callback.joined) if name is not None]
        standing = self._standing(callback, asked.by)
        ruling = results.may_send_back(standing, asked.ticket_id in tickets, self.world.profile)
        if not ruling.allowed or callback.state == "placing":
            return Outcome(ruling if not ruling.allowed else core.not_open(callback.state))
        self.step(callback.callback_id, asked.by, "sent_back", reason, now)
        self._ticket_step(asked.ticket_id, asked.by, "sent_back", reason, now)
        self._sent_back(asked.ticket_id, callback, now)
        self._clock_anew(asked.ticket_id, now)
        self.world.tell(now, "ticket.sent_back", asked.ticket_id, {"ticket_id": asked.ticket_id})
        others = [name for name in tickets if name != asked.ticket_id]
        if callback.state == "due" and others:  # the others are still to be called back about
            self.world.put_callback(replace(callback, ticket_id=others[0], joined=tuple(others[1:])))
        elif callback.state == "due" and any(key.startswith(MISSED) for key in callback.keys):
            self.world.put_callback(replace(callback, ticket_id=None))  # he also rang in vain
        elif callback.state == "due":
            self._end(callback, "cancelled", reason, now)
        return Outcome(ruling)

    def _clock_anew(self, ticket_id: str, now: datetime) -> None:
        stub = self.world.stubs.get(ticket_id)
        if stub is not None and stub.handed_out_at is not None:
            world = self.world
            clocks = handout.clocks_of(world.profile, stub.kind, stub.grade, stub.complaint_grade, world.calendar)
            self._put_stub(handout.timed(replace(stub, handed_out_at=now, taken_at=None), clocks, world.zone), now)

    def _matter(self, asked: ask.NewMatter, callback: Callback, now: datetime) -> Outcome:
        known = self._matters.get(asked.key)
        if known is not None:
            return Outcome(allowed(), {"ticket_id": known})
        standing = self._standing(callback, asked.by)
        if not standing.mine or not standing.answered:
            return Outcome(results.may_record(standing._replace(result=None), self.world.profile))
        opened = self.world.ask(
            OpenStub("patrol", callback.number, asked.kind, asked.area, asked.text, asked.by, f"patrol:{asked.key}"),
            now,
        )
        if opened.ruling.allowed:
            ticket_id = str(opened.data["ticket_id"])
            self._matters[asked.key] = ticket_id
            self.step(callback.callback_id, asked.by, "new_matter", ticket_id, now, asked.key)
        return opened

    # Marks.

    def _mark(self, asked: ask.MarkTicket, now: datetime) -> Outcome:
        mark = chosen(Mark, "mark", asked.mark)
        stub = self.world.stubs.get(asked.ticket_id)
        if stub is None:
            return Outcome(refused("ticket_closed", "该工单已办结或不存在", "The ticket is finished, or there is none"))
        owner = self.tickets.find(asked.ticket_id)
        ruling = particulars.may_change(stub, asked.by, owner.owner if owner else None, self._leads(asked.by))
        if ruling.allowed and getattr(stub, mark.value) != asked.on:
            changes: dict[str, Any] = {mark.value: asked.on}
            self._put_stub(replace(stub, **changes), now)
            self._ticket_step(asked.ticket_id, asked.by, "marked" if asked.on else "unmarked", mark.value, now)
        return Outcome(ruling)

    def _put_stub(self, stub: Stub, now: datetime) -> None:
        self.world.put_stub(stub, now)
        self.world.changed()

    def _ticket_step(self, ticket_id: str, by: str, act: str, detail: str, now: datetime) -> None:
        row = {
            "step_id": self.ids.make("s", now), "ticket_id": ticket_id, "at": now, "by": by, "act": act,
            "detail": detail,
        }  # fmt: skip
        self.world.write(stub_steps, row, shown=False)

    def _leads(self, by: str) -> bool:
        return by in self.world.leads

    def _standing(self, callback: Callback, by: str) -> Standing:
        over = callback.state not in ("due", "placing", "reached")
        answered = _talk(callback) is not None
        return Standing(callback.agent, by, self._leads(by), answered, over, callback.result)


def _talk(callback: Callback) -> Dialling | None:
    """The newest conversation, running or over."""
    talks = [d for d in callback.diallings if d.answered_at is not None and d.attempt.outcome in TALKED]
    return talks[-1] if talks else None

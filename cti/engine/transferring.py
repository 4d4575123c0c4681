"""Transfers in the engine: asked for here, or seen; their outcome is told by events, never by an acknowledgement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from agents.presence import presence
from cti.ami import events as ami
from cti.commands import Outcome
from cti.commands.transfers import BeginTransfer, CancelTransfer, CompleteTransfer, TransferRefused
from cti.engine.directory import Directory
from cti.engine.inputs import Move
from cti.engine.part import CallMove, Handler, Part, Waker
from cti.engine.records import Recording
from cti.engine.transfer_rows import row_of, shown, transfer_of
from cti.engine.world import World
from cti.errors import BadInput
from cti.ids import Ids
from cti.settings import Settings
from cti.store import directory_tables
from cti.store.transfer_tables import transfers
from queues import transfers as core
from queues.calls import Call
from queues.facts import Answered, Offered, OfferEnd
from queues.transfers import NOBODY_KNOWN, How, State, Target, TargetKind, Transfer
from recordings.naming import path_of
from regulations import Article, Ruling, allowed

# An acknowledged action that shows no sign of itself in this time did nothing: a Queue() without the option t, say.
SIGN_S = 6.0
OURS = "@cti-transfer-"  # in the name of a consultation's channel that cti_transfer.conf leads, and so records


class Transfers(Part):
    """The transfers whose outcome is awaited, by call."""

    def __init__(self, world: World, ids: Ids, settings: Settings, directory: Directory) -> None:
        self.world, self.ids, self.directory = world, ids, directory
        self.pbx_id, self.queue = settings.pbx_id, settings.hotline.queue
        self.open: dict[str, Transfer] = {}
        self.last: dict[str, Transfer] = {}  # by agent: how his last one ended, until his next call
        self._consults: dict[str, datetime] = {}  # consultations that are being recorded, and since when
        self._ringing: dict[str, datetime] = {}  # legs of transfers, and since when they ring
        self._named: set[str] = set()  # numbers that the dialplan may dial

    def commands(self) -> Mapping[type[Any], Handler]:
        return {
            BeginTransfer: self._begin, CompleteTransfer: self._complete, CancelTransfer: self._cancel,
            TransferRefused: self._refused,
        }  # fmt: skip

    def dues(self) -> Mapping[str, Waker]:
        return {"transfer": self._not_begun, "transfer_over": self._not_over}

    def line(self, number: str, now: datetime) -> dict[str, Any]:
        """The transfer that this agent has under way, or how his last one ended; and whether he leads."""
        agent = self.world.agents.get(number)
        own = self.open.get((agent.talking if agent else None) or "")
        transfer = own if own is not None and own.agent == number else self.last.get(number)
        lead = {"lead": True} if number in self.world.leads else {}
        return lead if transfer is None else {**lead, "transfer": shown(transfer)}

    # What people ask.

    def _begin(self, command: BeginTransfer, now: datetime) -> Outcome:
        how, kind = _how(command.how), _kind(command.kind)
        call, leg = self._own_leg(command.by)
        target = self._target(kind, command.code, command.digits, now)
        state = self._state(target, now) if target and kind is TargetKind.AGENT else ""
        under_way = call is not None and call.call_id in self.open
        ruling = core.may_begin(leg is not None, under_way, command.by, target, state, self._articles())
        if not ruling.allowed or call is None or leg is None or target is None:
            return Outcome(ruling)
        transfer = self._new(call, command.by, how, target, now)
        self._keep(transfer, now)
        self._move(transfer, "begin" if how is How.CONSULT else "blind", leg)
        return Outcome(ruling, {"transfer_id": transfer.transfer_id})

    def _complete(self, command: CompleteTransfer, now: datetime) -> Outcome:
        return self._go_on(command.by, core.may_complete, "complete")

    def _cancel(self, command: CancelTransfer, now: datetime) -> Outcome:
        outcome = self._go_on(command.by, core.may_cancel, "cancel")
        transfer = self._of(command.by)
        if outcome.ruling.allowed and transfer is not None:
            self._keep(replace(transfer, why="cancelled"), now)
        return outcome

    def _go_on(self, agent: str, may: Any, step: str) -> Outcome:
        transfer = self._of(agent)
        ruling: Ruling = may(transfer)
        _, leg = self._own_leg(agent)
        if ruling.allowed and transfer is not None and leg is not None:
            self._move(transfer, step, leg)
        return Outcome(ruling)

    def _move(self, transfer: Transfer, step: str, leg: str) -> None:
        self.world.changes.effects.append(Move(transfer.transfer_id, step, leg, transfer.target.exten))
        topic = "transfer" if transfer.state is State.ASKED else "transfer_over"
        self.world.time_at(self.world.mono + SIGN_S, f"{topic}:{transfer.transfer_id}")

    def _refused(self, command: TransferRefused, now: datetime) -> Outcome:
        transfer = self._by_id(command.transfer_id)
        if transfer is not None:
            self._nothing(transfer, "refused", now)
        return Outcome(allowed())

    def _not_begun(self, transfer_id: str, now: datetime) -> None:
        self._no_sign(transfer_id, State.ASKED, now)

    def _not_over(self, transfer_id: str, now: datetime) -> None:
        self._no_sign(transfer_id, State.CONSULTING, now)

    def _no_sign(self, transfer_id: str, still: State, now: datetime) -> None:
        transfer = self._by_id(transfer_id)
        if transfer is not None and transfer.state is still:
            self._nothing(transfer, "not_started", now)

    def _nothing(self, transfer: Transfer, why: str, now: datetime) -> None:
        """It was acknowledged, perhaps, and did nothing: the agent's page says so, and the lead's."""
        if transfer.state is State.ASKED:
            self._keep(core.over(transfer, State.FAILED, now, why), now)
        else:
            self._keep(replace(transfer, why=why), now)
        data = {"code": "transfer_failed", "agent": transfer.agent}
        self.world.tell(now, "alarm", transfer.agent, data, "lead")

    # What Asterisk tells.

    def call_moved(self, call: Call, move: CallMove, now: datetime) -> None:
        match move:
            case ami.DialBegin():
                self._rang(call, move, now)
            case ami.DialEnd():
                self._dialled(call, move, now)
            case ami.BlindTransfer():
                self._blind(call, move, now)
            case ami.AttendedTransfer():
                self._attended(call, move, now)

    def leg_gone(self, channel_id: str, at: datetime, now: datetime) -> None:
        if channel_id in self._consults:
            self._recorded(channel_id, at)
        for transfer in list(self.open.values()):
            self._keep(core.leg_gone(transfer, channel_id, at), now)

    def stepped(self, before: Call | None, after: Call, now: datetime) -> None:
        transfer = self.open.get(after.call_id) if self.open else None
        if transfer is not None and after.closed:
            self._keep(core.call_over(transfer, after.ended_at or now), now)
        elif transfer is not None and transfer.how is How.BLIND and _answers(after) > _answers(before):
            self._keep(core.over(transfer, State.RETURNED, now, "queue"), now)
        if self.last and after.agent is not None and after.answered_at is not None and after.ending is None:
            last = self.last.get(after.agent)
            if last is not None and last.call_id != after.call_id:
                del self.last[after.agent]

    def gap(self, began: datetime, ended: datetime | None, now: datetime) -> None:
        if ended is None:
            return
        for transfer in list(self.open.values()):
            self._keep(core.over(transfer, State.UNSEEN, now), now)
        self._ringing.clear()
        self.world.watched.clear()  # all of them are transfers'; one that ended in the gap would never be told
        for consult_id, since in list(self._consults.items()):
            self._recorded(consult_id, since)  # how long it was is not known: what there is of it is whole enough

    def _rang(self, call: Call, event: ami.DialBegin, now: datetime) -> None:
        if event.uniqueid is None:
            return
        transfer = self._seen(call, event, now)
        self._ringing[event.dest_uniqueid] = event.at
        self._keep(core.rang(transfer, event.dest_uniqueid, _consult(call, event), event.at), now)

    def _dialled(self, call: Call, event: ami.DialEnd, now: datetime) -> None:
        if event.uniqueid is None:
            return
        transfer = self._seen(call, event, now)
        rang = self._ringing.pop(event.dest_uniqueid, event.at)
        if event.dial_status != "ANSWER":
            self._keep(core.unanswered(transfer, event.dial_status, event.at), now)
            return
        agent = self._agent_at(event.dest_channel)
        back = agent == transfer.agent
        taken = core.answered(transfer, event.dest_uniqueid, _consult(call, event), back, event.at)
        if taken.target == NOBODY_KNOWN and agent is not None and not back:
            taken = replace(taken, target=Target(TargetKind.AGENT, agent))
        self._keep(taken, now)
        if OURS in (event.channel or ""):
            self._record(taken)
        self._takes(call, agent, event.dest_uniqueid, taken, rang, event.at, now)

    def _blind(self, call: Call, event: ami.BlindTransfer, now: datetime) -> None:
        known = self.open.get(call.call_id)
        if event.result != "Success":
            if known is not None:
                self._keep(core.over(known, State.FAILED, event.at, "refused"), now)
            return
        if known is None:
            reached = self._reached(event.extension)
            self._keep(self._new(call, self._talker(call), How.BLIND, reached, event.at, True), now)
        elif known.state is State.ASKED:
            self._keep(replace(known, state=State.RINGING), now)

    def _attended(self, call: Call, event: ami.AttendedTransfer, now: datetime) -> None:
        known = self.open.get(call.call_id)
        if event.result != "Success":
            return
        if known is not None:
            self._keep(core.joined(known, event.at), now)
            return
        agent = self._agent_at(event.target_channel or "")
        target = Target(TargetKind.AGENT, agent) if agent else NOBODY_KNOWN
        seen = self._new(call, self._talker(call), How.CONSULT, target, event.at, True)
        taken = core.answered(seen, event.target_uniqueid or "", None, False, event.at)
        self._keep(taken, now)
        self._keep(core.joined(taken, event.at), now)
        self._takes(call, agent, event.target_uniqueid, taken, event.at, event.at, now)

    def _seen(self, call: Call, event: ami.DialBegin | ami.DialEnd, now: datetime) -> Transfer:
        """The transfer that this dial belongs to; one that the phone, or another program, began."""
        known = self.open.get(call.call_id)
        if known is not None:
            return known
        how = How.BLIND if event.uniqueid == call.call_id else How.CONSULT
        agent = self._agent_at(event.dest_channel)
        target = Target(TargetKind.AGENT, agent) if agent is not None else NOBODY_KNOWN
        return self._new(call, self._talker(call), how, target, event.at, True)

    def _takes(
        self, call: Call, agent: str | None, leg: str | None, transfer: Transfer, rang: datetime, at: datetime,
        now: datetime,
    ) -> None:  # fmt: skip
        """The second agent talks in this call, and his page shows its ticket; his leg is followed as any agent's."""
        if agent is None or leg is None:
            return
        self.world.fact(Offered(call.call_id, rang, agent, leg, queue=call.queue), now)
        self.world.fact(Answered(call.call_id, at, call.queue, agent, leg), now)
        if transfer.ticket_id is not None and agent != transfer.agent:
            data = {"ticket_id": transfer.ticket_id, "call_id": call.call_id}
            self.world.tell(at, "ticket.transferred", transfer.ticket_id, data, f"agent:{agent}")

    def _record(self, transfer: Transfer) -> None:
        """The consultation has a recording of its own, which is the same ticket's."""
        if transfer.consult_id is not None and transfer.answered_at is not None:
            path = path_of(transfer.consult_id)
            self.world.put_recording(Recording(transfer.consult_id, transfer.ticket_id, path))
            self._consults[transfer.consult_id] = transfer.answered_at

    def _recorded(self, consult_id: str, ended_at: datetime) -> None:
        talk_ms = max((ended_at - self._consults.pop(consult_id)) // timedelta(milliseconds=1), 0)
        self.world.judge_recording(consult_id, talk_ms)

    # What is known.

    def _new(self, call: Call, agent: str, how: How, target: Target, at: datetime, by_phone: bool = False) -> Transfer:
        stubs = self.world.stubs.values()
        ticket = next((s.ticket_id for s in stubs if s.call_id == call.call_id and s.ordinal == 1), None)
        return Transfer(self.ids.make("x", at), call.call_id, ticket, agent, how, target, at, by_phone)

    def _own_leg(self, number: str) -> tuple[Call | None, str | None]:
        agent = self.world.agents.get(number)
        call = self.world.calls.get(agent.talking or "") if agent else None
        legs = [o.leg for o in call.offers if o.agent == number and _talks(o)] if call else []
        return call, legs[-1] if legs else None

    def _of(self, agent: str) -> Transfer | None:
        return next((t for t in self.open.values() if t.agent == agent), None)

    def _by_id(self, transfer_id: str) -> Transfer | None:
        return next((t for t in self.open.values() if t.transfer_id == transfer_id), None)

    def _talker(self, call: Call) -> str:
        """Who talks with the caller: whoever answered last and has not hung up, or the first agent."""
        return next((o.agent for o in reversed(call.offers) if _talks(o)), call.agent or "")

    def _agent_at(self, channel: str) -> str | None:
        """The agent who is signed in at the seat that this channel belongs to."""
        seat = channel.rpartition("-")[0]
        found = (a.number for a in self.world.agents.values() if a.interface and a.interface.removesuffix("/n") == seat)
        return next(found, None) if seat else None

    def _target(self, kind: TargetKind, code: str, digits: str, now: datetime) -> Target | None:
        if kind is TargetKind.UNIT:
            found = (n.digits for n in self.directory.numbers_of(code, now) if digits in ("", n.digits))
            exten = next(found, None)
            return None if exten is None else Target(kind, code, exten)
        agent = self.world.agents.get(code)
        return None if agent is None else Target(kind, code, agent.seat or "")

    def _state(self, target: Target, now: datetime) -> str:
        agent = self.world.agents[target.code]
        return "signed_out" if agent.seat is None else presence(agent, now)[0].value

    def _reached(self, exten: str) -> Target:
        """Whom a phone named by what it dialled."""
        agent = next((a.number for a in self.world.agents.values() if a.seat == exten), None)
        if agent is not None:
            return Target(TargetKind.AGENT, agent, exten)
        units = self.directory.units.values()
        unit = next((u.code for u in units if any(n.digits == exten for n in u.numbers)), None)
        return NOBODY_KNOWN if unit is None else Target(TargetKind.UNIT, unit, exten)

    def _articles(self) -> tuple[Article, ...]:
        article = self.world.profile.rule("transfer.first_agent_keeps")
        return () if article is None else (article,)

    # What is kept.

    def _keep(self, transfer: Transfer, now: datetime) -> None:
        before = self.open.get(transfer.call_id)
        if transfer == before:
            return
        if transfer.open:
            self.world.watched.update(leg for leg in (transfer.leg, transfer.consult_id) if leg is not None)
        self.world.write(transfers, row_of(transfer, self.pbx_id))
        if transfer.open:
            self.open[transfer.call_id] = transfer
            self.last.pop(transfer.agent, None)
            return
        self.open.pop(transfer.call_id, None)
        self.last[transfer.agent] = transfer
        data = {"call_id": transfer.call_id, "agent": transfer.agent, "how": transfer.how, "state": transfer.state}
        self.world.tell(transfer.ended_at or now, "call.transferred", transfer.call_id, data)

    def batched(self, now: datetime) -> None:
        changed = self.world.changes.records
        if directory_tables.units in changed or directory_tables.on_call in changed:
            self._name_numbers()

    def started(self, now: datetime) -> None:
        self._name_numbers()

    def _name_numbers(self) -> None:
        """The directory's numbers, and no others, may be dialled by a transfer."""
        own = {n.digits for unit in self.directory.units.values() for n in unit.numbers}
        wanted = own | {entry.digits for entry in self.directory.on_call.values()}
        for digits in sorted(self._named - wanted):
            self.world.switch(f"CTI_TO_{digits}", "")
        for digits in sorted(wanted - self._named):
            self.world.switch(f"CTI_TO_{digits}", "yes")
        self._named = wanted

    async def load(self, connection: AsyncConnection, now: datetime) -> None:
        waiting = (transfers.c.pbx_id == self.pbx_id) & transfers.c.ended_at.is_(None)
        for row in (await connection.execute(select(transfers).where(waiting))).mappings():
            transfer = transfer_of(row)
            self.open[transfer.call_id] = transfer
        unended = [r.call_id for r in self.world.recordings.values() if r.expected_ms is None]
        begun = select(transfers.c.consult_id, transfers.c.answered_at).where(transfers.c.consult_id.in_(unended))
        self._consults = {row[0]: row[1] for row in (await connection.execute(begun)).all()}


def _consult(call: Call, event: ami.DialBegin | ami.DialEnd) -> str | None:
    """The channel of the consultation, when it is not the caller's own that dials."""
    return None if event.uniqueid == call.call_id else event.uniqueid


def _answers(call: Call | None) -> int:
    return sum(o.end is OfferEnd.ANSWERED for o in call.offers) if call is not None else 0


def _talks(offer: Any) -> bool:
    return offer.end is OfferEnd.ANSWERED and offer.talk_ended_at is None and offer.leg is not None


def _how(value: str) -> How:
    try:
        return How(value)
    except ValueError as error:
        raise BadInput("how", f"one of {', '.join(How)} is needed") from error


def _kind(value: str) -> TargetKind:
    if value not in (TargetKind.AGENT, TargetKind.UNIT):
        raise BadInput("kind", "agent or unit is needed")
    return TargetKind(value)

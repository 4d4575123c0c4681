"""Conduct on duty: who may be where and do what in a shift, what the lead has allowed, and the log of it all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from agents import signin, training
from agents.breaks import in_line
from agents.permits import PermitKind, PermitState
from agents.presence import Agent
from agents.shifts import Shift
from agents.windows import Leaving, may_leave, windows_of
from cti.commands import GoBusy, Outcome, SignIn, SignOut
from cti.commands.conduct import (
    Arrive,
    AskPermit,
    DecidePermit,
    LeaveBreakLine,
    OwnDuty,
    RecordTraining,
    SeatUnproved,
    WithdrawPermit,
)
from cti.engine.duty.breaks import BreakLine
from cti.engine.duty.dutylog import DutyLog
from cti.engine.duty.pastconsole import PastConsole
from cti.engine.duty.permits import Permits, permit_view
from cti.engine.duty.rostering import Rostering
from cti.engine.duty.seatcheck import SeatChecks
from cti.engine.part import Act, ActKind, Handler, Part, StateAsked, Waker
from cti.engine.world import World
from cti.ids import Ids
from cti.settings import Settings
from cti.store.conduct_tables import arrivals as arrivals_table
from cti.store.conduct_tables import trainings as trainings_table
from cti.texts import taken
from queues.calls import Call
from regulations import Ruling, allowed, refused

KEPT_ARRIVALS = timedelta(days=3)
_PERMIT_FOR = {SignIn: PermitKind.SIGN_IN, SignOut: PermitKind.SIGN_OUT, GoBusy: PermitKind.BUSY}
_USED_BY = {
    ActKind.SIGNED_IN: PermitKind.SIGN_IN, ActKind.SIGNED_OUT: PermitKind.SIGN_OUT, ActKind.BUSY: PermitKind.BUSY,
}  # fmt: skip


class Conduct(Part):
    """Permits, arrivals, the break line, checks at the seat, retraining, the duty log."""

    def __init__(self, world: World, ids: Ids, settings: Settings, roster: Rostering) -> None:
        self.world, self.ids, self.settings, self.roster = world, ids, settings, roster
        pbx, reasons = settings.pbx_id, settings.hotline.busy_reasons
        self.log = DutyLog(world, pbx, reasons)
        self.permits = Permits(world, ids, pbx)
        self.breaks = BreakLine(world, ids, pbx, roster, reasons)
        self.checks = SeatChecks(world, ids, settings)
        self.past_console = PastConsole(world)
        self.arrivals: dict[tuple[str, str], datetime] = {}
        self._retrained: dict[str, datetime] = {}

    # what the other parts ask

    def permitted(self, agent: str, kind: str, now: datetime) -> bool:
        """Whether the lead has agreed to *kind* (busy, sign_out, sign_in) for this agent, and it still holds.

        It holds, too, for those who are told of the very act that has used it up.
        """
        if self.permits.holding(agent, kind, now) is not None:
            return True
        person = self.world.agents.get(agent)
        carried_out = person is not None and person.signed_in is (kind == PermitKind.SIGN_IN)
        return carried_out and self.permits.used_for(agent, kind, now) is not None

    def released_by(self, agent: str, at: datetime) -> str | None:
        """The lead whose agreement the sign-out at *at* used, or None when it needed none."""
        permit = self.permits.used_for(agent, PermitKind.SIGN_OUT, at)
        return None if permit is None else permit.decided_by

    def undecided(self, agent: str) -> list[str]:
        """Ids of the agent's requests that wait for a lead's word."""
        return [p.permit_id for p in self.permits.of(agent) if p.state is PermitState.ASKED]

    def arrived_at(self, shift: Shift) -> datetime | None:
        """When the shift's agent came to the post (到岗), or None: by sign-in, or by saying so.

        Somebody who sits at a seat from earlier on, as the hour of the shift comes, has been there since that sign-in.
        """
        said = self.arrivals.get((shift.agent, shift.shift_id))
        agent = self.world.agents.get(shift.agent)
        if said is not None or agent is None or agent.signed_in_at is None:
            return said
        near = signin.arriving_for(None, shift, self.world.now) is not None
        return agent.signed_in_at if near and agent.signed_in_at < shift.ends_at else None

    def last_on_post(self, agent: str) -> datetime | None:
        """When the agent signed in or out last, or None for somebody who never did."""
        return self.log.last_on_post(agent)

    def recent(self, agent: str) -> list[Act]:
        """The agent's acts of the last 48 h, in order."""
        return self.log.recent(agent)

    # what the rules say

    def rules(self, asked: StateAsked, agent: Agent, now: datetime) -> Iterable[Ruling]:
        """The windows of the shift and the break line; one's own shift, the way back to the post; a phone that asks."""
        kind = _PERMIT_FOR.get(type(asked))
        agreed = kind is not None and self.permits.holding(agent.number, kind, now) is not None
        match asked:
            case SignIn():
                yield from self._sign_in_rules(asked, agent.number, agreed, now)
            case SignOut() if not agreed:
                yield self._window(Leaving.SIGN_OUT, agent.number, now)
            case GoBusy() if not agreed:
                yield self._window(Leaving.BUSY, agent.number, now)
                line = self.breaks.ruling(agent.number, asked.reason, now)
                if line is not None:
                    yield line

    def _sign_in_rules(self, asked: SignIn, number: str, agreed: bool, now: datetime) -> Iterable[Ruling]:
        profile = self.world.profile
        own, early = profile.rule("signin.own_shift"), profile.get("signin.early")
        if own is not None and not agreed and self.roster.covered(now):
            before = timedelta(seconds=early.seconds()) if early is not None else timedelta(0)
            mine, coming = self.roster.shift_at(number, now), self.roster.next_shift(number, now)
            yield signin.in_own_shift(own, mine, coming, before, now)
        months = profile.get("training.off_post_months")
        if months is not None:
            last, retrained = self.log.last_on_post(number), self._retrained.get(number)
            yield training.may_return(last, retrained, months, now, self.world.zone)
        running = None if asked.proved else self.checks.ruling(number, asked.seat)
        if running is not None:
            yield running

    def _window(self, kind: Leaving, number: str, now: datetime) -> Ruling:
        profile = self.world.profile
        shift = self.roster.shift_at(number, now)
        return may_leave(kind, shift, profile.get("busy.first"), profile.get("busy.last"), now)

    def instead(self, asked: StateAsked, agent: Agent, ruling: Ruling, now: datetime) -> Outcome | None:
        """A sign-in that must be proved first; a place in the break line, when nothing else refuses."""
        if isinstance(asked, SignIn) and ruling.allowed and self.checks.wanted(asked.proved):
            return self.checks.begin(agent.number, asked.seat, now)
        alone = ruling.code == "break_line" and set(ruling.articles) <= set(self.breaks.articles())
        if isinstance(asked, GoBusy) and alone:
            place = self.breaks.stand(agent.number, asked.reason, now)
            return Outcome(in_line(ruling, place["position"]), place)
        return None

    # what happens

    def acted(self, act: Act, now: datetime) -> None:
        """Into the log; permits are used, arrivals follow from sign-ins, the line and the console are looked at."""
        if act.kind is ActKind.SIGNED_IN:
            self.checks.forget(act.agent)
            self._arrives(act.agent, now)
        if act.kind is ActKind.SIGNED_OUT:
            self._was_there(act.agent, now)
        self.log.write(act)
        used = _USED_BY.get(act.kind)
        if used is not None and act.by is None:
            self.permits.use(act.agent, used, now)
        self.breaks.acted(act, now)
        self.past_console.acted(act)

    def stepped(self, before: Call | None, after: Call, now: datetime) -> None:
        """A talk that is over may be what the console waited for."""
        self.past_console.look()

    def batched(self, now: datetime) -> None:
        """Somebody became ready, signed in, or the last caller was answered: the line may move."""
        self.breaks.turn(now)

    def _arrives(self, number: str, now: datetime) -> None:
        shift = signin.arriving_for(self.roster.shift_at(number, now), self.roster.next_shift(number, now), now)
        if shift is not None:
            self._put_arrival(shift, now)

    def _was_there(self, number: str, now: datetime) -> None:
        """Whoever stayed on from an earlier shift did not sign in for this one; what shows it ends as he signs out."""
        came = next((a.at for a in reversed(self.log.recent(number)) if a.kind is ActKind.SIGNED_IN), None)
        shift = self.roster.shift_at(number, now) or self.roster.last_shift(number, now)
        if shift is not None and came is not None and came < shift.ends_at:
            self._put_arrival(shift, came)

    def _put_arrival(self, shift: Shift, at: datetime) -> None:
        key = (shift.agent, shift.shift_id)
        if key not in self.arrivals:
            self.arrivals = {k: came for k, came in self.arrivals.items() if came > at - KEPT_ARRIVALS}
            self.arrivals[key] = at
            row = {"pbx_id": self.settings.pbx_id, "agent": shift.agent, "shift_id": shift.shift_id, "at": at}
            self.world.write(arrivals_table, row)

    # commands

    def commands(self) -> Mapping[type[Any], Handler]:
        """Arriving, permits, the line, retraining, a check that came to nothing, and the agent's own picture."""
        return {
            Arrive: self._arrive,
            AskPermit: self.permits.ask,
            DecidePermit: self.permits.decide,
            WithdrawPermit: self.permits.withdraw,
            LeaveBreakLine: lambda command, now: self.breaks.leave(command.number, now),
            RecordTraining: self._train,
            SeatUnproved: self._unproved,
            OwnDuty: self._own,
        }

    def _arrive(self, command: Arrive, now: datetime) -> Outcome:
        mine, coming = self.roster.shift_at(command.number, now), self.roster.next_shift(command.number, now)
        said = {shift_id for agent, shift_id in self.arrivals if agent == command.number}
        ruling = signin.may_arrive(mine, coming, said, now)
        shift = signin.arriving_for(mine, coming, now)
        if ruling.allowed and shift is not None:
            self._put_arrival(shift, now)
            self.world.acted(ActKind.ARRIVED, command.number, now)
        return Outcome(ruling)

    def _train(self, command: RecordTraining, now: datetime) -> Outcome:
        note = taken("note", command.note)
        months = self.world.profile.get("training.off_post_months")
        if command.number not in self.world.agents:
            return Outcome(refused("unknown_agent", "没有该工号的话务员", "There is no agent with this number"))
        ruling = training.may_record(command.by, command.number, (months.article,) if months else (), self.world.leads)
        if ruling.allowed:
            self._retrained[command.number] = now
            row = {"training_id": self.ids.make("tr", now), "pbx_id": self.settings.pbx_id, "agent": command.number,
                   "at": now, "by": command.by, "note": note}  # fmt: skip
            self.world.write(trainings_table, row)
        return Outcome(ruling)

    def _unproved(self, command: SeatUnproved, now: datetime) -> Outcome:
        self.checks.over(command.check_id)
        return Outcome(allowed())

    # what is shown

    def _own(self, command: OwnDuty, now: datetime) -> Outcome:
        number, profile = command.number, self.world.profile
        mine, coming = self.roster.shift_at(number, now), self.roster.next_shift(number, now)
        limits = profile.get("busy.first"), profile.get("busy.last")
        dropped = self.breaks.dropped(number)
        said = {shift_id for agent, shift_id in self.arrivals if agent == number}
        arriving = signin.arriving_for(mine, coming, now)
        arrived = self.arrived_at(arriving) if arriving is not None else None
        data = {
            "shift": _shift_view(mine),
            "next_shift": _shift_view(coming),
            "windows": [
                {"name": w.name, "begins": w.begins.isoformat(), "ends": w.ends.isoformat()}
                for w in (windows_of(mine, *limits) if mine is not None else ())
            ],
            "arrived_at": arrived.isoformat() if arrived is not None else None,
            "can_arrive": arrived is None and signin.may_arrive(mine, coming, said, now).allowed,
            "permits": [permit_view(permit) for permit in self.permits.of(number)],
            "over_time": number in self.permits.over_time(),
            "break_line": self.breaks.place(number),
            "dropped": None if dropped is None else {
                "code": dropped.code, "detail": dropped.zh, "detail_en": dropped.en,
                "articles": [asdict(a) for a in dropped.articles],
            },
            "seat_check": self.checks.of(number),
        }  # fmt: skip
        return Outcome(allowed(), data)

    def line(self, number: str, now: datetime) -> dict[str, Any]:
        """Counted busy time of today: what is over, in milliseconds, and since when more of it runs."""
        counted = self.log.counted(number, now)
        since = counted.since.isoformat() if counted.since is not None else None
        return {"busy_counted_ms": counted.total // timedelta(milliseconds=1), "busy_counted_since": since}

    def view(self, now: datetime) -> dict[str, Any]:
        """Requests that wait, the line in order, and who is busy beyond what was agreed."""
        return {
            "requests": self.permits.waiting(),
            "break_line": self.breaks.waiting(),
            "over_time": self.permits.over_time(),
        }

    # deadlines and the store

    def dues(self) -> Mapping[str, Waker]:
        """The end of a permit, and of a check that nobody answered."""
        return {"permit": self.permits.due, "seat_check": lambda check_id, now: self.checks.over(check_id)}

    def started(self, now: datetime) -> None:
        """Permits that ended meanwhile are looked at first."""
        self.permits.started()

    async def load(self, connection: AsyncConnection, now: datetime) -> None:
        """Log, permits, line, arrivals of the last days, and everybody's last retraining."""
        pbx = self.settings.pbx_id
        await self.log.load(connection, now)
        await self.permits.load(connection, now)
        await self.breaks.load(connection)
        a, c = arrivals_table.c, trainings_table.c
        came = select(a.agent, a.shift_id, a.at).where(a.pbx_id == pbx, a.at > now - KEPT_ARRIVALS)
        self.arrivals.update(((agent, shift), at) for agent, shift, at in (await connection.execute(came)).all())
        last = select(c.agent, func.max(c.at)).where(c.pbx_id == pbx).group_by(c.agent)
        self._retrained.update((agent, at) for agent, at in (await connection.execute(last)).all())


def _shift_view(shift: Shift | None) -> dict[str, Any] | None:
    if shift is None:
        return None
    return {
        "shift_id": shift.shift_id, "code": shift.code, "crew": shift.crew, "seat": shift.seat,
        "starts_at": shift.starts_at.isoformat(), "ends_at": shift.ends_at.isoformat(),
    }  # fmt: skip

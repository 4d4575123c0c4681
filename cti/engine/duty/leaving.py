"""Requests for leave and swaps in the engine: asked, answered by the partner, decided, kept with every step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from agents import leave
from agents.leave import Request, RequestKind, RequestState, Step, StepKind
from agents.roster import Roster
from agents.shifts import Shift, ShiftState
from cti.commands import Outcome
from cti.commands.roster import AgreeSwap, AskLeave, AskSwap, DecideRequest, RefuseSwap, WithdrawRequest
from cti.engine.part import Handler
from cti.engine.world import World
from cti.errors import BadInput
from cti.ids import Ids
from cti.store import roster_tables as t
from cti.texts import taken
from regulations import Ruling, refused

AROUND = timedelta(days=1)  # shifts that may begin on the same local day begin within it
Keep = Callable[[Sequence[Shift], str, str, datetime], None]


class Leaving:
    """Open requests, and those of shifts that the roster in memory still holds."""

    def __init__(self, world: World, ids: Ids, roster: Roster, pbx_id: str, keep: Keep) -> None:
        self.world, self.ids, self.roster, self.pbx_id, self._keep_shifts = world, ids, roster, pbx_id, keep
        self.requests: dict[str, Request] = {}

    def commands(self) -> Mapping[type[Any], Handler]:
        """Command type -> what takes it."""
        return {
            AskLeave: self._ask_leave, AskSwap: self._ask_swap, AgreeSwap: self._agree, RefuseSwap: self._refuse,
            WithdrawRequest: self._withdraw, DecideRequest: self._decide,
        }  # fmt: skip

    async def load(self, connection: AsyncConnection, since: datetime) -> None:
        """Open requests, and all of shifts that begin after *since*."""
        r = t.roster_requests.c
        still_open = r.state.in_((RequestState.PARTNER.value, RequestState.PENDING.value))
        wanted = select(t.roster_requests).where(r.pbx_id == self.pbx_id, or_(r.starts_at >= since, still_open))
        for row in (await connection.execute(wanted)).mappings():
            self.requests[row["request_id"]] = request_of(row)

    def forget(self, before: datetime) -> None:
        """Drop what is settled and whose shift began before *before*."""
        self.requests = {i: r for i, r in self.requests.items() if r.open or r.starts_at >= before}

    def pending(self) -> int:
        """How many requests wait for a decision."""
        return sum(r.state is RequestState.PENDING for r in self.requests.values())

    def _ask_leave(self, command: AskLeave, now: datetime) -> Outcome:
        if command.kind not in set(RequestKind) - {RequestKind.SWAP}:
            raise BadInput("kind", "personal, sick or annual (事假、病假或年休)")
        reason = taken("reason", command.reason)
        return self._ask(command.by, command.number, command.shift_id, RequestKind(command.kind), None, reason, now)

    def _ask_swap(self, command: AskSwap, now: datetime) -> Outcome:
        reason = taken("reason", command.reason)
        if command.with_agent not in self.world.agents:
            raise BadInput("with_agent", "there is no agent with this number (没有该工号的话务员)")
        kind = RequestKind.SWAP
        return self._ask(command.by, command.number, command.shift_id, kind, command.with_agent, reason, now)

    def _ask(
        self, by: str, number: str, shift_id: str, kind: RequestKind, partner: str | None, reason: str, now: datetime
    ) -> Outcome:
        shift = self.roster.by_id.get(shift_id)
        if shift is None or shift.agent != number:
            return Outcome(refused("not_found", "没有该班次", "There is no such shift"))
        asking = leave.Asking(
            shift, kind, by, by in self.world.leads, self._day(shift), partner,
            partner is None or self._free(shift, partner),
            any(r.open and r.shift_id == shift_id for r in self.requests.values()),
        )  # fmt: skip
        ruling = leave.may_ask(asking, self.world.profile, self.world.zone, now)
        if not ruling.allowed:
            return Outcome(ruling)
        state = RequestState.PENDING if partner is None else RequestState.PARTNER
        request = Request(self.ids.make("rq", now), kind, number, shift_id, shift.starts_at, partner)
        return self._stepped(request, state, Step(StepKind.ASKED, now, by, reason), ruling)

    def _agree(self, command: AgreeSwap, now: datetime) -> Outcome:
        request = self.requests.get(command.request_id)
        if request is None:
            return _none()
        shift = self.roster.by_id.get(request.shift_id)
        free = shift is not None and self._free(shift, command.number)
        ruling = leave.may_answer(request, command.number, agrees=True, free=free)
        return self._stepped(
            request, RequestState.PENDING, Step(StepKind.PARTNER_AGREED, now, command.number), ruling
        )  # fmt: skip

    def _refuse(self, command: RefuseSwap, now: datetime) -> Outcome:
        reason = taken("reason", command.reason, optional=True)
        request = self.requests.get(command.request_id)
        if request is None:
            return _none()
        ruling = leave.may_answer(request, command.number, agrees=False, free=True)
        step = Step(StepKind.PARTNER_REFUSED, now, command.number, reason)
        return self._stepped(request, RequestState.REFUSED, step, ruling)

    def _withdraw(self, command: WithdrawRequest, now: datetime) -> Outcome:
        request = self.requests.get(command.request_id)
        if request is None:
            return _none()
        step = Step(StepKind.WITHDRAWN, now, command.number)
        return self._stepped(request, RequestState.WITHDRAWN, step, leave.may_withdraw(request, command.number))

    def _decide(self, command: DecideRequest, now: datetime) -> Outcome:
        reason = taken("reason", command.reason, optional=command.agreed)  # who declines says why
        request = self.requests.get(command.request_id)
        if request is None:
            return _none()
        shift = self.roster.by_id.get(request.shift_id)
        day = self._day(shift) if shift is not None else leave.Day(0, 0, False)
        free = shift is None or request.partner is None or self._free(shift, request.partner)
        deciding = leave.Deciding(request, command.by, command.agreed, reason, shift, day, free)
        ruling = leave.may_decide(deciding, self.world.profile, now)
        state = RequestState.APPROVED if command.agreed else RequestState.DECLINED
        kind = StepKind.APPROVED if command.agreed else StepKind.DECLINED
        if ruling.allowed and command.agreed and shift is not None:
            request = self._take_effect(request, shift, command.by, reason, now)
        return self._stepped(request, state, Step(kind, now, command.by, reason), ruling)

    def _take_effect(self, request: Request, shift: Shift, by: str, reason: str, now: datetime) -> Request:
        if request.partner is None:
            self._keep_shifts([replace(shift, state=ShiftState.LEAVE)], by, reason, now)
            return request
        stand_in = replace(shift, shift_id=self.ids.make("sh", now), agent=request.partner)
        self._keep_shifts([replace(shift, state=ShiftState.SWAPPED), stand_in], by, reason, now)
        return replace(request, stand_in=stand_in.shift_id)

    def _day(self, shift: Shift) -> leave.Day:
        around = self.roster.between(shift.starts_at - AROUND, shift.starts_at + AROUND)
        personal = (
            r.shift_id for r in self.requests.values()
            if r.kind is RequestKind.PERSONAL and r.state is RequestState.APPROVED
        )  # fmt: skip
        return leave.day_of(shift, around, personal, self.world.zone)

    def _free(self, shift: Shift, partner: str) -> bool:
        """Whether *partner* could stand in, with *shift* out of the way."""
        stand_in = replace(shift, shift_id="", agent=partner)
        return not self.roster.clashes([replace(shift, state=ShiftState.SWAPPED), stand_in])

    def _stepped(self, request: Request, state: RequestState, step: Step, ruling: Ruling) -> Outcome:
        if not ruling.allowed:
            return Outcome(ruling)
        request = request.stepped(state, step)
        self.requests[request.request_id] = request
        self.world.write(t.roster_requests, request_row(request, self.pbx_id))
        return Outcome(ruling, {"request_id": request.request_id, "state": request.state.value})


def _none() -> Outcome:
    return Outcome(refused("not_found", "没有该申请", "There is no such request"))


def request_row(request: Request, pbx_id: str) -> dict[str, Any]:
    """The row of a request."""
    return {
        "pbx_id": pbx_id, "request_id": request.request_id, "kind": request.kind.value, "number": request.number,
        "shift_id": request.shift_id, "starts_at": request.starts_at, "partner": request.partner,
        "state": request.state.value, "stand_in": request.stand_in,
        "steps": [
            {"kind": s.kind.value, "at": s.at.isoformat(), "by": s.by, "reason": s.reason} for s in request.steps
        ],
    }  # fmt: skip


def request_of(row: Mapping[Any, Any]) -> Request:
    """The request of a row."""
    steps = tuple(
        Step(StepKind(s["kind"]), datetime.fromisoformat(s["at"]), s["by"], s["reason"]) for s in row["steps"]
    )  # fmt: skip
    return Request(
        row["request_id"], RequestKind(row["kind"]), row["number"], row["shift_id"], row["starts_at"], row["partner"],
        RequestState(row["state"]), steps, row["stand_in"],
    )  # fmt: skip

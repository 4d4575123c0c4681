"""Missed callers in the engine: calls make and settle duties, agents claim, call back and end them.

A callback goes the one way that callbacks go (RequestCallback), so quiet hours, spacing and the most attempts hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import RowMapping, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.commands import Outcome, RequestCallback
from cti.commands.missed import CallBackMissed, ClaimMissed, CloseMissed, ReleaseMissed
from cti.engine.joining import MISSED
from cti.engine.part import Act, ActKind, Handler, Part
from cti.engine.records import Callback
from cti.engine.world import World
from cti.errors import BadInput
from cti.ids import Ids
from cti.numbers import diallable
from cti.settings import Settings
from cti.store import tables as t
from cti.store.door_tables import shut_outs
from cti.store.missed_tables import missed_calls
from cti.texts import taken
from queues import missed as core
from queues.calls import Call
from queues.facts import ShutOut
from queues.missed import EndReason, Missed, State, Try
from regulations import Article, refused

# A call in vain may be told after a later one that was answered: live events overtake what is read back from queue_log.
KEEP_SPOKEN = timedelta(hours=24)


class MissedCallers(Part):
    """The open duties, by number. A site whose rules do not ask for it (``missed.return``) keeps none."""

    def __init__(self, world: World, ids: Ids, settings: Settings) -> None:
        self.world, self.ids = world, ids
        self.pbx_id, self.area_code = settings.pbx_id, settings.callback.area_code
        self.open: dict[str, Missed] = {}
        self._number_of: dict[str, str] = {}  # of each open duty, by its id
        self._spoken: dict[str, datetime] = {}  # number -> last conversation; the longest known come first
        self._day, self._withheld = date.min, 0  # callers of the local day in vain who gave no number
        self._moot: set[str] = set()  # callbacks whose duty is closed

    def commands(self) -> Mapping[type[Any], Handler]:
        return {
            ClaimMissed: self._claim, ReleaseMissed: self._release, CloseMissed: self._close,
            CallBackMissed: self._call_back,
        }  # fmt: skip

    def view(self, now: datetime) -> dict[str, Any]:
        """How many callers wait to be called back and since when the first of them; and who of today left no number."""
        oldest = min((duty.first_at for duty in self.open.values()), default=None)
        withheld = self._withheld if self._day == self._local_day(now) else 0
        since = oldest.isoformat() if oldest else None
        return {"missed": {"open": len(self.open), "oldest_since": since, "withheld": withheld}}

    def stepped(self, before: Call | None, after: Call, now: datetime) -> None:
        if after.queue != self.world.queue:
            return
        named = before is not None and before.caller != after.caller  # told after the call's end
        if core.is_missed(after) and (named or not core.is_missed(before)):
            self._missed(after.caller, Try(after.call_id, after.entered_at), now)
        talked = before is not None and before.answered_at is not None
        if after.answered_at is not None and (named or not talked):
            self._spoke(self._key(after.caller), after.answered_at, after.agent, State.CAME_THROUGH, now)
        self._count_withheld(before, after)

    def turned_from_the_door(self, fact: ShutOut, now: datetime) -> None:
        """Who was never let in is owed what those are who gave up."""
        if fact.caller:
            self._missed(fact.caller, Try(fact.call_id, fact.at), now)
        else:
            self._add_withheld(fact.at, 1)

    def called_back(self, after: Callback, now: datetime) -> None:
        ours = (after.request_key or "").startswith(MISSED)
        own = self._by_id((after.request_key or "").removeprefix(MISSED)) if ours else None
        duty = own or self._joined_to(after)
        if duty is not None:
            self._keep(core.planned(duty, after.callback_id, after.state, after.agent, now))
        elif ours and after.state == "due":
            self._moot.add(after.callback_id)
        if after.state == "reached":
            answered = max((d.answered_at for d in after.diallings if d.answered_at is not None), default=now)
            # The duty's own callback settles it even when the clock was set back since the caller's try.
            at = max(answered, duty.first_at) if duty else answered
            self._spoke(self._key(after.number), at, after.agent, State.REACHED, now)

    def acted(self, act: Act, now: datetime) -> None:
        if act.kind is ActKind.SIGNED_OUT:
            for duty in [d for d in self.open.values() if d.claimed_by == act.agent and not d.planned]:
                self._keep(core.released(duty))

    def batched(self, now: datetime) -> None:
        moot, self._moot = self._moot, set()
        for callback_id in sorted(moot):
            callback = self.world.callbacks.get(callback_id)
            # One that rings is let ring, and what others asked for as well is theirs.
            if callback is not None and callback.state == "due" and _for_nobody_else(callback):
                self.world.put_callback(replace(callback, state="cancelled", due_at=None, closed_at=now))
                self.world.tell(now, "callback.closed", callback_id, {"state": "cancelled"})

    async def load(self, connection: AsyncConnection, now: datetime) -> None:
        mine = (missed_calls.c.pbx_id == self.pbx_id) & missed_calls.c.closed_at.is_(None)
        for row in (await connection.execute(select(missed_calls).where(mine))).mappings():
            self._remember(_duty(row))
        for number, at in sorted(await _conversations(connection, self.pbx_id, self.world.queue, now), key=_when):
            self._heard(self._key(number), at, now)
        self._day = self._local_day(now)
        midnight = datetime.combine(self._day, time(), self.world.zone)
        self._withheld = await _withheld_since(connection, self.pbx_id, self.world.queue, midnight)

    # What happened to callers.

    def _missed(self, caller: str, one: Try, now: datetime) -> None:
        number = self._key(caller)
        spoken = self._spoken.get(number)
        if not number or not self._articles() or (spoken is not None and one.at <= spoken):
            return
        duty = self.open.get(number)
        self._keep(core.tried(duty, one) if duty else core.opened(self.ids.make("m", now), number, (one,)))

    def _spoke(self, number: str, at: datetime, agent: str | None, state: State, now: datetime) -> None:
        if not number:
            return
        self._heard(number, at, now)
        duty = self.open.get(number)
        if duty is not None:
            settled, later = core.spoken(duty, at, agent, state, now)
            if settled != duty:
                self._keep(settled)
            if later:
                self._keep(core.opened(self.ids.make("m", now), number, later))

    def _heard(self, number: str, at: datetime, now: datetime) -> None:
        self._spoken[number] = max(at, self._spoken.pop(number, at))
        while now - self._spoken[first := next(iter(self._spoken))] > KEEP_SPOKEN and first != number:
            del self._spoken[first]

    def _count_withheld(self, before: Call | None, after: Call) -> None:
        change = _in_vain_unnamed(after) - _in_vain_unnamed(before)
        if change:
            self._add_withheld(after.entered_at, change)

    def _add_withheld(self, at: datetime, change: int) -> None:
        day = self._local_day(at)
        if day > self._day:
            self._day, self._withheld = day, 0
        if day == self._day:
            self._withheld += change

    # What people ask.

    def _claim(self, command: ClaimMissed, now: datetime) -> Outcome:
        duty = self._by_id(command.missed_id)
        if duty is None:
            return _closed()
        ruling = core.may_claim(duty, command.by, self._present(duty, command.by), self._articles())
        if ruling.allowed:
            self._take(duty, command.by, now)
        return Outcome(ruling)

    def _take(self, duty: Missed, agent: str, now: datetime) -> None:
        self._keep(core.claimed(duty, agent, now))
        callback = self.world.callbacks.get(duty.callback_id or "")
        if callback is not None and callback.state == "due" and callback.agent != agent:
            self.world.put_callback(replace(callback, agent=agent))

    def _release(self, command: ReleaseMissed, now: datetime) -> Outcome:
        duty = self._by_id(command.missed_id)
        if duty is None:
            return _closed()
        ruling = core.may_release(duty, command.by, command.by in self.world.leads, self._articles())
        if ruling.allowed:
            self._keep(core.released(duty))
        return Outcome(ruling)

    def _close(self, command: CloseMissed, now: datetime) -> Outcome:
        duty = self._by_id(command.missed_id)
        if duty is None:
            return _closed()
        reason, text = _reason(command.reason), taken("text", command.text)
        ruling = core.may_end(duty, command.by, command.by in self.world.leads, reason, self._articles())
        if ruling.allowed:
            self._keep(core.ended(duty, command.by, reason, text, now))
        return Outcome(ruling)

    def _call_back(self, command: CallBackMissed, now: datetime) -> Outcome:
        duty = self._by_id(command.missed_id)
        if duty is None:
            return _closed()
        agent = command.by
        ruling = core.may_call_back(duty, agent, self._present(duty, agent), self._articles())
        if not ruling.allowed:
            return Outcome(ruling)
        request = RequestCallback(agent, agent, duty.number, None, None, MISSED + duty.missed_id, since=duty.first_at)
        outcome = self.world.ask(request, now)  # a callback that is planned already is answered again
        planned = self._by_id(duty.missed_id)
        if not outcome.ruling.allowed or planned is None:
            return outcome
        callback = self.world.callbacks[str(outcome.data["callback_id"])]
        if planned.callback_id is None:  # it joined one that somebody makes, who makes this then
            self._keep(core.planned(planned, callback.callback_id, callback.state, callback.agent, now))
        else:
            self._take(planned, agent, now)
        return outcome

    # What is kept.

    def _keep(self, duty: Missed) -> None:
        self.world.write(missed_calls, _row(duty, self.pbx_id))
        if duty.closed_at is None:
            self._remember(duty)
            return
        del self.open[duty.number], self._number_of[duty.missed_id]
        if duty.callback_id is not None:
            self._moot.add(duty.callback_id)

    def _remember(self, duty: Missed) -> None:
        self.open[duty.number] = duty
        self._number_of[duty.missed_id] = duty.number

    def _joined_to(self, callback: Callback) -> Missed | None:
        duty = self.open.get(callback.number)
        return duty if duty is not None and duty.callback_id == callback.callback_id else None

    def _by_id(self, missed_id: str) -> Missed | None:
        return self.open.get(self._number_of.get(missed_id, ""))

    def _present(self, duty: Missed, agent: str) -> frozenset[str]:
        agents = (self.world.agents.get(number) for number in (agent, duty.claimed_by or ""))
        return frozenset(a.number for a in agents if a is not None and a.signed_in)

    def _articles(self) -> tuple[Article, ...]:
        article = self.world.profile.rule("missed.return")
        return () if article is None else (article,)

    def _local_day(self, at: datetime) -> date:
        return at.astimezone(self.world.zone).date()

    def _key(self, caller: str) -> str:
        """One caller, however his exchange writes him: as he would be dialled, or as he came when that cannot be."""
        try:
            return diallable(caller, self.area_code) if caller else ""
        except BadInput:
            return caller


def _closed() -> Outcome:
    return Outcome(
        refused("no_such_missed", "该未接来电已办结或不存在", "This missed call is closed, or there is none")
    )


def _for_nobody_else(callback: Callback) -> bool:
    others = any(not key.startswith(MISSED) for key in callback.keys)
    return not (others or callback.mandatory or callback.ticket_id is not None)


def _reason(value: str) -> EndReason:
    try:
        return EndReason(value)
    except ValueError as error:
        raise BadInput("reason", f"one of {', '.join(EndReason)} is needed") from error


def _in_vain_unnamed(call: Call | None) -> bool:
    return call is not None and core.is_missed(call) and not call.caller


def _when(conversation: tuple[str, datetime]) -> datetime:
    return conversation[1]


async def _conversations(
    connection: AsyncConnection, pbx_id: str, queue: str, now: datetime
) -> Iterable[tuple[str, datetime]]:
    """(number, when) of every caller who was answered, or reached by a callback, lately."""
    c, a = t.calls.c, t.attempts.c
    lately = (c.pbx_id == pbx_id) & (c.queue == queue) & (c.entered_at > now - KEEP_SPOKEN)
    answered = select(c.caller, c.answered_at).where(lately, c.answered_at.is_not(None), c.caller != "")
    reached = (
        select(t.callbacks.c.number, a.answered_at)
        .join(t.attempts, a.callback_id == t.callbacks.c.callback_id)
        .where(t.callbacks.c.pbx_id == pbx_id, a.started_at > now - KEEP_SPOKEN, a.answered_at.is_not(None))
    )
    return [(row[0], row[1]) for query in (answered, reached) for row in (await connection.execute(query)).all()]


async def _withheld_since(connection: AsyncConnection, pbx_id: str, queue: str, midnight: datetime) -> int:
    c = t.calls.c
    in_vain = (c.caller == "") & c.answered_at.is_(None) & c.ended_at.is_not(None)
    query = select(func.count()).where(c.pbx_id == pbx_id, c.queue == queue, c.entered_at >= midnight, in_vain)
    s = shut_outs.c
    at_the_door = select(func.count()).where(s.pbx_id == pbx_id, s.at >= midnight, s.withheld)
    return sum([int((await connection.execute(one)).scalar_one()) for one in (query, at_the_door)])


def _row(duty: Missed, pbx_id: str) -> dict[str, Any]:
    return {
        "missed_id": duty.missed_id, "pbx_id": pbx_id, "number": duty.number, "first_at": duty.first_at,
        "last_at": duty.last_at, "tries": duty.tries,
        "latest": [[one.call_id, one.at.isoformat()] for one in duty.latest], "state": duty.state.value,
        "claimed_by": duty.claimed_by, "claimed_at": duty.claimed_at, "callback_id": duty.callback_id,
        "callback_state": duty.callback_state, "closed_at": duty.closed_at, "closed_by": duty.closed_by,
        "end_reason": duty.end_reason.value if duty.end_reason else None, "end_text": duty.end_text,
    }  # fmt: skip


def _duty(row: RowMapping) -> Missed:
    values = {name: row[name] for name in Missed.__slots__}
    values["latest"] = tuple(Try(call_id, datetime.fromisoformat(at)) for call_id, at in row["latest"])
    values["state"] = State(row["state"])
    return Missed(**values)

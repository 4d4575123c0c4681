"""What callers said on the phone, kept with the conversation: judgements, refusals, appointments, supervision."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.commands import Outcome
from cti.commands.owed import LiftSupervision, RecordResult
from cti.engine.records import Callback, Dialling
from cti.engine.world import World
from cti.errors import BadInput
from cti.ids import CALLBACK_LEG
from cti.store.owed_tables import callback_results, owed_tickets, supervised_tickets
from cti.texts import lines_taken, taken
from queues import results
from queues.callbacks import AttemptOutcome
from queues.endings import then
from queues.facts import Rated
from queues.results import Cause, NotTalked, Satisfaction
from regulations import allowed, refused

KEYPAD = "keypad"
JUDGED = (AttemptOutcome.PLACING, AttemptOutcome.REACHED, AttemptOutcome.UNKNOWN)
"""Of attempts that a rating may come from; who refused or agreed another time gave no judgement."""
Choice = TypeVar("Choice", bound=StrEnum)


class Said:
    """Keeps it. ``step`` writes one line of what was done about a callback."""

    def __init__(self, world: World, pbx_id: str, step: Callable[[str, str, str, str, datetime], None]) -> None:
        self.world, self.pbx_id, self._step = world, pbx_id, step
        self.supervised: dict[str, dict[str, Any]] = {}  # rows of the tickets that are listed now
        self._unhappy: defaultdict[str, set[str]] = defaultdict(set)  # ticket -> conversations that ended so
        self._refused: dict[str, NotTalked] = {}  # by conversation, said while it runs
        self._ended: set[str] = set()  # callbacks that a conversation closed in this batch

    async def load(self, connection: AsyncConnection) -> None:
        """Who was dissatisfied how often, what is listed, and what was said in conversations that still run."""
        r, o, s = callback_results.c, owed_tickets.c, supervised_tickets.c
        unhappy = r.what == Satisfaction.DISSATISFIED.value
        own = select(r.ticket_id, r.channel_id).where(unhappy, r.ticket_id.is_not(None))
        joined = select(o.ticket_id, r.channel_id).where(unhappy, o.callback_id == r.callback_id)
        for query in (own, joined):
            for ticket_id, channel_id in await connection.execute(query):
                self._unhappy[ticket_id].add(channel_id)
        listed = select(supervised_tickets).where(s.pbx_id == self.pbx_id, s.lifted_at.is_(None))
        for row in (await connection.execute(listed)).mappings():
            self.supervised[row["ticket_id"]] = dict(row)
        running = [c.running.channel_id for c in self.world.callbacks.values() if c.running is not None]
        said = select(r.channel_id, r.what).where(r.channel_id.in_(running), r.what.in_([w.value for w in NotTalked]))
        for channel_id, what in await connection.execute(said):
            self._refused[channel_id] = NotTalked(what)

    def read(self, asked: RecordResult) -> tuple[Satisfaction, Cause | None, str]:
        """What is asked, checked. Raises BadInput naming the field."""
        what = chosen(Satisfaction, "result", asked.result)
        unhappy = what is Satisfaction.DISSATISFIED
        if unhappy is not bool(asked.cause):
            raise BadInput("cause", "needed for the dissatisfied, and for them alone (不满意须选原因)")
        text = lines_taken("text", asked.text, longest=results.MOST_TEXT)
        return what, chosen(Cause, "cause", asked.cause) if unhappy else None, text

    def rated(self, fact: Rated, now: datetime) -> None:
        """The caller's own key after a callback: it holds, but where the agent said the same, his words stay."""
        what, talk = results.KEYS[fact.rating], fact.call_id
        if not talk.startswith(CALLBACK_LEG):
            return
        for callback in self.world.callbacks.values():
            if any(d.channel_id == talk and d.attempt.outcome in JUDGED for d in callback.diallings):
                if talk not in self._refused and callback.result != what.value:
                    self.record(callback, talk, KEYPAD, what, None, "", now)
                return

    def record(
        self, callback: Callback, channel_id: str, by: str, what: Satisfaction, cause: Cause | None, text: str,
        now: datetime,
    ) -> None:  # fmt: skip
        """Keep the judgement; the last one said of a conversation is the one that holds."""
        self._write(callback, channel_id, by, what.value, cause, text, now)
        self.world.put_callback(replace(callback, result=what.value))
        said = what.value if cause is None else f"{what.value} {cause.value}"
        self._step(callback.callback_id, by, "result", said, now)
        for ticket_id in [name for name in (callback.ticket_id, *callback.joined) if name is not None]:
            if what is Satisfaction.DISSATISFIED:
                self._unhappy[ticket_id].add(channel_id)
                self._supervise(ticket_id, callback, by, now)
            else:
                self._unhappy[ticket_id].discard(channel_id)

    def refuse(self, callback: Callback, talk: Dialling, by: str, what: NotTalked, text: str, now: datetime) -> None:
        """He will not talk, or is somebody else: that ends the callback once the conversation is over."""
        self._write(callback, talk.channel_id, by, what.value, None, text, now)
        self._step(callback.callback_id, by, what.value, text, now)
        self._refused[talk.channel_id] = what
        self._ended.add(callback.callback_id)

    def agreed(self, callback: Callback, now: datetime) -> None:
        """An appointment was agreed: it holds once the conversation is over."""
        if callback.state == "due":
            self._wait_for_it(callback, now)
        else:
            self.world.put_callback(callback)
            self._ended.add(callback.callback_id)

    def called_back(self, callback: Callback) -> None:
        """A callback changed; what was said while it ran is seen to at the end of the batch."""
        if callback.state == "reached":
            self._ended.add(callback.callback_id)

    def batched(self, now: datetime) -> None:
        """Conversations that are over are given the outcome that was said of them."""
        ended, self._ended = self._ended, set()
        for callback_id in sorted(ended):
            callback = self.world.callbacks.get(callback_id)
            if callback is not None and callback.state == "reached" and callback.diallings:
                self._settle(callback, now)

    def _settle(self, callback: Callback, now: datetime) -> None:
        last = max(callback.diallings, key=lambda dialling: dialling.attempt.ordinal)
        what = self._refused.pop(last.channel_id, None)
        ended = last.attempt.ended_at
        agreed = callback.appointment_at is not None and ended is not None and callback.appointment_at > ended
        if what is not None:
            callback = _with_outcome(callback, last, AttemptOutcome(what.value))
            state = then(callback.attempts, self.world.callback_limits).state
            self.world.put_callback(replace(callback, state=state))
        elif agreed and callback.result is None:
            self._wait_for_it(_with_outcome(callback, last, AttemptOutcome.NOT_CONVENIENT), now)

    def _wait_for_it(self, callback: Callback, now: datetime) -> None:
        self.world.plan(replace(callback, state="due", closed_at=None), now, now)

    def _supervise(self, ticket_id: str, callback: Callback, by: str, now: datetime) -> None:
        """挂牌督办, once, however often it goes on."""
        times = len(self._unhappy[ticket_id])
        after = self.world.profile.get("callback.supervised_after")
        if ticket_id in self.supervised or not results.supervised(times, after):
            return
        row = {
            "ticket_id": ticket_id, "pbx_id": self.pbx_id, "since": now, "times": times,
            "callback_id": callback.callback_id, "lifted_at": None, "lifted_by": None, "lift_reason": "",
        }  # fmt: skip
        self.supervised[ticket_id] = row
        self.world.write(supervised_tickets, row)
        self._step(callback.callback_id, by, "supervised", ticket_id, now)
        data = {"code": "callback_supervised", "ticket_id": ticket_id}
        self.world.tell(now, "alarm", ticket_id, data, "lead")

    def lift(self, asked: LiftSupervision, now: datetime) -> Outcome:
        """A lead ends the supervision of a ticket, with a reason."""
        reason = taken("reason", asked.reason)
        row = self.supervised.get(asked.ticket_id)
        if asked.by not in self.world.leads:
            return Outcome(refused("lead_only", "须由值班长办理", "The shift lead does this"))
        if row is None:
            return Outcome(refused("not_supervised", "该工单未挂牌督办", "The ticket is not under supervision"))
        del self.supervised[asked.ticket_id]
        over = {"lifted_at": now, "lifted_by": asked.by, "lift_reason": reason}
        self.world.write(supervised_tickets, {**row, **over})
        self._step(row["callback_id"], asked.by, "lifted", reason, now)
        return Outcome(allowed())

    def _write(
        self, callback: Callback, channel_id: str, by: str, what: str, cause: Cause | None, text: str, now: datetime
    ) -> None:
        row = {
            "channel_id": channel_id, "callback_id": callback.callback_id, "ticket_id": callback.ticket_id, "at": now,
            "by": by, "what": what, "cause": "" if cause is None else cause.value, "text": text,
        }  # fmt: skip
        self.world.write(callback_results, row)


def _with_outcome(callback: Callback, dialling: Dialling, outcome: AttemptOutcome) -> Callback:
    return callback.with_dialling(replace(dialling, attempt=replace(dialling.attempt, outcome=outcome)))


def chosen(kind: type[Choice], field: str, value: str) -> Choice:
    """*value* as one of the words of *kind*. Raises BadInput naming *field*."""
    try:
        return kind(value)
    except ValueError as error:
        raise BadInput(field, f"one of {', '.join(kind)} is needed") from error

"""What is owed in the engine: answers and finished tickets make callbacks, one open one for each number; progress.

What people ask of them is in cti/engine/owed_asked.py, the lists of the samples in cti/engine/drawing.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.commands import Command, Outcome
from cti.commands.handover import FinishElsewhere, FinishTicket
from cti.commands.owed import OweCallback, SendBack
from cti.commands.sinks import ReportReply
from cti.engine.drawing import Drawing
from cti.engine.duty.handover_tickets import OpenTickets
from cti.engine.joining import Joins, join, of_key, open_one
from cti.engine.owed_asked import OwedAsked
from cti.engine.part import Handler, Part, Waker
from cti.engine.records import Callback
from cti.engine.world import OPEN, World
from cti.errors import BadInput
from cti.ids import Ids
from cti.numbers import diallable
from cti.settings import Settings
from cti.store.owed_tables import owed_tickets
from cti.texts import taken
from queues import owed as core
from queues.callbacks import earliest
from queues.facts import Rated
from queues.kinds import KINDS
from queues.owed import Matter, Owed, Verdict
from queues.replies import Result
from queues.stubs import Stub
from queues.workdays import working_days_after
from regulations import Ruling, allowed, refused

SENT_BACK = "sent_back"
# Of a ticket for which something may be owed already.
SPEAKS = (ReportReply, FinishTicket, FinishElsewhere, OweCallback, SendBack)


class Owing(Part):
    """Makes callbacks of what is owed, and counts how far the day is."""

    def __init__(self, world: World, ids: Ids, settings: Settings, tickets: OpenTickets) -> None:
        self.world, self.ids = world, ids
        self.pbx_id, self.settings = settings.pbx_id, settings.callback
        self.drawing = Drawing(world, ids, settings.pbx_id)
        self.asked = OwedAsked(world, ids, settings, tickets, self._sent_back)
        self.said = self.asked.said
        self._known: dict[str, dict[str, Any]] = {}  # ticket -> what is owed for it, of the tickets of this batch
        self._progress: dict[str, Any] | None = None

    def commands(self) -> Mapping[type[Any], Handler]:
        return {OweCallback: self._owe_asked, **self.asked.commands()}

    def dues(self) -> Mapping[str, Waker]:
        return {"draw": self._draw_due, "owed-late": lambda _subject, _now: self._counted_anew()}

    def unit_answered(self, ticket_id: str, result: Result, now: datetime) -> None:
        stub = self.world.stubs.get(ticket_id)
        known = self._known.get(ticket_id)
        if result is Result.RETURNED:
            return
        if stub is not None:
            self._owe(stub, now)
        elif known is not None and known["code"] == SENT_BACK:  # finished, and yet the unit was to answer anew
            verdict = Verdict(Owed.MANDATORY, allowed())
            row = self._row(ticket_id, known["round"] + 1, known["number"], known["kind"], verdict, now)
            self._follow(verdict, row, "ticket", "", now)

    def batched(self, now: datetime) -> None:
        for ticket in list(self.world.changes.owners.values()):
            stub = self.world.stubs.get(ticket.ticket_id)
            if ticket.closed_at is not None and stub is not None:
                self._owe(stub, now)
        self.said.batched(now)
        self._known.clear()

    def called_back(self, callback: Callback, now: datetime) -> None:
        self._counted_anew()
        self.said.called_back(callback)

    def rated(self, fact: Rated, now: datetime) -> None:
        self.said.rated(fact, now)

    def started(self, now: datetime) -> None:
        self.drawing.started(now)
        for callback in self.world.callbacks.values():
            self._clock(callback, now)

    async def load(self, connection: AsyncConnection, now: datetime) -> None:
        await self.drawing.load(connection)
        await self.said.load(connection)

    def lacks(self, command: Command) -> bool:
        return isinstance(command, SPEAKS) or self.asked.lacks(command)

    async def fetch(self, connection: AsyncConnection, commands: Iterable[Command]) -> None:
        given = list(commands)
        speaks = [c.ticket_id for c in given if isinstance(c, SPEAKS) and c.ticket_id]
        query = select(owed_tickets).where(owed_tickets.c.ticket_id.in_(speaks)).order_by(owed_tickets.c.round)
        for row in (await connection.execute(query)).mappings() if speaks else ():
            self._known[row["ticket_id"]] = dict(row)
        await self.asked.fetch(connection, given)

    def view(self, now: datetime) -> dict[str, Any]:
        """How far the day's callbacks are; counted anew only after one of them changed."""
        if self._progress is None:
            self._progress = self._count(now)
        return {"owed": self._progress}

    # Verdicts.

    def _owe(self, stub: Stub, now: datetime) -> None:
        known = self._known.get(stub.ticket_id)
        again = known is not None and known["code"] == SENT_BACK
        if known is not None and not again:
            return
        verdict = core.judged(core.matter_of(stub), self.world.profile)
        if again:  # 根据情况重复回访流程: an answer given anew is not left to chance
            verdict = verdict._replace(owed=Owed.MANDATORY)
        round_ = known["round"] + 1 if known is not None else 1
        row = self._row(stub.ticket_id, round_, self._number(stub.caller), stub.kind, verdict, now)
        self._follow(verdict, row, "ticket", "", now)

    def _follow(self, verdict: Verdict, row: dict[str, Any], source: str, key: str, now: datetime) -> str | None:
        """What the verdict brings with it. Answers the callback, when there is one."""
        self._known[row["ticket_id"]] = row
        if verdict.owed is Owed.MANDATORY and row["number"]:
            row["callback_id"] = self._born(row, source, True, None, key, now)
        elif verdict.owed is Owed.POOL and row["number"] and verdict.pool in self.drawing.open:
            self._counted_anew()
            drawn = self.drawing.open[verdict.pool].put(row)
            self._drawn(drawn, now)
        self.world.write(owed_tickets, row)
        found: str | None = row["callback_id"]
        return found

    def _drawn(self, rows: list[dict[str, Any]], now: datetime) -> None:
        for row in rows:
            dial = self._first_dial(now)
            first = now if dial < self.drawing.ends_after(now) else dial
            by = self.drawing.ends_after(first) if self.drawing.at_once else None
            row["callback_id"] = self._born(row, "sample", False, by, "", now)
            self.world.write(owed_tickets, row)

    def _draw_due(self, pool: str, now: datetime) -> None:
        self._drawn(self.drawing.due(pool, now), now)
        self._counted_anew()

    def _sent_back(self, ticket_id: str, callback: Callback, now: datetime) -> None:
        """The unit is to answer anew: its next answer is called back about again."""
        known = self._known.get(ticket_id)
        if known is None:
            verdict = Verdict(Owed.MANDATORY, allowed())
            known = self._row(ticket_id, 1, callback.number, callback.kind, verdict, now)
            known["callback_id"] = callback.callback_id
        self.world.write(owed_tickets, {**known, "code": SENT_BACK})

    # Births.

    def _born(
        self, row: dict[str, Any], source: str, mandatory: bool, by: datetime | None, key: str, now: datetime
    ) -> str:
        """The open callback of this number, with the ticket joined to it, or a new one (QD 第十二条（四）)."""
        ticket_id, number = row["ticket_id"] or None, row["number"]
        deadline = min((at for at in (by, self._deadline(now)) if at is not None), default=None)
        other = open_one(self.world, number)
        if other is not None:
            asked = Joins(ticket_id, mandatory, deadline, key=key or None)
            self._clock(join(self.world, self.ids, other, asked, now), now)
            return other.callback_id
        callback = Callback(
            self.ids.make("c", now), ticket_id, number, "", "due", now, "", key or None, None, source=source,
            kind=row["kind"], mandatory=mandatory, deadline=deadline, by_key=True,
        )  # fmt: skip
        self._clock(self.world.plan(callback, now, now), now)
        return callback.callback_id

    def _first_dial(self, now: datetime) -> datetime:
        return earliest((), self.world.callback_limits, now, self.settings.longest_ring)

    def _deadline(self, now: datetime) -> datetime | None:
        limit = self.world.profile.get("callback.within_working_days")
        if limit is None:
            return None
        return working_days_after(now, int(str(limit.value)), self.world.calendar, self.world.zone)

    def _number(self, caller: str) -> str:
        try:
            return diallable(caller, self.settings.area_code, self.settings.allow) if caller else ""
        except BadInput:
            return ""

    def _row(
        self, ticket_id: str, round_: int, number: str, kind: str | None, verdict: Verdict, now: datetime
    ) -> dict[str, Any]:
        ruling = verdict.ruling
        code = "no_number" if ruling.allowed and not number else ruling.code
        return {
            "ticket_id": ticket_id, "round": round_, "pbx_id": self.pbx_id, "at": now, "number": number, "kind": kind,
            "verdict": verdict.owed.value, "code": code, "articles": [article.cite() for article in ruling.articles],
            "draw_id": None, "place": None, "callback_id": None,
        }  # fmt: skip

    # What is asked.

    def _owe_asked(self, asked: OweCallback, now: datetime) -> Outcome:
        """A callback that somebody asks for himself; the articles that refuse one hold for it too."""
        key = taken("key", asked.key, longest=80)
        if asked.kind is not None and asked.kind not in KINDS:
            raise BadInput("kind", "not one of the kinds (不在可选值内)")
        known = of_key(self.world, key)
        if known is not None:
            return Outcome(allowed(), {"owed": "mandatory", "callback_id": known.callback_id})
        stub = self.world.stubs.get(asked.ticket_id) if asked.ticket_id else None
        if asked.ticket_id and stub is None:
            return Outcome(refused("no_such_ticket", "工单不存在或已办结", "There is no such open ticket"))
        matter = core.matter_of(stub) if stub is not None else Matter(asked.kind)
        ruling: Ruling = core.judged(matter, self.world.profile).ruling
        if not ruling.allowed:
            return Outcome(ruling)
        number = diallable(asked.caller, self.settings.area_code, self.settings.allow)
        kind = stub.kind if stub is not None else asked.kind
        verdict = Verdict(Owed.MANDATORY, ruling)
        earlier = self._known.get(asked.ticket_id or "")
        round_ = earlier["round"] + 1 if earlier is not None else 1
        row = self._row(asked.ticket_id or self.ids.make("o", now), round_, number, kind, verdict, now)
        row_of_callback = {**row, "ticket_id": asked.ticket_id}
        callback_id = self._born(row_of_callback, "system", True, None, key, now)
        self.world.write(owed_tickets, {**row, "callback_id": callback_id})
        return Outcome(ruling, {"owed": "mandatory", "callback_id": callback_id})

    # How far the day is.

    def _clock(self, callback: Callback, now: datetime) -> None:
        if callback.state in OPEN and callback.deadline is not None and callback.deadline > now:
            self.world.wake_at(callback.deadline + timedelta(milliseconds=1), f"owed-late:{callback.callback_id}")

    def _counted_anew(self) -> None:
        self._progress = None

    def _count(self, now: datetime) -> dict[str, Any]:
        day = list(self.world.callbacks.values())
        waiting = [callback for callback in day if callback.state in OPEN]
        sample = [callback for callback in day if callback.source == "sample"]
        lists = list(self.drawing.open.values())
        return {
            "open": len(waiting),
            "made": sum(callback.state == "reached" for callback in day),
            "unclaimed": sum(not callback.agent for callback in waiting),
            "mandatory_left": sum(callback.mandatory for callback in waiting),
            "late": sum(callback.deadline is not None and callback.deadline < now for callback in waiting),
            "sample": {
                "listed": sum(len(found.draw.listed) for found in lists),
                "drawn": sum(len(found.draw.drawn) for found in lists),
                "open": sum(callback.state in OPEN for callback in sample),
                "made": sum(callback.state == "reached" for callback in sample),
                "closes_at": min((found.closes_at.isoformat() for found in lists), default=None),
            },
            "supervised": len(self.said.supervised),
        }  # fmt: skip

"""The handover in the engine: drafted in time, seats paired, sheets signed, gaps timed (HZ 第五章, QD 第十四条)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from agents import handover as h
from agents.handover import HandoverState, Pair
from agents.presence import Agent
from cti.commands import Command, SignOut
from cti.commands.handover import FinishElsewhere, FinishTicket
from cti.engine.duty.conduct import Conduct
from cti.engine.duty.finding import Findings
from cti.engine.duty.handover_asked import Asked
from cti.engine.duty.handover_book import Book, closed
from cti.engine.duty.handover_plan import Planner
from cti.engine.duty.handover_seats import Seats
from cti.engine.duty.handover_sheets import Sheets
from cti.engine.duty.handover_tickets import OpenTickets
from cti.engine.duty.handover_view import Showing
from cti.engine.duty.rostering import Rostering
from cti.engine.part import Act, ActKind, Handler, Part, StateAsked, Waker
from cti.engine.world import World
from cti.ids import Ids
from cti.settings import Settings
from cti.store.conduct_tables import permits
from regulations import Ruling

LOOK_EVERY = timedelta(hours=6)
ONCE_MORE = timedelta(hours=1)  # a handover whose outgoing agent still holds the seat is looked at again after this
FINISH = (FinishTicket, FinishElsewhere)


class Handing(Part):
    """Seats paired, sheets signed, gaps timed."""

    def __init__(
        self, world: World, ids: Ids, settings: Settings, roster: Rostering, conduct: Conduct, findings: Findings
    ) -> None:
        self.world, self.conduct, self.findings = world, conduct, findings
        self.book = Book(world, settings.pbx_id)
        self.tickets = OpenTickets(world)
        self.planner = Planner(world, ids, roster, self.book)
        self.sheets = Sheets(world, ids, roster, conduct, self.book, self.tickets)
        self.seats = Seats(world, ids, roster, conduct, findings, self.book)
        self.asked = Asked(world, self.book, self.planner, self.sheets, self.tickets)
        self.showing = Showing(world, self.book, self.planner, self.seats)

    def commands(self) -> Mapping[type[Any], Handler]:
        return self.asked.commands()

    def dues(self) -> Mapping[str, Waker]:
        return {
            "handover-look": lambda _, now: self._look(now),
            "handover-prepare": self._prepare,
            "handover-at": self._at,
            "handover-until": self._until,
            "seat-empty": self.seats.empty_too_long,
        }

    def rules(self, asked: StateAsked, agent: Agent, now: datetime) -> Iterable[Ruling]:
        if not isinstance(asked, SignOut):
            return ()
        pair = self.book.leaving(agent.number)
        return h.may_leave(
            pair,
            present=pair is not None and self.seats.present(pair),
            permitted=self.conduct.permitted(agent.number, "sign_out", now),
            relief=self.world.profile.rule("handover.relief"),
            itemised=self.world.profile.rule("handover.itemised"),
        )

    def acted(self, act: Act, now: datetime) -> None:
        if act.kind is ActKind.SIGNED_OUT:
            pair = self.book.leaving(act.agent)
            if pair is not None:
                self.sheets.collect(pair, now, late=True)
                self.sheets.left_behind(pair)
                self.seats.left(pair, act)
        elif act.kind is ActKind.SIGNED_IN:
            self.seats.taken(act)
            pair = self.book.leaving(act.agent)
            if pair is not None and pair.seat != act.seat:  # the seat is where he sits, whatever was planned
                self.book.put_pair(replace(pair, seat=act.seat))

    def rostered(self, now: datetime) -> None:
        self._look(now)

    def batched(self, now: datetime) -> None:
        changes = self.world.changes
        for ticket in changes.tickets:
            self.tickets.opened(ticket)
        if not self.book.handovers:
            return
        touched = {ticket.agent for ticket in changes.tickets}
        touched.update(callback.agent for callback in changes.callbacks.values())
        touched.update(ticket.owner for ticket in changes.owners.values())
        touched.update(row["agent"] for row in changes.records.get(permits, {}).values())
        if any(callback.by_key for callback in changes.callbacks.values()):  # claimed or given back: it changes sheets
            touched.update(pair.outgoing for pair in self.book.pairs.values())
        for pair in [pair for pair in self.book.pairs.values() if pair.outgoing in touched]:
            self.sheets.collect(pair, now)
        for pair in self.book.pairs.values():
            if pair.incoming_shift is not None and pair.seat is not None and pair.left_at is None:
                self.findings.relieves(pair.incoming_shift, pair.seat)
        for handover_id in list(self.book.handovers):
            self._close_if_over(handover_id, now)

    def started(self, now: datetime) -> None:
        for handover in self.book.handovers.values():
            self._arm(handover)
        for gap in self.book.gaps.values():
            self.seats.time(gap, now)
        self._look(now)

    async def load(self, connection: AsyncConnection, now: datetime) -> None:
        await self.book.load(connection)
        await self.tickets.load(connection, now, self._needed())

    def lacks(self, command: Command) -> bool:
        return isinstance(command, FINISH) and self.tickets.find(command.ticket_id) is None

    async def fetch(self, connection: AsyncConnection, commands: Iterable[Command]) -> None:
        await self.tickets.fetch(connection, [c.ticket_id for c in commands if isinstance(c, FINISH)])

    def view(self, now: datetime) -> dict[str, Any]:
        return self.showing.view(now)

    def _needed(self) -> list[str]:
        return [item.subject for item in self.book.items.values() if item.subject is not None]

    def _look(self, now: datetime) -> None:
        # Also where no rule speaks of handovers: tickets that nobody finishes would pile up.
        self.world.wake_at(now + LOOK_EVERY, "handover-look:")
        self.tickets.forget_old(now, self._needed())
        self.planner.look(now)

    def _prepare(self, subject: str, now: datetime) -> None:
        """``handover.prepare`` before the end: the lead is reminded, and finds pairs and sheets drafted."""
        handover = self.planner.draft(datetime.fromisoformat(subject), now)
        if handover is None:
            return
        for pair in self.book.pairs_of(handover.handover_id):
            self.sheets.collect(pair, now)
        data = {"code": "handover_due", "minutes": self.planner.prepare / timedelta(minutes=1)}
        self.world.tell(now, "alarm", self.world.queue, data, "lead")
        self._arm(handover)

    def _arm(self, handover: h.Handover) -> None:
        self.world.wake_at(handover.at, f"handover-at:{handover.handover_id}")
        self.world.wake_at(handover.until, f"handover-until:{handover.handover_id}")

    def _at(self, handover_id: str, now: datetime) -> None:
        handover = self.book.handovers.get(handover_id)
        if handover is not None and now >= handover.at:
            for pair in self.book.pairs_of(handover_id):
                self.seats.shift_over(pair, handover.at, now)

    def _until(self, handover_id: str, now: datetime) -> None:
        """The incoming shifts are over too: what is still open is closed as it stands, unless somebody still waits."""
        handover = self.book.handovers.get(handover_id)
        if handover is None or now < handover.until:
            return
        pairs = self.book.pairs_of(handover_id)
        if any(self._waits(pair) for pair in pairs):
            self.world.wake_at(now + ONCE_MORE, f"handover-until:{handover_id}")
            return
        for gap in [gap for gap in self.book.gaps.values() if gap.handover_id == handover_id]:
            self.seats.end(gap, None, now)
        self.book.put_handover(closed(handover, HandoverState.CLOSED, now))

    def _waits(self, pair: Pair) -> bool:
        agent = self.world.agents.get(pair.outgoing)
        return pair.left_at is None and agent is not None and agent.signed_in

    def _close_if_over(self, handover_id: str, now: datetime) -> None:
        handover = self.book.handovers[handover_id]
        pairs = self.book.pairs_of(handover_id)
        if now >= handover.at and all(pair.over and self.sheets.settled(pair) for pair in pairs):
            self.book.put_handover(closed(handover, HandoverState.CLOSED, now))

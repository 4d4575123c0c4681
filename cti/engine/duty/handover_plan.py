"""Which handovers the roster makes, and who is proposed to relieve whom. What has begun, the roster changes no more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from agents.handover import Change, Handover, HandoverState, Pair, changing, moments, propose_pairs
from agents.sheet import ItemState
from agents.shifts import Shift
from cti.engine.duty.handover_book import Book, closed
from cti.engine.duty.rostering import Rostering
from cti.engine.world import World
from cti.ids import Ids

AHEAD = timedelta(hours=24)
RULES = ("handover.gap", "handover.relief", "handover.itemised", "handover.prepare")


class Planner:
    """Drafts handovers in time and keeps their pairs to the roster."""

    def __init__(self, world: World, ids: Ids, roster: Rostering, book: Book) -> None:
        self.world, self.ids, self.roster, self.book = world, ids, roster, book

    @property
    def prepare(self) -> timedelta:
        """How long before the end of a shift its handover is drafted (HZ 第三十一条); at the end where no text says."""
        return self._figure("handover.prepare")

    @property
    def near(self) -> timedelta:
        """How far from the end of one shift another may begin and still relieve it: being early may be rostered."""
        return self._figure("signin.early")

    def _figure(self, path: str) -> timedelta:
        limit = self.world.profile.get(path)
        return timedelta(0) if limit is None else timedelta(seconds=limit.seconds())

    @property
    def _on(self) -> bool:
        return any(self.world.profile.get(path) is not None for path in RULES)

    def look(self, now: datetime) -> None:
        """Ask to be woken for every handover of the coming day, and bring the drafted ones up to the roster."""
        if not self._on:
            return
        for handover in list(self.book.handovers.values()):
            self._refresh(handover, now)
        first = now - max(self.prepare, self.near)
        for at in moments(self._shifts(first, now + AHEAD), self.near):
            if at > first and self.book.at(at) is None:
                self.world.wake_at(at - self.prepare, f"handover-prepare:{at.isoformat()}")

    def draft(self, at: datetime, now: datetime) -> Handover | None:
        """The handover of *at* with its proposed pairs; None when the roster makes none, or it is there already."""
        change = self._changing(at)
        going = change.outgoing if now < at else [s for s in change.outgoing if self._still_there(s)]
        if not going or not change.incoming or self.book.at(at) is not None:
            return None
        until = max(shift.ends_at for shift in change.incoming)
        handover = Handover(self.ids.make("h", now), at, until, now)
        self.book.put_handover(handover)
        self._propose(handover, going, self._free(change.incoming))
        return handover

    def candidates(self, handover: Handover) -> dict[str, Shift]:
        """Whose shifts begin at this handover."""
        return {shift.agent: shift for shift in self._changing(handover.at).incoming}

    def _shifts(self, start: datetime, end: datetime) -> list[Shift]:
        return self.roster.shifts_between(start - self.near - timedelta(seconds=1), end + self.near)

    def _changing(self, at: datetime) -> Change:
        return changing(self._shifts(at, at + timedelta(seconds=1)), at, self.near)

    def _still_there(self, shift: Shift) -> bool:
        """Whether the agent of a shift that is over has stayed at the seat since."""
        agent = self.world.agents.get(shift.agent)
        return agent is not None and agent.signed_in_at is not None and agent.signed_in_at < shift.ends_at

    def _free(self, incoming: Iterable[Shift]) -> list[Shift]:
        taken = {pair.incoming for pair in self.book.pairs.values()}
        return [shift for shift in incoming if shift.agent not in taken]

    def _propose(self, handover: Handover, going: Iterable[Shift], coming: Iterable[Shift]) -> None:
        seats = {s.agent: self._seat(s) for s in going}
        shifts_in = {s.agent: s for s in coming}
        proposed = propose_pairs(seats, {number: s.seat for number, s in shifts_in.items()})
        for shift in going:
            number = proposed[shift.agent]
            shift_in = shifts_in[number].shift_id if number is not None else None
            self.book.put_pair(
                Pair(handover.handover_id, shift.agent, shift.shift_id, seats[shift.agent], number, shift_in)
            )

    def _seat(self, shift: Shift) -> str | None:
        """Where he sits, else where the roster puts him."""
        agent = self.world.agents.get(shift.agent)
        return agent.seat if agent is not None and agent.seat is not None else shift.seat

    def _refresh(self, handover: Handover, now: datetime) -> None:
        """After a change of the roster: who goes or comes newly is proposed, who does so no more is dropped.

        A pair that a lead has set or that has begun stays: a relief that fell ill must still be waited for, or the lead
        names another.
        """
        if handover.at <= now:
            return
        change = self._changing(handover.at)
        outgoing = {shift.agent for shift in change.outgoing}
        incoming = {shift.agent for shift in change.incoming}
        for pair in self.book.pairs_of(handover.handover_id):
            if self._settled(pair):
                continue
            if pair.outgoing not in outgoing:
                self.book.put_pair(replace(pair, dropped=True))
            elif pair.incoming is None or pair.incoming not in incoming:
                free = self._free(change.incoming)
                if free:
                    self.book.put_pair(replace(pair, incoming=free[0].agent, incoming_shift=free[0].shift_id))
        known = {pair.outgoing for pair in self.book.pairs_of(handover.handover_id)}
        new = [shift for shift in change.outgoing if shift.agent not in known]
        self._propose(handover, new, self._free(change.incoming))
        if not self.book.pairs_of(handover.handover_id):
            self.book.put_handover(closed(handover, HandoverState.CANCELLED, now))

    def _settled(self, pair: Pair) -> bool:
        return pair.paired_by is not None or pair.left_at is not None or self.begun(pair)

    def begun(self, pair: Pair) -> bool:
        """Whether the sheet has been signed by anybody, or an item of it taken or disputed."""
        if pair.out_signed_at is not None:
            return True
        return any(i.state not in (ItemState.OPEN, ItemState.DONE) for i in self.book.items_of(pair))

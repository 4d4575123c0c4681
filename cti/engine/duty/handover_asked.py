"""What people ask of a handover: each is ruled on by the pure core, and only then changes the sheet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from agents import handover as h
from agents import sheet
from agents.handover import Pair
from agents.sheet import Item, ItemKind
from cti.commands import Outcome
from cti.commands.handover import (
    AddItem,
    DisputeItem,
    FinishElsewhere,
    FinishTicket,
    PairSeats,
    SettleItem,
    SignSheet,
    TakeItem,
)
from cti.engine.duty.handover_book import Book
from cti.engine.duty.handover_plan import Planner
from cti.engine.duty.handover_sheets import Sheets
from cti.engine.duty.handover_tickets import OpenTickets
from cti.engine.part import Handler
from cti.engine.world import World
from cti.errors import BadInput
from cti.texts import taken
from regulations import Article, Ruling, allowed, refused

TYPED = (ItemKind.NOTE, ItemKind.EQUIPMENT)


class Asked:
    """Takes the commands of cti/commands/handover.py."""

    def __init__(self, world: World, book: Book, planner: Planner, sheets: Sheets, tickets: OpenTickets) -> None:
        self.world, self.book, self.planner = world, book, planner
        self.sheets, self.tickets = sheets, tickets

    def commands(self) -> Mapping[type[Any], Handler]:
        """Command type -> what takes it."""
        return {
            PairSeats: self.pair,
            AddItem: self.add,
            TakeItem: self.take,
            DisputeItem: self.dispute,
            SettleItem: self.settle,
            SignSheet: self.sign,
            FinishTicket: self.finish,
            FinishElsewhere: self.finish_elsewhere,
        }

    @property
    def _itemised(self) -> Article | None:
        return self.world.profile.rule("handover.itemised")

    def pair(self, asked: PairSeats, now: datetime) -> Outcome:
        """The lead's pairs: what differs from what stands is set in his name."""
        handover = self.book.handovers.get(asked.handover_id)
        if handover is None:
            return Outcome(_not_found())
        pairs = self.book.pairs_of(asked.handover_id)
        candidates = self.planner.candidates(handover)
        begun = {pair.outgoing for pair in pairs if self.planner.begun(pair)}
        article = self.world.profile.rule("seat.lead_assigns")
        ruling = h.may_pair(pairs, asked.pairs, begun, candidates, asked.by, article)
        if ruling.allowed:
            for pair in pairs:
                new = asked.pairs.get(pair.outgoing, pair.incoming)
                if new != pair.incoming:
                    shift = candidates[new].shift_id if new is not None else None
                    self.book.put_pair(
                        replace(pair, incoming=new, incoming_shift=shift, paired_by=asked.by, paired_at=now)
                    )
        return Outcome(ruling)

    def add(self, asked: AddItem, now: datetime) -> Outcome:
        """A note or broken equipment onto a sheet."""
        if asked.kind not in TYPED:
            raise BadInput("kind", "note or equipment (备注或设备故障)")
        text = taken("text", asked.text)
        pair = self.book.pairs.get((asked.handover_id, asked.outgoing))
        if pair is None:
            return Outcome(_not_found())
        ruling = sheet.may_add(pair, asked.by, leads=asked.by in self.world.leads, article=self._itemised)
        if not ruling.allowed:
            return Outcome(ruling)
        return Outcome(ruling, {"item_id": self.sheets.add(pair, ItemKind(asked.kind), text, asked.by, now).item_id})

    def take(self, asked: TakeItem, now: datetime) -> Outcome:
        """The incoming agent takes it, and the matter is his."""
        found = self._find(asked.item_id)
        if found is None:
            return Outcome(_not_found())
        item, pair = found
        ruling = sheet.may_take(pair, item, asked.number, self._itemised)
        if ruling.allowed:
            self.sheets.decided(sheet.taken(item, asked.number, now), pair, now)
        return Outcome(ruling)

    def dispute(self, asked: DisputeItem, now: datetime) -> Outcome:
        """The incoming agent does not take it."""
        reason = taken("reason", asked.reason)
        found = self._find(asked.item_id)
        if found is None:
            return Outcome(_not_found())
        item, pair = found
        ruling = sheet.may_dispute(pair, item, asked.number, self._itemised)
        if ruling.allowed:
            self.sheets.decided(sheet.disputed(item, asked.number, reason, now), pair, now)
        return Outcome(ruling)

    def settle(self, asked: SettleItem, now: datetime) -> Outcome:
        """The lead's word on a dispute."""
        reason = taken("reason", asked.reason)
        found = self._find(asked.item_id)
        if found is None:
            return Outcome(_not_found())
        item, pair = found
        ruling = sheet.may_settle(pair, item, asked.by, self._itemised)
        if ruling.allowed:
            ruled = sheet.ruled(item, asked.by, ordered=asked.ordered, reason=reason, now=now)
            self.sheets.decided(ruled, pair, now)
        return Outcome(ruling)

    def sign(self, asked: SignSheet, now: datetime) -> Outcome:
        """A signature; the outgoing agent's closes the list as it stands at that moment."""
        pair = self.book.own_pair(asked.handover_id, asked.number)
        if pair is None:
            return Outcome(_not_found())
        self.sheets.collect(pair, now)
        ruling = sheet.may_sign(pair, self.book.items_of(pair), asked.number, self._itemised)
        if ruling.allowed:
            self.book.put_pair(sheet.signed(pair, asked.number, now))
        return Outcome(ruling)

    def finish(self, asked: FinishTicket, now: datetime) -> Outcome:
        """办结, by the owner or a lead."""
        ticket = self.tickets.find(asked.ticket_id)
        if ticket is None:
            return Outcome(refused("not_found", "没有该工单或已办结", "There is no such open ticket"))
        if asked.number != ticket.owner and asked.number not in self.world.leads:
            return Outcome(refused("not_your_ticket", "该工单不归您办理", "The ticket is not yours to finish"))
        self.tickets.finish(ticket, asked.number, now)
        return Outcome(allowed())

    def finish_elsewhere(self, asked: FinishElsewhere, now: datetime) -> Outcome:
        """What another system has finished is off our lists, unless an agent has taken it."""
        ticket = self.tickets.find(asked.ticket_id)
        if ticket is not None and not ticket.owner:
            self.tickets.finish(ticket, asked.by, now)
        return Outcome(allowed())

    def _find(self, item_id: str) -> tuple[Item, Pair] | None:
        item = self.book.items.get(item_id)
        pair = None if item is None else self.book.pairs.get((item.handover_id, item.outgoing))
        return None if item is None or pair is None else (item, pair)


def _not_found() -> Ruling:
    return refused("not_found", "没有该交接或已结束", "There is no such handover in preparation")

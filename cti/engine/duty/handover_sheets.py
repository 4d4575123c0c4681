"""What stands on the sheets: found by itself, typed by people, moved to whoever takes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from agents import sheet
from agents.handover import Pair
from agents.sheet import MOVED, UNSETTLED, Item, ItemKind, ItemState
from cti.engine.duty.conduct import Conduct
from cti.engine.duty.handover_book import Book
from cti.engine.duty.handover_tickets import OpenTickets
from cti.engine.duty.rostering import Rostering
from cti.engine.records import Callback
from cti.engine.world import World
from cti.ids import Ids

WITHOUT_SHIFT = timedelta(hours=24)  # how far back an agent's tickets are his shift's when the roster lost the shift


class Matter(NamedTuple):
    """Something unfinished of an agent."""

    kind: ItemKind
    subject: str


class Sheets:
    """Keeps the sheets true to what is unfinished."""

    def __init__(
        self, world: World, ids: Ids, roster: Rostering, conduct: Conduct, book: Book, tickets: OpenTickets
    ) -> None:
        self.world, self.ids, self.roster, self.conduct = world, ids, roster, conduct
        self.book, self.tickets = book, tickets

    def collect(self, pair: Pair, now: datetime, *, late: bool = False) -> None:
        """Bring the sheet up to what is unfinished now.

        The outgoing agent's signature closes the list. What comes to him afterwards is put on it as he leaves (*late*):
        it can be taken then, and until it is, it stays his (HZ 第三十条).
        """
        unfinished = list(self._unfinished(pair))
        items = self.book.items_of(pair)
        known = {Matter(i.kind, i.subject) for i in items if i.subject is not None}
        if late or (pair.out_signed_at is None and pair.left_at is None):
            for matter in unfinished:
                if matter not in known:
                    self._write(pair, matter.kind, matter.subject, "", None, now)
        for item in items:
            ended = item.subject is not None and Matter(item.kind, item.subject) not in unfinished
            if ended and item.state in UNSETTLED:
                self.book.put_item(replace(item, state=ItemState.DONE, decided_at=now))

    def add(self, pair: Pair, kind: ItemKind, text: str, by: str, now: datetime) -> Item:
        """A typed line."""
        return self._write(pair, kind, None, text, by, now)

    def _write(self, pair: Pair, kind: ItemKind, subject: str | None, text: str, by: str | None, now: datetime) -> Item:
        item = Item(self.ids.make("i", now), pair.handover_id, pair.outgoing, kind, subject, text, by, now)
        self.book.put_item(item)
        return item

    def _unfinished(self, pair: Pair) -> Iterator[Matter]:
        agent = pair.outgoing
        for ticket_id in self.tickets.of(agent, self._since(pair)):
            yield Matter(ItemKind.TICKET, ticket_id)
        for callback in self.world.callbacks.values():
            if callback.state in ("due", "placing") and self._falls_to(agent, callback):
                yield Matter(ItemKind.CALLBACK, callback.callback_id)
        for permit_id in self.conduct.undecided(agent):
            yield Matter(ItemKind.REQUEST, permit_id)

    def _falls_to(self, agent: str, callback: Callback) -> bool:
        """Whether *agent* hands it over: his own, and a lead what nobody has claimed (QD 第十二条(五), 交由夜班长)."""
        return callback.agent == agent or (callback.agent == "" and agent in self.world.leads)

    def left_behind(self, pair: Pair) -> None:
        """Nobody follows who could take his callbacks: they are anybody's again, and on the lead's sheet."""
        if pair.incoming is not None:
            return
        for callback in list(self.world.callbacks.values()):
            if callback.agent == pair.outgoing and callback.by_key and callback.state == "due":
                self.world.put_callback(replace(callback, agent=""))

    def _since(self, pair: Pair) -> datetime:
        """From when on a ticket belongs to this shift: its start, or the sign-in when that was earlier."""
        shift = self.roster.roster.by_id.get(pair.outgoing_shift)
        start = self.book.handovers[pair.handover_id].at - WITHOUT_SHIFT if shift is None else shift.starts_at
        agent = self.world.agents.get(pair.outgoing)
        signed_in = agent.signed_in_at if agent is not None else None
        return start if signed_in is None else min(start, signed_in)

    def decided(self, item: Item, pair: Pair, now: datetime) -> None:
        """Keep an item that was taken, disputed or ruled on, and let what was taken really move."""
        self.book.put_item(item)
        if item.state not in MOVED or item.subject is None or pair.incoming is None:
            return
        if item.kind is ItemKind.TICKET:
            self.tickets.move(item.subject, pair.incoming, now)
        elif item.kind is ItemKind.CALLBACK:
            callback = self.world.callbacks.get(item.subject)
            if callback is not None and callback.closed_at is None:
                self.world.put_callback(replace(callback, agent=pair.incoming))

    def settled(self, pair: Pair) -> bool:
        """Whether nothing on the sheet waits for a word. Where nobody follows, nobody is waited for."""
        return pair.incoming is None or sheet.settled(self.book.items_of(pair))

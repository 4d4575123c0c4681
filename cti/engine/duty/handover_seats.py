"""Seats while they change hands: who leaves, how long a seat stands empty, who stays on after the end of the shift."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from agents import handover as h
from agents.handover import Gap, Pair
from cti.engine.duty.conduct import Conduct
from cti.engine.duty.finding import Findings
from cti.engine.duty.handover_book import Book
from cti.engine.duty.rostering import Rostering
from cti.engine.part import Act
from cti.engine.world import World
from cti.ids import Ids


class Seats:
    """Times gaps and overtime."""

    def __init__(
        self, world: World, ids: Ids, roster: Rostering, conduct: Conduct, findings: Findings, book: Book
    ) -> None:
        self.world, self.ids, self.roster = world, ids, roster
        self.conduct, self.findings, self.book = conduct, findings, book

    def present(self, pair: Pair) -> bool:
        """Whether the relief has come to the post (到岗)."""
        shift = None if pair.incoming_shift is None else self.roster.roster.by_id.get(pair.incoming_shift)
        return shift is not None and self.conduct.arrived_at(shift) is not None

    def left(self, pair: Pair, act: Act) -> None:
        """The outgoing agent signed out: the gap begins, unless nobody follows on this seat."""
        gone = h.left(pair, act.at, act.mono, self.world.boot)
        self.book.put_pair(gone)
        if pair.incoming is None or act.seat is None:
            return
        let_go_by = act.by or self.conduct.released_by(pair.outgoing, act.at)
        cause, who = h.cause_of(pair, present=self.present(pair), let_go_by=let_go_by)
        limit = self.world.profile.get("handover.gap")
        gap = Gap(
            self.ids.make("g", act.at), pair.handover_id, act.seat, pair.outgoing, pair.incoming, act.at, act.mono,
            self.world.boot, cause, who, None if limit is None else round(limit.seconds() * 1000),
        )  # fmt: skip
        self.book.put_gap(gap)
        self.time(gap, act.at)

    def time(self, gap: Gap, now: datetime) -> None:
        """Ask to be woken when the gap reaches its limit."""
        if gap.limit_ms is None:
            return
        ran_ms, _by_wall = gap.span.elapsed(now, self.world.mono, self.world.boot)
        self.world.time_at(self.world.mono + (gap.limit_ms - ran_ms) / 1000, f"seat-empty:{gap.gap_id}")

    def empty_too_long(self, gap_id: str, now: datetime) -> None:
        """The limit is reached while the seat is still empty: the lead is told at once."""
        gap = self.book.gaps.get(gap_id)
        if gap is None or gap.alarmed_at is not None:
            return
        self.book.put_gap(replace(gap, alarmed_at=now))
        data = {
            "code": "seat_empty", "agent": gap.caused_by, "seat": gap.seat, "incoming": gap.incoming,
            "limit_s": (gap.limit_ms or 0) / 1000,
        }  # fmt: skip
        self.world.tell(now, "alarm", gap.seat, data, "lead")

    def taken(self, act: Act) -> Pair | None:
        """Somebody signed in at a seat: a gap there is over. The pair that it belongs to, if there is one."""
        gap = self.book.gap_at(act.seat)
        if gap is None:
            return None
        self.end(gap, act.agent, act.at)
        pair = self.book.pairs.get((gap.handover_id, gap.outgoing))
        if pair is None:
            return None
        if act.agent == pair.outgoing:  # he came back before the relief did, and holds the seat again
            pair = replace(pair, left_at=None)
        else:
            pair = replace(pair, relieved_at=act.at, relieved_by=act.agent)
        self.book.put_pair(pair)
        return pair

    def end(self, gap: Gap, by: str | None, now: datetime) -> None:
        """The gap is over: measured, kept, and a finding when it was too long."""
        over = h.ended(gap, by, now, self.world.mono, self.world.boot)
        self.book.put_gap(over)
        limit = self.world.profile.get("handover.gap")
        if over.within or limit is None:
            return
        evidence = {
            "gap_id": over.gap_id, "handover_id": over.handover_id, "seat": over.seat, "ms": over.ms,
            "limit_ms": over.limit_ms, "outgoing": over.outgoing, "incoming": over.incoming,
            "cause": over.cause.value, "by_wall": over.by_wall,
        }  # fmt: skip
        self.findings.record("seat_empty", over.caused_by, limit.article, over.began_at, now, evidence, now)

    def shift_over(self, pair: Pair, at: datetime, now: datetime) -> None:
        """The outgoing shift ended at *at*: whoever is held stays on, and his overtime is counted from then."""
        agent = self.world.agents.get(pair.outgoing)
        if pair.left_at is not None:
            return
        if agent is None or not agent.signed_in:  # not at a seat at the end of his shift: nothing is handed over
            self.book.put_pair(replace(pair, left_at=now, relieved_at=now))
            return
        profile = self.world.profile
        why = h.held_by(
            pair, present=self.present(pair), relief=profile.rule("handover.relief") is not None,
            itemised=profile.rule("handover.itemised") is not None,
        )  # fmt: skip
        if why is None or pair.overtime_from is not None:
            return
        began = self.world.mono - max(0.0, (now - at).total_seconds())
        held = replace(
            pair, overtime_why=why, overtime_from=at, overtime_mono=began, overtime_boot=self.world.boot
        )  # fmt: skip
        self.book.put_pair(held)
        if why == "no_relief":
            data = {"code": "no_relief", "agent": pair.outgoing, "seat": agent.seat, "incoming": pair.incoming}
            self.world.tell(now, "alarm", pair.outgoing, data, "lead")

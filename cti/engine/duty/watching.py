"""The forbidden states of HZ 第二十一条, seen as they happen: not signed in, not answering, busy to refuse calls."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from agents.findings import Claim, Kind, Missed, Span, event
from cti.engine.duty.conduct import Conduct
from cti.engine.duty.ledger import Ledger
from cti.engine.duty.rostering import Rostering
from cti.engine.part import Act, ActKind
from cti.engine.world import World
from cti.store import tables as t
from queues.calls import MS, Call, Offer
from queues.facts import OfferEnd

MISSED = (OfferEnd.NO_ANSWER, OfferEnd.REJECTED)


class Watching:
    """Watches pages, offers, busy and the console; what it sees it claims."""

    def __init__(self, world: World, roster: Rostering, conduct: Conduct, ledger: Ledger) -> None:
        self.world, self.roster, self.conduct, self.ledger = world, roster, conduct, ledger
        self._busy: set[str] = set()
        self._refused: dict[str, str] = {}  # agent -> the busy-refusing finding that a gap cut
        self._day = date.min
        self._offers: Counter[str] = Counter()  # of today, by agent
        self._answered: Counter[str] = Counter()

    def started(self) -> None:
        """Who is busy already was not seen going busy now."""
        self._busy = {number for number, agent in self.world.agents.items() if agent.busy_reason is not None}

    def acted(self, act: Act, now: datetime) -> None:
        """One act of one agent."""
        agent = act.agent
        match act.kind:
            case ActKind.BUSY:
                self._end(agent, now, Kind.NOT_ANSWERING, Kind.REJECTED, Kind.PAST_CONSOLE)
                if agent not in self._busy:
                    self._busy.add(agent)
                    self._busy_taken(act, now)
            case ActKind.READY:
                self._busy.discard(agent)
                self._end(agent, now, Kind.BUSY_REFUSING, Kind.PAST_CONSOLE)
            case ActKind.SIGNED_OUT:
                self._busy.discard(agent)
                self._end(
                    agent, now, Kind.NOT_ANSWERING, Kind.REJECTED, Kind.BUSY_REFUSING, Kind.PAST_CONSOLE
                )  # fmt: skip
            case ActKind.OUTSIDE:
                self._outside(act)
            case ActKind.INSIDE:
                self._end(agent, now, Kind.PAST_CONSOLE)
        if act.kind in (ActKind.PAGE_OPENED, ActKind.PAGE_CLOSED, ActKind.SIGNED_IN, ActKind.SIGNED_OUT):
            self.unsigned(agent, now)

    def unsigned(self, agent: str, now: datetime, at: datetime | None = None) -> None:
        """登录不签入: the agent's page is open in the agent's own shift, and not signed in. Ended *at*, or now."""
        kind, article = Kind.UNSIGNED, self.world.profile.rule("signin.unsigned")
        person = self.world.agents.get(agent)
        if article is None or person is None:
            return
        open_page = self.world.pages.get(agent, 0) > 0
        goes_on = open_page and not person.signed_in and self.roster.shift_at(agent, now) is not None
        if not goes_on:
            self._end(agent, at or now, kind)
        elif self.ledger.live_since is not None and not self.ledger.going_on(kind, agent):
            grace = self.world.profile.get("signin.unsigned_grace")
            least = timedelta(seconds=grace.seconds()) if grace else timedelta(0)
            evidence = {"events": [event("PageOpen", now, "console")]}
            self.ledger.claim(Claim(kind, agent, article, Span(now), evidence, least, self.world.mono))

    def cut(self) -> None:
        """A gap begins: remember who was refusing calls with busy, for busy may outlast the gap."""
        self._refused |= {f.agent: f.finding_id for f in self.ledger.running() if f.kind == Kind.BUSY_REFUSING}

    def live(self, now: datetime) -> None:
        """A gap is over: what still goes on starts anew."""
        for agent in list(self.world.pages):
            self.unsigned(agent, now)
        article = self.world.profile.rule("busy.refusing")
        for agent, finding_id in self._refused.items():
            if agent in self._busy and article is not None:
                evidence = {"events": [event("StillBusy", now, "console")], "continues": finding_id}
                self.ledger.claim(Claim(Kind.BUSY_REFUSING, agent, article, Span(now), evidence, mono=self.world.mono))
        self._refused.clear()

    def stepped(self, before: Call | None, after: Call) -> None:
        """Offers against answers."""
        if after.queue != self.world.queue:
            return
        old = {o.ordinal: o for o in before.offers} if before else {}
        for offer in after.offers:
            was = old.get(offer.ordinal)
            if offer != was:
                self._offer(after.call_id, was, offer)

    def _offer(self, call_id: str, was: Offer | None, offer: Offer) -> None:
        if self._day != self.world.today.day:
            self._day = self.world.today.day
            self._offers.clear()
            self._answered.clear()
        if was is None:
            self._offers[offer.agent] += 1
        if offer.end is None or offer.ended_at is None or (was is not None and was.end is not None):
            return
        if offer.end is OfferEnd.ANSWERED:
            self._answered[offer.agent] += 1
            self._end(offer.agent, offer.ended_at, Kind.NOT_ANSWERING, Kind.REJECTED)
        elif offer.end in MISSED:
            self._missed(call_id, offer, offer.ended_at)

    def _missed(self, call_id: str, offer: Offer, ended_at: datetime) -> None:
        article = self.world.profile.rule("answer.refusing")
        agent = self.world.agents.get(offer.agent)
        if article is None or agent is None or not agent.signed_in or agent.busy_reason is not None:
            return
        # Known from queue_log alone (whole seconds, no leg): told after the fact, and too roughly to judge by.
        if offer.leg is None or ended_at.microsecond == 0:
            return
        rejected = offer.end is OfferEnd.REJECTED
        missed = Missed(call_id, offer.leg, offer.offered_at, ended_at, offer.ring_ms or 0, rejected)
        evidence = {
            "events": [missed.event()], "missed": 1,
            "offers_today": self._offers[agent.number], "answered_today": self._answered[agent.number],
        }  # fmt: skip
        kind = Kind.REJECTED if rejected else Kind.NOT_ANSWERING
        self.ledger.claim(Claim(kind, agent.number, article, Span(offer.offered_at), evidence, mono=self.world.mono))

    def _busy_taken(self, act: Act, now: datetime) -> None:
        article = self.world.profile.rule("busy.refusing")
        if article is None or act.by not in (None, act.agent) or self.conduct.permitted(act.agent, "busy", now):
            return
        events = self._refused_callers(act, now)
        if events:
            evidence = {"events": [event("GoBusy", act.at, "console", reason=act.reason), *events]}
            self.ledger.claim(Claim(Kind.BUSY_REFUSING, act.agent, article, Span(act.at), evidence, mono=act.mono))

    def _refused_callers(self, act: Act, now: datetime) -> list[dict[str, Any]]:
        """Whom the busy keeps waiting: call ids and times, never numbers; only what was seen since the last gap."""
        live = self.ledger.live_since
        if live is None:
            return []
        agent = self.world.agents.get(act.agent)
        rings = [
            event("AgentCalled", since, "ami", call_id=call_id, rang_ms=max((now - since) // MS, 0))
            for call_id, since in (agent.ringing if agent else ())
            if since >= live
        ]
        waits = [
            event(
                "QueueCallerJoin",
                c.waits_since,
                "ami",
                call_id=c.call_id,
                waited_ms=max((now - c.waits_since) // MS, 0),
            )
            for c in sorted(self.world.waiting(), key=lambda c: c.waits_since)
            if c.exact and c.waits_since >= live
        ]
        return rings + waits

    def _outside(self, act: Act) -> None:
        article, live = self.world.profile.rule("busy.refusing"), self.ledger.live_since
        if not (act.reason or "").startswith("pause"):  # a pause lifted past the console refuses nobody
            self._end(act.agent, act.at, Kind.PAST_CONSOLE)
            return
        if article is None or live is None or self.ledger.going_on(Kind.PAST_CONSOLE, act.agent):
            return  # the same pause, given another reason
        agent = self.world.agents.get(act.agent)
        seen = agent.observed.at if agent and agent.observed.at else act.at
        began = min(max(seen, live), act.at)
        evidence = {"events": [event("QueueMemberPause", began, "ami", what=act.reason)]}
        self.ledger.claim(Claim(Kind.PAST_CONSOLE, act.agent, article, Span(began), evidence, mono=act.mono))

    def _end(self, agent: str, at: datetime, *kinds: Kind) -> None:
        for kind in kinds:
            self.ledger.end(kind, agent, at)

    async def load(self, connection: AsyncConnection, pbx_id: str) -> None:
        """Today's offers and answers."""
        o, c = t.offers.c, t.calls.c
        self._day = self.world.today.day
        midnight = datetime.combine(self._day, datetime.min.time(), self.world.zone)
        query = (
            select(o.agent, func.count(), func.count().filter(o.outcome == OfferEnd.ANSWERED.value))
            .select_from(t.offers.join(t.calls, (c.pbx_id == o.pbx_id) & (c.call_id == o.call_id)))
            .where(o.pbx_id == pbx_id, o.offered_at >= midnight, c.queue == self.world.queue)
            .group_by(o.agent)
        )
        for agent, offers, answered in (await connection.execute(query)).all():
            self._offers[agent], self._answered[agent] = offers, answered

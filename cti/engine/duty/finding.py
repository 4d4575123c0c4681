"""Findings: what was against an article, recorded with its evidence, appealed and ruled on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from agents import findings as core
from agents.findings import Span
from cti.commands import Outcome
from cti.commands.findings import Appeal, RuleOnAppeal
from cti.engine.duty.attending import Attending
from cti.engine.duty.conduct import Conduct
from cti.engine.duty.ledger import Ledger
from cti.engine.duty.rostering import Rostering
from cti.engine.duty.watching import Watching
from cti.engine.part import Act, Handler, Part, Waker
from cti.engine.world import World
from cti.ids import Ids
from cti.settings import Settings
from cti.texts import taken
from queues.calls import Call
from regulations import Article, refused


class Findings(Part):
    """The ledger of findings, and what watches for them."""

    def __init__(self, world: World, ids: Ids, settings: Settings, roster: Rostering, conduct: Conduct) -> None:
        self.world, self.ids, self.settings, self.roster, self.conduct = world, ids, settings, roster, conduct
        self.ledger = Ledger(world, ids, settings.pbx_id)
        self.watching = Watching(world, roster, conduct, self.ledger)
        self.attending = Attending(world, roster, conduct, self.ledger, self.watching)

    def record(
        self,
        kind: str,
        agent: str,
        article: Article,
        began: datetime,
        ended: datetime | None,
        evidence: Mapping[str, Any],
        now: datetime,
    ) -> str | None:
        """Record a finding and tell the lead; its id, or None when it lies inside a gap and is no finding."""
        return self.ledger.record(kind, agent, article, Span(began, ended), evidence, now)

    def finish(self, finding_id: str, at: datetime, **figures: Any) -> None:
        """A finding that was recorded without an end is over; *figures* go to its evidence."""
        self.ledger.finish(finding_id, at, **figures)

    def relieves(self, shift_id: str, seat: str) -> None:
        """The seat at which this shift relieves another: nobody is late for it while the other still holds it."""
        self.attending.seats[shift_id] = seat

    def commands(self) -> Mapping[type[Any], Handler]:
        return {Appeal: self._appeal, RuleOnAppeal: self._rule}

    def dues(self) -> Mapping[str, Waker]:
        return {"finding": self.ledger.confirm, "adherence": lambda _, now: self.attending.look(now)}

    def acted(self, act: Act, now: datetime) -> None:
        self.watching.acted(act, now)
        self.attending.acted(act, now)

    def stepped(self, before: Call | None, after: Call, now: datetime) -> None:
        self.watching.stepped(before, after)

    def rostered(self, now: datetime) -> None:
        self.attending.look(now)

    def gap(self, began: datetime, ended: datetime | None, now: datetime) -> None:
        self.watching.cut()
        self.ledger.gap(began, ended, now)
        if ended is not None:
            self.watching.live(now)
            self.attending.look(now)

    def started(self, now: datetime) -> None:
        self.watching.started()
        if self.world.stale_since is not None:
            self.gap(self.world.stale_since, None, now)
        self.attending.look(now)

    async def load(self, connection: AsyncConnection, now: datetime) -> None:
        await self.ledger.load(connection, now)
        await self.watching.load(connection, self.settings.pbx_id)
        await self.attending.load(connection, now)

    def view(self, now: datetime) -> dict[str, Any]:
        """What goes on now, by kind, agent and since when."""
        return {
            "findings": [
                {"finding_id": f.finding_id, "kind": str(f.kind), "agent": f.agent, "since": f.span.began.isoformat()}
                for f in self.ledger.running()
            ]
        }

    def _appeal(self, command: Appeal, now: datetime) -> Outcome:
        finding = self.ledger.kept.get(command.finding_id)
        if finding is None:
            return _unknown()
        reason = taken("reason", command.reason)
        ruling = core.may_appeal(finding, command.number)
        if ruling.allowed:
            self.ledger.change(core.appealed(finding, command.number, reason, now))
        return Outcome(ruling)

    def _rule(self, command: RuleOnAppeal, now: datetime) -> Outcome:
        finding = self.ledger.kept.get(command.finding_id)
        if finding is None:
            return _unknown()
        reason = taken("reason", command.reason)
        ruling = core.may_rule(finding, command.by)
        if ruling.allowed:
            self.ledger.change(core.ruled(finding, command.by, command.upheld, reason, now))
        return Outcome(ruling)


def _unknown() -> Outcome:
    return Outcome(refused("no_such_finding", "没有该记录", "There is no such finding"))

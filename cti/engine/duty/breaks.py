"""The break line in the engine (离岗轮席): who waits for a break, kept through a restart, let go in turn."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from agents import breaks as core
from agents.breaks import Place, Seats
from cti.commands import GoBusy, Outcome
from cti.engine.duty.rostering import Rostering
from cti.engine.part import Act, ActKind
from cti.engine.world import World
from cti.ids import Ids
from cti.settings import BusyReason
from cti.store.conduct_tables import break_line as table
from regulations import Article, Ruling, allowed, refused


class BreakLine:
    """The line, and why somebody was dropped from it."""

    def __init__(
        self, world: World, ids: Ids, pbx_id: str, roster: Rostering, reasons: Mapping[str, BusyReason]
    ) -> None:
        self.world, self.ids, self.pbx_id, self.roster = world, ids, pbx_id, roster
        self._rotating = {code for code, reason in reasons.items() if reason.rotates}
        self._places: dict[str, Place] = {}
        self._dropped: dict[str, Ruling] = {}
        self._letting = ""

    def articles(self) -> tuple[Article, ...]:
        """The articles that keep seats manned; none when the rule is off."""
        rotation, least = self.world.profile.rule("break.rotation"), self.world.profile.get("break.min_manned")
        return (rotation, least.article) if rotation is not None and least is not None else ()

    def ruling(self, agent: str, reason: str, now: datetime) -> Ruling | None:
        """What the line says to a busy with *reason*; None when it does not speak."""
        articles = self.articles()
        if not articles or reason not in self._rotating or not self.roster.covered(now):
            return None
        return core.may_break(agent, list(self._places.values()), self._seats(), articles)

    def stand(self, agent: str, reason: str, now: datetime) -> dict[str, Any]:
        """The agent waits from now on; who waits already keeps his place, whatever his reason is by now."""
        self._dropped.pop(agent, None)
        kept = self._places.get(agent)
        if kept is None or kept.reason != reason:
            last = max((place.turn for place in self._places.values()), default=0)
            new = Place(self.ids.make("b", now), agent, reason, now, last + 1)
            place = new if kept is None else kept._replace(reason=reason)
            self._places[agent] = place
            self._write(place, "waiting")
        return self._view(self._places[agent])

    def place(self, agent: str) -> dict[str, Any] | None:
        """The agent's place as JSON, or None."""
        place = self._places.get(agent)
        return None if place is None else self._view(place)

    def _view(self, place: Place) -> dict[str, Any]:
        position = core.position(place.agent, self._places.values())
        return {"position": position, "reason": place.reason, "since": place.since.isoformat()}

    def dropped(self, agent: str) -> Ruling | None:
        """Why the agent's wait ended without a break, until his next act."""
        return self._dropped.get(agent)

    def waiting(self) -> list[str]:
        """The numbers of those who wait, in order."""
        return [place.agent for place in core.in_order(self._places.values())]

    def leave(self, agent: str, now: datetime) -> Outcome:
        """The agent no longer waits."""
        if agent not in self._places:
            return Outcome(refused("not_in_line", "您不在离岗队列中", "You are not in the break line"))
        self._end(agent, "left", now)
        return Outcome(allowed())

    def acted(self, act: Act, now: datetime) -> None:
        """Whoever goes busy or signs out waits no longer."""
        if act.kind in (ActKind.BUSY, ActKind.SIGNED_OUT, ActKind.SIGNED_IN):
            self._dropped.pop(act.agent, None)
        if act.agent in self._places and act.kind in (ActKind.BUSY, ActKind.SIGNED_OUT):
            self._end(act.agent, "let_go" if self._letting == act.agent else "left", now)

    def turn(self, now: datetime) -> None:
        """Let go whoever may be, first come first served. Every rule is asked again: his shift has moved on."""
        while self._places:
            first = core.next_to_go(self._places.values(), self._seats())
            if first is None:
                return
            self._letting = first.agent
            outcome = self.world.ask(GoBusy(first.agent, first.reason), now)
            self._letting = ""
            if not outcome.ruling.allowed:
                self._dropped[first.agent] = outcome.ruling
                self._end(first.agent, "dropped", now, outcome.ruling.code)

    def _seats(self) -> Seats:
        least = self.world.profile.get("break.min_manned")
        minimum = least.value if least is not None and isinstance(least.value, int) else 0
        waiting = sum(1 for _ in self.world.waiting())
        return Seats(core.manned(self.world.agents.values()), waiting, minimum)

    def _end(self, agent: str, state: str, now: datetime, why: str | None = None) -> None:
        self._write(self._places.pop(agent), state, now, why)

    def _write(self, place: Place, state: str, ended: datetime | None = None, why: str | None = None) -> None:
        self.world.write(
            table, {**place._asdict(), "pbx_id": self.pbx_id, "state": state, "ended_at": ended, "why": why}
        )  # fmt: skip

    async def load(self, connection: AsyncConnection) -> None:
        """The line as it stood."""
        c = table.c
        rows = await connection.execute(select(table).where(c.pbx_id == self.pbx_id, c.state == "waiting"))
        for row in rows.mappings():
            self._places[row["agent"]] = Place(*(row[name] for name in Place._fields))

"""The ledger of findings: claims that wait to be confirmed, findings, gaps. Nothing is found from inside a gap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from agents.findings import CONFIRM, Claim, Finding, Kind, Span, State, Step, found, joined, outside, over, with_events
from cti.engine.world import World
from cti.ids import Ids
from cti.store import tables as t
from cti.store.findings_tables import findings
from regulations import Article

KEPT = timedelta(days=92)
"""Findings are at hand for an appeal this long; the store has them for good."""
GAPS_KEPT = timedelta(days=1)
SPELLS = (Kind.NOT_ANSWERING, Kind.REJECTED)  # further ones join the one that goes on


class Ledger:
    """Holds claims and findings, and writes each change of a finding with the batch."""

    def __init__(self, world: World, ids: Ids, pbx_id: str) -> None:
        self.world, self.ids, self.pbx_id = world, ids, pbx_id
        self.kept: dict[str, Finding] = {}
        self.live_since: datetime | None = None  # None: we see nothing
        self._running: dict[str, Finding] = {}
        self._claims: dict[int, Claim] = {}
        self._marks: set[tuple[str, str]] = set()  # (kind, shift): judged once
        self._gaps: list[Span] = []
        self._serial = 0

    def claim(self, claim: Claim) -> None:
        """Let *claim* wait until it may be confirmed."""
        self._serial += 1
        self._claims[self._serial] = claim
        self._mark(claim.kind, claim.evidence)
        wait = (CONFIRM if claim.span.ended else claim.least + CONFIRM).total_seconds()
        self.world.time_at(self.world.mono + wait, f"finding:{self._serial}")

    def confirm(self, subject: str, now: datetime) -> None:
        """The time of a claim has come: it becomes a finding, joins one, or was nothing."""
        claim = self._claims.pop(int(subject), None)
        if claim is None or not claim.stands(self.live_since):
            return
        spell = self._spell(claim)
        if spell is not None:
            self._put(joined(spell, claim))
        else:
            self._tell(found(claim, self.ids.make("f", now), now), now)

    def going_on(self, kind: str, agent: str) -> bool:
        """Whether a claim or a finding of this kind goes on for this agent."""
        claimed = any((c.kind, c.agent, c.span.ended) == (kind, agent, None) for c in self._claims.values())
        return claimed or any((f.kind, f.agent) == (kind, agent) for f in self._running.values())

    def end(self, kind: str, agent: str, at: datetime, *events: Mapping[str, Any], **figures: Any) -> None:
        """What goes on of this kind for this agent is over; *figures* replace those of the evidence."""
        for serial, claim in self._claims.items():
            if (claim.kind, claim.agent) == (kind, agent):
                self._claims[serial] = claim.over(at, self.world.mono, *events, **figures)
        for finding in list(self._running.values()):
            if (finding.kind, finding.agent) == (kind, agent):
                self._put(over(finding, at, *events, **figures))

    def finish(self, finding_id: str, at: datetime, *events: Mapping[str, Any], **figures: Any) -> None:
        """One finding is over."""
        finding = self._running.get(finding_id)
        if finding is not None:
            self._put(over(finding, at, *events, **figures))

    def turn(self, was: str, shift_id: str, kind: str, at: datetime, now: datetime) -> bool:
        """A running finding about a shift ends as another kind: who is late and never comes is absent. False: none."""
        for finding in list(self._running.values()):
            if (finding.kind, finding.shift_id) == (was, shift_id):
                step = Step(f"was_{was}", "", now, "")
                self._put(replace(over(finding, at), kind=kind, steps=(*finding.steps, step)))
                return True
        return False

    def judged(self, kind: str, shift_id: str) -> bool:
        """Whether this shift has been judged in this respect."""
        return (kind, shift_id) in self._marks

    def record(
        self, kind: str, agent: str, article: Article, span: Span, evidence: Mapping[str, Any], now: datetime
    ) -> str | None:
        """Find at once; the finding's id, or None when it meets a gap."""
        seen = Span(span.began, span.ended or now)
        if self.live_since is None or any(seen.meets(gap) for gap in self._gaps):
            return None
        state = State.RUNNING if span.ended is None else State.FOUND
        whole = with_events(evidence, (), {})
        finding = Finding(self.ids.make("f", now), kind, agent, article, span, whole, now, state)
        self._tell(finding, now)
        return finding.finding_id

    def change(self, finding: Finding) -> None:
        """Keep what became of a finding's case."""
        self._put(finding)

    def gap(self, began: datetime, ended: datetime | None, now: datetime) -> None:
        """The event stream broke, or is live again: what goes on ends where the gap begins."""
        self.live_since = ended
        self._claims.clear()
        horizon = now - GAPS_KEPT
        whole = [gap for gap in self._gaps if gap.ended is not None and gap.ended > horizon]
        self._gaps = [*whole, Span(began, ended)]
        for finding in list(self.kept.values()):
            changed = outside(finding, Span(began, ended), now)
            if changed is not finding:
                self._put(changed)
        self._forget(now)

    def running(self) -> list[Finding]:
        """What goes on now, the oldest first."""
        return sorted(self._running.values(), key=lambda f: f.span.began)

    def _spell(self, claim: Claim) -> Finding | None:
        if claim.kind not in SPELLS:
            return None
        same = [f for f in self.kept.values() if (f.kind, f.agent) == (claim.kind, claim.agent)]
        last = max(same, key=lambda f: f.span.began, default=None)
        # A spell that goes on; or the one that ended as this claim did, when two rang at the same time.
        fits = last is not None and last.span.ended == claim.span.ended and last.state in (State.RUNNING, State.FOUND)
        return last if fits else None

    def _forget(self, now: datetime) -> None:
        """Drop what is older than an appeal may be, and the marks of claims that came to nothing."""
        self.kept = {k: f for k, f in self.kept.items() if f.running or f.found_at > now - KEPT}
        self._marks.clear()
        for finding in self.kept.values():
            self._mark(finding.kind, finding.evidence)
        for claim in self._claims.values():
            self._mark(claim.kind, claim.evidence)

    def _tell(self, finding: Finding, now: datetime) -> None:
        self._forget(now)
        self._put(finding)
        data = {"code": "finding", "agent": finding.agent, "what": str(finding.kind)}
        self.world.tell(now, "alarm", finding.agent, data, "lead")

    def _put(self, finding: Finding) -> None:
        self._keep(finding)
        self.world.write(findings, row_of(finding, self.pbx_id))

    def _keep(self, finding: Finding) -> None:
        self.kept[finding.finding_id] = finding
        if finding.running:
            self._running[finding.finding_id] = finding
        else:
            self._running.pop(finding.finding_id, None)
        self._mark(finding.kind, finding.evidence)

    def _mark(self, kind: str, evidence: Mapping[str, Any]) -> None:
        if evidence.get("shift_id") is not None:
            self._marks.add((kind, evidence["shift_id"]))

    async def load(self, connection: AsyncConnection, now: datetime) -> None:
        """Findings that go on or are young, and the gaps of the last day."""
        f, g = findings.c, t.gaps.c
        recent = select(findings).where(f.pbx_id == self.pbx_id, or_(f.state == "running", f.found_at > now - KEPT))
        for row in (await connection.execute(recent)).mappings():
            self._keep(_finding(row))
        ended = select(g.began_at, g.ended_at).where(g.pbx_id == self.pbx_id, g.ended_at > now - GAPS_KEPT)
        self._gaps = [Span(*row) for row in (await connection.execute(ended)).all()]


def row_of(finding: Finding, pbx_id: str) -> dict[str, Any]:
    """The row of a finding."""
    steps = [{"what": s.what, "by": s.by, "at": s.at.isoformat(), "reason": s.reason} for s in finding.steps]
    return {
        "finding_id": finding.finding_id, "pbx_id": pbx_id, "kind": str(finding.kind), "agent": finding.agent,
        "document": finding.article.document, "article": finding.article.article, "wording": finding.article.wording,
        "began_at": finding.span.began, "ended_at": finding.span.ended, "found_at": finding.found_at,
        "state": finding.state.value, "evidence": dict(finding.evidence), "steps": steps,
    }  # fmt: skip


def _finding(row: Mapping[Any, Any]) -> Finding:
    steps = tuple(Step(s["what"], s["by"], datetime.fromisoformat(s["at"]), s["reason"]) for s in row["steps"])
    return Finding(
        row["finding_id"], row["kind"], row["agent"], Article(row["document"], row["article"], row["wording"]),
        Span(row["began_at"], row["ended_at"]), row["evidence"], row["found_at"], State(row["state"]), steps,
    )  # fmt: skip

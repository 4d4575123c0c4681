"""Findings: what was against an article, with its evidence; and what may be said against a finding.

A finding is first a *claim*. It stands only when nothing of it lies in a gap of the event stream, and only ``CONFIRM``
after its moment: an Asterisk that is stopped ends its offers as if each had been refused, just before the link is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from regulations import Article, Ruling, allowed, refused

CONFIRM = timedelta(seconds=2)
MOST_EVENTS = 100  # of one finding; what comes later is counted, not listed


class Kind(StrEnum):
    """The forbidden states. The codes are stable."""

    UNSIGNED = "logged_in_not_signed_in"  # 登录不签入
    NOT_ANSWERING = "not_answering"  # 签入不接听
    REJECTED = "rejected"  # 拒接
    BUSY_REFUSING = "busy_refusing"  # 示忙拒接
    PAST_CONSOLE = "past_console"  # 绕过控制台
    LATE = "late"  # 迟到
    ABSENT = "absent"  # 缺岗
    LEFT_EARLY = "left_early"  # 早退
    ARRIVED_LATE = "arrived_late"  # 未提前到岗
    SEAT_EMPTY = "seat_empty"  # 空档超时
    LEFT_WITHOUT_RELIEF = "left_without_relief"  # 接班人未到离岗


class State(StrEnum):
    """How far a finding has come."""

    RUNNING = "running"  # it goes on
    FOUND = "found"  # it is over
    APPEALED = "appealed"  # 申诉
    UPHELD = "upheld"  # 维持
    REVOKED = "revoked"  # 撤销


class Span(NamedTuple):
    """A stretch of time from ``began`` to before ``ended``, aware UTC; ``ended`` is None while it goes on."""

    began: datetime
    ended: datetime | None = None

    def meets(self, other: Span) -> bool:
        """Whether the two share more than their edges; a stretch without length meets whatever it lies in."""
        if self.began == self.ended:
            return other.began <= self.began and (other.ended is None or self.began < other.ended)
        return (other.ended is None or self.began < other.ended) and (self.ended is None or other.began < self.ended)


class Missed(NamedTuple):
    """An offer that the agent did not take, as AMI told it."""

    call_id: str
    leg: str
    offered_at: datetime
    ended_at: datetime
    ring_ms: int
    rejected: bool

    def event(self) -> dict[str, Any]:
        """Its line of evidence."""
        return {
            "event": "AgentRingNoAnswer", "source": "ami", "call_id": self.call_id, "leg": self.leg,
            "offered_at": moment(self.offered_at), "at": moment(self.ended_at), "ring_ms": self.ring_ms,
            "end": "rejected" if self.rejected else "no_answer",
        }  # fmt: skip


class Step(NamedTuple):
    """One step of a finding's case: an appeal, a ruling, or what a gap took away. ``by`` is empty for the service."""

    what: str
    by: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Claim:
    """What may become a finding.

    Attributes:
        least: it must last longer than this, measured by the monotonic clock.
        mono: that clock as it began, seconds.
        lasted: how long it lasted by that clock, None while it goes on.
    """

    kind: str
    agent: str
    article: Article
    span: Span
    evidence: Mapping[str, Any]
    least: timedelta = timedelta(0)
    mono: float = 0.0
    lasted: float | None = None

    def over(self, at: datetime, mono: float, *events: Mapping[str, Any], **figures: Any) -> Claim:
        """The claim, ended. One that has ended already stays as it is."""
        if self.span.ended is not None:
            return self
        evidence = with_events(self.evidence, events, figures)
        return replace(self, span=Span(self.span.began, at), lasted=mono - self.mono, evidence=evidence)

    def stands(self, live_since: datetime | None) -> bool:
        """Whether it may be found: all of it was seen, and it was long enough. ``live_since`` None: we see nothing."""
        if live_since is None or self.span.began < live_since:
            return False
        if self.span.ended is None:
            return True
        if self.least:
            return self.lasted is not None and self.lasted > self.least.total_seconds()
        return self.span.ended > self.span.began


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. ``article`` is as it read when it was found; ``evidence["events"]`` are events with their times."""

    finding_id: str
    kind: str
    agent: str
    article: Article
    span: Span
    evidence: Mapping[str, Any]
    found_at: datetime
    state: State = State.RUNNING
    steps: tuple[Step, ...] = ()

    @property
    def running(self) -> bool:
        """Whether what was found still goes on."""
        return self.state is State.RUNNING

    @property
    def shift_id(self) -> str | None:
        """The shift it is about, if it is about one."""
        return self.evidence.get("shift_id")


def moment(at: datetime) -> str:
    """A moment as evidence has it: ISO 8601, UTC, microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def event(name: str, at: datetime, source: str, **more: Any) -> dict[str, Any]:
    """A line of evidence. ``source``: ami, console (a command or a page), roster."""
    return {"event": name, "source": source, "at": moment(at), **more}


def with_events(
    evidence: Mapping[str, Any], events: Iterable[Mapping[str, Any]], figures: Mapping[str, Any]
) -> dict[str, Any]:
    """More evidence, and figures that replace those of the same name."""
    listed = [*evidence.get("events", ()), *events]
    return {**evidence, **figures, "events": listed[:MOST_EVENTS]}


def found(claim: Claim, finding_id: str, now: datetime) -> Finding:
    """The finding that a claim becomes."""
    state = State.RUNNING if claim.span.ended is None else State.FOUND
    return Finding(finding_id, claim.kind, claim.agent, claim.article, claim.span, claim.evidence, now, state)


def joined(finding: Finding, claim: Claim) -> Finding:
    """Another missed offer in the same spell: one finding, more evidence."""
    began = min(finding.span.began, claim.span.began)
    events = claim.evidence.get("events", ())
    counted = {**claim.evidence, "missed": finding.evidence.get("missed", 0) + claim.evidence.get("missed", 0)}
    counted.pop("events", None)
    return replace(
        finding, span=finding.span._replace(began=began), evidence=with_events(finding.evidence, events, counted)
    )


def over(finding: Finding, at: datetime, *events: Mapping[str, Any], **figures: Any) -> Finding:
    """What was found has ended. One that is over stays as it is."""
    if not finding.running:
        return finding
    ended = max(at, finding.span.began)
    evidence = with_events(finding.evidence, events, figures)
    return replace(finding, span=Span(finding.span.began, ended), evidence=evidence, state=State.FOUND)


def outside(finding: Finding, gap: Span, now: datetime) -> Finding:
    """What is left of a finding when a gap becomes known: it ends where that begins; one that began in it is void."""
    if finding.state is State.REVOKED or not finding.span.meets(gap):
        return finding
    if finding.span.began >= gap.began:
        return replace(
            finding, span=Span(finding.span.began, finding.span.ended or finding.span.began), state=State.REVOKED,
            steps=(*finding.steps, Step("gap", "", now, "")),
        )  # fmt: skip
    kept = [line for line in finding.evidence.get("events", ()) if line["at"] < moment(gap.began)]
    state = State.FOUND if finding.running else finding.state
    evidence = {**finding.evidence, "events": kept, "cut_by_gap": True}
    return replace(finding, span=Span(finding.span.began, gap.began), evidence=evidence, state=state)


def may_appeal(finding: Finding, number: str) -> Ruling:
    """Only the one concerned, once, and when it is over."""
    if finding.agent != number:
        return refused("not_yours", "只能申诉涉及本人的记录", "Only the one concerned may appeal", finding.article)
    if finding.running:
        return refused(
            "still_running", "情形仍在持续，结束后方可申诉", "It still goes on: appeal when it is over", finding.article
        )
    if finding.state is not State.FOUND:
        return refused(
            "appealed_already", "该记录已申诉或已裁定", "It was appealed or ruled on already", finding.article
        )
    return allowed(finding.article)


def may_rule(finding: Finding, by: str) -> Ruling:
    """Only on an appeal, and never on one's own finding."""
    if finding.agent == by:
        return refused("own_finding", "不得裁定涉及本人的记录", "Nobody rules on a finding of his own", finding.article)
    if finding.state is not State.APPEALED:
        return refused("not_appealed", "该记录没有待裁定的申诉", "There is no appeal to rule on", finding.article)
    return allowed(finding.article)


def appealed(finding: Finding, number: str, reason: str, now: datetime) -> Finding:
    """申诉, with its reason."""
    return replace(finding, state=State.APPEALED, steps=(*finding.steps, Step("appealed", number, now, reason)))


def ruled(finding: Finding, by: str, upheld: bool, reason: str, now: datetime) -> Finding:
    """维持 or 撤销, with its reason."""
    state = State.UPHELD if upheld else State.REVOKED
    return replace(finding, state=state, steps=(*finding.steps, Step(state.value, by, now, reason)))

"""Whatever happens in whatever order: nothing is found from inside a gap in the event stream, nor judged by the clock's
noise."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from agents import adherence, presence
from agents.adherence import Attendance, judged_from, measures
from agents.findings import Claim, Finding, Kind, Span, State, event, found, outside, over
from agents.presence import Agent, Observed
from agents.shifts import Shift
from cti.app import load_profile
from cti.engine.duty.finding import Findings
from cti.engine.duty.parts import parts_of
from cti.engine.duty.rostering import Rostering
from cti.engine.part import ActKind
from cti.engine.steps import Steps
from cti.engine.world import Changes, World
from cti.ids import Ids
from cti.settings import make_settings
from cti.store.findings_tables import findings
from queues.facts import Answered, Ending, Entered, Left, NotAnswered, Offered
from regulations import Article

T0 = datetime(2026, 11, 21, 1, 0, 0, 123, tzinfo=UTC)
ARTICLE = Article("HZ", "第二十一条", "签入不接听电话")
MS = timedelta(milliseconds=1)
AGENTS = ("1001", "1002")
PROFILE, SETTINGS = load_profile("hz-12319"), make_settings({"ami": {"secret": "x"}})


class Bench:
    """The part in a world without a database: rows are collected, deadlines come when time is let pass."""

    def __init__(self) -> None:
        rng = random.Random(3)
        self.world = World(PROFILE, ZoneInfo("Asia/Shanghai"), "12319", "hotline", timedelta(seconds=5))
        parts = parts_of(self.world, Ids(rng), SETTINGS)
        self.part = next(p for p in parts if isinstance(p, Findings))
        self.world.parts = [self.part]
        rostering = next(p for p in parts if isinstance(p, Rostering))
        rostering.put([Shift("s1", "1001", T0 + timedelta(seconds=40), T0 + timedelta(seconds=400), seat="3002")])
        rostering.put([Shift("s2", "1002", T0 - timedelta(hours=1), T0 + timedelta(seconds=60))])
        self.steps = Steps(self.world, Ids(rng))
        self.now, self.calls = T0, 0
        self.rows: dict[str, dict[str, Any]] = {}
        self.gaps: list[Span] = []
        self.ringing: dict[str, str] = {}
        for number in AGENTS:
            self.world.agents[number] = Agent(number, "")
        self.wakes: dict[str, datetime] = {}
        self.timers: dict[str, float] = {}
        self.world.new_day(self.now)
        self.part.gap(T0, T0, T0)
        self.do("sign_in", "1002")
        self.do("enter", "1002")

    def _collect(self) -> None:
        changes, self.world.changes = self.world.changes, Changes()
        self.rows |= {key[0]: row for key, row in changes.records.get(findings, {}).items()}
        self.wakes |= changes.wakes
        self.timers |= changes.timers

    def wait(self, seconds: float) -> None:
        """Time passes; deadlines come, each at its moment."""
        end = self.now + timedelta(seconds=seconds)
        while True:
            due = [(at, key) for key, at in self.wakes.items()]
            due += [(T0 + timedelta(seconds=mono), key) for key, mono in self.timers.items()]
            at, key = min(due, default=(end, ""))
            if at > end or not key:
                self._move(end)
                return
            self._move(max(at, self.now))
            self.wakes.pop(key, None)
            self.timers.pop(key, None)
            topic, _, subject = key.partition(":")
            if (waker := self.part.dues().get(topic)) is not None:
                waker(subject, self.now)
                self._collect()

    def _move(self, now: datetime) -> None:
        self.now, self.world.mono = now, (now - T0).total_seconds()

    def do(self, what: str, agent: str) -> None:
        """One thing happens, if it can."""
        getattr(self, f"_{what}")(agent)
        self._collect()

    def _set(self, after: Agent, kind: ActKind, seat: str | None = None) -> None:
        self.world.put_agent(after)
        self.world.acted(kind, after.number, self.now, seat=seat, reason="meal")

    def _sign_in(self, number: str) -> None:
        agent = self.world.agents[number]
        if not agent.signed_in:
            seat = "3012" if any(a.seat == "3002" for a in self.world.agents.values()) else "3002"
            self._set(presence.signed_in(agent, seat, "x", self.now), ActKind.SIGNED_IN, seat)

    def _sign_out(self, number: str) -> None:
        agent = self.world.agents[number]
        if agent.signed_in:
            self._set(presence.signed_out(agent, self.now), ActKind.SIGNED_OUT, agent.seat)

    def _busy(self, number: str) -> None:
        if self.world.agents[number].signed_in:
            self._set(presence.busy(self.world.agents[number], "meal", self.now), ActKind.BUSY)

    def _ready(self, number: str) -> None:
        if self.world.agents[number].signed_in:
            self._set(presence.ready(self.world.agents[number], self.now), ActKind.READY)

    def _arrive(self, number: str) -> None:
        self.world.acted(ActKind.ARRIVED, number, self.now)

    def _open(self, number: str) -> None:
        self.world.pages[number] = 1
        self.world.acted(ActKind.PAGE_OPENED, number, self.now)

    def _close(self, number: str) -> None:
        del self.world.pages[number]
        self.world.acted(ActKind.PAGE_CLOSED, number, self.now)

    def _pause(self, number: str) -> None:
        agent = presence.observe(self.world.agents[number], Observed(True, True, "x", self.now - 2000 * MS))
        self.world.put_agent(agent)
        self.world.acted(ActKind.OUTSIDE, number, self.now, reason="pause:x")

    def _unpause(self, number: str) -> None:
        self.world.acted(ActKind.INSIDE, number, self.now)

    def _enter(self, _number: str) -> None:
        self.calls += 1
        self.steps.take(Entered(f"c{self.calls}", self.now, "hotline", ""), self.now)

    def _ring(self, number: str) -> None:
        if self.calls and number not in self.ringing:
            self.ringing[number] = f"c{self.calls}"
            self.steps.take(Offered(f"c{self.calls}", self.now, number, f"leg{self.now}", queue="hotline"), self.now)

    def _miss(self, number: str, rang_ms: int = 9000) -> None:
        if (call_id := self.ringing.pop(number, None)) is not None:
            self.steps.take(NotAnswered(call_id, self.now, number, rang_ms, queue="hotline"), self.now)

    def _reject(self, number: str) -> None:
        self._miss(number, 0)

    def _answer(self, number: str) -> None:
        if (call_id := self.ringing.pop(number, None)) is not None:
            self.steps.take(Answered(call_id, self.now, "hotline", number, None), self.now)

    def _abandon(self, _number: str) -> None:
        if self.calls:
            self.steps.take(Left(f"c{self.calls}", self.now, Ending.ABANDONED), self.now)

    def _lose(self, _number: str) -> None:
        if not self.gaps or self.gaps[-1].ended is not None:
            self.gaps.append(Span(self.now))
            self.world.stale_since = self.now
            self.part.gap(self.now, None, self.now)

    def _see(self, _number: str) -> None:
        if self.gaps and self.gaps[-1].ended is None:
            self.gaps[-1] = Span(self.gaps[-1].began, self.now)
            self.world.stale_since = None
            self.part.gap(self.gaps[-1].began, self.now, self.now)


DOINGS = (
    "sign_in", "sign_out", "busy", "ready", "arrive", "open", "close", "pause", "unpause", "enter", "ring", "ring",
    "miss", "miss", "reject", "answer", "abandon", "lose", "see", "see",
)  # fmt: skip
PAUSES = (0, 0.001, 0.5, 1.999, 2, 2.001, 9, 61)  # seconds
ONE = st.tuples(st.sampled_from(DOINGS), st.sampled_from(AGENTS), st.sampled_from(PAUSES))
HISTORY = st.lists(ONE, min_size=5, max_size=60)


@settings(max_examples=600, deadline=None)
@given(HISTORY)
def test_nothing_is_found_from_inside_a_gap(history: list[tuple[str, str, float]]) -> None:
    """No finding's time meets a gap, no evidence lies in one, and evidence lies before the finding's end."""
    bench = Bench()
    for what, agent, seconds in history:
        bench.do(what, agent)
        bench.wait(seconds)
    bench.wait(500)
    for row in bench.rows.values():
        span = Span(row["began_at"], row["ended_at"] or bench.now)
        assert row["ended_at"] is None or row["began_at"] <= row["ended_at"]
        assert (row["state"] == "running") == (row["ended_at"] is None)
        for gap in bench.gaps:
            assert not span.meets(gap), (row["kind"], gap)
            for line in row["evidence"]["events"]:
                for moment in (line["at"], line.get("offered_at", line["at"])):
                    at = datetime.fromisoformat(moment)
                    assert not (gap.began < at and (gap.ended is None or at < gap.ended)), line


@settings(max_examples=200, deadline=None)
@given(HISTORY)
def test_one_finding_a_kind_goes_on_for_an_agent(history: list[tuple[str, str, float]]) -> None:
    """Two spells of the same kind never run at once, and a shift is judged once in each respect."""
    bench = Bench()
    for what, agent, seconds in history:
        bench.do(what, agent)
        bench.wait(seconds)
        running = [(f["kind"], f["agent"]) for f in bench.part.view(bench.now)["findings"]]
        assert len(running) == len(set(running))
    judged = [(row["kind"], row["evidence"].get("shift_id")) for row in bench.rows.values()]
    of_shifts = [one for one in judged if one[1] is not None]
    assert len(of_shifts) == len(set(of_shifts))


def test_the_bench_finds_each_kind_when_nothing_is_lost() -> None:
    """The property above would be empty if the bench could find nothing."""
    script = [
        ("open", "1001", 103), ("ring", "1002", 9), ("miss", "1002", 3),
        ("ring", "1002", 0), ("reject", "1002", 3), ("pause", "1002", 5), ("unpause", "1002", 5), ("busy", "1002", 5),
        ("sign_out", "1002", 500),
    ]  # fmt: skip
    bench = Bench()
    for what, agent, seconds in script:
        bench.do(what, agent)
        bench.wait(seconds)
    kinds = {str(row["kind"]) for row in bench.rows.values()}
    assert kinds == {"not_answering", "rejected", "past_console", "busy_refusing", "logged_in_not_signed_in", "absent"}


moments = st.integers(0, 100_000).map(lambda ms: T0 + ms * MS)


@given(moments, moments, st.none() | moments, st.booleans())
def test_what_a_gap_leaves_of_a_finding_lies_outside_it(
    began: datetime, gap_began: datetime, ended: datetime | None, whole: bool
) -> None:
    """Cut at the gap's beginning, or void; a finding that does not meet the gap is left as it is."""
    gap = Span(gap_began, gap_began + 5000 * MS if whole else None)
    span = Span(began, None if ended is None else max(began, ended))
    claim = Claim(Kind.NOT_ANSWERING, "1001", ARTICLE, span, {"events": [event("A", began, "ami")]})
    finding = found(claim, "f-1", began)
    left = outside(finding, gap, gap_began)
    if left.state is State.REVOKED:
        assert began >= gap_began
        assert left.steps[-1].what == "gap"
    else:
        assert not left.span.meets(gap)
        assert (left == finding) == (not finding.span.meets(gap))
    assert outside(left, gap, gap_began) == left


@given(st.integers(-50_000, 50_000), st.integers(-50_000, 50_000), st.booleans())
def test_lateness_to_the_millisecond(left_ms: int, came_ms: int, relieved: bool) -> None:
    """Late is after the start, or after the handover's 30 s on a seat that another held until then; never before."""
    shift = Shift("s", "1001", T0, T0 + timedelta(hours=8))
    left = T0 + left_ms * MS if relieved else None
    due = judged_from(shift, False, left, timedelta(seconds=30))
    assert due is not None
    assert due == (T0 if left is None or left_ms <= -30_000 else left + timedelta(seconds=30))
    seen = adherence.signed_in(Attendance(shift), T0 + came_ms * MS)
    assert measures(seen, T0 + timedelta(hours=9)).late_ms == max(came_ms, 0)
    assert measures(seen, T0 + timedelta(hours=9)).early_ms == max(-came_ms, 0)
    assert judged_from(shift, True, left, timedelta(seconds=30)) is None


@given(
    st.lists(st.tuples(st.sampled_from(("in", "out", "busy", "ready", "arrived")), st.integers(0, 5000)), max_size=30)
)
def test_attendance_of_any_history_makes_sense(history: list[tuple[str, int]]) -> None:
    """Figures are never negative; ready implies signed in; who is signed out before the start has not come yet."""
    shift = Shift("s", "1001", T0 + timedelta(hours=1), T0 + timedelta(hours=3))
    seen, now = Attendance(shift), T0
    for what, seconds in history:
        now += timedelta(seconds=seconds)
        on = seen.signed_in_at is not None and seen.signed_out_at is None
        if what == "in" and not on:
            seen = adherence.signed_in(seen, now)
        elif what == "out" and on:
            seen = adherence.signed_out(seen, now, False)
        elif what == "busy" and on:
            seen = adherence.busy(seen, now)
        elif what == "ready" and on:
            seen = adherence.ready(seen, now)
        elif what == "arrived":
            seen = adherence.arrived(seen, now)
        assert all(value is None or value >= 0 for value in measures(seen, now))
        assert seen.ready_at is None or seen.signed_in_at is not None
        assert seen.signed_out_at is None or seen.signed_out_at >= shift.starts_at


def test_an_end_before_the_beginning_is_the_beginning() -> None:
    """A late word about an end never makes a finding of negative length."""
    finding = Finding("f", Kind.LATE, "1001", ARTICLE, Span(T0), {}, T0)
    assert over(finding, T0 - MS).span == Span(T0, T0)

"""Any history of calls, claims, callbacks and ends, against a plain count of who tried and who was spoken with."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.presence import Agent
from cti.app import load_profile
from cti.commands import Command, Outcome
from cti.commands.missed import CallBackMissed, ClaimMissed, CloseMissed, ReleaseMissed
from cti.engine.asking import Asking
from cti.engine.dialling import Diallings
from cti.engine.missed import MissedCallers
from cti.engine.steps import Steps
from cti.engine.world import Changes, World
from cti.ids import Ids
from cti.settings import make_settings
from cti.store.missed_tables import missed_calls
from queues.facts import Answered, CallFact, Ending, Entered, Left
from queues.missed import EndReason, Missed

T0 = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
PROFILE, SETTINGS = load_profile("hz-12319"), make_settings({"ami": {"secret": "x"}})
AGENTS, LEAD, NUMBERS = ("1001", "1002"), "9001", ("13800000061", "13800000062", "")


class Bench:
    """The part in a world without a database: the newest row of each duty is kept."""

    def __init__(self) -> None:
        zone = ZoneInfo("Asia/Shanghai")
        self.world = World(PROFILE, zone, "12319", "hotline", timedelta(seconds=5))
        ids = Ids(random.Random(1))
        for number in (*AGENTS, LEAD):
            self.world.agents[number] = Agent(number, "测试", seat=f"3{number}", interface="x", signed_in_at=T0)
        self.world.leads.add(LEAD)
        self.part = MissedCallers(self.world, ids, SETTINGS)
        self.world.parts = [self.part]
        self.steps = Steps(self.world, ids)
        diallings = Diallings(self.world, ids, SETTINGS.callback)
        asking = Asking(self.world, diallings, ids, SETTINGS)
        self.world.ask = asking.take
        self.rows: dict[str, dict[str, Any]] = {}
        self.at = T0

    def batch(self, *facts: CallFact, command: Command | None = None) -> Outcome | None:
        """One batch at ``self.at``."""
        self.world.changes, self.world.now = Changes(), self.at
        for fact in facts:
            self.steps.take(fact, self.at)
        outcome = self.world.ask(command, self.at) if command is not None else None
        self.part.batched(self.at)
        for row in self.world.changes.records.get(missed_calls, {}).values():
            before = self.rows.get(row["missed_id"])
            assert before is None or before["closed_at"] is None, "a closed duty was written again"
            self.rows[row["missed_id"]] = row
        return outcome

    def open(self) -> dict[str, list[dict[str, Any]]]:
        """Number -> rows without an end."""
        found = defaultdict(list)
        for row in self.rows.values():
            if row["closed_at"] is None:
                found[row["number"]].append(row)
        return found


def facts_of(serial: int, number: str, at: datetime, in_vain: bool) -> tuple[CallFact, ...]:
    """A call of ten seconds."""
    call_id, end = f"1795284828.{serial}", at + timedelta(seconds=10)
    entered = Entered(call_id, at, "hotline", number)
    if in_vain:
        return entered, Left(call_id, end, Ending.LEFT), Left(call_id, end, Ending.ABANDONED, exact=False)
    return entered, Answered(call_id, end, "hotline", "1001", f"l{serial}")


calls = st.lists(st.tuples(st.sampled_from(NUMBERS), st.booleans()), min_size=1, max_size=12)


@given(calls, st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_any_order_of_facts_gives_the_same_duties(history: list[tuple[str, bool]], rng: random.Random) -> None:
    """Twice, late, mixed: open are the calls in vain since the last conversation, by number, as old as the first."""
    bench, told = Bench(), []
    tries: dict[str, list[datetime]] = defaultdict(list)
    spoken: dict[str, datetime] = {}
    for serial, (number, in_vain) in enumerate(history):
        at = T0 + timedelta(minutes=serial)
        told += facts_of(serial, number, at, in_vain)
        if in_vain:
            tries[number].append(at)
        else:
            spoken[number] = at + timedelta(seconds=10)
    told += rng.sample(told, rng.randrange(len(told) + 1))
    rng.shuffle(told)
    bench.at = T0 + timedelta(hours=1)
    for fact in told:
        bench.batch(fact)
    while told:  # what could not be taken before its entry was known is told once more, as queue_log does
        bench.batch(*sorted(told, key=lambda fact: fact.at))
        told = []
    owed = {n: [at for at in ats if n not in spoken or at > spoken[n]] for n, ats in tries.items() if n}
    found = bench.open()
    assert {n: len(rows) for n, rows in found.items()} == {n: 1 for n, ats in owed.items() if ats}
    for number, (row,) in found.items():
        assert (row["first_at"], row["last_at"], row["tries"]) == (owed[number][0], owed[number][-1], len(owed[number]))
    withheld = len(tries[""]) if "" in tries else 0
    assert bench.part.view(bench.at)["missed"]["withheld"] == withheld


acts = st.lists(
    st.tuples(
        st.sampled_from(("vain", "vain", "answer", "claim", "release", "close", "callback", "reached", "exhausted")),
        st.sampled_from(NUMBERS[:2]),
        st.sampled_from((*AGENTS, LEAD)),
        st.sampled_from(tuple(EndReason)),
    ),
    max_size=30,
)


@given(acts)
@settings(max_examples=200, deadline=None)
def test_whatever_is_asked_no_rule_is_broken(history: list[tuple[str, str, str, EndReason]]) -> None:
    """One open duty a number, one holder, its age the first try; closed by a conversation or a reason alone."""
    bench = Bench()
    first: dict[str, datetime] = {}
    for serial, (act, number, by, reason) in enumerate(history):
        bench.at += timedelta(minutes=1)
        before = bench.part.open.get(number)
        if act in ("vain", "answer"):
            bench.batch(*facts_of(serial, number, bench.at, act == "vain"))
            if act == "vain":
                first.setdefault(number, bench.at)
        elif before is not None:
            done(bench, before, act, by, reason)
        after = bench.part.open.get(number)
        if after is None:
            first.pop(number, None)
        else:
            assert after.first_at == first[number]
        if before is not None and after is None:
            closed = bench.rows[before.missed_id]
            assert (closed["state"], act) in (("came_through", "answer"), ("reached", "reached"), ("ended", "close"))
            assert (closed["state"] == "ended") == bool(closed["end_reason"] and closed["end_text"])
        if before and after and before.claimed_by not in (None, after.claimed_by):
            assert act == "release"  # nobody takes it from one who is there
        assert all(len(rows) == 1 for rows in bench.open().values())
        due = [c for c in bench.world.callbacks.values() if c.state in ("due", "placing")]
        assert {c.request_key for c in due} == {
            f"missed:{d.missed_id}" for d in bench.part.open.values() if d.planned
        }  # no callback outlives its duty, and each duty has one at most


def done(bench: Bench, duty: Missed, act: str, by: str, reason: EndReason) -> None:
    """One act of a person or of a callback."""
    command: Command | None = {
        "claim": ClaimMissed(by, duty.missed_id),
        "release": ReleaseMissed(by, duty.missed_id),
        "close": CloseMissed(by, duty.missed_id, reason, "理由"),
        "callback": CallBackMissed(by, duty.missed_id),
    }.get(act)
    if command is not None:
        bench.batch(command=command)
        return
    callback = bench.world.callbacks.get(duty.callback_id or "")
    if callback is not None and callback.state == "due":
        bench.world.changes, bench.world.now = Changes(), bench.at
        bench.world.put_callback(replace(callback, state=act, due_at=None, closed_at=bench.at))
        kept = bench.world.changes
        bench.part.batched(bench.at)
        for row in kept.records.get(missed_calls, {}).values():
            bench.rows[row["missed_id"]] = row

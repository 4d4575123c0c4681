"""Generated schedules of callbacks, judged: ``python -m bench.schedules [--count 1000000]``. The last line is JSON.

Each schedule is one owed caller over some days: due times of the planner, agents who press the key on their own at
every edge, restarts of the service at each step of dialling and of the machine, steps of the wall clock and their
correction, appointments, leads' leaves, tries to close too early; in zones with and without daylight saving, also over
the end of the year. The desk of ``Schedule`` does with the pure rules what the engine does with them; what the caller's
line saw is written down in true time. ``bench.judging`` counts from that alone, and shares no function with the rules.

The clock is right when a schedule begins and when a machine restarts (or stands before our own books, which is seen):
a clock that was always wrong cannot be found out from within. Steps are longer than the 2 s of the tolerance.
"""

from __future__ import annotations

import argparse
import heapq
import json
import multiprocessing
import random
import sys
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from bench.judging import FAULTS, Dial, faults
from queues import trust
from queues.callbacks import (
    Attempt,
    AttemptOutcome,
    CallbackLimits,
    Override,
    Terms,
    limits_of,
    may_agree,
    may_override,
    may_place,
)
from queues.endings import may_close, then
from queues.planning import Owed, planned
from regulations import parse_profile

COUNT = 1_000_000
CHUNK = 2_000
TOLD_EVERY = 50_000
SECOND = timedelta(seconds=1)
TICK = timedelta(microseconds=1)
RING = 50 * SECOND  # 20 s of the agent's phone, then 30 s of the caller's
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ZONES = ("Asia/Shanghai",) * 4 + ("America/New_York", "Europe/Berlin", "Australia/Lord_Howe")
SEASONS = tuple(
    datetime.fromisoformat(day).replace(tzinfo=UTC)
    for day in ("2026-12-30", "2026-03-07", "2026-10-31", "2026-03-28", "2026-10-24", "2026-04-03", "2026-10-02")
)  # the end of the year, and the days before the offsets of ZONES change
_O = AttemptOutcome
OUTCOMES = (
    (_O.NO_ANSWER, 40), (_O.BUSY, 14), (_O.FAILED, 12), (_O.AGENT_AWAY, 8), (_O.NOT_CONVENIENT, 12), (_O.REACHED, 7),
    (_O.REFUSED, 3), (_O.WRONG_NUMBER, 4),
)  # fmt: skip
_WEIGHTS = tuple(weight for _, weight in OUTCOMES)
_NEVER_RINGS = (_O.FAILED, _O.AGENT_AWAY)


@cache
def limits_in(zone: str) -> CallbackLimits:
    """KL's figures in *zone*."""
    return limits_of(parse_profile(Path("regulations/kl-956100.toml").read_text()), ZoneInfo(zone))


class Schedule:
    """One owed caller, from the first due time to the end. ``now`` is the truth; the desk sees ``now + off``."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        draw = self.random
        self.zone = draw.choice(ZONES)
        self.limits = limits_in(self.zone)
        start = draw.choice(SEASONS) if draw.random() < 0.3 else SEASONS[0] - draw.random() * 365 * DAY
        self.now = self.asked = start + draw.random() * DAY
        self.until = self.now + 6 * DAY
        self.off = timedelta(0)
        self.boot, self.booted = 0, self.now
        self.trust: trust.ClockTrust | None = None
        self.up = True
        self.attempts: tuple[Attempt, ...] = ()
        self.terms = Terms()
        self.deadline = self.now + draw.random() * 3 * DAY
        self.closed = ""
        self.by_lead = False
        self.dials: dict[int, Dial] = {}
        self.seen: Counter[str] = Counter()
        self._events: list[tuple[datetime, int, str]] = []
        self._pushed = 0

    def run(self) -> Schedule:
        """Play it to its end."""
        draw = self.random
        self._plan()
        for _ in range(draw.randrange(5)):
            self._push(self.now + draw.random() * 3 * DAY, "press")
        if draw.random() < 0.3:
            self._push(self.now + draw.random() * DAY, draw.choice(("step", "step", "reboot", "kill")))
        if draw.random() < 0.2:
            self._push(self.now + draw.random() * 2 * DAY, "close")
        if draw.random() < 0.1:
            self._push(self.now + draw.random() * DAY, "leave")
        while self._events and not self.closed:
            self.now, _, kind = heapq.heappop(self._events)
            if self.now > self.until:
                break
            getattr(self, f"_on_{kind}")()
        return self

    def _push(self, at: datetime, kind: str) -> None:
        self._pushed += 1
        heapq.heappush(self._events, (max(at, self.now), self._pushed, kind))

    def _look(self) -> datetime:
        """The wall clock, as the desk reads it; it is held against the monotonic one at every look."""
        wall = self.now + self.off
        latest = max((a.ended_at or a.started_at for a in self.attempts), default=None)
        mono = (self.now - self.booted).total_seconds()
        self.trust = trust.seen(self.trust, str(self.boot), wall, mono, latest)
        self.terms = replace(self.terms, spaced_from=self.trust.stepped_at)
        return wall

    def _plan(self) -> None:
        wall = self._look()
        owed = Owed("c", self.asked, self.attempts, self.deadline, self.terms)
        plan = planned(owed, {}, lambda _: 1, self.limits, wall, RING, lambda _: self.random.randrange(900) * SECOND)
        if plan.at is not None:
            self._push(plan.at - self.off, "due")

    def _on_due(self) -> None:
        if self.up and not self._running() and not self._press():
            self._push(self.now + self.random.choice((600 * SECOND, HOUR)), "again")

    def _on_again(self) -> None:
        if self.up and not self._running():
            self._plan()

    def _on_press(self) -> None:
        """An agent's own key; sometimes two agents at the very same moment."""
        if self.up:
            self._press()
            if self.random.random() < 0.5:
                self._press()

    def _press(self) -> bool:
        wall = self._look()
        if not self.up or self.closed or self.trust is None:
            return False
        ruling = trust.may_dial(self.trust)
        if ruling.allowed:
            ruling = may_place(self.attempts, self.limits, wall, RING, self.terms)
        self.seen[ruling.code] += 1
        if ruling.allowed:
            self._dial(wall)
        return ruling.allowed

    def _dial(self, wall: datetime) -> None:
        """Commit, send, ring; the service may die before and after each."""
        draw = self.random
        dies = draw.choice(("committing", "sending", "ringing")) if draw.random() < 0.08 else ""
        if dies == "committing":
            self._on_kill()
            return
        number = len(self.attempts) + 1
        self.attempts = (*self.attempts, Attempt(number, wall, None, AttemptOutcome.PLACING))
        leave, self.terms = self.terms.override is not None, Terms(spaced_from=self.terms.spaced_from)
        if dies == "sending":
            self._on_kill()
            return
        (outcome,) = draw.choices([o for o, _ in OUTCOMES], _WEIGHTS)
        rings = outcome not in _NEVER_RINGS
        rung_until = self.now + draw.uniform(1, 50) * SECOND
        spoken = outcome in (_O.REACHED, _O.REFUSED, _O.WRONG_NUMBER, _O.NOT_CONVENIENT)
        end = rung_until + draw.random() * 600 * SECOND if spoken else rung_until
        self.dials[number] = Dial(self.now, rung_until, end, rings, outcome.value, leave)
        self._push(end, "end")
        if dies == "ringing":
            self._on_kill()

    def _running(self) -> Attempt | None:
        return next((a for a in self.attempts if a.outcome is AttemptOutcome.PLACING), None)

    def _on_end(self) -> None:
        running = self._running()
        if self.up and running is not None:
            dial = self.dials.get(running.ordinal)
            if dial is not None and dial.end <= self.now:
                self._ended(running, AttemptOutcome(dial.outcome))

    def _ended(self, running: Attempt, outcome: AttemptOutcome) -> None:
        wall = self._look()
        ended = replace(running, ended_at=max(wall, running.started_at), outcome=outcome)
        self.attempts = tuple(ended if a is running else a for a in self.attempts)
        after = then(self.attempts, self.limits)
        if after.state != "due":
            if self.random.random() < 0.5:
                self._on_finish()
            else:  # the agent writes the reason later; others press meanwhile
                self._push(self.now + 3 * HOUR, "press")
                self._push(self.now + 4 * HOUR, "finish")
            return
        if outcome is AttemptOutcome.NOT_CONVENIENT:
            at = wall + self.random.choice((timedelta(minutes=30), 2 * HOUR, self.random.random() * 2 * DAY))
            if may_agree(self.attempts, self.limits, at, wall, RING).allowed:
                self.seen["appointment"] += 1
                self.terms = replace(self.terms, appointment_at=at)
        self.terms = replace(self.terms, not_before=wall + after.wait if after.wait else None)
        for edge in (2 * HOUR - TICK, 2 * HOUR, timedelta(minutes=1)):
            if self.random.random() < 0.3:
                self._push(self.now + edge, "press")
        self._press_at_the_edge_of_night()
        self._plan()

    def _press_at_the_edge_of_night(self) -> None:
        local = self.now.astimezone(self.limits.zone)
        hour, edge = self.random.choice(((21, TICK), (21, timedelta(0)), (21, RING - TICK), (21, RING), (8, TICK)))
        moment = local.replace(hour=hour, minute=0, second=0, microsecond=0) + self.random.randrange(2) * DAY
        self._push(moment.astimezone(UTC) - edge, "press")

    def _on_close(self) -> None:
        if self.up and not self.closed:
            self._close(lead=self.random.random() < 0.5)

    def _on_finish(self) -> None:
        self._close(lead=False)
        self._close(lead=True)  # a lead, when the agent may not

    def _close(self, lead: bool) -> None:
        if not self.closed and may_close(self.attempts, self.limits, "客户原因未成功", lead).allowed:
            self.closed = then(self.attempts, self.limits).state
            self.by_lead = lead

    def _on_leave(self) -> None:
        """A lead lets one attempt be made at night; the agent rings at once."""
        if self.up and may_override(self.limits, "9001", frozenset({"1001"}), "客户夜班").allowed:
            self.terms = replace(self.terms, override=Override("9001", "客户夜班"))
            self._press()

    def _on_kill(self) -> None:
        self.seen["restart"] += 1
        self.up = False
        self._push(self.now + self.random.choice((SECOND, 60 * SECOND, self.random.random() * 3 * HOUR)), "start")

    def _on_start(self) -> None:
        """The service is up again: an attempt in the books is traced in Asterisk's records, or stays unknown."""
        running = self._running()
        dial = None if running is None else self.dials.get(running.ordinal)
        if dial is not None and dial.end > self.now:
            self._push(dial.end, "start")
            return
        self.up = True
        if running is None:
            self._plan()
            return
        traced = AttemptOutcome(dial.outcome) if dial is not None else AttemptOutcome.FAILED
        self._ended(running, traced if self.random.random() < 0.5 else AttemptOutcome.UNKNOWN)

    def _on_step(self) -> None:
        """The wall clock is moved, for seconds or for half a day, and put right later."""
        self.seen["step"] += 1
        size = self.random.choice((self.random.uniform(2.1, 60), self.random.uniform(60, 50_000)))
        self.off = self.random.choice((-1, 1)) * size * SECOND
        self._push(self.now + self.random.choice((SECOND, self.random.random() * 20 * HOUR)), "right")
        self._push(self.now + TICK, "press")
        if self.random.random() < 0.3:
            self._on_kill()

    def _on_right(self) -> None:
        self.off = timedelta(0)
        self._push(self.now, "press")

    def _on_reboot(self) -> None:
        """A new boot: the monotonic clock begins anew, the wall clock is right or stands before our own books."""
        self.seen["reboot"] += 1
        self.boot += 1
        self.booted = self.now
        self.off = timedelta(0)
        if self.attempts and self.random.random() < 0.3:
            self.off = self.attempts[0].started_at - self.now - DAY
        self.up = False
        self._push(self.now + 30 * SECOND, "start")
        self._push(self.now + self.random.uniform(60, 40_000) * SECOND, "confirm")

    def _on_confirm(self) -> None:
        """A lead sees that the clock is wrong, has it put right and says so."""
        self.off = timedelta(0)
        wall = self._look()
        if self.trust is not None and not self.trust.trusted:
            self.trust = trust.confirmed(self.trust, wall, (self.now - self.booted).total_seconds())


def play(first: int, count: int) -> Counter[str]:
    """What *count* schedules from seed *first* on came to, and their faults."""
    found: Counter[str] = Counter(dict.fromkeys(FAULTS, 0))
    for seed in range(first, first + count):
        one = Schedule(seed).run()
        dials = list(one.dials.values())
        found.update(one.seen)
        found.update(faults(dials, one.zone, one.closed, one.by_lead, len(one.attempts)))
        found["schedules"] += 1
        found["dials"] += len(dials)
        found["with_leave"] += sum(dial.leave for dial in dials)
        found[f"ended_{one.closed or 'open'}"] += 1
        found["closed_by_lead"] += one.by_lead
    return found


def _faults(found: Counter[str]) -> dict[str, int]:
    return {name: found[name] for name in FAULTS}


def _chunk(first: int) -> Counter[str]:
    return play(first, CHUNK)


def main() -> None:
    """Print the figures; one process for each core."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--count", type=int, default=COUNT)
    options.add_argument("--workers", type=int, default=multiprocessing.cpu_count())
    chosen = options.parse_args()
    began = time.monotonic()
    found: Counter[str] = Counter()
    with multiprocessing.Pool(chosen.workers) as pool:
        for part in pool.imap_unordered(_chunk, range(0, chosen.count, CHUNK)):
            found.update(part)
            if found["schedules"] % TOLD_EVERY == 0:
                print(f"{found['schedules']} schedules, faults {_faults(found)}", file=sys.stderr, flush=True)
    others = {name: count for name, count in sorted(found.items()) if name not in FAULTS}
    print(json.dumps({"faults": _faults(found), **others, "seconds": round(time.monotonic() - began, 1)}))


if __name__ == "__main__":
    main()

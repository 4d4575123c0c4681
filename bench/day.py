"""A day of a hotline that owes callbacks: ``python -m bench.day [--callbacks 2000] [--agents 20] [--to docs]``.

Twenty agents answer the calls that come in and, while nobody waits, work the list of owed callbacks as the planner has
laid it out (``queues.planning``), under the rules of ``queues.callbacks``. Writes callback-day.svg and callback-day.md
into the folder; the same seed gives the same bytes. The last line printed is JSON. Citizens are a model, seeded:

- who works answers seldom in the morning and afternoon, better at noon, best in the evening; who is at home answers at
  any hour; some hardly ever do. Busy lines and a failing network have their shares.
- Units' answers that came in yesterday are due today at the same time of day; today's are due tomorrow (KL: 1 working
  day).
"""

from __future__ import annotations

import argparse
import heapq
import json
import random
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from bench.day_plot import document, picture
from queues.callbacks import Attempt, AttemptOutcome, Terms, limits_of, may_agree, may_place
from queues.endings import then
from queues.planning import Owed, capacity_of, fit_of, place_of, planned, planned_all, quarter_of
from queues.workdays import WEEKENDS, working_days_after
from regulations import parse_profile

SEED = 12319
ZONE = ZoneInfo("Asia/Shanghai")
LIMITS = limits_of(parse_profile(Path("regulations/kl-956100.toml").read_text()), ZONE)
TODAY = datetime(2026, 11, 24, tzinfo=ZONE)
RING = timedelta(seconds=50)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
OPENS, CLOSES = TODAY.replace(hour=8), TODAY.replace(hour=21)
_O = AttemptOutcome

INBOUND = {8: 80, 9: 105, 10: 95, 11: 75, 12: 45, 13: 50, 14: 80, 15: 85, 16: 75, 17: 65, 18: 55, 19: 45, 20: 30}
"""Calls that come in, an hour."""
INBOUND_TALK = (150, 330)
"""Seconds with wrap-up, from and to."""
MEALS = ((11.5, 13.5), (17.5, 18.5))
"""Local hours in which a quarter of the agents eat."""
PREVIEW_S, RING_S, TALK_S, WRAP_S = (15, 40), (6, 18), (60, 240), (15, 45)
PEOPLE = (
    ("at_work", 0.5, {8: 0.40, 9: 0.28, 12: 0.58, 14: 0.30, 17: 0.50, 18: 0.70, 20: 0.60}),
    ("at_home", 0.35, {8: 0.55, 9: 0.70, 12: 0.55, 14: 0.68, 18: 0.65, 20: 0.55}),
    ("hardly", 0.15, {8: 0.10, 18: 0.18}),
)
"""Kind of citizen, share, and from which local hour on he answers with which probability."""


def on_duty(at: datetime, agents: int) -> int:
    """Agents at their seats."""
    local = at.astimezone(ZONE)
    hour = local.hour + local.minute / 60
    return agents - agents // 4 if any(start <= hour < end for start, end in MEALS) else agents


@dataclass
class Citizen:
    """One owed callback and the person behind it."""

    owed: Owed
    answers: dict[int, float]
    known_at: datetime
    due: datetime | None = None
    state: str = "due"
    said_late: bool = False


@dataclass
class Tally:
    """What the day came to."""

    tried: Counter[datetime] = field(default_factory=Counter)
    reached: Counter[datetime] = field(default_factory=Counter)
    ordinals: Counter[int] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)
    busy_s: float = 0.0


class Day:
    """The discrete events of one day. *spread* off: each attempt as soon as the rules allow it, for comparison."""

    def __init__(self, callbacks: int, agents: int, seed: int = SEED, spread: bool = True) -> None:
        self.random = random.Random(seed)
        self.seed, self.agents, self.spread = seed, agents, spread
        self.busy = 0
        self.tally = Tally()
        self.waiting: list[datetime] = []
        self.ready: list[tuple[object, str]] = []
        self.load: Counter[datetime] = Counter()
        self.citizens = {c.owed.callback_id: c for c in (self._citizen(n, callbacks) for n in range(callbacks))}
        self._events: list[tuple[datetime, int, str, str]] = []
        self._pushed = 0
        talk_h = sum(INBOUND_TALK) / 2 / 3600
        self.capacity = capacity_of(
            lambda slot: int(on_duty(slot, agents) - self._inbound(slot) * talk_h), timedelta(seconds=130)
        )

    def _inbound(self, at: datetime) -> float:
        """Calls an hour, for so many agents as there are."""
        return INBOUND.get(at.astimezone(ZONE).hour, 0) * self.agents / 20

    def _citizen(self, n: int, callbacks: int) -> Citizen:
        draw = self.random
        _, _, answers = PEOPLE[draw.choices(range(len(PEOPLE)), [share for _, share, _ in PEOPLE])[0]]
        yesterday = n < callbacks * 0.6
        day = TODAY - timedelta(days=1) if yesterday else TODAY
        answered = day + timedelta(seconds=draw.randrange(*((12 * 3600, 20 * 3600) if yesterday else (28800, 57600))))
        deadline = working_days_after(answered, 1, WEEKENDS, ZONE)
        return Citizen(Owed(f"c{n:05}", answered, (), deadline), answers, max(answered, OPENS))

    def run(self) -> Day:
        """Play it."""
        at = OPENS
        while at < CLOSES:
            at += SECOND * round(self.random.expovariate(self._inbound(at) / 3600), 3)
            self._push(at, "inbound")
        early = [c for c in self.citizens.values() if c.known_at <= OPENS]
        if self.spread:
            plans = planned_all((c.owed for c in early), self.capacity, LIMITS, OPENS, RING, self._jitter)
            for plan in plans:
                self._put(self.citizens[plan.callback_id], plan.at)
                self.citizens[plan.callback_id].said_late = not plan.fit.fits
        else:
            for citizen in early:
                self._plan(citizen, OPENS)
        for citizen in self.citizens.values():
            if citizen.known_at > OPENS:
                self._push(citizen.known_at, "answered", citizen.owed.callback_id)
        while self._events and self._events[0][0] < CLOSES:
            now, _, kind, subject = heapq.heappop(self._events)
            getattr(self, f"_on_{kind}")(now, subject)
            self._assign(now)
        return self

    def _jitter(self, callback_id: str) -> timedelta:
        return random.Random(f"{self.seed}:{callback_id}").randrange(900) * SECOND

    def _push(self, at: datetime, kind: str, subject: str = "") -> None:
        self._pushed += 1
        heapq.heappush(self._events, (at, self._pushed, kind, subject))

    def _plan(self, citizen: Citizen, now: datetime) -> None:
        if not self.spread:
            fit = fit_of(replace(citizen.owed, attempts=()), LIMITS, now, RING)
            ruling = may_place(citizen.owed.attempts, LIMITS, now, RING, citizen.owed.terms)
            self._put(citizen, ruling.allowed_at or fit.times[0])
            return
        plan = planned(citizen.owed, self.load, self.capacity, LIMITS, now, RING, self._jitter)
        citizen.said_late = citizen.said_late or not plan.fit.fits
        self._put(citizen, plan.at)

    def _put(self, citizen: Citizen, at: datetime | None) -> None:
        citizen.due = at
        if at is not None:
            self.load[quarter_of(at)] += 1
            self._push(at, "due", citizen.owed.callback_id)

    def _on_inbound(self, now: datetime, _: str) -> None:
        self.waiting.append(now)

    def _on_answered(self, now: datetime, callback_id: str) -> None:
        self._plan(self.citizens[callback_id], now)

    def _on_due(self, now: datetime, callback_id: str) -> None:
        citizen = self.citizens[callback_id]
        if citizen.due == now and citizen.state == "due":
            heapq.heappush(self.ready, (place_of(citizen.owed), callback_id))

    def _on_free(self, now: datetime, _: str) -> None:
        self.busy -= 1

    def _assign(self, now: datetime) -> None:
        """Free agents take who waits on the line first, then what is due: inbound goes first."""
        while self.busy < on_duty(now, self.agents):
            if self.waiting:
                self.tally.waits.append((now - self.waiting.pop(0)).total_seconds())
                self._occupy(now, self.random.uniform(*INBOUND_TALK))
            elif self.ready:
                self._dial(self.citizens[heapq.heappop(self.ready)[1]], now)
            else:
                return

    def _occupy(self, now: datetime, seconds: float) -> None:
        self.busy += 1
        self.tally.busy_s += seconds
        self._push(now + round(seconds, 3) * SECOND, "free")

    def _dial(self, citizen: Citizen, now: datetime) -> None:
        """The agent reads the unit's answer, then presses the key; the rules are asked at that moment."""
        owed, luck = citizen.owed, random.Random(f"{self.seed}:{citizen.owed.callback_id}:{len(citizen.owed.attempts)}")
        pressed = now + round(luck.uniform(*PREVIEW_S), 3) * SECOND
        ruling = may_place(owed.attempts, LIMITS, pressed, RING, owed.terms)
        if not ruling.allowed:
            self._put(citizen, ruling.allowed_at)
            return
        outcome = self._outcome(citizen, pressed, luck)
        spoken = outcome in (_O.REACHED, _O.NOT_CONVENIENT, _O.REFUSED, _O.WRONG_NUMBER)
        ring = 0.0 if outcome is _O.FAILED else luck.uniform(*RING_S) if spoken or outcome is _O.BUSY else 30.0
        talk = luck.uniform(*TALK_S) if outcome is _O.REACHED else 20.0 if spoken else 0.0
        ended = pressed + round(ring + talk, 3) * SECOND
        attempt = Attempt(len(owed.attempts) + 1, pressed, ended, outcome)
        citizen.owed = owed = replace(owed, attempts=(*owed.attempts, attempt), terms=Terms())
        slot = quarter_of(pressed)
        self.tally.tried[slot] += attempt.counts
        self.tally.reached[slot] += spoken
        self.tally.outcomes[outcome.value] += 1
        self.tally.ordinals[sum(a.counts for a in owed.attempts)] += attempt.counts
        self._occupy(now, (ended - now).total_seconds() + luck.uniform(*WRAP_S))
        self._afterwards(citizen, outcome, ended, luck)

    def _outcome(self, citizen: Citizen, at: datetime, luck: random.Random) -> AttemptOutcome:
        hour = at.astimezone(ZONE).hour
        chance = citizen.answers[max(start for start in citizen.answers if start <= hour)]
        if luck.random() < 0.02:
            return _O.FAILED
        if luck.random() >= chance:
            return _O.BUSY if luck.random() < 0.2 else _O.NO_ANSWER
        (spoken,) = luck.choices((_O.REACHED, _O.NOT_CONVENIENT, _O.REFUSED, _O.WRONG_NUMBER), (93, 4, 2, 1))
        return spoken

    def _afterwards(self, citizen: Citizen, outcome: AttemptOutcome, ended: datetime, luck: random.Random) -> None:
        after = then(citizen.owed.attempts, LIMITS)
        citizen.state = after.state
        if after.state != "due":
            return
        terms = Terms(not_before=ended + after.wait if after.wait else None)
        wish = quarter_of(ended) + luck.choice((3, 5, 8)) * 60 * MINUTE
        if outcome is _O.NOT_CONVENIENT and may_agree(citizen.owed.attempts, LIMITS, wish, ended, RING).allowed:
            terms = Terms(appointment_at=wish)
        citizen.owed = replace(citizen.owed, terms=terms)
        self._plan(citizen, ended)

    def figures(self) -> dict[str, object]:
        """The day in numbers."""
        tally, people = self.tally, list(self.citizens.values())
        tried, reached = sum(tally.tried.values()), sum(tally.reached.values())
        inside = [w for w in tally.waits if w <= 15]
        hours = sum(on_duty(OPENS + n * 15 * MINUTE, self.agents) for n in range(52)) / 4
        still = [c for c in people if c.state == "due"]
        return {
            "callbacks": len(people), "agents": self.agents, "attempts": tried, "connected": reached,
            "connect_rate": round(reached / max(tried, 1), 3),
            "ended": dict(sorted(Counter(c.state for c in people if c.state != "due").items())),
            "open_tomorrow": sum(not _late(c) for c in still), "past_deadline": sum(_late(c) for c in people),
            "said_at_once": sum(c.said_late for c in people),
            "attempts_by_ordinal": {str(n): tally.ordinals[n] for n in (1, 2, 3)},
            "network_failures": tally.outcomes["failed"], "busiest_quarter": max(tally.tried.values(), default=0),
            "inbound": len(tally.waits), "inbound_within_15_s": round(len(inside) / max(len(tally.waits), 1), 3),
            "occupancy": round(tally.busy_s / 3600 / hours, 3),
        }  # fmt: skip


def _late(citizen: Citizen) -> bool:
    """Whether it ended after its deadline, or has not ended by then."""
    ended = citizen.owed.attempts[-1].ended_at if citizen.owed.attempts and citizen.state != "due" else CLOSES
    return ended is not None and citizen.owed.deadline is not None and ended > citizen.owed.deadline


def main() -> None:
    """Play the day, with and without the spread, and write the picture and the page."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--callbacks", type=int, default=2000)
    options.add_argument("--agents", type=int, default=20)
    options.add_argument("--to", type=Path, default=Path("docs"))
    chosen = options.parse_args()
    print(json.dumps(written(chosen.callbacks, chosen.agents, chosen.to)))


def written(callbacks: int, agents: int, to: Path) -> dict[str, object]:
    """The figures; the two files are in the folder *to*."""
    day = Day(callbacks, agents).run()
    plain = Day(callbacks, agents, spread=False).run()
    figures = {"spread": day.figures(), "as_soon_as_allowed": plain.figures()}
    slots = [OPENS + n * 15 * MINUTE for n in range(52)]
    bars = [(day.tally.tried[slot], day.tally.reached[slot]) for slot in slots]
    (to / "callback-day.svg").write_text(picture(bars, callbacks, agents), encoding="utf-8")
    (to / "callback-day.md").write_text(document(figures, bars), encoding="utf-8")
    return figures


if __name__ == "__main__":
    main()

"""Guessing is slowed, nobody is locked out: delays grow to half a minute and are forgotten after a quiet while."""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from dataclasses import dataclass

from cti.clock import Clock

FREE = {"pair": 3, "number": 10, "source": 20}  # failures that cost nothing; a whole shift may share one address
LONGEST_S = 30.0
FORGET_S = 900.0
MOST_KEPT = 20_000
TRUST_S = 30 * 86_400.0
AT_A_SEAT = "seat "
"""How the source of a PIN typed at a seat's phone begins; a page's source is an address."""

Key = tuple[str, ...]


@dataclass(slots=True)
class _Tally:
    failures: int = 0
    free_at: float = 0.0
    last: float = 0.0


class LoginThrottle:
    """Counts failed logins by (number, source), by number and by source.

    A source from which this number has logged in before answers for itself alone: strangers who guess at a number
    cannot keep its owner out. Phones and pages are counted apart: whoever guesses over the network, at every number and
    from however many addresses, delays nobody who signs in at a seat, so the hotline is never locked out.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tallies: OrderedDict[Key, _Tally] = OrderedDict()
        self._trusted: OrderedDict[Key, float] = OrderedDict()

    def wait_s(self, number: str, source: str) -> int:
        """Whole seconds until another try is taken; 0 for now."""
        now = self._clock.monotonic()
        due = [self._tallies[key].free_at for key in self._keys(number, source) if key in self._tallies]
        return max(0, math.ceil(max(due, default=now) - now))

    def begin(self, number: str, source: str) -> None:
        """Count a try as failed before it is checked, so that many at once gain nothing."""
        now = self._clock.monotonic()
        for key in self._keys(number, source):
            tally = self._tallies.setdefault(key, _Tally())
            if now - tally.last > FORGET_S:
                tally.failures = 0
            tally.failures += 1
            tally.last = now
            over = tally.failures - FREE[key[0]]
            tally.free_at = now + min(2.0 ** min(over, 10), LONGEST_S) if over >= 0 else now
            self._tallies.move_to_end(key)
        while len(self._tallies) > MOST_KEPT:
            self._tallies.popitem(last=False)

    def succeeded(self, number: str, source: str) -> None:
        """Take back what ``begin`` counted, and trust this source with this number."""
        for key in self._keys(number, source):
            tally = self._tallies.get(key)
            if tally is not None:
                tally.failures = 0 if key[0] != "source" else max(tally.failures - 1, 0)
                tally.free_at = 0.0
        self._trusted[(number, source)] = self._clock.monotonic() + TRUST_S
        while len(self._trusted) > MOST_KEPT:
            self._trusted.popitem(last=False)

    def _keys(self, number: str, source: str) -> list[Key]:
        if self._trusted.get((number, source), 0.0) > self._clock.monotonic():
            return [("pair", number, source)]
        where = "phone" if source.startswith(AT_A_SEAT) else "page"
        return [("pair", number, source), ("number", number, where), ("source", source)]


class Rate:
    """At most *most* in *within_s* seconds for each key."""

    def __init__(self, clock: Clock, most: int, within_s: float) -> None:
        self._clock = clock
        self._most = most
        self._within_s = within_s
        self._times: dict[str, deque[float]] = {}

    def wait_s(self, key: str) -> int:
        """0 and counted, or whole seconds until there is room again."""
        now = self._clock.monotonic()
        times = self._times.setdefault(key, deque())
        while times and times[0] <= now - self._within_s:
            times.popleft()
        if len(times) >= self._most:
            return max(1, math.ceil(times[0] + self._within_s - now))
        times.append(now)
        return 0

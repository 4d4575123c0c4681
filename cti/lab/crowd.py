"""Citizens of the demo: they ring, talk, give up, ring back. Seeded, so that two demos have the same kind of day."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from contextlib import suppress

from cti.lab.citizens import Citizens
from cti.lab.errors import LabError

SEED = 12319
EVERY_S = 8.0  # mean time between two citizens: a little more than four seats can take, so that some wait
MOST = 12  # citizens at once
PATIENT_S = (14.0, 45.0)  # whole call of one who waits for his turn and talks
IMPATIENT_S = (4.0, 13.0)  # ... of one who hangs up soon, answered or not
IMPATIENT = 0.25
AGAIN_S = (10.0, 25.0)  # an impatient one rings back after this


class Crowd(threading.Thread):
    """Places calls until stopped.

    Args:
        citizens: its own session; closed by the caller after the thread has ended.
        number: what they dial.
        on_trouble: told in one line why the calls ended, when Asterisk is gone.
        every_s: mean seconds between two citizens.
    """

    def __init__(
        self, citizens: Citizens, number: str, on_trouble: Callable[[str], None], every_s: float = EVERY_S
    ) -> None:
        super().__init__(daemon=True, name="crowd")
        self.placed: list[str] = []
        """Ids of the calls."""
        self._citizens, self._number, self._on_trouble, self._every_s = citizens, number, on_trouble, every_s
        self._random = random.Random(SEED)
        self._ending = threading.Event()
        self._due: list[tuple[float, str]] = []  # seconds until an impatient one rings back, and his number

    def run(self) -> None:
        """Ring until told to stop or until Asterisk is gone."""
        pause = 0.5
        while not self._ending.wait(pause):
            try:
                caller = self._next_caller(pause)
                if len(self._citizens.callers()) < MOST:
                    self._ring(caller)
            except LabError as error:
                self._on_trouble(str(error))
                return
            pause = min(self._random.expovariate(1 / self._every_s), 3 * self._every_s)

    def _next_caller(self, passed: float) -> str:
        self._due = [(left - passed, caller) for left, caller in self._due]
        again = next((entry for entry in self._due if entry[0] <= 0), None)
        if again is None:
            return f"138000000{self._random.randrange(100):02d}"
        self._due.remove(again)
        return again[1]

    def _ring(self, caller: str) -> None:
        impatient = self._random.random() < IMPATIENT
        if impatient:
            self._due.append((self._random.uniform(*AGAIN_S), caller))
        seconds = self._random.uniform(*(IMPATIENT_S if impatient else PATIENT_S))
        self.placed.append(self._citizens.call(self._number, seconds, caller))
        del self.placed[:-MOST]

    def stop(self) -> None:
        """Place no more calls, and hang up those that are still going."""
        self._ending.set()
        self.join(10)
        with suppress(LabError):  # Asterisk may be gone, and the calls with it
            for call_id in self.placed:
                self._citizens.hang_up(call_id)
            self._citizens.wait_for(lambda: not self._citizens.callers(), "the citizens to hang up")

"""Proof of who sits there: before a sign-in from a page counts, the seat's own phone rings and asks for the PIN."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from cti.commands import Outcome
from cti.engine.inputs import RingSeat
from cti.engine.world import World
from cti.ids import Ids
from cti.settings import Settings
from regulations import Ruling, allowed, refused

# Longer than any ring and any session of AGI: an answer that never comes must not keep an agent from trying again.
OVER_AFTER = timedelta(minutes=3)


class Check(NamedTuple):
    """A check that runs, or that came to nothing."""

    check_id: str
    seat: str
    since: datetime
    state: str = "checking"  # checking | unproved


class SeatChecks:
    """The checks that run, one for each agent and each seat; and how the last one ended, until it is tried again.

    They are in memory only: a restart of the service ends the session of AGI too, and the agent presses again.
    """

    def __init__(self, world: World, ids: Ids, settings: Settings) -> None:
        self.world, self.ids, self.settings = world, ids, settings
        self._checks: dict[str, Check] = {}

    def wanted(self, proved: bool) -> bool:
        """Whether a sign-in must be proved at the seat's phone first."""
        return not proved and self.world.profile.rule("signin.seat_check") is not None

    def ruling(self, number: str, seat: str) -> Ruling | None:
        """A phone that rings for this agent, or this seat, rings once."""
        running = {n: c for n, c in self._checks.items() if c.state == "checking"}
        if number not in running and all(check.seat != seat for check in running.values()):
            return None
        zh, en = "席位电话正在核验，请接听并输入密码", "The seat's phone is asking already: answer it"
        return refused("seat_checking", zh, en)

    def begin(self, number: str, seat: str, now: datetime) -> Outcome:
        """Ring the seat."""
        check = Check(self.ids.channel(now, "ctisc"), seat, now)
        self._checks[number] = check
        interface = self.settings.hotline.seat_interface.format(seat=seat)
        self.world.changes.effects.append(RingSeat(check.check_id, interface, number, seat))
        self.world.wake_at(now + OVER_AFTER, f"seat_check:{check.check_id}")
        self.world.changed()
        return Outcome(allowed(), {"state": "checking", "seat": seat})

    def over(self, check_id: str) -> None:
        """The check came to nothing; one that is over, or unknown, changes nothing."""
        for number, check in self._checks.items():
            if check.check_id == check_id and check.state == "checking":
                self._checks[number] = check._replace(state="unproved")
                self.world.changed()

    def forget(self, number: str) -> None:
        """The agent is signed in."""
        if self._checks.pop(number, None) is not None:
            self.world.changed()

    def of(self, number: str) -> dict[str, Any] | None:
        """The agent's check as JSON, or None."""
        check = self._checks.get(number)
        return None if check is None else {"state": check.state, "seat": check.seat, "since": check.since.isoformat()}

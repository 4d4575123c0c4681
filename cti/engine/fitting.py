"""Whether the open callbacks still fit before their deadlines; the lead is told at once when they do not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from cti.engine.laying import capacity
from cti.engine.part import Act, ActKind, Part, Waker
from cti.engine.records import Callback
from cti.engine.world import OPEN, World
from cti.settings import CallbackSettings
from queues.callbacks import Terms
from queues.planning import Owed, Shortfall, shortfall

APART_S = 60.0  # all of them are looked at, so at most once a minute, however much changes
AGAIN_S = 900.0  # time passes as well: each quarter-hour there is one less to make them in
ALARM = "callbacks_do_not_fit"


class Fitting(Part):
    """Reckons after changes and each quarter-hour; one alarm until they fit again, or the service is started anew."""

    def __init__(self, world: World, pbx_id: str, settings: CallbackSettings) -> None:
        self.world, self.pbx_id = world, pbx_id
        self.ring = settings.longest_ring
        self.handling = timedelta(seconds=settings.handling_s)
        self._short = Shortfall(0, 0)
        self._changed, self._armed = False, False
        self._next = 0.0  # on the monotonic clock: not looked at before

    def dues(self) -> Mapping[str, Waker]:
        return {"fit": lambda _subject, now: self._look(now)}

    def view(self, now: datetime) -> dict[str, Any]:
        """How many do not fit: for want of allowed time (``by_rules``), and of agents (``by_crew``)."""
        return {"callbacks_fit": self._short._asdict()}

    def called_back(self, callback: Callback, now: datetime) -> None:
        self._changed = True

    def acted(self, act: Act, now: datetime) -> None:
        self._changed |= act.kind in (ActKind.SIGNED_IN, ActKind.SIGNED_OUT)

    def rostered(self, now: datetime) -> None:
        self._changed = True

    def started(self, now: datetime) -> None:
        self._changed = True

    def batched(self, now: datetime) -> None:
        if not self._changed:
            return
        if self.world.mono >= self._next:
            self._look(now)
        elif not self._armed:
            self._armed = True
            self.world.time_at(self._next, "fit:")

    def _look(self, now: datetime) -> None:
        world = self.world
        self._changed, self._armed, self._next = False, False, world.mono + APART_S
        bound = [_owed(c, world) for c in world.callbacks.values() if c.state in OPEN and c.deadline is not None]
        short = shortfall(bound, capacity(world, self.handling), world.callback_limits, now, self.ring)
        before, self._short = self._short, short
        if short != before:
            world.changed()
        if sum(short) and not sum(before):
            world.tell(now, "alarm", self.pbx_id, {"code": ALARM, "count": sum(short)}, "lead")
        if bound:
            world.time_at(world.mono + AGAIN_S, "fit:")


def _owed(callback: Callback, world: World) -> Owed:
    terms = Terms(callback.appointment_at, spaced_from=world.stepped_at if callback.diallings else None)
    sampled = callback.source == "sample" and not callback.mandatory
    return Owed(
        callback.callback_id, callback.requested_at, callback.attempts, callback.deadline, terms, sampled
    )  # fmt: skip

"""Callers who go to the front by their number: the leads' list, set into the dialplan as ``CTI_FRONT_<digits>``.

An exchange may write one number in several ways, so the dialplan looks at its last eleven digits; a fixed line of the
hotline's own area may come without its area code, and then has those digits alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.commands import Outcome
from cti.commands.emergency import PutFront, RemoveFront
from cti.engine.part import Handler, Part
from cti.engine.world import World
from cti.errors import BadInput
from cti.numbers import diallable
from cti.settings import Settings
from cti.store.emergency_tables import front_callers
from cti.texts import taken
from regulations import allowed, refused

MOST = 1000
LAST = 11  # digits that the dialplan looks at


class Fronting(Part):
    """The numbers on the list."""

    def __init__(self, world: World, settings: Settings) -> None:
        self.world, self.pbx_id, self.area_code = world, settings.pbx_id, settings.callback.area_code
        self.numbers: dict[str, str] = {}  # number -> reason

    def commands(self) -> Mapping[type[Any], Handler]:
        return {PutFront: self._put, RemoveFront: self._remove}

    def lists(self, caller: str) -> bool:
        """Whether this caller is on the list, however his exchange writes him."""
        try:
            return diallable(caller, self.area_code) in self.numbers
        except BadInput:
            return False

    def started(self, now: datetime) -> None:
        for number in self.numbers:
            self._switch(number, "yes")

    async def load(self, connection: AsyncConnection, now: datetime) -> None:
        c = front_callers.c
        rows = await connection.execute(select(front_callers).where(c.pbx_id == self.pbx_id, c.removed_at.is_(None)))
        self.numbers = {row.number: row.reason for row in rows}

    def _put(self, command: PutFront, now: datetime) -> Outcome:
        number, reason = diallable(command.number, self.area_code), taken("reason", command.reason)
        if number not in self.numbers and len(self.numbers) >= MOST:
            raise BadInput("number", f"{MOST} numbers at most")
        self.numbers[number] = reason
        self._write(number, reason, command.by, now, None)
        self._switch(number, "yes")
        return Outcome(allowed())

    def _remove(self, command: RemoveFront, now: datetime) -> Outcome:
        reason = self.numbers.pop(command.number, None)
        if reason is None:
            return Outcome(refused("no_such_front", "名单中没有该号码", "The list has no such number"))
        self._write(command.number, reason, command.by, now, now)
        self._switch(command.number, "")
        return Outcome(allowed())

    def _switch(self, number: str, value: str) -> None:
        self.world.switch(f"CTI_FRONT_{number[-LAST:]}", value)
        if number.startswith(self.area_code):
            self.world.switch(f"CTI_FRONT_{number.removeprefix(self.area_code)}", value)

    def _write(self, number: str, reason: str, by: str, now: datetime, removed_at: datetime | None) -> None:
        row = {
            "pbx_id": self.pbx_id, "number": number, "reason": reason, "changed_by": by, "changed_at": now,
            "removed_at": removed_at,
        }  # fmt: skip
        self.world.write(front_callers, row)

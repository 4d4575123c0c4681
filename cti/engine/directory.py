"""The directory in the engine: units and duty lists, kept by leads and administrators."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, time
from typing import Any

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.commands import Outcome
from cti.commands.directory import PutOnCall, PutUnit, RemoveOnCall, RemoveUnit
from cti.engine.part import Handler, Part
from cti.engine.world import World
from cti.errors import BadInput
from cti.ids import Ids
from cti.numbers import diallable
from cti.settings import Settings
from cti.store.directory_tables import on_call, units
from cti.texts import taken
from queues import directory as core
from queues.directory import MOST_NUMBERS, Number, OnCall, Target, Unit, UnitRole
from regulations import allowed, refused

CODE = re.compile(r"[a-z0-9_-]{1,40}")
MOST_UNITS, MOST_ENTRIES = 500, 5000


class Directory(Part):
    """Units by code, and the duty lists that are not over."""

    def __init__(self, world: World, ids: Ids, settings: Settings) -> None:
        self.world, self.ids = world, ids
        self.pbx_id, self.area_code = settings.pbx_id, settings.callback.area_code
        self.areas = settings.hotline.areas
        self.units: dict[str, Unit] = {}
        self.on_call: dict[str, OnCall] = {}

    def commands(self) -> Mapping[type[Any], Handler]:
        return {
            PutUnit: self._put, RemoveUnit: self._remove, PutOnCall: self._put_on_call,
            RemoveOnCall: self._remove_on_call,
        }  # fmt: skip

    def route(self, kind: str | None, area: str | None, now: datetime) -> tuple[Target, ...]:
        """Whom to ring for an emergency, in order."""
        return core.route(self.units.values(), self.on_call.values(), kind, area, now, self.world.zone)

    def numbers_of(self, code: str, now: datetime) -> list[Target]:
        """The phones of one unit that are staffed now, in order; empty when there is no such unit."""
        unit = self.units.get(code)
        return core.numbers_of(unit, self.on_call.values(), now, self.world.zone) if unit else []

    async def load(self, connection: AsyncConnection, now: datetime) -> None:
        kept = units.c.removed_at.is_(None) & (units.c.pbx_id == self.pbx_id)
        for row in (await connection.execute(select(units).where(kept))).mappings():
            self.units[row["code"]] = _unit(row)
        o = on_call.c
        coming = o.removed_at.is_(None) & (o.pbx_id == self.pbx_id) & (o.ends_at > now)
        for row in (await connection.execute(select(on_call).where(coming))).mappings():
            self.on_call[row["entry_id"]] = _entry(row)

    def _put(self, command: PutUnit, now: datetime) -> Outcome:
        if not CODE.fullmatch(command.code):
            raise BadInput("code", "1 to 40 of a-z, 0-9, hyphen and underscore are needed")
        if command.code not in self.units and len(self.units) >= MOST_UNITS:
            raise BadInput("code", f"{MOST_UNITS} units at most")
        unit = Unit(
            command.code, taken("zh", command.zh, longest=20), taken("en", command.en, longest=40),
            _role(command.role), frozenset(taken("kinds", kind, longest=40) for kind in command.kinds),
            frozenset(command.areas), self._numbers(command.numbers),
        )  # fmt: skip
        if not unit.areas <= self.areas.keys():
            raise BadInput("areas", "areas of hotline.areas in the settings are needed")
        self.units[unit.code] = unit
        self._write(unit, command.by, now)
        return Outcome(allowed())

    def _numbers(self, asked: tuple[tuple[str, str, str], ...]) -> tuple[Number, ...]:
        if not 1 <= len(asked) <= MOST_NUMBERS:
            raise BadInput("numbers", f"1 to {MOST_NUMBERS} numbers are needed")
        numbers = tuple(Number(self._digits("numbers", raw), _hours(start, end)) for raw, start, end in asked)
        if len({number.digits for number in numbers}) < len(numbers):
            raise BadInput("numbers", "a number stands there twice")
        return numbers

    def _digits(self, field: str, raw: str) -> str:
        try:
            return diallable(raw, self.area_code)
        except BadInput as error:
            raise BadInput(field, error.message) from error

    def _remove(self, command: RemoveUnit, now: datetime) -> Outcome:
        unit = self.units.pop(command.code, None)
        if unit is None:
            return _unknown()
        self._write(unit, command.by, now, removed_at=now)
        for entry in [e for e in self.on_call.values() if e.unit == unit.code]:
            self._drop(entry, command.by, now)
        return Outcome(allowed())

    def _put_on_call(self, command: PutOnCall, now: datetime) -> Outcome:
        if command.unit not in self.units:
            return _unknown()
        if not command.starts < command.ends or command.ends <= now:
            raise BadInput("ends", "an end after the start and after now is needed")
        for entry in [e for e in self.on_call.values() if e.ends <= now]:
            del self.on_call[entry.entry_id]  # over: the row is the evidence
        if len(self.on_call) >= MOST_ENTRIES:
            raise BadInput("unit", f"{MOST_ENTRIES} lines at most")
        entry = OnCall(
            self.ids.make("d", now), command.unit, self._digits("number", command.number),
            taken("name", command.name, longest=40), command.starts, command.ends,
        )  # fmt: skip
        self.on_call[entry.entry_id] = entry
        self._write_entry(entry, command.by, now)
        return Outcome(allowed(), {"entry_id": entry.entry_id})

    def _remove_on_call(self, command: RemoveOnCall, now: datetime) -> Outcome:
        entry = self.on_call.get(command.entry_id)
        if entry is None:
            return Outcome(refused("no_such_duty_line", "值班表中没有这一行", "The duty list has no such line"))
        self._drop(entry, command.by, now)
        return Outcome(allowed())

    def _drop(self, entry: OnCall, by: str, now: datetime) -> None:
        del self.on_call[entry.entry_id]
        self._write_entry(entry, by, now, removed_at=now)

    def _write(self, unit: Unit, by: str, now: datetime, removed_at: datetime | None = None) -> None:
        numbers = [[n.digits, *(f"{hour:%H:%M}" for hour in n.hours or ())] for n in unit.numbers]
        row = {
            "pbx_id": self.pbx_id, "code": unit.code, "zh": unit.zh, "en": unit.en, "role": unit.role.value,
            "kinds": sorted(unit.kinds), "areas": sorted(unit.areas), "numbers": numbers, "changed_by": by,
            "changed_at": now, "removed_at": removed_at,
        }  # fmt: skip
        self.world.write(units, row)

    def _write_entry(self, entry: OnCall, by: str, now: datetime, removed_at: datetime | None = None) -> None:
        row = {
            "entry_id": entry.entry_id, "pbx_id": self.pbx_id, "unit": entry.unit, "number": entry.digits,
            "name": entry.name, "starts_at": entry.starts, "ends_at": entry.ends, "changed_by": by, "changed_at": now,
            "removed_at": removed_at,
        }  # fmt: skip
        self.world.write(on_call, row)


def _unknown() -> Outcome:
    return Outcome(refused("no_such_unit", "名录中没有该单位", "The directory has no such unit"))


def _role(value: str) -> UnitRole:
    try:
        return UnitRole(value)
    except ValueError as error:
        raise BadInput("role", f"one of {', '.join(UnitRole)} is needed") from error


def _hours(start: str, end: str) -> tuple[time, time] | None:
    if not start and not end:
        return None
    try:
        return time.fromisoformat(start), time.fromisoformat(end)
    except ValueError as error:
        raise BadInput("numbers", 'hours are "HH:MM", both or neither') from error


def _unit(row: RowMapping) -> Unit:
    numbers = tuple(Number(digits, _hours(*hours) if hours else None) for digits, *hours in row["numbers"])
    kinds, areas = frozenset(row["kinds"]), frozenset(row["areas"])
    return Unit(row["code"], row["zh"], row["en"], UnitRole(row["role"]), kinds, areas, numbers)


def _entry(row: RowMapping) -> OnCall:
    return OnCall(row["entry_id"], row["unit"], row["number"], row["name"], row["starts_at"], row["ends_at"])

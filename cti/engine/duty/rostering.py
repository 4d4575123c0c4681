"""The roster in the engine: shifts by agent, put and taken off, and found with every command."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from agents.roster import Change, Clash, Roster, may_change, may_rotate, rotation, templates
from agents.shifts import LONGEST, Shift, ShiftState, Template, bounds
from cti.commands import Outcome
from cti.commands.roster import PutRotation, PutShifts, ShiftEntry, ShiftPlan, TakeShiftOff
from cti.engine.duty.leaving import Leaving
from cti.engine.part import Handler, Part
from cti.engine.world import World
from cti.errors import BadInput
from cti.ids import Ids
from cti.settings import Settings
from cti.store import roster_tables as t
from cti.texts import taken
from regulations import refused

KEPT = timedelta(days=35)  # shifts that ended are remembered for this long; the store has the rest
MOST_ENTRIES = 20_000
MOST_CREWS = 4000  # counted and kept: a month of quarter-hours
LONGEST_NAME = 16  # of a code or a crew
OWN_TIMES = "own"  # the code of a shift with times of its own and no name


class Rostering(Part):
    """Shifts, as far back as one month and as far ahead as they are planned; requests for leave and swaps."""

    def __init__(self, world: World, ids: Ids, settings: Settings) -> None:
        self.world, self.ids, self.settings = world, ids, settings
        self.roster = Roster()
        self._crews: dict[datetime, int | None] = {}  # as it was counted since the roster changed
        world.rostered_crew = self.crew_at
        self.leaving = Leaving(world, ids, self.roster, settings.pbx_id, self._keep)
        self._seat = re.compile(settings.hotline.seat_pattern)
        self._templates = templates(world.profile)

    # what the other parts ask

    def put(self, shifts: Iterable[Shift]) -> None:
        """Keep shifts in memory, added or replaced by their ids; those ``OFF`` are dropped."""
        self.roster.put(shifts)
        self._crews.clear()

    def crew_at(self, moment: datetime) -> int | None:
        """How many agents the roster has on duty then; None where it does not speak of that time."""
        if len(self._crews) > MOST_CREWS:
            self._crews.clear()
        if moment not in self._crews:
            self._crews[moment] = self.roster.crew(moment)
        return self._crews[moment]

    def shift_at(self, agent: str, now: datetime) -> Shift | None:
        """The agent's shift on duty now, or None."""
        return self.roster.at(agent, now)

    def next_shift(self, agent: str, now: datetime) -> Shift | None:
        """The agent's next shift that has not begun, or None."""
        return self.roster.after(agent, now)

    def last_shift(self, agent: str, now: datetime) -> Shift | None:
        """The agent's shift that ended last, or None."""
        return self.roster.before(agent, now)

    def covered(self, now: datetime) -> bool:
        """Whether the roster speaks of this moment at all. A site without a roster is held to no rule of one."""
        return self.roster.covers(now)

    def shifts_between(self, start: datetime, end: datetime) -> list[Shift]:
        """Shifts of any state that touch [start, end), by start and agent."""
        return self.roster.between(start, end)

    # the part

    def commands(self) -> Mapping[type[Any], Handler]:
        return {
            PutShifts: self._put_shifts, PutRotation: self._rotate, TakeShiftOff: self._take_off,
            **self.leaving.commands(),
        }  # fmt: skip

    async def load(self, connection: AsyncConnection, now: datetime) -> None:
        s = t.shifts.c
        wanted = (s.pbx_id == self.settings.pbx_id) & (s.ends_at >= now - KEPT) & (s.state != ShiftState.OFF.value)
        self.put(shift_of(row) for row in (await connection.execute(select(t.shifts).where(wanted))).mappings())
        await self.leaving.load(connection, now - KEPT)

    def view(self, now: datetime) -> dict[str, Any]:
        shown = [
            {"code": known.code, "from": f"{known.begins:%H:%M}", "to": f"{known.ends:%H:%M}"}
            for known in self._templates
        ]  # fmt: skip
        return {"roster": {"pending": self.leaving.pending(), "templates": shown}}

    # commands

    def _put_shifts(self, command: PutShifts, now: datetime) -> Outcome:
        reason = taken("reason", command.reason, optional=True)
        _check_count(len(command.entries))
        entries = [self._entry(entry) for entry in command.entries]
        bad = [{"entry": i, **fault} for i, entry in enumerate(entries) for fault in self._faults(entry)]
        if bad:
            return _bad(bad)
        base = self.ids.make("sh", now)  # one for all: a roster of a year must not hold up a call
        plans = [self._change(entry, f"{base}-{i}") for i, entry in enumerate(entries) if entry is not None]
        places: dict[str, int] = {}
        for i, plan in enumerate(plans):
            if places.setdefault(plan.after.shift_id, i) != i:
                bad.append({"entry": i, **_fault("shift", "与前面的一条重复", "the same shift as an entry above")})
        if bad:
            return _bad(bad)
        changes = [plan for plan in plans if plan.before != plan.after]
        coming = _written(changes)
        clashes = {(places[clash.new.shift_id], clash.seat): clash for clash in self.roster.clashes(coming)}
        if clashes:
            return _bad([{"entry": entry, **_clash(clash)} for (entry, _), clash in sorted(clashes.items())])
        ruling = may_change(
            command.by, changes, self.world.profile.get("leave.ahead"), now,
            leads=command.by in self.world.leads, reason=reason,
        )  # fmt: skip
        if ruling.allowed and not command.check and coming:
            self._keep(coming, command.by, reason, now)
        return Outcome(ruling, {"put": 0 if command.check else len(changes)})

    def _entry(self, asked: ShiftEntry | ShiftPlan) -> ShiftEntry | None:
        """The moments of a plan; None when it names neither a shift of the hotline nor times of its own."""
        if isinstance(asked, ShiftEntry):
            return asked
        template = next((known for known in self._templates if known.code == asked.code), None)
        if asked.begins is not None and asked.ends is not None:
            template = Template(asked.code or OWN_TIMES, asked.begins, asked.ends)
        if template is None:
            return None
        start, end = bounds(asked.day, template, self.world.zone)
        return ShiftEntry(asked.agent, start, end, template.code, asked.crew, asked.seat, asked.extra, asked.shift_id)

    def _faults(self, entry: ShiftEntry | None) -> list[dict[str, str]]:
        if entry is None:
            return [_fault("shift", "没有该班次，也未填写上下班时间", "no such shift, and no times of its own")]
        found = []
        if entry.agent not in self.world.agents:
            found.append(_fault("number", f"没有{entry.agent}号话务员", f"there is no agent {entry.agent}"))
        if not timedelta(0) < entry.ends_at - entry.starts_at <= LONGEST:
            found.append(_fault("shift", "班次须有时长且不超过一天", "a shift has a length, of a day at most"))
        if entry.seat is not None and not self._seat.fullmatch(entry.seat):
            found.append(_fault("seat", "席位号无效", f"does not match {self.settings.hotline.seat_pattern}"))
        for column, name, least in (("shift", entry.code, 1), ("crew", entry.crew, 0)):
            if not (least <= len(name) <= LONGEST_NAME and name.isprintable()):
                zh, en = f"须为{least}至{LONGEST_NAME}个可显示字符", f"{least} to {LONGEST_NAME} printable characters"
                found.append(_fault(column, zh, en))
        old = self.roster.by_id.get(entry.shift_id) if entry.shift_id is not None else None
        if entry.shift_id is not None and (old is None or old.state is not ShiftState.ON):
            found.append(_fault("shift_id", "该班次已不在班表中", "this shift is no longer in the roster"))
        return found

    def _change(self, entry: ShiftEntry, new_id: str) -> Change:
        """An agent and a start are what a shift is: another start is another shift. What is on leave stays on leave."""
        named = self.roster.by_id.get(entry.shift_id) if entry.shift_id is not None else None
        old = named or self.roster.same_start(entry.agent, entry.starts_at)
        same = old is not None and (old.agent, old.starts_at) == (entry.agent, entry.starts_at)
        after = Shift(
            old.shift_id if old is not None and same else new_id, entry.agent, entry.starts_at,
            entry.ends_at, entry.code, entry.crew, entry.seat, entry.extra,
            old.state if old is not None and same else ShiftState.ON,
        )  # fmt: skip
        return Change(old, after)

    def _rotate(self, command: PutRotation, now: datetime) -> Outcome:
        limit = self.world.profile.get("roster.crews")
        ruling = may_rotate(len(command.crews), limit, self._templates)
        if not ruling.allowed:
            return Outcome(ruling)
        longest = max(len(numbers) for _, numbers in command.crews)
        _check_count(command.days * len(self._templates) * longest)
        turns = rotation(command.start, command.days, command.anchor, len(command.crews), self._templates)
        entries = []
        for turn in turns:
            crew, numbers = command.crews[turn.crew]
            start, end = bounds(turn.day, turn.template, self.world.zone)
            if start < end:  # the clock may jump over a whole shift
                entries += [ShiftEntry(number, start, end, turn.template.code, crew) for number in numbers]
        return self._put_shifts(PutShifts(command.by, tuple(entries), command.reason), now)

    def _take_off(self, command: TakeShiftOff, now: datetime) -> Outcome:
        reason = taken("reason", command.reason, optional=True)
        shift = self.roster.by_id.get(command.shift_id)
        if shift is None:
            return Outcome(refused("not_found", "没有该班次", "There is no such shift"))
        ruling = may_change(
            command.by, [Change(shift, _off(shift))], self.world.profile.get("leave.ahead"), now,
            leads=command.by in self.world.leads, reason=reason,
        )  # fmt: skip
        if ruling.allowed:
            self._keep([_off(shift)], command.by, reason, now)
        return Outcome(ruling)

    def _keep(self, shifts: Sequence[Shift], by: str, reason: str, now: datetime) -> None:
        """Write shifts with who changed them and why, and tell the other parts."""
        self.put(shifts)
        self.roster.forget(now - KEPT)
        self.leaving.forget(now - KEPT)
        for shift in shifts:
            row = shift_row(shift, self.settings.pbx_id)
            self.world.write(t.shifts, {**row, "changed_at": now, "changed_by": by, "reason": reason})
        self.world.rostered(now)


def _check_count(entries: int) -> None:
    if entries > MOST_ENTRIES:
        raise BadInput("entries", f"at most {MOST_ENTRIES} at once (一次最多{MOST_ENTRIES}条)")


def _written(changes: Sequence[Change]) -> list[Shift]:
    """What is to be kept: first what goes, so that a start is free again when another shift takes it."""
    gone = [_off(old) for old, new in changes if old is not None and old.shift_id != new.shift_id]
    return [*gone, *(new for _, new in changes)]


def _off(shift: Shift) -> Shift:
    return replace(shift, state=ShiftState.OFF)


def _fault(column: str, zh: str, en: str) -> dict[str, str]:
    return {"column": column, "zh": zh, "en": en}


def _clash(clash: Clash) -> dict[str, str]:
    if clash.seat:
        who = clash.other.agent
        return _fault("seat", f"席位同时排给{who}号话务员", f"the seat is given to agent {who} at that time")
    return _fault("shift", "该话务员此时已有班次", "the agent has another shift at that time")


def _bad(faults: list[dict[str, Any]]) -> Outcome:
    first = faults[0]
    return Outcome(
        refused(
            "bad_entries", f"第{first['entry'] + 1}条：{first['zh']}", f"entry {first['entry'] + 1}: {first['en']}"
        ),
        {"bad": faults},
    )


def shift_row(shift: Shift, pbx_id: str) -> dict[str, Any]:
    """The row of a shift, without who changed it."""
    return {
        "pbx_id": pbx_id, "shift_id": shift.shift_id, "agent": shift.agent, "starts_at": shift.starts_at,
        "ends_at": shift.ends_at, "code": shift.code, "crew": shift.crew, "seat": shift.seat, "extra": shift.extra,
        "state": shift.state.value,
    }  # fmt: skip


def shift_of(row: Mapping[Any, Any]) -> Shift:
    """The shift of a row."""
    return Shift(
        row["shift_id"], row["agent"], row["starts_at"], row["ends_at"], row["code"], row["crew"], row["seat"],
        row["extra"], ShiftState(row["state"]),
    )  # fmt: skip

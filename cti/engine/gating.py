"""What stands before every dial of a callback: preview, recording, callers who wait, caps, and a clock to be trusted.

A caller who rings in himself while he is being dialled has precedence: the dial gives way and counts as nothing.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.commands import Outcome
from cti.commands.dialling import AllowQuiet, CallerCame, ConfirmClock, FolderSeen, PreviewOpened, SetInboundFirst
from cti.engine.inputs import DropDial, LookAtFolder
from cti.engine.part import Handler, Part, Waker
from cti.engine.records import Callback
from cti.engine.world import World
from cti.errors import BadInput
from cti.ids import CALLBACK_LEG
from cti.numbers import diallable
from cti.settings import Settings
from cti.store import tables as t
from cti.store.dial_tables import callback_previews, dial_house, dials
from cti.texts import taken
from queues import dialgate as core
from queues import trust as clocks
from queues.callbacks import may_override
from queues.calls import Call
from queues.dialgate import Asked, Caps, House, Placed
from queues.trust import ClockTrust
from regulations import Ruling, allowed, refused

LOOK_AGAIN_S = 30.0  # at a recordings folder that could not take a recording
NOT_STARTED = "mixmonitor"  # what the dialplan found: the recording had not begun when the caller was to be rung
KEEP = timedelta(hours=24)


class DialGate(Part):
    """Speaks before a dial; knows who has read what, and who was dialled within a day."""

    def __init__(self, world: World, settings: Settings) -> None:
        self.world, self.pbx_id = world, settings.pbx_id
        own = settings.callback
        self.area_code, self.usual_waiting, self.hold_s = own.area_code, own.inbound_first, own.recording_hold_s
        self.caps = Caps(own.agent_hourly, own.hourly, own.number_daily)
        self.trust: ClockTrust | None = None
        self._said: dict[str, Any] = {"waiting_most": None, "waiting_by": None, "waiting_at": None}
        self._confirmed_by: str | None = None
        self._latest: datetime | None = None  # the newest moment in our books at the start
        self._read: dict[str, set[str]] = {}  # callback -> who has opened its preview
        self._placed: list[Placed] = []
        self._running: dict[str, str] = {}  # number -> channel id of the attempt that runs
        self._dials: dict[str, dict[str, Any]] = {}  # rows of attempts, by channel id
        self._folder, self._held_until = "", 0.0
        self._hits: dict[tuple[str, str], core.Hits] = {}  # cap, agent where it is his

    def commands(self) -> Mapping[type[Any], Handler]:
        return {
            PreviewOpened: self._preview, SetInboundFirst: self._inbound_first, AllowQuiet: self._allow_quiet,
            ConfirmClock: self._confirm_clock, FolderSeen: self._folder_seen,
        }  # fmt: skip

    def dues(self) -> Mapping[str, Waker]:
        return {"folder": self._look_again}

    def view(self, now: datetime) -> dict[str, Any]:
        """Whether callbacks are dialled now, and what the lead has set."""
        return {"dialling": {
            "waiting_most": self._waiting_most, "waiting_by": self._said["waiting_by"],
            "recording_trouble": self._trouble(), "clock_trusted": self.trust is None or self.trust.trusted,
        }}  # fmt: skip

    def dial_rules(self, callback: Callback, agent: str, pressed_by: str | None, now: datetime) -> Iterable[Ruling]:
        self._look_at_clock(now)
        asked = Asked(
            callback.by_key, callback.agent, pressed_by, agent in self._read.get(callback.callback_id, ())
        )  # fmt: skip
        waiting = list(self.world.waiting())
        house = House(
            len(waiting), self._waiting_most, self._on_the_line(callback.number), callback.number in self._running,
            self._trouble(),
        )  # fmt: skip
        yield core.may_dial(asked, house, self.world.profile)
        for ruling in core.within_caps(self._placed, agent, callback.number, self.caps, now):
            if not ruling.allowed:
                self._capped(ruling.code, agent, now)
            yield ruling
        if self.trust is not None:
            yield clocks.may_dial(self.trust)

    def _capped(self, code: str, agent: str, now: datetime) -> None:
        whose = agent if code == core.AGENT_DIALS else ""
        self._hits[code, whose], tell = core.hit(self._hits.get((code, whose), core.Hits()), self.world.mono)
        if tell:
            self.world.tell(now, "alarm", self.pbx_id, {"code": code, "agent": whose}, "lead")

    def dial_placed(self, callback: Callback, channel_id: str, pressed_by: str | None, now: datetime) -> None:
        self._placed = [p for p in self._placed if p.at > now - KEEP]
        self._placed.append(Placed(now, callback.agent, callback.number))
        self._dials[channel_id] = {
            "channel_id": channel_id, "pbx_id": self.pbx_id, "callback_id": callback.callback_id,
            "pressed_by": pressed_by, "override_by": callback.override_by,
            "override_reason": callback.override_reason, "call_id": None, "came_at": None,
        }  # fmt: skip
        self.world.write(dials, self._dials[channel_id])

    def called_back(self, callback: Callback, now: datetime) -> None:
        running = callback.running
        if running is not None or callback.number in self._running:
            self._look_at_clock(now)  # stepped there and back within an attempt, its times are no measure of two hours
        if running is not None:
            self._running[callback.number] = running.channel_id
        elif self._running.get(callback.number) in {d.channel_id for d in callback.diallings}:
            self._dials.pop(self._running.pop(callback.number), None)
        if callback.closed_at is not None:
            self._read.pop(callback.callback_id, None)

    def stepped(self, before: Call | None, after: Call, now: datetime) -> None:
        if not self._running or after.closed or (before is not None and before.caller == after.caller):
            return
        channel_id = self._running.get(self._key(after.caller))
        if channel_id is None or after.queue != self.world.queue:
            return
        row = self._dials.get(channel_id)
        if self.world.ask(CallerCame(channel_id, after.call_id, now), now).ruling.allowed and row is not None:
            self._dials[channel_id] = {**row, "call_id": after.call_id, "came_at": now}
            self.world.write(dials, self._dials[channel_id])

    def alive(self, channels: Container[str], began: datetime, now: datetime) -> None:
        # We may have gone down between the commit and the hang-up of a dial that gave way.
        for channel_id, row in list(self._dials.items()):
            if row["came_at"] is not None:
                del self._dials[channel_id]
                if channel_id in channels:
                    self.world.changes.effects.append(DropDial(channel_id))

    def batched(self, now: datetime) -> None:
        for call_id, recording in self.world.changes.recordings.items():
            if call_id.startswith(CALLBACK_LEG) and recording.state in ("short", "missing"):
                self._hold(now)

    def started(self, now: datetime) -> None:
        self._look_at_clock(now)

    async def load(self, connection: AsyncConnection, now: datetime) -> None:
        row = (
            (await connection.execute(select(dial_house).where(dial_house.c.pbx_id == self.pbx_id))).mappings().first()
        )
        if row is not None:
            self.trust = ClockTrust(row["boot"], row["base"], row["stepped_at"], row["trusted"])
            self._said = {name: row[name] for name in self._said}
            self._confirmed_by = row["confirmed_by"]
        self._latest = (await connection.execute(select(func.max(t.outbox.c.at)))).scalar()
        for known in self.world.callbacks.values():
            if known.running is not None:
                self._running[known.number] = known.running.channel_id
        mine = callback_previews.c.pbx_id == self.pbx_id
        for seen in (await connection.execute(select(callback_previews).where(mine))).mappings():
            if seen["callback_id"] in self.world.callbacks:
                self._read.setdefault(seen["callback_id"], set()).add(seen["agent"])
        await self._load_dials(connection, now)

    async def _load_dials(self, connection: AsyncConnection, now: datetime) -> None:
        a, c = t.attempts.c, t.callbacks.c
        made = select(a.started_at, a.agent, c.number).join(t.callbacks, c.callback_id == a.callback_id)
        recent = made.where(c.pbx_id == self.pbx_id, a.started_at > now - KEEP)
        self._placed = [Placed(*row) for row in (await connection.execute(recent)).all()]
        running = dials.c.channel_id.in_(self._running.values()) | (dials.c.came_at > now - KEEP)
        for row in (await connection.execute(select(dials).where(running))).mappings():
            self._dials[row["channel_id"]] = dict(row)

    # What people ask.

    def _preview(self, command: PreviewOpened, now: datetime) -> Outcome:
        callback = self.world.callbacks.get(command.callback_id)
        if callback is None or callback.closed_at is not None:
            return Outcome(refused("not_found", "没有该回访或已办结", "There is no such open callback"))
        if callback.agent != command.by:
            holder = callback.agent or "-"
            return Outcome(refused("callback_claimed", f"先认领再阅看（现由{holder}）", f"Claim it first ({holder})"))
        read = self._read.setdefault(command.callback_id, set())
        if command.by not in read:
            read.add(command.by)
            row = {"callback_id": command.callback_id, "agent": command.by, "pbx_id": self.pbx_id, "opened_at": now}
            self.world.write(callback_previews, row)
        self.world.changes.effects.append(LookAtFolder())  # so that a refusal stands there before the key is pressed
        return Outcome(allowed())

    def _inbound_first(self, command: SetInboundFirst, now: datetime) -> Outcome:
        if not 0 <= command.waiting <= core.MOST_WAITING:
            raise BadInput("waiting", f"0 to {core.MOST_WAITING} is needed (须为0至{core.MOST_WAITING})")
        self._said = {"waiting_most": command.waiting, "waiting_by": command.by, "waiting_at": now}
        self._keep()
        return Outcome(allowed())

    def _allow_quiet(self, command: AllowQuiet, now: datetime) -> Outcome:
        reason = taken("reason", command.reason)
        callback = self.world.callbacks.get(command.callback_id)
        if callback is None or callback.closed_at is not None:
            return Outcome(refused("not_found", "没有该回访或已办结", "There is no such open callback"))
        concerned = frozenset({callback.requested_by, callback.agent})
        ruling = may_override(self.world.callback_limits, command.by, concerned, reason)
        if ruling.allowed:
            self.world.put_callback(replace(callback, override_by=command.by, override_reason=reason))
        return Outcome(ruling)

    def _confirm_clock(self, command: ConfirmClock, now: datetime) -> Outcome:
        self._look_at_clock(now)
        if self.trust is not None and not self.trust.trusted:
            self.trust, self._confirmed_by = clocks.confirmed(self.trust, now, self.world.mono), command.by
            self.world.stepped_at = self.trust.stepped_at
            self._keep()
        return Outcome(allowed())

    # What is seen.

    def _look_at_clock(self, now: datetime) -> None:
        before = self.trust
        self.trust = clocks.seen(before, self.world.boot, now, self.world.mono, self._latest)
        self.world.stepped_at = self.trust.stepped_at
        if self.trust != before:
            self._keep()
            if not self.trust.trusted and (before is None or before.trusted):
                self.world.tell(now, "alarm", self.pbx_id, {"code": "clock_stepped"}, "lead")

    def _folder_seen(self, command: FolderSeen, now: datetime) -> Outcome:
        if command.trouble == NOT_STARTED:
            self._hold(now)
            return Outcome(allowed())
        if command.trouble:
            if command.trouble != self._folder:
                self.world.tell(now, "alarm", self.pbx_id, {"code": "callbacks_unrecorded"}, "lead")
            self.world.time_at(self.world.mono + LOOK_AGAIN_S, "folder:")
        if command.trouble != self._folder:
            self._folder = command.trouble
            self.world.changed()
        return Outcome(allowed())

    def _look_again(self, _subject: str, now: datetime) -> None:
        self.world.changes.effects.append(LookAtFolder())

    def _hold(self, now: datetime) -> None:
        if self._held_until <= self.world.mono:
            self.world.tell(now, "alarm", self.pbx_id, {"code": "callbacks_unrecorded"}, "lead")
        self._held_until = self.world.mono + self.hold_s
        self.world.changed()

    def _trouble(self) -> str:
        return self._folder or ("unrecorded" if self._held_until > self.world.mono else "")

    @property
    def _waiting_most(self) -> int:
        said = self._said["waiting_most"]
        return self.usual_waiting if said is None else int(said)

    def _on_the_line(self, number: str) -> bool:
        return any(self._key(call.caller) == number for call in self.world.open_calls())

    def _key(self, caller: str) -> str:
        try:
            return diallable(caller, self.area_code) if caller else ""
        except BadInput:
            return ""

    def _keep(self) -> None:
        if self.trust is not None:
            self.world.write(dial_house, {
                "pbx_id": self.pbx_id, **self._said, "boot": self.trust.boot, "base": self.trust.base,
                "stepped_at": self.trust.stepped_at, "trusted": self.trust.trusted,
                "confirmed_by": self._confirmed_by,
            })  # fmt: skip

"""The roster held against what was seen: present early, signed in on time, gone early, never there.

Looked at again whenever a shift begins or ends, and at every act: what is so is judged, not what changed, so a late
deadline or a restart misses nothing and judges nothing twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from agents import adherence
from agents.adherence import AHEAD, Attendance, judged_from
from agents.findings import Claim, Kind, Span, event, moment
from agents.shifts import Shift, ShiftState
from cti.engine.duty.conduct import Conduct
from cti.engine.duty.ledger import Ledger
from cti.engine.duty.rostering import Rostering
from cti.engine.duty.watching import Watching
from cti.engine.part import Act, ActKind
from cti.engine.world import World
from cti.store.findings_tables import attendance
from queues.calls import MS
from regulations import Article

KEPT = timedelta(days=2)
DAY = timedelta(days=1)
ATTENDED = (
    "arrived_at", "signed_in_at", "ready_at", "signed_out_at", "out_allowed",
)  # fmt: skip


class Attending:
    """Attendance by shift. ``seats`` are those of the handover (shift id -> seat), where the roster names none."""

    def __init__(self, world: World, roster: Rostering, conduct: Conduct, ledger: Ledger, watching: Watching) -> None:
        self.world, self.roster, self.conduct, self.ledger, self.watching = world, roster, conduct, ledger, watching
        self.seats: dict[str, str] = {}
        self._rows: dict[str, Attendance] = {}
        self._left: dict[str, tuple[str, datetime]] = {}  # seat -> who signed out there last, and when
        self._looked: datetime | None = None

    def acted(self, act: Act, now: datetime) -> None:
        """One act of one agent."""
        match act.kind:
            case ActKind.SIGNED_IN:
                self._signed_in(act, now)
            case ActKind.SIGNED_OUT:
                self._signed_out(act, now)
            case ActKind.ARRIVED if (shift := self._shift(act.agent, now)) is not None:
                self._put(adherence.arrived(self.of(shift), act.at))
                self.ledger.end(Kind.ARRIVED_LATE, act.agent, act.at, event("Arrived", act.at, "console"))
            case ActKind.BUSY if (shift := self._shift(act.agent, now)) is not None:
                self._put(adherence.busy(self.of(shift), act.at))
            case ActKind.READY if (shift := self._shift(act.agent, now)) is not None:
                self._put(adherence.ready(self.of(shift), act.at))

    def look(self, now: datetime) -> None:
        """Judge the shifts that run or have ended since the last look, and ask to be woken for the next moment."""
        since = min(self._looked or now, now)
        near = self.roster.shifts_between(since, now + self._early() + MS)
        on = {shift.shift_id: shift for shift in near if shift.state is ShiftState.ON}
        for shift in on.values():
            if shift.ends_at <= now:
                self._ended(shift, now)
            elif shift.starts_at - self._early() <= now:
                self._runs(shift, now)
        for finding in self.ledger.running():  # a shift may have been taken out of the roster, or given leave
            if finding.kind == Kind.UNSIGNED:
                self.watching.unsigned(finding.agent, now)
            elif finding.kind in (Kind.LATE, Kind.ARRIVED_LATE) and finding.shift_id not in on:
                self.ledger.finish(finding.finding_id, now)
        self._looked = now
        self._rows = {k: a for k, a in self._rows.items() if a.shift.ends_at > now - KEPT}
        self._plan(now)

    def of(self, shift: Shift) -> Attendance:
        """What was seen in this shift so far."""
        return self._rows.get(shift.shift_id) or Attendance(shift)

    def _early(self) -> timedelta:
        limit = self.world.profile.get("signin.early")
        return timedelta(seconds=limit.seconds()) if limit else timedelta(0)

    def _shift(self, agent: str, now: datetime) -> Shift | None:
        """The shift that an act belongs to: the one that runs, else the next when it is near."""
        shift = self.roster.shift_at(agent, now)
        if shift is None:
            coming = self.roster.next_shift(agent, now)
            shift = coming if coming is not None and coming.starts_at - now <= AHEAD else None
        return shift

    def _signed_in(self, act: Act, now: datetime) -> None:
        self.ledger.end(Kind.ARRIVED_LATE, act.agent, act.at, event("SignIn", act.at, "console"))
        shift = self._shift(act.agent, now)
        if shift is None:
            return
        before = self.of(shift)
        self._put(adherence.signed_in(before, act.at))
        if before.signed_in_at is None and act.at > shift.starts_at:
            self._came_late(shift, act)

    def _came_late(self, shift: Shift, act: Act) -> None:
        late = (act.at - shift.starts_at) // MS
        came = event("SignIn", act.at, "console", late_ms=late)
        if self.ledger.going_on(Kind.LATE, act.agent):
            self.ledger.end(Kind.LATE, act.agent, act.at, came, late_ms=late)
            return
        due = self._due(shift, act.seat)
        if due is not None and act.at > due:
            self._claim(Kind.LATE, "signin.punctual", shift, Span(due, act.at), came, late_ms=(act.at - due) // MS)

    def _signed_out(self, act: Act, now: datetime) -> None:
        if act.seat is not None:
            self._left[act.seat] = (act.agent, act.at)
        shift = self.roster.shift_at(act.agent, now)
        last = self.roster.last_shift(act.agent, now)
        if shift is None and last is not None and self._open(last):
            shift = last
        shift = shift or self._shift(act.agent, now)
        if shift is not None:
            permitted = self.conduct.permitted(act.agent, "sign_out", now)
            self._put(adherence.signed_out(self.of(shift), act.at, permitted))
        self._plan(now)  # the seat is free: from now on its next agent may be late for it

    def _open(self, shift: Shift) -> bool:
        seen = self.of(shift)
        return seen.signed_in_at is not None and seen.signed_out_at is None

    def _runs(self, shift: Shift, now: datetime) -> None:
        agent, seen = self.world.agents.get(shift.agent), self.of(shift)
        begun = now >= shift.starts_at
        if begun and agent is not None and agent.signed_in and agent.signed_in_at and seen.signed_in_at is None:
            seen = adherence.signed_in(seen, agent.signed_in_at, agent.busy_reason is None)  # stayed from before
        if begun and self._rows.get(shift.shift_id) != seen:
            self._put(seen)
        here = seen.here_since is not None or (agent is not None and agent.signed_in)
        if begun:
            self.ledger.end(Kind.ARRIVED_LATE, shift.agent, shift.starts_at)
            self._late(shift, seen, now)
        elif not here:
            began = shift.starts_at - self._early()
            self._claim(Kind.ARRIVED_LATE, "signin.early", shift, Span(began), event("NotThere", began, "roster"))
        self.watching.unsigned(shift.agent, now)

    def _late(self, shift: Shift, seen: Attendance, now: datetime) -> None:
        seat = self._seat(shift)
        if seen.signed_in_at is not None or (seat is None and seen.arrived_at is not None):
            return  # who is there, and has no seat named, is judged by the seat that he signs in to
        due = self._due(shift, seat)
        if due is not None and now >= due:
            self._claim(Kind.LATE, "signin.punctual", shift, Span(due), event("NotSignedIn", due, "roster"))

    def _ended(self, shift: Shift, now: datetime) -> None:
        seen, end = self.of(shift), shift.ends_at
        self.watching.unsigned(shift.agent, now, end)
        live = self.ledger.live_since
        if live is None:
            return
        if seen.signed_in_at is None and seen.arrived_at is None:
            turned = self.ledger.turn(Kind.LATE, shift.shift_id, Kind.ABSENT, end, now)
            span = Span(max(shift.starts_at, live), end)
            if not turned and span.began < end:
                told = event("NotSignedIn", span.began, "roster")
                self._claim(Kind.ABSENT, "signin.punctual", shift, span, told)
        elif seen.signed_in_at is None:
            self.ledger.end(Kind.LATE, shift.agent, end)
        elif seen.signed_out_at is not None and seen.signed_out_at < end and not seen.out_allowed:
            gone, left = seen.signed_out_at, (end - seen.signed_out_at) // MS
            told = event("SignOut", gone, "console", left_early_ms=left)
            self._claim(Kind.LEFT_EARLY, "signin.punctual", shift, Span(gone, end), told, left_early_ms=left)

    def _seat(self, shift: Shift) -> str | None:
        return self.seats.get(shift.shift_id) or shift.seat

    def _due(self, shift: Shift, seat: str | None) -> datetime | None:
        """From when a missing sign-in at *seat* is lateness; see ``agents.adherence.judged_from``."""
        if seat is None:
            return shift.starts_at
        held = any(a.seat == seat and a.number != shift.agent for a in self.world.agents.values())
        who, at = self._left.get(seat, (shift.agent, shift.starts_at))
        gap = self.world.profile.get("handover.gap")
        within = timedelta(seconds=gap.seconds()) if gap else None
        return judged_from(shift, held, at if who != shift.agent else None, within)

    def _claim(self, kind: Kind, rule: str, shift: Shift, span: Span, told: dict[str, Any], **figures: Any) -> None:
        article: Article | None = self.world.profile.rule(rule)
        live = self.ledger.live_since
        if article is None or live is None or span.began < live or self.ledger.judged(kind, shift.shift_id):
            return
        evidence = {
            "events": [told], "shift_id": shift.shift_id,
            "starts_at": moment(shift.starts_at), "ends_at": moment(shift.ends_at), **figures,
        }  # fmt: skip
        self.ledger.claim(Claim(kind, shift.agent, article, span, evidence, mono=self.world.mono))

    def _plan(self, now: datetime) -> None:
        """Ask to be woken for the next beginning or end, and for a seat's next agent when his time is over."""
        moments = [now + DAY]
        ahead = self.roster.shifts_between(now, now + DAY + self._early())
        planned = {shift.shift_id for shift in ahead}
        self.seats = {k: seat for k, seat in self.seats.items() if k in planned or k in self._rows}
        for shift in ahead:
            if shift.state is not ShiftState.ON:
                continue
            moments += [shift.starts_at - self._early(), shift.starts_at, shift.ends_at]
            if shift.starts_at <= now and self.of(shift).signed_in_at is None:
                moments.append(self._due(shift, self._seat(shift)) or now)
        self.world.wake_at(min(m for m in moments if m > now), "adherence:")

    def _put(self, seen: Attendance) -> None:
        if self._rows.get(seen.shift.shift_id) == seen:
            return
        self._rows[seen.shift.shift_id] = seen
        shift = seen.shift
        self.world.write(attendance, {
            "pbx_id": self.ledger.pbx_id, "agent": shift.agent, "shift_id": shift.shift_id,
            "starts_at": shift.starts_at, "ends_at": shift.ends_at, "code": shift.code, "seat": self._seat(shift),
            **{name: getattr(seen, name) for name in ATTENDED},
        })  # fmt: skip

    async def load(self, connection: AsyncConnection, now: datetime) -> None:
        """The shifts of the last days."""
        a = attendance.c
        recent = select(attendance).where(a.pbx_id == self.ledger.pbx_id, a.ends_at > now - KEPT)
        for row in (await connection.execute(recent)).mappings():
            self._rows[row["shift_id"]] = seen_of(row)


def seen_of(row: Mapping[Any, Any]) -> Attendance:
    """The attendance that a row holds."""
    shift = Shift(row["shift_id"], row["agent"], row["starts_at"], row["ends_at"], row["code"], seat=row["seat"])
    return Attendance(shift, **{name: row[name] for name in ATTENDED})

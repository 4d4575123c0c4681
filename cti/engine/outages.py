"""Outage notices in the engine: put and ended by leads, said by the dialplan in their time, shown on the board."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.commands import Outcome
from cti.commands.outage import EndOutage, PutOutage
from cti.engine.part import Handler, Part, Waker
from cti.engine.world import World
from cti.errors import BadInput
from cti.ids import Ids
from cti.settings import Settings
from cti.store.survey_tables import outages
from cti.texts import taken
from queues import outages as core
from queues.outages import Kind, Outage
from regulations import Article, allowed, refused

EVERYWHERE = 0  # slot of the dialplan; areas are 1, 2, … in the order of the settings


class Outages(Part):
    """The open notices, one an area. The dialplan keeps their times, so that a notice ends with the service dead."""

    def __init__(self, world: World, ids: Ids, settings: Settings) -> None:
        self.world, self.ids, self.pbx_id = world, ids, settings.pbx_id
        self.areas, self.prefixes = settings.hotline.areas, settings.hotline.area_prefixes
        self.slots = {"": EVERYWHERE, **{code: place for place, code in enumerate(self.areas, start=1)}}
        self.open: dict[str, Outage] = {}  # by area

    def commands(self) -> Mapping[type[Any], Handler]:
        return {PutOutage: self._put, EndOutage: self._end}

    def dues(self) -> Mapping[str, Waker]:
        return {"outage": self._over, "outage_said": self._said}

    def view(self, now: datetime) -> dict[str, Any]:
        """The notices that callers hear, for the agents' pages."""
        said = [o for o in self.open.values() if o.said_from <= now]
        return {"outages": [self._shown(o) for o in sorted(said, key=lambda o: (o.from_at, o.outage_id))]}

    async def load(self, connection: AsyncConnection, now: datetime) -> None:
        mine = (outages.c.pbx_id == self.pbx_id) & outages.c.closed_at.is_(None)
        for row in (await connection.execute(select(outages).where(mine))).mappings():
            values = {name: row[name] for name in Outage.__slots__}
            self.open[row["area"]] = Outage(**{**values, "kind": Kind(row["kind"])})

    def started(self, now: datetime) -> None:
        for outage in list(self.open.values()):
            self._watch(outage, now)
        self._tell_dialplan()

    def _put(self, command: PutOutage, now: datetime) -> Outcome:
        kind, text = _kind(command.kind), taken("text", command.text)
        if command.area not in self.slots:
            raise BadInput("area", "an area of the settings is needed, or none for everywhere")
        from_at = command.from_at or now
        until = command.until or max(from_at, now) + core.UNTOLD
        ahead, articles = self._ahead()
        ruling = core.may_put(from_at, until, now, articles)
        if not ruling.allowed:
            return Outcome(ruling)
        before = self.open.get(command.area)
        if before is not None:
            self._close(before, command.by, now)
        said = core.said_from(kind, from_at, ahead)
        outage = Outage(self.ids.make("o", now), command.area, kind, text, from_at, until, said, command.by, now)
        self._keep(outage)
        self._watch(outage, now)
        self._tell_dialplan()
        return Outcome(ruling, {"outage_id": outage.outage_id, "late": core.is_late(kind, from_at, now, ahead)})

    def _end(self, command: EndOutage, now: datetime) -> Outcome:
        outage = self._by_id(command.outage_id)
        if outage is None:
            return Outcome(
                refused("no_such_outage", "该停供通知已结束或不存在", "This notice is over, or there is none")
            )
        self._close(outage, command.by, now)
        self._tell_dialplan()
        return Outcome(allowed(*self._ahead()[1]))

    def _over(self, outage_id: str, now: datetime) -> None:
        outage = self._by_id(outage_id)
        if outage is None:
            return
        if now < outage.until:  # the wall clock was set back
            self._watch(outage, now)
            return
        self._close(outage, None, now)
        self._tell_dialplan()

    def _said(self, outage_id: str, now: datetime) -> None:
        outage = self._by_id(outage_id)
        if outage is not None and now >= outage.said_from:
            self._keep(outage)  # the pages ask again: agents see now what callers hear

    def _watch(self, outage: Outage, now: datetime) -> None:
        self.world.wake_at(outage.until, f"outage:{outage.outage_id}")
        if outage.said_from > now:
            self.world.wake_at(outage.said_from, f"outage_said:{outage.outage_id}")

    def _tell_dialplan(self) -> None:
        known = [o for o in self.open.values() if o.area in self.slots]
        slots = sorted(((self.slots[o.area], o) for o in known), key=lambda pair: pair[0])
        for slot, outage in slots:
            prefixes = self.prefixes.get(outage.area, [])
            self.world.switch(f"CTI_OUTAGE_{slot}", core.dialplan_value(outage, prefixes))
        self.world.switch("CTI_OUTAGE", ",".join(str(slot) for slot, _ in slots))

    def _close(self, outage: Outage, by: str | None, now: datetime) -> None:
        del self.open[outage.area]
        self.world.write(outages, self._row(replace(outage, closed_at=now, closed_by=by)))

    def _keep(self, outage: Outage) -> None:
        self.open[outage.area] = outage
        self.world.write(outages, self._row(outage))

    def _row(self, outage: Outage) -> dict[str, Any]:
        return {**asdict(outage), "kind": outage.kind.value, "pbx_id": self.pbx_id}

    def _shown(self, outage: Outage) -> dict[str, Any]:
        area = self.areas.get(outage.area)
        return {
            "outage_id": outage.outage_id, "area": outage.area, "kind": outage.kind.value, "text": outage.text,
            "area_zh": area.zh if area else "", "area_en": area.en if area else "",
            "from_at": outage.from_at.isoformat(), "until": outage.until.isoformat(),
        }  # fmt: skip

    def _by_id(self, outage_id: str) -> Outage | None:
        return next((o for o in self.open.values() if o.outage_id == outage_id), None)

    def _ahead(self) -> tuple[timedelta | None, tuple[Article, ...]]:
        limit = self.world.profile.get("outage.ahead")
        return (timedelta(seconds=limit.seconds()), (limit.article,)) if limit else (None, ())


def _kind(value: str) -> Kind:
    try:
        return Kind(value)
    except ValueError as error:
        raise BadInput("kind", "sudden or planned is needed") from error

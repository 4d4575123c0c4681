"""Surge (集中来电): many tickets of one area, or of one kind, within minutes; one alarm, and one group, for each.

Time is the monotonic clock in seconds. A ticket counts from its opening until it is ``within`` old: at exactly that age
it counts no more. A surge begins at ``calls`` and ends at ``calm`` or fewer, so one that wavers is still the same one.
"""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from regulations import Profile, Ruling, allowed, refused


class By(StrEnum):
    """What the tickets of a surge have in common."""

    AREA = "area"
    KIND = "kind"


class Key(NamedTuple):
    """One area, or one kind."""

    by: By
    code: str


class Limits(NamedTuple):
    """When a surge begins and ends; ``within`` in seconds."""

    calls: int
    calm: int
    within: float


def limits_of(profile: Profile) -> Limits | None:
    """The figures in force; None when one of them is missing: then nothing is counted."""
    calls, calm, within = (profile.get(path) for path in ("surge.calls", "surge.calm", "surge.within"))
    if calls is None or calm is None or within is None:
        return None
    return Limits(int(str(calls.value)), min(int(str(calm.value)), int(str(calls.value)) - 1), within.seconds())


class Window:
    """The tickets that count now, by what they have in common; a ticket counts once for each."""

    def __init__(self, within: float) -> None:
        self.within = within
        self._by_key: dict[Key, list[tuple[float, str]]] = defaultdict(list)

    def put(self, key: Key, ticket_id: str, at: float) -> None:
        """The ticket, opened at *at*, has this in common with others."""
        if (at, ticket_id) not in self._by_key[key]:
            insort(self._by_key[key], (at, ticket_id))

    def drop(self, key: Key, ticket_id: str) -> None:
        """It has not, after all: another area, another kind."""
        self._by_key[key] = [one for one in self._by_key[key] if one[1] != ticket_id]

    def tickets(self, key: Key, now: float) -> list[str]:
        """Those that count at *now*, the oldest first."""
        kept = self._by_key[key]
        while kept and now >= kept[0][0] + self.within:  # as falls_to reckons it
            kept.pop(0)
        if not kept:
            del self._by_key[key]
        return [ticket_id for _, ticket_id in kept]

    def falls_to(self, key: Key, count: int, now: float) -> float:
        """When no more than *count* will be left if none comes; *now* when that is so already."""
        over = len(self.tickets(key, now)) - count
        return now if over <= 0 else self._by_key[key][over - 1][0] + self.within


class Out(NamedTuple):
    """A ticket that a lead took out of a group: when it had joined, when it was taken out, and who did it."""

    joined_at: datetime
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Surge:
    """One surge. ``tickets``: its group, each with when it joined; ``out``: those that a lead took out. Aware UTC."""

    surge_id: str
    key: Key
    began_at: datetime
    most: int = 0
    """The most that counted at one time."""
    tickets: dict[str, datetime] = field(default_factory=dict)
    out: dict[str, Out] = field(default_factory=dict)
    ended_at: datetime | None = None


def begins(count: int, limits: Limits) -> bool:
    """Whether *count* tickets within the window are a surge."""
    return count >= limits.calls


def ends(count: int, limits: Limits) -> bool:
    """Whether a surge is over."""
    return count <= limits.calm


def joined(surge: Surge, ticket_ids: list[str], now: datetime) -> Surge:
    """The group with these tickets; one that was taken out does not come back by itself."""
    new = {one: now for one in ticket_ids if one not in surge.tickets and one not in surge.out}
    most = max(surge.most, len(ticket_ids))
    return replace(surge, tickets={**surge.tickets, **new}, most=most) if new or most > surge.most else surge


def may_take_out(surge: Surge, ticket_id: str, leads: bool) -> Ruling:
    """A lead takes a ticket out that is a matter of its own."""
    if not leads:
        return refused("surge_lead_only", "由值班长办理", "This is for a shift lead")
    if ticket_id not in surge.tickets:
        return refused("not_in_surge", "该工单不在此组", "The ticket is not in this group")
    return allowed()


def taken_out(surge: Surge, ticket_id: str, by: str, now: datetime) -> Surge:
    """The group without it; that it was in it, and who took it out, stays on record."""
    kept = {one: at for one, at in surge.tickets.items() if one != ticket_id}
    return replace(surge, tickets=kept, out={**surge.out, ticket_id: Out(surge.tickets[ticket_id], now, by)})


class Suggestion(NamedTuple):
    """An outage notice that a lead may put out with one key, or reword first. ``area`` "": everywhere."""

    area: str
    text: str


def suggestion(key: Key, areas: Sequence[str | None], names: Mapping[str, str]) -> Suggestion:
    """The notice for a surge.

    Args:
        areas: of the tickets in its group.
        names: Chinese names of the areas, by code.
    """
    area = key.code if key.by is By.AREA else ""
    if key.by is By.KIND:
        common = next((a for a in dict.fromkeys(areas) if a and areas.count(a) * 2 > len(areas)), None)
        area = common or ""
    where = names.get(area, area) or "多个片区"
    return Suggestion(area, f"{where}集中来电，情况正在核实处理，请告知市民耐心等待。")

"""May the key that dials be pressed now: who claimed it, what was read, who waits, and whether it is recorded.

Whether hour, spacing and count allow an attempt is ``queues.callbacks``; this is about everything around it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from regulations import Profile, Ruling, allowed, combined, refused

MOST_WAITING = 50
"""The lead may let dials go on while at most this many callers wait."""
HOUR = timedelta(hours=1)
AGENT_DIALS, HOTLINE_DIALS, NUMBER_DIALS = "agent_dials", "hotline_dials", "number_dials"
RATES = frozenset({AGENT_DIALS, HOTLINE_DIALS, NUMBER_DIALS})
"""Codes of the refusals that ask for no more than patience: no article, a most number within a time."""
AGAIN = 3
"""A cap that is hit so many times within an hour is told to the lead, once in an hour."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A dial that somebody, or the callback's own time, asks for.

    Attributes:
        by_key: it is dialled by the key of whoever claimed it, and by nothing else.
        agent: who claimed it; "" for nobody.
        pressed_by: whose key it was; None when its time has come.
        read: the preview (the unit's reply and the recording's player) was opened by the one who dials.
    """

    by_key: bool
    agent: str
    pressed_by: str | None
    read: bool


@dataclass(frozen=True, slots=True)
class House:
    """How the hotline stands at that moment.

    Attributes:
        waiting: callers in the queue; dials go on while there are at most ``waiting_most``.
        caller_here: the one to be called back is in the queue or talks already.
        number_running: another callback to the same number is being dialled.
        trouble: why a recording could not be made; "" while it can.
    """

    waiting: int
    waiting_most: int
    caller_here: bool
    number_running: bool
    trouble: str


@dataclass(frozen=True, slots=True)
class Caps:
    """The most attempts within an hour: of one agent, of the hotline; and to one number within a day."""

    agent_hourly: int
    hourly: int
    number_daily: int


@dataclass(frozen=True, slots=True)
class Placed:
    """One attempt that was placed, whatever became of it."""

    at: datetime
    agent: str
    number: str


def may_dial(asked: Asked, house: House, profile: Profile) -> Ruling:
    """Everything that speaks against this dial, together, with its articles."""
    return combined([*_keyed(asked, profile), *_free(house), _recorded(house, profile)])


def _keyed(asked: Asked, profile: Profile) -> Iterable[Ruling]:
    if not asked.by_key:
        return
    if not asked.agent:
        yield refused("callback_unclaimed", "尚未认领，先认领再拨", "Nobody has claimed it: claim it first")
    elif asked.pressed_by is None:
        yield refused("callback_by_key", "该回访由认领人按键拨打", "It is dialled by the key of who claimed it")
    elif asked.pressed_by != asked.agent:
        yield refused("callback_claimed", f"已由{asked.agent}认领", f"{asked.agent} has claimed it")
    rule = profile.get("callback.preview")
    if rule is not None and not asked.read:
        yield refused(
            "preview_first", "先阅看责任单位回复内容再拨", "Read the unit's reply before ringing", rule.article
        )


def _free(house: House) -> Iterable[Ruling]:
    if house.number_running:
        yield refused("number_running", "该号码正在回访中", "This number is being called back already")
    if house.caller_here:
        yield refused("caller_is_here", "来电人正在线上，不再拨打", "The caller is on the line himself")
    if house.waiting > house.waiting_most:
        yield refused(
            "inbound_first",
            f"{house.waiting}人排队，来电优先（上限{house.waiting_most}）",
            f"{house.waiting} callers wait: they go first (at most {house.waiting_most})",
        )


def _recorded(house: House, profile: Profile) -> Ruling:
    if not house.trouble:
        return allowed()
    rule = profile.get("callback.recorded")
    return refused(
        "not_recorded", "录音不能开始，不得拨打", f"It could not be recorded ({house.trouble}): it is not dialled",
        *([] if rule is None else [rule.article]),
    )  # fmt: skip


def within_caps(
    recent: Iterable[Placed], agent: str, number: str, caps: Caps, now: datetime
) -> tuple[Ruling, Ruling, Ruling]:
    """Whether one more attempt keeps each most number, of an hour and of a day.

    Args:
        recent: the attempts that were placed within the last 24 hours.
    """
    day = [p for p in recent if p.at > now - 24 * HOUR]
    hour = [p for p in day if p.at > now - HOUR]
    return (
        _capped([p.at for p in hour if p.agent == agent], caps.agent_hourly, HOUR, AGENT_DIALS, "本人一小时内"),
        _capped([p.at for p in hour], caps.hourly, HOUR, HOTLINE_DIALS, "全中心一小时内"),
        _capped([p.at for p in day if p.number == number], caps.number_daily, 24 * HOUR, NUMBER_DIALS, "该号一日内"),
    )


class Hits(NamedTuple):
    """How often one cap refused: the newest moments, and when it was told last. Seconds of the monotonic clock."""

    at: tuple[float, ...] = ()
    told: float | None = None


def hit(hits: Hits, mono: float) -> tuple[Hits, bool]:
    """One more refusal by a cap, and whether to tell it: the ``AGAIN``th within an hour, and none told within one."""
    span = HOUR.total_seconds()
    recent = (*(at for at in hits.at if at > mono - span), mono)[-AGAIN:]
    tell = len(recent) >= AGAIN and (hits.told is None or mono - hits.told >= span)
    return Hits(recent, mono if tell else hits.told), tell


def _capped(times: list[datetime], most: int, span: timedelta, code: str, zh: str) -> Ruling:
    if len(times) < most:
        return allowed()
    at = sorted(times)[-most] + span  # then that one has left the window
    return refused(code, f"{zh}拨打已达{most}次", f"{most} dials already: the most ({code})", at=at)

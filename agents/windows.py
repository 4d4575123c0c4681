"""The first and the last minutes of one's own shift, in which nobody signs out or goes busy (HZ 第三十二条)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from agents.shifts import Shift
from regulations import Limit, Ruling, allowed, refused


class Leaving(StrEnum):
    """What the windows forbid."""

    SIGN_OUT = "sign_out"
    BUSY = "busy"


class Window(NamedTuple):
    """A stretch of a shift in which leaving is forbidden: its start is in it, its end is not. Times aware UTC."""

    name: str  # first | last
    begins: datetime
    ends: datetime
    limit: Limit


def windows_of(shift: Shift, first: Limit | None, last: Limit | None) -> tuple[Window, ...]:
    """The windows of one shift, in order. They never reach beyond it; in a short shift they overlap."""
    found = []
    if first is not None:
        found.append(Window("first", shift.starts_at, min(shift.starts_at + _length(first), shift.ends_at), first))
    if last is not None:
        found.append(Window("last", max(shift.ends_at - _length(last), shift.starts_at), shift.ends_at, last))
    return tuple(found)


def may_leave(kind: Leaving, shift: Shift | None, first: Limit | None, last: Limit | None, now: datetime) -> Ruling:
    """Whether the windows let an agent sign out or go busy at *now*.

    Args:
        kind: what is asked.
        shift: the agent's own shift on duty at *now*; None when there is none, and then the windows are silent.
        first: ``busy.first``; None when the rule is off.
        last: ``busy.last``; likewise.
        now: aware.

    A refusal says when it would be allowed: after the first window; or, for a sign-out, at the shift's end, from which
    on HZ 第三十二条 is silent. A busy (示忙) that only the shift's end would allow gets no moment: nobody waits for a
    break until his shift is over.
    """
    windows = windows_of(shift, first, last) if shift is not None else ()
    here = [w for w in windows if w.begins <= now < w.ends]
    if shift is None or not here:
        return allowed(*dict.fromkeys(w.limit.article for w in windows))
    free = _free_from(windows, now)
    ends_it = free >= shift.ends_at
    return refused(
        f"{here[0].name}_minutes", "；".join(_zh(kind, w) for w in here), "; ".join(_en(kind, w) for w in here),
        *dict.fromkeys(w.limit.article for w in here),
        at=None if ends_it and kind is Leaving.BUSY else free, override="lead",
    )  # fmt: skip


def _free_from(windows: Iterable[Window], now: datetime) -> datetime:
    """The first moment from *now* on that lies in none of *windows*, which are in order."""
    for window in windows:
        if window.begins <= now < window.ends:
            now = window.ends
    return now


def _length(limit: Limit) -> timedelta:
    return timedelta(seconds=limit.seconds())


_ZH = {Leaving.SIGN_OUT: "签出", Leaving.BUSY: "示忙"}
_EN = {Leaving.SIGN_OUT: "sign-out", Leaving.BUSY: "busy"}


def _zh(kind: Leaving, window: Window) -> str:
    when = "上班后" if window.name == "first" else "下班前"
    return f"{when}{window.limit.seconds() / 60:g}分钟内不允许{_ZH[kind]}，如有特殊情况请向值班长申请"


def _en(kind: Leaving, window: Window) -> str:
    return (
        f"No {_EN[kind]} in the {window.name} {window.limit.seconds() / 60:g} minutes of a shift, "
        "unless the shift lead agrees"
    )

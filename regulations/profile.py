"""A profile's TOML text into figures. A figure without its article, or of the wrong kind, does not load."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Container, Iterator
from datetime import time, timedelta
from typing import Any, TypeVar

from regulations.model import Article, Basis, Limit, Profile, Strength, Value

Kind = type[timedelta] | type[int] | type[time] | type[bool] | tuple[str, ...]

# What each figure is: seconds, a count, a local time of day, a rule that is on, or one of some words. A path not listed
# here is a spelling mistake.
KINDS: dict[str, Kind] = {
    # A. Agents: signing in, being there, busy
    "signin.personal": bool,
    "signin.seat_check": bool,
    "signin.own_shift": bool,
    "signin.punctual": bool,
    "signin.early": timedelta,
    "signin.unsigned": bool,
    "signin.unsigned_grace": timedelta,
    "training.off_post_months": int,
    "leave.ahead": timedelta,
    "leave.cap_percent": int,
    "leave.approval": bool,
    "leave.peak": bool,
    "roster.crews": int,
    "roster.day_from": time,
    "roster.day_to": time,
    "roster.night_from": time,
    "roster.night_to": time,
    "busy.first": timedelta,
    "busy.last": timedelta,
    "busy.refusing": bool,
    "busy.past_console": ("revert", "mark"),
    "break.rotation": bool,
    "break.min_manned": int,
    "answer.refusing": bool,
    # B. Handover
    "seat.lead_assigns": bool,
    "handover.gap": timedelta,
    "handover.relief": bool,
    "handover.itemised": bool,
    "handover.prepare": timedelta,
    # C. Calls in
    "service.hours_a_day": int,
    "answer.within": timedelta,
    "connection.rate_percent": int,
    "missed.return": bool,
    "transfer.first_agent_keeps": bool,
    "nuisance.block": timedelta,
    "nuisance.block_most": timedelta,
    "connection.near_percent": int,
    "connection.back_percent": int,
    "connection.least_calls": int,
    "escalate.lead_after": timedelta,
    "escalate.pool_after": timedelta,
    "escalate.ring_next_after": timedelta,
    "emergency.told": bool,
    "emergency.unit_at_once": bool,
    "emergency.unit_within": timedelta,
    "emergency.acknowledge_within": timedelta,
    "emergency.repeat": timedelta,
    "surge.calls": int,
    "surge.calm": int,
    "surge.within": timedelta,
    "complaint.different_callers_a_month": int,
    "complaint.same_caller": int,
    "chase.after_percent": int,
    "chase.reminders": int,
    "outage.ahead": timedelta,
    # D. Tickets
    "ticket.handout_consult": timedelta,
    "ticket.handout_repair": timedelta,
    "ticket.handout_service": timedelta,
    "ticket.handout_complaint": timedelta,
    "ticket.handout_report": timedelta,
    "ticket.handout_praise": timedelta,
    "ticket.handout_same_day": bool,
    "ticket.taken_within": timedelta,
    "ticket.return_within": timedelta,
    "ticket.finish_special": timedelta,
    "ticket.finish_first": timedelta,
    "ticket.finish_second": timedelta,
    "ticket.finish_third": timedelta,
    "ticket.finish_complaint_light": timedelta,
    "ticket.finish_complaint_ordinary": timedelta,
    "ticket.finish_complaint_major": timedelta,
    "ticket.finish_consult_days": int,
    "ticket.finish_repair_days": int,
    "ticket.finish_service_days": int,
    "ticket.finish_report_days": int,
    # E. Callbacks
    "callback.quiet_from": time,
    "callback.quiet_to": time,
    "callback.attempts": int,
    "callback.least_attempts": int,
    "callback.spacing": timedelta,
    "callback.within_working_days": int,
    "callback.sample_percent": int,
    "callback.forwarded_percent": int,
    "callback.supervised_after": int,
    "callback.all": bool,
    "callback.never_consult": bool,
    "callback.never_query": bool,
    "callback.never_suggestion": bool,
    "callback.never_praise": bool,
    "callback.unless_declined": bool,
    "callback.must_rescue": bool,
    "callback.must_report": bool,
    "callback.must_complaint": bool,
    "callback.must_repeat": bool,
    "callback.must_daily_brief": bool,
    "callback.must_flying_letter": bool,
    "callback.same_shift": bool,
    "callback.merge": bool,
    "callback.appointments": bool,
    "callback.send_back": bool,
    "callback.truthful": bool,
    "callback.preview": bool,
    "callback.recorded": bool,
}
SHORTEST_S, LONGEST_S = 0.001, 366 * 86400
TIME_OF_DAY = re.compile(r"[0-2][0-9]:[0-5][0-9]")
HEAD = ("hotline", "name_zh", "name_en", "zone")
KEYS = ("value", "document", "article", "wording", "strength", "basis")


class ProfileError(ValueError):
    """A profile that cannot be used; the message begins with the dotted path of what is wrong."""


def parse_profile(text: str) -> Profile:
    """Read a profile.

    Durations are written in whole or decimal seconds, times of day as ``"HH:MM"``, a rule that is on as ``true``: a
    rule that is off is not written at all.

    Raises:
        ProfileError: naming the dotted path, for broken TOML, unknown or missing keys, wrong kinds, no source.
    """
    data = read_toml(text)
    hotline, name_zh, name_en, zone = (text_of(data, key, "") for key in HEAD)
    documents = documents_of(data)
    limits = {path: figure(path, entry, documents) for path, entry in entries_of(data, (*HEAD, "documents"))}
    return Profile(hotline, name_zh, name_en, zone, limits, documents)


def read_toml(text: str) -> dict[str, Any]:
    """*text* as plain values. Raises ProfileError naming ``(file)`` when it is not TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"(file): {error}") from error


def documents_of(data: dict[str, Any]) -> dict[str, str]:
    """The titles under [documents]. Raises ProfileError for one without a title."""
    documents = data.get("documents", {})
    if not isinstance(documents, dict):
        raise ProfileError("documents: a table of short name and title is needed")
    return {name: text_of(documents, name, "documents") for name in documents}


def entries_of(data: dict[str, Any], others: Container[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Dotted path and table of each figure; *others* are the keys that hold none.

    Raises:
        ProfileError: a key that is no table, a path that is not one of ``KINDS``.
    """
    for group, entries in data.items():
        if group in others:
            continue
        if not isinstance(entries, dict):
            raise ProfileError(f"{group}: unknown key")
        for name, entry in entries.items():
            path = f"{group}.{name}"
            if path not in KINDS:
                raise ProfileError(f"{path}: unknown figure; known are {', '.join(sorted(KINDS))}")
            if not isinstance(entry, dict):
                raise ProfileError(f"{path}: a table with value, document, article and wording is needed")
            yield path, entry


def figure(path: str, entry: dict[str, Any], documents: Container[str]) -> Limit:
    """One figure from its table.

    Raises:
        ProfileError: an unknown key, a wrong value, a figure without its source, a document not among *documents*.
    """
    only_keys(path, entry, KEYS)
    document = text_of(entry, "document", path)
    if document not in documents:
        raise ProfileError(f"{path}.document: {document} is not among [documents]")
    article = Article(document, text_of(entry, "article", path), text_of(entry, "wording", path))
    return Limit(
        path,
        _value(path, entry.get("value")),
        article,
        _choice(Strength, entry.get("strength", "must"), f"{path}.strength"),
        _choice(Basis, entry.get("basis", "text"), f"{path}.basis"),
    )


def only_keys(path: str, entry: dict[str, Any], known: Container[str]) -> None:
    """Raises ProfileError for the first key of *entry* that is not *known*."""
    for key in entry:
        if key not in known:
            raise ProfileError(f"{path}.{key}: unknown key")


def _value(path: str, raw: Any) -> Value:
    kind = KINDS[path]
    number = isinstance(raw, int | float) and not isinstance(raw, bool)
    if isinstance(kind, tuple):
        if raw in kind:
            return str(raw)
        raise ProfileError(f"{path}.value: {raw!r} is none of {', '.join(kind)}")
    if kind is time and isinstance(raw, str) and TIME_OF_DAY.fullmatch(raw) and raw < "24":
        return time.fromisoformat(raw)
    if kind is timedelta and number and SHORTEST_S <= raw <= LONGEST_S:
        return timedelta(seconds=raw)
    if kind is int and number and isinstance(raw, int) and 0 < raw <= _most(path):
        return raw
    if kind is bool and raw is True:
        return True
    raise ProfileError(f"{path}.value: {raw!r} is not {_KIND_NAMES[kind]}")


def _most(path: str) -> int:
    return 100 if path.endswith("_percent") else 1000


_KIND_NAMES: dict[Kind, str] = {
    time: 'a time of day ("HH:MM")',
    timedelta: "a number of seconds above 0, a year at most",
    int: "a whole number above 0 (a percentage: 100 at most)",
    bool: "true: a rule that is off is left out",
}


def text_of(table: dict[str, Any], key: str, path: str) -> str:
    """A text that must be there. Raises ProfileError when it is missing or blank."""
    value = table.get(key)
    where = f"{path}.{key}" if path else key
    if not isinstance(value, str) or not value.strip():
        raise ProfileError(
            f"{where}: missing or empty" + (": a figure without its source does not load" if path else "")
        )
    return value


_E = TypeVar("_E", Strength, Basis)


def _choice(kind: type[_E], raw: Any, path: str) -> _E:
    try:
        return kind(raw)
    except ValueError as error:
        raise ProfileError(f"{path}: {raw!r} is none of {', '.join(kind)}") from error

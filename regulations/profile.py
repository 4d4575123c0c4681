"""A profile's TOML text into figures. A figure without its article, or of the wrong kind, does not load."""

from __future__ import annotations

import tomllib
from datetime import time, timedelta
from typing import Any, TypeVar

from regulations.model import Article, Basis, Limit, Profile, Strength

# What each figure is: seconds, a count, or a local time of day. A path not listed here is a spelling mistake.
KINDS: dict[str, type] = {
    "answer.within": timedelta,
    "connection.rate_percent": int,
    "callback.quiet_from": time,
    "callback.quiet_to": time,
    "callback.attempts": int,
    "callback.spacing": timedelta,
}


class ProfileError(ValueError):
    """A profile that cannot be used; the message begins with the dotted path of what is wrong."""


def parse_profile(text: str) -> Profile:
    """Read a profile.

    Durations are written in whole or decimal seconds, times of day as ``"HH:MM"``.

    Raises:
        ProfileError: naming the dotted path, for broken TOML, unknown or missing keys, wrong kinds, no source.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"(file): {error}") from error
    head = {key: _text(data, key, "") for key in ("hotline", "name_zh", "name_en", "zone")}
    documents = data.get("documents", {})
    limits: dict[str, Limit] = {}
    for group, entries in data.items():
        if group in head or group == "documents":
            continue
        if not isinstance(entries, dict):
            raise ProfileError(f"{group}: unknown key")
        for name, entry in entries.items():
            limit = _limit(f"{group}.{name}", entry, documents)
            limits[limit.path] = limit
    return Profile(**head, limits=limits)


def _limit(path: str, entry: Any, documents: dict[str, Any]) -> Limit:
    if path not in KINDS:
        raise ProfileError(f"{path}: unknown figure; known are {', '.join(sorted(KINDS))}")
    if not isinstance(entry, dict):
        raise ProfileError(f"{path}: a table with value, document, article and wording is needed")
    for key in entry:
        if key not in ("value", "document", "article", "wording", "strength", "basis"):
            raise ProfileError(f"{path}.{key}: unknown key")
    document = _text(entry, "document", path)
    if document not in documents:
        raise ProfileError(f"{path}.document: {document} is not among [documents]")
    article = Article(document, _text(entry, "article", path), _text(entry, "wording", path))
    return Limit(
        path,
        _value(path, entry.get("value")),
        article,
        _choice(Strength, entry.get("strength", "must"), f"{path}.strength"),
        _choice(Basis, entry.get("basis", "text"), f"{path}.basis"),
    )


def _value(path: str, raw: Any) -> timedelta | int | time:
    kind = KINDS[path]
    if kind is time and isinstance(raw, str):
        try:
            return time.fromisoformat(raw)
        except ValueError as error:
            raise ProfileError(f'{path}.value: a time of day as "HH:MM" is needed') from error
    if kind is timedelta and isinstance(raw, int | float) and not isinstance(raw, bool) and raw > 0:
        return timedelta(seconds=raw)
    if kind is int and isinstance(raw, int) and not isinstance(raw, bool) and raw > 0:
        return raw
    raise ProfileError(f"{path}.value: {raw!r} is not a {_KIND_NAMES[kind]}")


_KIND_NAMES = {time: 'time of day ("HH:MM")', timedelta: "number of seconds above 0", int: "whole number above 0"}


def _text(table: dict[str, Any], key: str, path: str) -> str:
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

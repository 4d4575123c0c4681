"""A house's own figures over its profile's: said openly, each with its source, or they do not load."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from regulations.model import Basis, Profile
from regulations.profile import ProfileError, documents_of, entries_of, figure, only_keys, read_toml, text_of


def overridden(profile: Profile, text: str) -> Profile:
    """*profile* with the figures of *text* in place of its own, or added to them.

    A figure is written as in a profile, with ``basis = "house"``; ``off = true`` with a ``wording``, the reason, turns
    a rule off that is in force. Documents that the profile does not name are added under ``[documents]``.

    Raises:
        ProfileError: naming the dotted path; also for a figure of another basis, and for turning off what is off.
    """
    data = read_toml(text)
    documents = {**profile.documents, **documents_of(data)}
    limits, off = dict(profile.limits), dict(profile.off)
    for path, entry in entries_of(data, ("documents",)):
        if entry.get("basis", "house" if "off" in entry else None) != Basis.HOUSE:
            raise ProfileError(f'{path}.basis: basis = "house" is needed: what a house adds is not the text\'s')
        if "off" not in entry:
            limits[path] = figure(path, entry, documents)
            continue
        off[path] = _reason(path, entry)
        if limits.pop(path, None) is None:
            raise ProfileError(f"{path}.off: the rule is not in force: {profile.name_zh} is silent on it")
    return replace(profile, limits=limits, documents=documents, off=off)


def _reason(path: str, entry: dict[str, Any]) -> str:
    only_keys(path, entry, ("off", "wording", "basis"))
    if entry["off"] is not True:
        raise ProfileError(f"{path}.off: true is needed: a rule that stays in force is left out")
    return text_of(entry, "wording", path)

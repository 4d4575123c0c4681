"""What the five texts ask of the phone side, row by row: the setting, the function and the test that carry it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from regulations.profile import KINDS, ProfileError, read_toml, text_of

BUILT, NOT_YET = "built", "not yet"
_LISTS = ("articles", "settings", "functions", "tests")
_TEXTS = ("section", "id", "zh", "en", "state")


@dataclass(frozen=True, slots=True)
class Words:
    """The same in Chinese and English."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Row:
    """One rule of the catalogue.

    Attributes:
        section: a letter, A to F.
        id: hotline and article, as the catalogue numbers it; several rows may share one.
        title: the rule in a few words.
        articles: what it rests on, for example ``HZ 第十八条``.
        figure: the figure in words, empty when there is none.
        settings: paths of the profiles that hold its figures.
        functions: dotted Python names of what carries it, or the part of it that stands.
        tests: pytest node ids, or files, that show it.
        state: ``built`` or ``not yet``.
        later: the letter of the issue that builds it, empty when it is built.
    """

    section: str
    id: str
    title: Words
    articles: tuple[str, ...]
    figure: str
    settings: tuple[str, ...]
    functions: tuple[str, ...]
    tests: tuple[str, ...]
    state: str
    later: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The rows in order, the sections' names by letter, the settings' names by path."""

    sections: dict[str, Words]
    settings: dict[str, Words]
    rows: tuple[Row, ...]


def parse_catalogue(text: str) -> Catalogue:
    """Read the catalogue.

    Raises:
        ProfileError: naming the dotted path: a text that is missing, an unknown setting, a setting without a name or
            a row, a row that is built without function and test, or not yet without its issue.
    """
    data = read_toml(text)
    sections = {letter: _words(entry, f"sections.{letter}") for letter, entry in data.get("sections", {}).items()}
    settings = {path: _words(entry, f"settings.{path}") for path, entry in data.get("settings", {}).items()}
    rows = tuple(_row(entry, f"rows.{i}", sections) for i, entry in enumerate(data.get("rows", ())))
    used = {path for row in rows for path in row.settings}
    for path in sorted(set(KINDS) | used | set(settings)):
        if path not in KINDS:
            raise ProfileError(f"{path}: unknown figure")
        if path not in settings:
            raise ProfileError(f"settings.{path}: a setting without a name")
        if path not in used:
            raise ProfileError(f"settings.{path}: no row of the catalogue has this setting")
    return Catalogue(sections, settings, rows)


def _words(entry: dict[str, Any], path: str) -> Words:
    return Words(text_of(entry, "zh", path), text_of(entry, "en", path))


def _row(entry: dict[str, Any], path: str, sections: dict[str, Words]) -> Row:
    for key in entry:
        if key not in (*_LISTS, *_TEXTS, "figure", "later"):
            raise ProfileError(f"{path}.{key}: unknown key")
    section, number, zh, en, state = (text_of(entry, key, path) for key in _TEXTS)
    articles, settings, functions, tests = (tuple(entry.get(key, ())) for key in _LISTS)
    later = entry.get("later", "")
    if section not in sections:
        raise ProfileError(f"{path}.section: {section} is not among [sections]")
    if state not in (BUILT, NOT_YET):
        raise ProfileError(f"{path}.state: {state!r} is neither {BUILT} nor {NOT_YET}")
    if state == BUILT and not (functions and tests and not later):
        raise ProfileError(f"{path}.state: what is built names its functions and tests, and no later issue ({number})")
    if state == NOT_YET and not later:
        raise ProfileError(f"{path}.later: what is not yet built names the issue that builds it ({number})")
    return Row(
        section, number, Words(zh, en), articles, entry.get("figure", ""), settings, functions, tests, state, later
    )

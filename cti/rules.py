"""What is in force and why, for a person and for a program; and docs/regulations.md, made of data.

Sources: the profile of the site, its own figures over it (``hotline.house``), and the catalogue of what the texts ask.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import time, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cti.app import REGULATIONS, load_profile
from regulations import Basis, Limit, Profile, Strength
from regulations.catalogue import BUILT, Catalogue, Row, Words, parse_catalogue

PROFILES = ("hz-12319", "qd-96556", "kl-956100", "wd-wuda", "gj-bus")
DOCUMENT = Path("docs/regulations.md")

_UNITS = (("_percent", Words("%", "%")), ("_months", Words("个月", " months")),
          ("_working_days", Words("个工作日", " working days")), ("hours_a_day", Words("小时", " h")))  # fmt: skip
_CHOICES = {"revert": Words("恢复", "reverted"), "mark": Words("标记", "marked")}
_STRENGTH = {Strength.MUST: Words("必须", "must"), Strength.PRINCIPLE: Words("原则上", "in principle")}
_BASIS = {Basis.TEXT: Words("条文", "the text"), Basis.HOUSE: Words("自定或借用", "house")}
_SILENT = Words("条文未规定", "the text is silent")


def load_catalogue() -> Catalogue:
    """The catalogue that ships with the service."""
    return parse_catalogue((REGULATIONS / "catalogue.toml").read_text(encoding="utf-8"))


def in_words(limit: Limit) -> Words:
    """The figure with its unit; durations in the largest unit up to hours that divides them."""
    value = limit.value
    if value is True:
        return Words("执行", "in force")
    if isinstance(value, timedelta):
        return _duration(value.total_seconds())
    if isinstance(value, time):
        return Words(f"{value:%H:%M}", f"{value:%H:%M}")
    if isinstance(value, str):
        return _CHOICES[value]
    unit = next((words for ending, words in _UNITS if limit.path.endswith(ending)), Words("", ""))
    return Words(f"{value}{unit.zh}", f"{value}{unit.en}")


def _duration(seconds: float) -> Words:
    for size, zh, en in ((3600, "小时", "h"), (60, "分钟", "min")):
        if seconds % size == 0:
            return Words(f"{seconds / size:g}{zh}", f"{seconds / size:g} {en}")
    return Words(f"{seconds:g}秒", f"{seconds:g} s")


def as_data(profile: Profile, catalogue: Catalogue) -> dict[str, Any]:
    """Everything that is in force and everything that is off, as JSON values. Durations are seconds."""
    return {
        "hotline": profile.hotline,
        "name_zh": profile.name_zh,
        "name_en": profile.name_en,
        "zone": profile.zone,
        "documents": profile.documents,
        "in_force": [_figure(limit, catalogue.settings[limit.path]) for limit in _ordered(profile, catalogue)],
        "off": [
            {"path": path, "title_zh": title.zh, "title_en": title.en, "by": by, "reason_zh": why.zh,
             "reason_en": why.en}
            for path, title, by, why in _off(profile, catalogue)
        ],
    }  # fmt: skip


def _figure(limit: Limit, title: Words) -> dict[str, Any]:
    value, words = limit.value, in_words(limit)
    plain = limit.seconds() if isinstance(value, timedelta) else f"{value:%H:%M}" if isinstance(value, time) else value
    return {
        "path": limit.path, "title_zh": title.zh, "title_en": title.en, "value": plain, "zh": words.zh, "en": words.en,
        "document": limit.article.document, "article": limit.article.article, "wording": limit.article.wording,
        "strength": limit.strength, "basis": limit.basis,
    }  # fmt: skip


def _ordered(profile: Profile, catalogue: Catalogue) -> Iterator[Limit]:
    return (profile.limits[path] for path in catalogue.settings if path in profile.limits)


def _off(profile: Profile, catalogue: Catalogue) -> Iterator[tuple[str, Words, str, Words]]:
    for path, title in catalogue.settings.items():
        if path in profile.off:
            yield path, title, "house", Words(profile.off[path], profile.off[path])
        elif path not in profile.limits:
            yield path, title, "silence", _SILENT


def show(profile: Profile, catalogue: Catalogue, out: Console) -> None:
    """Print two tables: in force with article and wording; off with the reason."""
    out.print(Text(f"{profile.name_zh}  {profile.name_en}  ({profile.zone})"), style="bold")
    out.print(_in_force(profile, catalogue))
    if any(limit.basis is Basis.HOUSE for limit in profile.limits.values()):
        note = "* 自定或借用：非本热线条文所载。 Not this hotline's own text: the house set or borrowed it."
        out.print(Text(note), style="yellow")
    off = _table("未执行 Off", "规则 Rule", "原因 Why")
    for path, title, _, why in _off(profile, catalogue):
        off.add_row(Text(f"{_both(title)}\n{path}"), Text(_both(why)))
    out.print(off)


def _in_force(profile: Profile, catalogue: Catalogue) -> Table:
    table = _table("执行中 In force", "规则 Rule", "数值 Value", "条款、原文 Article, wording")
    for limit in _ordered(profile, catalogue):
        house = limit.basis is Basis.HOUSE
        said = f"{limit.article.cite()}\n{limit.article.wording}\n{_both(_STRENGTH[limit.strength])}; "
        table.add_row(
            Text(f"{_both(catalogue.settings[limit.path], chr(10))}\n{limit.path}"),
            Text(_both(in_words(limit), "\n")),
            Text(f"{said}{'* ' if house else ''}{_both(_BASIS[limit.basis])}"),
            style="yellow" if house else "",
        )
    return table


def _table(title: str, *headings: str) -> Table:
    """Nothing in it is cut: a wording without its end would say something else."""
    table = Table(title=title, title_justify="left", show_lines=True)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _both(words: Words, between: str = " ") -> str:
    return words.zh if words.zh == words.en else f"{words.zh}{between}{words.en}"


def render() -> str:
    """docs/regulations.md: every row of the catalogue with articles, wordings, settings, functions, tests, state."""
    catalogue = load_catalogue()
    profiles = {name: load_profile(name) for name in PROFILES}
    return "\n".join((*_opening(catalogue, profiles), *_rows(catalogue, profiles.values()))) + "\n"


def _opening(catalogue: Catalogue, profiles: Mapping[str, Profile]) -> Iterator[str]:
    built = sum(row.state == BUILT for row in catalogue.rows)
    yield "# 条文与实现 Regulations and what carries them\n"
    yield (
        "Made by `cti rules --doc` from `regulations/catalogue.toml` and the profiles; a test holds it equal to them.\n"
        f"{built} of {len(catalogue.rows)} rows are built; the others say which issue builds them, and may name the\n"
        "functions and tests of the part that stands.\n"
    )
    yield "| Profile | Hotline | Figures in force | of the house |\n|---|---|---:|---:|"
    for name, profile in profiles.items():
        house = sum(limit.basis is Basis.HOUSE for limit in profile.limits.values())
        yield f"| `{name}` | {profile.name_zh} {profile.name_en} | {len(profile.limits)} | {house} |"
    yield "\n| Short | Document |\n|---|---|"
    documents = {short: title for profile in profiles.values() for short, title in profile.documents.items()}
    yield from (f"| {short} | {title} |" for short, title in sorted(documents.items()))


def _rows(catalogue: Catalogue, profiles: Iterable[Profile]) -> Iterator[str]:
    for letter, section in catalogue.sections.items():
        yield f"\n## {letter}. {section.zh} {section.en}"
        for row in catalogue.rows:
            if row.section == letter:
                yield from _row(row, catalogue, profiles)


def _row(row: Row, catalogue: Catalogue, profiles: Iterable[Profile]) -> Iterator[str]:
    yield f"\n### {row.id} {row.title.zh}\n"
    yield f"{row.title.en}{f' ({row.figure})' if row.figure else ''}.\n"
    yield f"- **{'Built' if row.state == BUILT else f'Not yet: issue {row.later}'}**"
    for name, values in (("Articles", row.articles), ("Functions", row.functions), ("Tests", row.tests)):
        if values:
            yield f"- {name}: {', '.join(values if name == 'Articles' else [f'`{value}`' for value in values])}"
    found = [(p, limit) for path in row.settings for p in profiles if (limit := p.get(path)) is not None]
    silent = [path for path in row.settings if all(p.get(path) is None for p in profiles)]
    if silent:
        yield f"- Off in every profile, for a house to turn on: {', '.join(f'`{path}`' for path in silent)}"
    if found:
        yield "\n| Setting | Hotline | Value | Article | Wording | |\n|---|---|---|---|---|---|"
    for profile, limit in found:
        marks = [_STRENGTH[limit.strength].en] if limit.strength is Strength.PRINCIPLE else []
        marks += [_BASIS[limit.basis].en] if limit.basis is Basis.HOUSE else []
        title, value = catalogue.settings[limit.path].zh, _both(in_words(limit), " / ")
        yield (
            f"| `{limit.path}` {title} | {profile.hotline} | {value} "
            f"| {limit.article.cite()} | {limit.article.wording} | {', '.join(marks)} |"
        )

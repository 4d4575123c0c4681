"""The shared vocabulary: an article, a figure that rests on one, and the verdict of a rule."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum


class Strength(StrEnum):
    """How firmly a text speaks: 必须/不得, or 原则上 (a shift lead may override with a recorded reason)."""

    MUST = "must"
    PRINCIPLE = "principle"


class Basis(StrEnum):
    """Whether the hotline's own text says it, or the house borrowed it from another hotline's."""

    TEXT = "text"
    HOUSE = "house"


Value = timedelta | int | time | str
"""What a figure may be: a duration, a count or True (a rule that is on), a local time of day, one of some words."""


@dataclass(frozen=True, slots=True)
class Article:
    """One article of one document, with the Chinese wording that a figure rests on."""

    document: str
    article: str
    wording: str

    def cite(self) -> str:
        """How the article is named on a screen, for example ``KL 十四(九)``."""
        return f"{self.document} {self.article}"


@dataclass(frozen=True, slots=True)
class Limit:
    """A figure in force: a duration, a count, a local time of day, a word out of some; True for a rule that is on."""

    path: str
    value: Value
    article: Article
    strength: Strength
    basis: Basis

    def seconds(self) -> float:
        """The value in seconds. Raises TypeError when the figure is not a duration."""
        if not isinstance(self.value, timedelta):
            raise TypeError(f"{self.path} is not a duration")
        return self.value.total_seconds()


@dataclass(frozen=True, slots=True)
class Profile:
    """One hotline's rules. A rule that the text is silent on is absent, and absent means off.

    Attributes:
        hotline: the number by which it is known, or a short name.
        zone: IANA name of the zone in which its times of day are meant.
        limits: path -> figure in force.
        documents: short name -> title of every document that is cited.
        off: path -> reason, for what the house turned off although the text speaks of it.
    """

    hotline: str
    name_zh: str
    name_en: str
    zone: str
    limits: dict[str, Limit] = field(default_factory=dict)
    documents: dict[str, str] = field(default_factory=dict)
    off: dict[str, str] = field(default_factory=dict)

    def get(self, path: str) -> Limit | None:
        """The figure at *path*, or None when the rule is off for this hotline."""
        return self.limits.get(path)

    def rule(self, path: str) -> Article | None:
        """The article that puts the rule at *path* in force, or None when it is off for this hotline."""
        limit = self.limits.get(path)
        return None if limit is None else limit.article


@dataclass(frozen=True, slots=True)
class Ruling:
    """The verdict of a rule. A refusal is a value, not an exception.

    Attributes:
        allowed: whether it may be done now.
        code: stable, for programs; ``ok`` when allowed.
        zh: the sentence for the screen, Chinese.
        en: the same in English.
        articles: every article that speaks, in the order of the rules asked.
        allowed_at: the first moment at which it would be allowed, aware, when that is known.
        override: the role that may allow it all the same, when there is one.
    """

    allowed: bool
    code: str = "ok"
    zh: str = ""
    en: str = ""
    articles: tuple[Article, ...] = ()
    allowed_at: datetime | None = None
    override: str | None = None


def allowed(*articles: Article) -> Ruling:
    """A yes, with the articles that were asked."""
    return Ruling(True, articles=articles)


def combined(rulings: Iterable[Ruling]) -> Ruling:
    """Several rules' verdicts as one. A refusal names every article that refuses, not the first alone.

    It is allowed at the latest moment that the refusals name, when each names one; a role may override when it is the
    same for each of them.
    """
    said = list(rulings)
    no = [ruling for ruling in said if not ruling.allowed]
    if not no:
        return allowed(*dict.fromkeys(a for ruling in said for a in ruling.articles))
    moments = [ruling.allowed_at for ruling in no]
    known = [moment for moment in moments if moment is not None]
    roles = {ruling.override for ruling in no}
    return Ruling(
        False,
        no[0].code,
        "；".join(dict.fromkeys(ruling.zh for ruling in no)),
        "; ".join(dict.fromkeys(ruling.en for ruling in no)),
        tuple(dict.fromkeys(a for ruling in no for a in ruling.articles)),
        max(known) if len(known) == len(no) else None,
        roles.pop() if len(roles) == 1 else None,
    )


def refused(
    code: str, zh: str, en: str, *articles: Article, at: datetime | None = None, override: str | None = None
) -> Ruling:
    """A no with its reason in both languages."""
    return Ruling(False, code, zh, en, articles, at, override)

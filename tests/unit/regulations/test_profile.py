"""A figure without its source does not load, and the message says where it is wrong."""

from __future__ import annotations

import re
from datetime import time, timedelta
from pathlib import Path

import pytest

from regulations import Basis, Limit, Profile, ProfileError, Strength, parse_profile

HEAD = 'hotline = "1"\nname_zh = "甲"\nname_en = "a"\nzone = "Asia/Shanghai"\n[documents]\nHZ = "x"\n'
SOURCE = 'document = "HZ"\narticle = "第七条"\nwording = "铃响15秒之内接听来电。"\n'


def test_the_shipped_profile_gives_each_figure_with_its_article() -> None:
    """HZ 第七条 is 15 s by its own text; the callback figures are borrowed, and say so."""
    profile = parse_profile(Path("regulations/hz-12319.toml").read_text())
    answer = profile.get("answer.within")
    quiet = profile.get("callback.quiet_from")
    assert answer is not None
    assert quiet is not None
    assert (answer.value, answer.article.cite(), answer.basis) == (timedelta(seconds=15), "HZ 第七条", Basis.TEXT)
    assert (quiet.value, quiet.strength, quiet.basis) == (time(21), Strength.PRINCIPLE, Basis.HOUSE)
    assert profile.get("signin.seat_check") is None


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (HEAD + "[answer]\nwithin = 15\n", "answer.within"),
        (HEAD + "[answer.within]\nvalue = 15\n", "answer.within.document"),
        (HEAD + '[answer.within]\nvalue = 15\ndocument = "XX"\n', "answer.within.document"),
        (HEAD + "[answer.within]\n" + SOURCE, "answer.within.value"),
        (HEAD + "[answer.within]\nvalue = -1\n" + SOURCE, "answer.within.value"),
        (HEAD + "[answer.within]\nvalue = true\n" + SOURCE, "answer.within.value"),
        (HEAD + '[answer.within]\nvalue = 15\nstrength = "perhaps"\n' + SOURCE, "answer.within.strength"),
        (HEAD + "[answer.within]\nvalue = 15\nunit = 1\n" + SOURCE, "answer.within.unit"),
        (HEAD + "[answer.soon]\nvalue = 15\n" + SOURCE, "answer.soon"),
        (HEAD + '[callback.quiet_from]\nvalue = "9pm"\n' + SOURCE, "callback.quiet_from.value"),
        (HEAD.replace('zone = "Asia/Shanghai"', "zone = 8"), "zone"),
        (HEAD + "[signin.personal]\nvalue = false\n" + SOURCE, "signin.personal.value"),
        (HEAD + '[busy.past_console]\nvalue = "ignore"\n' + SOURCE, "busy.past_console.value"),
        (HEAD + "[leave.cap_percent]\nvalue = 101\n" + SOURCE, "leave.cap_percent.value"),
        (HEAD + '[callback.quiet_from]\nvalue = "24:00"\n' + SOURCE, "callback.quiet_from.value"),
        (HEAD + "[handover.gap]\nvalue = inf\n" + SOURCE, "handover.gap.value"),
        (HEAD.replace('HZ = "x"', "HZ = 1"), "documents.HZ"),
        ("hotline = ", "(file)"),
    ],
)
def test_what_is_wrong_is_named_by_its_dotted_path(text: str, path: str) -> None:
    """Unsourced, unknown, or of the wrong kind: it does not load."""
    with pytest.raises(ProfileError, match=rf"^{path.replace('(', r'[(]').replace(')', r'[)]')}:"):
        parse_profile(text)


NAMES = ("hz-12319", "qd-96556", "kl-956100", "wd-wuda", "gj-bus")
OWN = {"hz-12319": "HZ", "qd-96556": "QD", "kl-956100": "KL", "wd-wuda": "WD", "gj-bus": "GJ"}
UNITS = {"秒": 1, "分钟": 60, "小时": 3600, "天": 86400}
COUNTED = "个月|个工作日|小时|班|次|人|个|%"
NUMERALS = {"二": 2, "四": 4}


def shipped(name: str) -> Profile:
    """A profile of regulations/."""
    return parse_profile(Path(f"regulations/{name}.toml").read_text(encoding="utf-8"))


def figures_in(wording: str) -> set[object]:
    """Every duration, count and time of day that *wording* states."""
    found: set[object] = {timedelta(minutes=30)} if "半小时" in wording else set()
    for number, unit in re.findall(r"([0-9]+) *(秒|分钟|小时|天)", wording):
        found.add(timedelta(seconds=int(number) * UNITS[unit]))
    for number in re.findall(rf"([0-9]+)(?:{COUNTED})", wording):
        found.add(int(number))
    found.update(NUMERALS[numeral] for numeral in re.findall(rf"([二四])(?:{COUNTED})", wording))
    found.update(
        time(int(hour), int(minute or 0)) for hour, minute in re.findall(r"([0-9]+)(?:时|:([0-9]{2}))", wording)
    )
    return found | ({50} if "过半" in wording else set())


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_is_one_that_its_wording_states(name: str) -> None:
    """30 s rests on 「30秒」, the 1st of a pair on the same words as the 2nd; a rule that is on states no figure."""
    for limit in shipped(name).limits.values():
        wording = limit.article.wording
        assert re.search(r"[\u4e00-\u9fff]{4}", wording), f"{limit.path}: {wording!r} is not Chinese"
        if limit.value is not True and not isinstance(limit.value, str):
            assert limit.value in figures_in(wording), f"{limit.path}: {limit.value} is not in {wording}"


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_the_hotlines_own_text_is_marked_as_the_houses(name: str) -> None:
    """Basis "text" is the hotline's own document and no other; a borrowed figure is basis "house"."""
    for limit in shipped(name).limits.values():
        assert (limit.article.document == OWN[name]) is (limit.basis is Basis.TEXT), limit.path


@pytest.mark.parametrize("name", NAMES)
def test_every_article_is_one_of_a_numbered_text(name: str) -> None:
    """The hotline's own articles are numbered (WD's first lines have none), so that a reader finds them."""
    for limit in shipped(name).limits.values():
        if limit.basis is Basis.TEXT:
            assert re.match(r"第[一二三四五六七八九十]+条|前言$", limit.article.article), limit.path


def on(name: str, path: str) -> Limit:
    """The figure in force, which must be."""
    limit = shipped(name).get(path)
    assert limit is not None, f"{name} has {path} off"
    return limit


def test_wd_numbers_two_articles_alike_and_the_second_is_cited_by_its_ordinal() -> None:
    """WD has two 第四条: 48 h ahead is the second one's."""
    assert on("wd-wuda", "outage.ahead").article.cite() == "WD 第四条（第二个）"


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("qd-96556", "busy.first"), ("qd-96556", "handover.gap"), ("kl-956100", "signin.personal"),
        ("wd-wuda", "callback.quiet_from"), ("gj-bus", "answer.within"), ("hz-12319", "signin.seat_check"),
        ("kl-956100", "callback.sample_percent"),
    ],
)  # fmt: skip
def test_a_hotline_that_is_silent_on_a_rule_has_it_off(name: str, path: str) -> None:
    """Silence is no rule: there is no figure and no article."""
    assert shipped(name).get(path) is None
    assert shipped(name).rule(path) is None


def test_in_principle_is_told_from_must() -> None:
    """原则上 (KL 第十四条(九), KL 第十五条(四), QD 第十二条（二）) may be overridden; nothing else may."""
    weak = {(name, limit.path) for name in NAMES for limit in shipped(name).limits.values()
            if limit.strength is Strength.PRINCIPLE}  # fmt: skip
    said = {(name, limit.path) for name in NAMES for limit in shipped(name).limits.values()
            if "原则上" in limit.article.wording}  # fmt: skip
    assert weak == said
    assert ("kl-956100", "chase.reminders") in weak

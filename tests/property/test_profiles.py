"""Whatever a profile's file holds: it loads as it is written, or the fault is named by its dotted path."""

from __future__ import annotations

import contextlib
import json
import re
from datetime import time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulations import ProfileError, overridden, parse_profile
from regulations.profile import KINDS, LONGEST_S, SHORTEST_S

HEAD = 'hotline = "1"\nname_zh = "甲"\nname_en = "a"\nzone = "Asia/Shanghai"\n[documents]\nHZ = "x"\n'
SOURCE = 'document = "HZ"\narticle = "第七条"\nwording = "铃响15秒之内接听来电。"\n'
PROFILE = parse_profile(Path("regulations/hz-12319.toml").read_text(encoding="utf-8"))

paths = st.sampled_from(sorted(KINDS))
scalars = st.one_of(
    st.booleans(),
    st.integers(-(2**40), 2**40),
    st.floats(),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12),
    st.sampled_from(["21:00", "24:00", "23:59", "08:60", "revert", "mark"]),
)


def right(path: str, value: object) -> bool:
    """Whether *value* is of the kind of *path*, said over again from the rule."""
    kind = KINDS[path]
    if isinstance(kind, tuple):
        return value in kind
    if kind is bool:
        return value is True
    if kind is time:
        return isinstance(value, str) and re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", value) is not None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if kind is int:
        return isinstance(value, int) and 1 <= value <= (100 if path.endswith("_percent") else 1000)
    return SHORTEST_S <= value <= LONGEST_S


def toml(value: object) -> str:
    """A scalar as TOML writes it."""
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False)


@given(paths, scalars)
def test_a_value_loads_when_it_is_of_its_kind_and_only_then(path: str, value: object) -> None:
    """The kind of each path is held for every value; what loads is what was written."""
    text = HEAD + f"[{path}]\nvalue = {toml(value)}\n" + SOURCE
    if not right(path, value):
        with pytest.raises(ProfileError, match=rf"^{path}\.value: "):
            parse_profile(text)
        return
    limit = parse_profile(text).limits[path]
    if isinstance(limit.value, timedelta):
        assert isinstance(value, int | float)
        assert abs(limit.value.total_seconds() - value) < 1e-6
    elif isinstance(limit.value, time):
        assert limit.value.strftime("%H:%M") == value
    else:
        assert limit.value == value


@given(paths, st.sampled_from(["document", "article", "wording"]))
def test_no_figure_loads_without_its_source(path: str, left_out: str) -> None:
    """Each of document, article and wording must be there, for each path."""
    source = "".join(line for line in SOURCE.splitlines(True) if not line.startswith(left_out))
    with pytest.raises(ProfileError, match=rf"^{path}\.{left_out}: "):
        parse_profile(HEAD + f"[{path}]\nvalue = 1\n" + source)


@given(st.text(st.characters(codec="utf-8"), max_size=200))
def test_any_text_loads_or_is_named(text: str) -> None:
    """No file ends in a stack of calls: it is a profile, or a ProfileError with a path."""
    for load in (parse_profile, lambda house: overridden(PROFILE, house)):
        with contextlib.suppress(ProfileError):
            load(text)


@given(st.lists(paths, unique=True))
def test_what_a_house_turns_off_is_off_and_nothing_else(off: list[str]) -> None:
    """Any set of rules in force may be turned off; the others stay as they were."""
    on = [path for path in off if path in PROFILE.limits]
    text = "".join(f'[{path}]\noff = true\nwording = "试运行期间不执行"\n' for path in on)
    mine = overridden(PROFILE, text)
    assert set(mine.limits) == set(PROFILE.limits) - set(on)
    assert set(mine.off) == set(on)
    assert all(mine.limits[path] == PROFILE.limits[path] for path in mine.limits)

"""A figure without its source does not load, and the message says where it is wrong."""

from __future__ import annotations

from datetime import time, timedelta
from pathlib import Path

import pytest

from regulations import Basis, ProfileError, Strength, parse_profile

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
        ("hotline = ", "(file)"),
    ],
)
def test_what_is_wrong_is_named_by_its_dotted_path(text: str, path: str) -> None:
    """Unsourced, unknown, or of the wrong kind: it does not load."""
    with pytest.raises(ProfileError, match=rf"^{path.replace('(', r'[(]').replace(')', r'[)]')}:"):
        parse_profile(text)

"""What a house adds or turns off is said openly, with its source; anything else does not load."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from regulations import Basis, Profile, ProfileError, overridden, parse_profile

SOURCE = 'document = "HZ"\narticle = "第七条"\nwording = "铃响20秒之内接听来电。"\n'
HOUSE = SOURCE + 'basis = "house"\n'


@pytest.fixture
def profile() -> Profile:
    """Heze's own."""
    return parse_profile(Path("regulations/hz-12319.toml").read_text(encoding="utf-8"))


def test_a_figure_of_the_house_replaces_the_texts_and_says_so(profile: Profile) -> None:
    """The figure in force is the house's, visible as such; every other stays, and so does the profile given."""
    mine = overridden(profile, "[answer.within]\nvalue = 20\n" + HOUSE)
    answer = mine.get("answer.within")
    assert answer is not None
    assert (answer.value, answer.basis) == (timedelta(seconds=20), Basis.HOUSE)
    assert {p: v for p, v in mine.limits.items() if p != "answer.within"} == {
        p: v for p, v in profile.limits.items() if p != "answer.within"
    }
    before = profile.get("answer.within")
    assert before is not None
    assert before.value == timedelta(seconds=15)


def test_a_house_adds_what_the_text_is_silent_on(profile: Profile) -> None:
    """The seat's phone asks for the PIN only where a house wants it; its own document is named beside it."""
    text = (
        '[documents]\nOWN = "本中心内部规定"\n[signin.seat_check]\nvalue = true\ndocument = "OWN"\narticle = "一"\n'
        'wording = "签入时席位话机核验密码。"\nbasis = "house"\n'
    )
    assert profile.rule("signin.seat_check") is None
    article = overridden(profile, text).rule("signin.seat_check")
    assert article is not None
    assert article.cite() == "OWN 一"
    assert overridden(profile, text).documents["OWN"] == "本中心内部规定"


def test_a_rule_is_turned_off_with_its_reason(profile: Profile) -> None:
    """Off is off, and the reason stays to be shown."""
    mine = overridden(profile, '[busy.first]\noff = true\nwording = "试运行期间不执行"\n')
    assert mine.get("busy.first") is None
    assert mine.off == {"busy.first": "试运行期间不执行"}


def test_an_empty_file_changes_nothing(profile: Profile) -> None:
    """A house without figures has its profile's."""
    assert overridden(profile, "") == profile


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("[answer.within]\nvalue = 20\n" + SOURCE, "answer.within.basis"),
        ("[answer.within]\nvalue = 20\n" + SOURCE + 'basis = "text"\n', "answer.within.basis"),
        ('[answer.within]\nvalue = 20\nbasis = "house"\n', "answer.within.document"),
        ('[answer.within]\nvalue = 20\nbasis = "house"\ndocument = "XX"\n', "answer.within.document"),
        ("[answer.within]\n" + HOUSE, "answer.within.value"),
        ("[answer.soon]\nvalue = 20\n" + HOUSE, "answer.soon"),
        ("[signin.seat_check]\nvalue = false\n" + HOUSE, "signin.seat_check.value"),
        ("[busy.first]\noff = true\n", "busy.first.wording"),
        ('[busy.first]\noff = true\nwording = " "\n', "busy.first.wording"),
        ('[busy.first]\noff = false\nwording = "理由"\n', "busy.first.off"),
        ('[busy.first]\noff = true\nvalue = 1\nwording = "理由"\n', "busy.first.value"),
        ('[busy.first]\noff = true\nbasis = "text"\nwording = "理由"\n', "busy.first.basis"),
        ('[signin.seat_check]\noff = true\nwording = "理由"\n', "signin.seat_check.off"),
        ('zone = "UTC"\n', "zone"),
        ("[documents]\nOWN = 1\n", "documents.OWN"),
        ("documents = 1\n", "documents"),
        ("busy = 1 2", "(file)"),
    ],
)
def test_what_is_wrong_is_named_by_its_dotted_path(profile: Profile, text: str, path: str) -> None:
    """Of another basis, unsourced, unknown, or off already: it does not load."""
    with pytest.raises(ProfileError) as error:
        overridden(profile, text)
    assert str(error.value).startswith(f"{path}:")

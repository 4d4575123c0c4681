"""A callback goes to a fixed or mobile line in China, written any way a person writes it, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.errors import BadInput
from cti.numbers import diallable, target

AREA = "0530"


@pytest.mark.parametrize(
    ("written", "dialled"),
    [
        ("13800000001", "13800000001"),
        ("138 0000 0001", "13800000001"),
        ("+86 138-0000-0001", "13800000001"),
        ("008613800000001", "13800000001"),
        ("5550001", "05305550001"),
        ("0530-5550001", "05305550001"),
        ("（0530）5550001", "05305550001"),
        ("+86 530 5550001", "05305550001"),
        ("010 5550 0001", "01055500001"),
        ("0571-55500001", "057155500001"),
    ],
)
def test_as_it_is_dialled(written: str, dialled: str) -> None:
    """Mobiles without a prefix, fixed lines with their area code; a local number gets the site's."""
    assert diallable(written, AREA) == dialled


@pytest.mark.parametrize(
    "refused",
    [
        "110", "119", "120", "12345", "95588", "10086",  # short codes: nobody is called back there
        "+1 202 555 0100", "0044 20 7946 0000", "+852 5550 0001",  # abroad
        "16800000001", "4008000000", "8008100000",  # premium and service numbers
        "5550001-12", "5550001,12", "5550001x12", "5550001#",  # an extension
        "", "12", "1" * 16, "1380000000a", "１３８００００００００１", "13800000001@x",
        "13800000001\n", "1380000\r\n0001", "13800000001\x00", "\t13800000001", "13800000001\u2028",
    ],
)  # fmt: skip
def test_nothing_else_is_dialled(refused: str) -> None:
    """Refused by field, without repeating the number: it ends up in a log."""
    with pytest.raises(BadInput) as error:
        diallable(refused, AREA)
    assert error.value.field == "number"
    digits = "".join(c for c in refused if c.isdigit())
    assert not digits or len(digits) < 4 or digits not in str(error.value)


@given(st.text(max_size=30) | st.from_regex(r"\+?[0-9 ()-]{1,20}", fullmatch=True))
def test_whatever_is_dialled_is_digits_that_cost_a_normal_call(written: str) -> None:
    """No text gives a dial string with a byte that Asterisk reads as anything but a digit."""
    try:
        dialled = diallable(written, AREA)
    except BadInput:
        return
    assert dialled.isascii()
    assert dialled.isdigit()
    assert 10 <= len(dialled) <= 12
    assert dialled[:2] not in ("00", "11", "12")


@pytest.mark.parametrize(
    ("written", "number", "extension"),
    [
        ("0530-5550001转8001", "05305550001", "8001"),
        ("0530-5550001-8001", "05305550001", "8001"),
        ("5550001-12", "05305550001", "12"),
        ("5550001 分机 12", "05305550001", "12"),
        ("（0530）5550001-8", "05305550001", "8"),
        ("010-55500001#801", "01055500001", "801"),
        ("0530-5550001", "05305550001", ""),
        ("0530-555-0001", "05305550001", ""),
        ("138-0000-0001", "13800000001", ""),
    ],
)
def test_an_extension_is_kept_beside_the_main_number(written: str, number: str, extension: str) -> None:
    """转8001 and -8001 are no part of the number that is dialled, and are not lost."""
    assert target(written, AREA) == (number, extension)


@pytest.mark.parametrize(
    "refused", ["13800000001转8", "110转8001", "5550001转", "转8001", "5550001转800100000", "5550001转8&9"]
)
def test_an_extension_makes_no_other_number_diallable(refused: str) -> None:
    """Behind a mobile, an emergency number or nothing at all there is none."""
    with pytest.raises(BadInput):
        target(refused, AREA)


@pytest.mark.parametrize(
    ("allow", "written", "dialled"),
    [
        (("service",), "95588", "95588"),
        (("95588",), "95588", "95588"),
        (("shared",), "400-000-0000", "4000000000"),
        (("toll_free",), "800 810 0000", "8008100000"),
        (("0530",), "5550001", "05305550001"),
    ],
)
def test_a_site_allows_further_classes_and_prefixes(allow: tuple[str, ...], written: str, dialled: str) -> None:
    """callback.allow names classes or prefixes; nothing else passes."""
    assert diallable(written, AREA, allow) == dialled
    with pytest.raises(BadInput):
        diallable("13800000001", AREA, allow)


@pytest.mark.parametrize("number", ["110", "119", "120", "122", "16800000001", "0085255500001", "+12025550100"])
def test_no_allow_list_opens_emergency_premium_or_foreign_numbers(number: str) -> None:
    """S6: prefixes open lines in China only."""
    with pytest.raises(BadInput):
        diallable(number, AREA, ("fixed", "mobile", "service", "shared", "toll_free", "1", "11", "16", "00"))

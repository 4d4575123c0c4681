"""Numbers a citizen may be called back at: the classes and prefixes that a site allows, and nothing that goes abroad.

A citizen at a company is rung at its main number; his extension (分机, 转) is shown to the agent, who asks for it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple

import phonenumbers
from phonenumbers import PhoneNumberType

from cti.errors import BadInput

FIXED, MOBILE, SHARED, TOLL_FREE, SERVICE = "fixed", "mobile", "shared", "toll_free", "service"
CLASSES = (FIXED, MOBILE, SHARED, TOLL_FREE, SERVICE)
"""Fixed lines, mobiles, 400 numbers, 800 numbers, and short codes (95xxx, 96xxx, 12xxx)."""
USUAL = (FIXED, MOBILE)

_OF_TYPE = {
    PhoneNumberType.FIXED_LINE: FIXED, PhoneNumberType.MOBILE: MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE: FIXED,
    PhoneNumberType.SHARED_COST: SHARED, PhoneNumberType.TOLL_FREE: TOLL_FREE,
}  # fmt: skip
_BLANK = re.compile("[ \u00a0\u3000]")  # as people write them; a line end is no part of a number
_SERVICE = re.compile(r"9[56][0-9]{3,6}|12[0-9]{3}", re.ASCII)
# A main number that is whole by itself, then what leads to the extension.
_EXTENSION = re.compile(r"(.+?)(?:转|轉|分机|[#＃])([0-9]{1,6})", re.ASCII)
_DASHED = re.compile(
    r"((?:\+86 ?)?(?:\(0[0-9]{2,3}\)|（0[0-9]{2,3}）|0[0-9]{2,3}-| ?[1-9][0-9]{1,2}-)?[2-9][0-9]{6,7})-([0-9]{1,6})",
    re.ASCII,
)


class Target(NamedTuple):
    """Where a citizen is called back: the digits to dial, and the extension to ask for, "" for none."""

    number: str
    extension: str


def target(raw: str, area_code: str, allow: Collection[str] = USUAL) -> Target:
    """*raw* as ``diallable`` takes it, or with an extension: ``0530-5550001转8001``, ``0530-5550001-8001``.

    Raises:
        BadInput: as ``diallable``; also an extension behind a mobile.
    """
    text = _BLANK.sub("", raw)
    found = _EXTENSION.fullmatch(text) or _DASHED.fullmatch(text)
    if found is None:
        return Target(diallable(raw, area_code, allow), "")
    number = diallable(found[1], area_code, allow)
    if not number.startswith("0"):
        raise BadInput("number", "only a fixed line has extensions")
    return Target(number, found[2])


def diallable(raw: str, area_code: str, allow: Collection[str] = USUAL) -> str:
    """The digits to dial inside China for *raw*, a number as a person writes it.

    Args:
        raw: for example ``138 0000 0001``, ``+86 530 5550001``, ``5550001``; spaces, dashes and brackets are ignored.
        area_code: put before local numbers of seven or eight digits, for example ``0530``.
        allow: classes (``CLASSES``) and prefixes of whole national numbers, such as ``0530`` or ``95588``.

    Raises:
        BadInput: field ``number``: not a number, abroad, of a class that is not allowed, an extension, or too long. The
            number itself is never repeated in the message.
    """
    digits = re.sub(r"[()（）-]", "", _BLANK.sub("", raw))
    if not re.fullmatch(r"\+?[0-9]{3,15}", digits):
        raise BadInput("number", "3 to 15 digits are needed")
    if _SERVICE.fullmatch(digits):
        return _permitted(digits, SERVICE, allow)
    if re.fullmatch(r"[2-9][0-9]{6,7}", digits):
        digits = area_code + digits
    try:
        parsed = phonenumbers.parse(digits, "CN")
    except phonenumbers.NumberParseException as error:
        raise BadInput("number", "is not a telephone number") from error
    if parsed.country_code != 86:
        raise BadInput("number", "calls abroad are not allowed")
    kind = _OF_TYPE.get(phonenumbers.number_type(parsed))
    if kind is None or not phonenumbers.is_possible_number(parsed):
        raise BadInput("number", "is not a line that may be called in China")
    national = str(parsed.national_number)
    plain = kind in (SHARED, TOLL_FREE) or (national.startswith("1") and len(national) == 11)
    return _permitted(national if plain else f"0{national}", kind, allow)


def _permitted(number: str, kind: str, allow: Collection[str]) -> str:
    if kind in allow or any(number.startswith(one) for one in allow if one.isdigit()):
        return number
    raise BadInput("number", "is not of a class that this hotline calls (callback.allow)")

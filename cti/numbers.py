"""Numbers a citizen may be called back at: Chinese fixed and mobile lines, and nothing that costs or goes abroad."""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import PhoneNumberType

from cti.errors import BadInput

_ALLOWED = {PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}


def diallable(raw: str, area_code: str) -> str:
    """The digits to dial inside China for *raw*, a number as a person writes it.

    Args:
        raw: for example ``138 0000 0001``, ``+86 530 5550001``, ``5550001``; spaces, dashes and brackets are ignored.
        area_code: put before local numbers of seven or eight digits, for example ``0530``.

    Raises:
        BadInput: field ``number``: not a number, abroad, a service or premium number, an extension, or too long. The
            number itself is never repeated in the message.
    """
    digits = re.sub(r"[\s()（）-]", "", raw)
    if not re.fullmatch(r"\+?[0-9]{3,15}", digits):
        raise BadInput("number", "3 to 15 digits are needed")
    if re.fullmatch(r"[2-9][0-9]{6,7}", digits):
        digits = area_code + digits
    try:
        parsed = phonenumbers.parse(digits, "CN")
    except phonenumbers.NumberParseException as error:
        raise BadInput("number", "is not a telephone number") from error
    if parsed.country_code != 86:
        raise BadInput("number", "calls abroad are not allowed")
    if not phonenumbers.is_possible_number(parsed) or phonenumbers.number_type(parsed) not in _ALLOWED:
        raise BadInput("number", "is not a fixed or mobile line in China")
    national = str(parsed.national_number)
    return national if national.startswith("1") and len(national) == 11 else f"0{national}"

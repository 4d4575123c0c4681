"""Words of people, before they are kept: hostile until shown as text."""

from __future__ import annotations

from cti.errors import BadInput

LONGEST = 200


def taken(field: str, text: str, *, longest: int = LONGEST, optional: bool = False) -> str:
    """*text* without blanks around it.

    Raises:
        BadInput: naming *field*; unless it has 1 (0 if *optional*) to *longest* characters, all printable.
    """
    bare = text.strip()
    if not (bare or optional) or len(bare) > longest or not bare.isprintable():
        least = 0 if optional else 1
        raise BadInput(
            field, f"{least} to {longest} printable characters are needed (须为{least}至{longest}个可显示字符)"
        )
    return bare


def lines_taken(field: str, text: str, *, longest: int) -> str:
    """*text* of several lines, exactly as it was typed.

    Raises:
        BadInput: naming *field*; unless it has at most *longest* characters, all printable but for line ends and tabs.
    """
    if len(text) > longest:
        raise BadInput(
            field, f"{longest} characters at most, these are {len(text)} (最多{longest}字，现有{len(text)}字)"
        )
    if not all(character.isprintable() or character in "\n\t" for character in text):
        raise BadInput(field, "a character that cannot be shown is in it (含有不可显示的字符)")
    return text

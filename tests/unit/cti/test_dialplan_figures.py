"""Figures that stand in the service and in the dialplan that it is installed with: equal, or in the order they need."""

from __future__ import annotations

import re
from pathlib import Path

from cti.engine.fronting import LAST
from cti.engine.transferring import OURS, SIGN_S
from cti.engine.unit_ringing import BEGINS_S, HELD_S
from cti.hands import FRONT_PRIORITY, TRANSFERS

CONF = Path(__file__).parents[3] / "asterisk-conf"


def found(file: str, pattern: str) -> list[str]:
    """What the group of *pattern* is wherever it stands in *file*."""
    every = re.findall(pattern, (CONF / file).read_text(encoding="utf-8"), re.MULTILINE)
    assert every, f"{pattern} is not in {file}"
    return every


def test_a_lifted_call_stands_with_those_who_came_in_as_an_emergency() -> None:
    """The lead's lift gives the very priority of the extension ``emergency``; a transfer that came back has less."""
    (front,) = found("cti_extensions.conf", r"^exten => emergency,1,Set\(QUEUE_PRIO=(\d+)\)")
    (back,) = found("cti_transfer.conf", r"Set\(QUEUE_PRIO=(\d+)\)")
    assert int(front) == FRONT_PRIORITY
    assert 0 < int(back) < FRONT_PRIORITY


def test_a_unit_is_given_up_only_long_after_it_has_rung() -> None:
    """A consultation that still rings is not begun a second time: the dialplan stops ringing twice as early."""
    (rings,) = found("cti_transfer.conf", r"^CTI_TRANSFER_SECONDS = (\d+)")
    assert 2 * int(rings) < HELD_S
    assert BEGINS_S > SIGN_S  # the transfer itself is given up first


def test_the_front_list_is_looked_up_by_the_digits_it_is_set_by() -> None:
    """Wherever the dialplan reads ``CTI_FRONT_<digits>``, it takes as many of the last digits as the service sets."""
    digits = [
        length
        for file in ("cti_emergency.conf", "cti_door.conf")
        for length in found(file, r"GLOBAL\(CTI_FRONT_\$\{CTI_DIGITS:-(\d+)\}\)")
    ]
    assert set(digits) == {str(LAST)}


def test_transfers_go_through_the_context_that_the_service_names() -> None:
    """Each context that a transfer enters begins with the name by which the service knows its own consultations."""
    contexts = found("cti_transfer.conf", r"^\[(cti-transfer.*)\]")
    assert TRANSFERS in contexts
    entered = found("cti_transfer.conf", r"^exten => _X+,1,Goto\(([a-z-]+),")
    assert all(f"@{context}".startswith(OURS) and context in contexts for context in entered)

"""What comes back of setting a global variable of the dialplan."""

from __future__ import annotations

from typing import NamedTuple


class SwitchNotSet(NamedTuple):
    """Asterisk refused to set it, or did not answer in time; never sent by a person."""

    name: str

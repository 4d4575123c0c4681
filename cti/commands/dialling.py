"""Commands around the key that dials. ``by`` is the agent or lead whom the session has proved."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class PreviewOpened(NamedTuple):
    """The agent reads the unit's reply and has the recording's player before him (KL 第十四条(九))."""

    by: str
    callback_id: str


class SetInboundFirst(NamedTuple):
    """A lead's word: callbacks are dialled while at most *waiting* callers wait, 0 to ``dialgate.MOST_WAITING``."""

    by: str
    waiting: int


class AllowQuiet(NamedTuple):
    """A lead lets the next attempt be made in quiet hours, which hold in principle (原则上); why, in his own words."""

    by: str
    callback_id: str
    reason: str


class ConfirmClock(NamedTuple):
    """A lead has looked at the clock after a step: it is right as it is."""

    by: str


class CallerCame(NamedTuple):
    """The caller whom attempt *channel_id* rings has rung in himself, at *at*; the dial gives way to his call."""

    channel_id: str
    call_id: str
    at: datetime


class FolderSeen(NamedTuple):
    """What a look at the recordings folder found; "" when a recording can be made."""

    trouble: str


DiallingCommand = PreviewOpened | SetInboundFirst | AllowQuiet | ConfirmClock | CallerCame | FolderSeen

"""Where the recording of a call lies: the same rule as [cti-record] in asterisk-conf/cti_extensions.conf.

``<UTC day of the epoch in the id>/<id>.wav``. Nothing of it comes from a caller: Asterisk (or we, for a callback) made
the id. The dialplan takes the last ten characters before the first dot as the epoch, so no dot may stand before it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

LONGEST_ID = 80
_ID = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_-]*-)?(?P<epoch>\d{10})\.\d{1,10}", re.ASCII)


def path_of(call_id: str) -> str:
    """The path of the recording of *call_id*, relative to the recordings folder.

    Args:
        call_id: ``1795284828.1``, with a system name ``pbx-1795284828.1``, or our callback ``cticb-1795284828.17``.

    Raises:
        ValueError: another byte than ``A-Za-z0-9._-``, no epoch of ten digits, or longer than 80 characters.
    """
    found = _ID.fullmatch(call_id) if len(call_id) <= LONGEST_ID else None
    if found is None:
        raise ValueError("call id: [name-]epoch.counter of A-Z a-z 0-9 _ - is needed, at most 80 characters")
    return f"{datetime.fromtimestamp(int(found['epoch']), UTC):%Y/%m/%d}/{call_id}.wav"


def call_of(path: str) -> str:
    """The call that the file at *path* (relative, as ``path_of`` makes it) belongs to.

    Raises:
        ValueError: *path* is not one that ``path_of`` makes: another folder, name or day.
    """
    call_id = path.rpartition("/")[2].removesuffix(".wav")
    if path_of(call_id) != path:
        raise ValueError("path: not the place of a recording")
    return call_id

"""Could the recordings folder take a recording? Looked at before a callback is dialled: Asterisk writes it, not we."""

from __future__ import annotations

import os
import stat
from pathlib import Path

MIB = 1024 * 1024


def trouble_of(root: Path, free_mb: int) -> str:
    """Why nothing could be recorded in *root*, in one word: missing, unreadable, read_only, full; "" when it could.

    A folder that nobody may write to is read_only; whether Asterisk's own user may, the dialplan finds out.
    """
    try:
        mode = root.stat().st_mode
        system = os.statvfs(root)
    except FileNotFoundError:
        return "missing"
    except OSError:
        return "unreadable"
    if not stat.S_ISDIR(mode):
        return "missing"
    if system.f_flag & os.ST_RDONLY or not mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):
        return "read_only"
    no_room = system.f_bavail * system.f_frsize < free_mb * MIB
    no_files = system.f_files > 0 and system.f_favail == 0  # some file systems do not count them
    return "full" if no_room or no_files else ""

"""``cti doctor``: does Asterisk, and this machine, give the service what it needs? Each failing line names its cure.

``gather`` looks and asks, ``checks`` judge what was found and touch nothing.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from cti.clock import Clock
from cti.doctor.checks import judge
from cti.doctor.findings import Finding, Level, report
from cti.doctor.gather import gather
from cti.settings import Settings

__all__ = ["Finding", "Level", "report", "run_doctor"]

ASTERISK_ETC = Path("/etc/asterisk")


async def run_doctor(settings: Settings, clock: Clock, etc: Path = ASTERISK_ETC) -> list[Finding]:
    """Look at everything and judge it, in the order an administrator would mend it.

    For a moment a paused member ``cti-doctor`` stands in the queue: Asterisk's event and its line in queue_log show
    the rights, the timestamps and the files in one go. No call is touched.

    Args:
        settings: the site's settings.
        clock: this machine's time.
        etc: Asterisk's configuration folder; what cannot be read there is reported as not checked.
    """
    return judge(await asyncio.to_thread(gather, settings, clock, etc))

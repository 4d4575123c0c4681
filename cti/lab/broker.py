"""A real Mosquitto for the lab."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from cti.lab.errors import LabError
from cti.lab.process import end
from cti.lab.tools import find

START_S = 10.0


def start_broker(work: Path, port: int) -> Callable[[], None]:
    """Start a broker on the loopback that takes anybody; returns what ends it.

    Raises:
        RootfsError: Mosquitto is missing and cannot be brought.
        LabError: it does not listen in ``START_S``.
    """
    config = work / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    with (work / "mosquitto.log").open("wb") as log:
        process = subprocess.Popen([*find("mosquitto"), "-c", str(config)], stdout=log, stderr=log)

    def stop() -> None:
        end(process)

    limit = time.monotonic() + START_S
    while time.monotonic() < limit:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return stop
        time.sleep(0.02)
    stop()
    raise LabError(f"Mosquitto did not listen in {START_S:.0f} s: see {work}/mosquitto.log")

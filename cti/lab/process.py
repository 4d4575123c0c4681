"""A child process ended: asked once, then made to."""

from __future__ import annotations

import signal
import subprocess

PATIENCE_S = 10.0


def end(process: subprocess.Popen[bytes] | None, sig: signal.Signals = signal.SIGTERM) -> None:
    """Send *sig* and wait; SIGKILL after ``PATIENCE_S``. A process that has ended, or None, is fine."""
    if process is None or process.poll() is not None:
        return
    process.send_signal(sig)
    try:
        process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(PATIENCE_S)

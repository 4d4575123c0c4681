"""Where Chromium is, and how it is started so that it looks up nothing on any network."""

from __future__ import annotations

import os
import shutil

FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]  # fmt: skip


def chromium() -> str:
    """The path of Chromium.

    Raises:
        RuntimeError: when there is none, with the command that brings it.
    """
    found = os.environ.get("CTI_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        raise RuntimeError("Chromium is missing: apt-get install chromium (or set CTI_CHROMIUM to its path)")
    return found

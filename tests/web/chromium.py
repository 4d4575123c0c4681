"""How Chromium is started so that it looks up nothing on any network."""

from __future__ import annotations

import os

from cti.lab.tools import find

FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]  # fmt: skip


def chromium() -> str:
    """The path of Chromium: ``CTI_CHROMIUM``, else an installed one, else a brought one.

    Raises:
        RootfsError: there is none and none can be brought; names the command that brings it.
    """
    return os.environ.get("CTI_CHROMIUM") or find("chromium")[0]

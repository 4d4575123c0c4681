"""Programs that the tests and the demo use beside Asterisk: an installed one first, else one brought without root."""

from __future__ import annotations

import ctypes
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Literal

from cti.lab.apt import RootfsError, Say
from cti.lab.asterisk import find_program
from cti.lab.rootfs import PBX_PACKAGES, bring, loader_of

Tool = Literal["chromium", "mosquitto", "sipp"]
PACKAGES: dict[Tool, str] = {"chromium": "chromium", "mosquitto": "mosquitto", "sipp": "sip-tester"}
FONTS = "fonts-noto-cjk"  # without it Chinese is boxes in a headless browser
NODE_LIBRARY, NODE_PACKAGE = "libatomic.so.1", "libatomic1"  # Playwright's driver needs it, a bare Debian lacks it
BROWSER_PACKAGES = ("chromium", "bubblewrap", FONTS)
PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))


def installed(name: Tool) -> str | None:
    """Where *name* is installed on this machine."""
    return shutil.which(name, path=PATH)


def find(name: Tool, say: Say = print) -> list[str]:
    """The argv that runs *name*.

    Raises:
        RootfsError: it is not installed and cannot be brought; names the command that brings it.
    """
    program = installed(name)
    if program:
        return [program]
    if name == "chromium":
        return [str(_browser(say))]
    root = bring(PBX_PACKAGES, say)
    binary = next(p for p in (root / "usr/bin" / name, root / "usr/sbin" / name) if p.exists())
    return [*loader_of(root), str(binary)]


def _browser(say: Say) -> Path:
    """A script that runs a brought Chromium. It starts itself again by its path, which a brought bubblewrap gives it.

    Unprivileged user namespaces are needed, which Debian allows.
    """
    root = bring(BROWSER_PACKAGES, say)
    script = root.with_name(root.name + ".sh")
    words = [*loader_of(root), f"{root}/usr/bin/bwrap"]
    for folder in ("/usr", "/etc"):
        words += ["--ro-bind", f"{root}{folder}", folder]
    for folder in ("bin", "sbin", "lib", "lib64"):  # Debian's links, which a package of their own would make
        words += ["--symlink", f"usr/{folder}", f"/{folder}"]
    for folder in ("/tmp", "/var/tmp", str(Path.home())):  # noqa: S108  profiles and screenshots are wanted there
        words += ["--bind-try", folder, folder]
    words += ["--dev", "/dev", "--proc", "/proc", "--ro-bind-try", "/sys", "/sys", "--die-with-parent"]
    command = shlex.join([*words, "/usr/lib/chromium/chromium", "--no-sandbox"])
    script.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    script.chmod(0o755)
    return script


def let_node_run(say: Say = print) -> None:
    """Show the one library that Playwright's driver needs to the programs that we start from now on.

    Raises:
        RootfsError: it is not installed and cannot be brought.
    """
    if not _has_library(NODE_LIBRARY):
        library = next(bring((NODE_PACKAGE,), say).glob(f"usr/lib/*/{NODE_LIBRARY}"))
        alone = library.parents[3].with_suffix(".alone")  # without the C library that lies beside it
        alone.mkdir(exist_ok=True)
        shutil.copy(library, alone)
        os.environ["LD_LIBRARY_PATH"] = str(alone)


def _has_library(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def install_missing(say: Say = print) -> None:
    """As root on Debian: ``apt-get install`` what the tests lack. Otherwise nothing: ``find`` brings it.

    Raises:
        RootfsError: apt-get failed; the message is its first error.
    """
    missing = [package for name, package in PACKAGES.items() if not installed(name)]
    if not _has_font():
        missing.append(FONTS)
    if not _has_library(NODE_LIBRARY):
        missing.append(NODE_PACKAGE)
    if not missing or os.geteuid() != 0 or shutil.which("apt-get") is None:
        return
    say(f"installing {', '.join(missing)}")
    for words in (["update"], ["install", "-y", "--no-install-recommends", *missing]):
        result = subprocess.run(
            ["apt-get", "-q", *words], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"},
        )  # fmt: skip
        if result.returncode:
            errors = [line for line in result.stderr.splitlines() if line.startswith("E:")] or [result.stderr[-200:]]
            raise RootfsError(f"apt-get {words[0]} failed: {errors[0]}")


def _has_font() -> bool:
    return any(Path("/usr/share/fonts").glob("**/Noto*CJK*"))


def main() -> int:
    """``python -m cti.lab.tools``: everything the tests need is there when it returns 0."""
    try:
        install_missing()
        find_program()
        for name in PACKAGES:
            find(name)
        let_node_run()
    except RootfsError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

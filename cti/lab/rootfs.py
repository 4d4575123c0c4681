"""Programs that Debian carries, brought into a cached folder without root.

``apt`` downloads into private state, ``dpkg-deb -x`` unpacks, and the folder's own dynamic loader runs the program:
no chroot, no namespace, no change to the machine. The mirror is the one the machine already uses.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

PBX_PACKAGES = ("asterisk", "sip-tester", "mosquitto")
SUITE = "testing"  # Debian 12 and 13 carry no Asterisk; testing carries 22


class RootfsError(Exception):
    """A part could not be brought; the message is one line that says the way out."""


def cache_folder() -> Path:
    """``$CTI_LAB_CACHE``, else ``$XDG_CACHE_HOME/cti-lab``, else ``~/.cache/cti-lab``."""
    named = os.environ.get("CTI_LAB_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(named) if named else Path(base) / "cti-lab"


def debian_mirror(
    sources: tuple[Path, ...] = (Path("/etc/apt/sources.list"), Path("/etc/apt/sources.list.d")),
) -> str:
    """The address of the machine's Debian mirror, from its own apt sources.

    Raises:
        RootfsError: when no source of Debian's main archive is configured.
    """
    files = [f for s in sources for f in (sorted(s.glob("*")) if s.is_dir() else [s]) if f.is_file()]
    for file in files:
        text = "\n".join(
            line for line in file.read_text(errors="replace").splitlines() if not line.lstrip().startswith("#")
        )
        for uri in re.findall(r"(?:^URIs:\s*|^deb\s+(?:\[[^\]]*\]\s*)?)(\S+)", text, re.MULTILINE):
            if re.search(r"/debian/?$", uri):
                return str(uri)
    raise RootfsError(
        "no Debian mirror in /etc/apt/sources.list*: install asterisk yourself and set ASTERISK_BIN, or use --pbx HOST"
    )


def loader_of(root: Path) -> list[str]:
    """The argv prefix that runs a program of *root* with the libraries of *root*."""
    loader = next(root.glob("usr/lib64/ld-linux-*.so.2"), None) or next(root.glob("usr/lib/*/ld-linux-*.so.*"))
    libraries = sorted({str(p.parent) for p in root.glob("usr/lib/*/libc.so.6")})
    return [str(loader), "--library-path", ":".join(libraries)]


def bring(packages: tuple[str, ...], say: Callable[[str], None], cache: Path | None = None) -> Path:
    """The folder that holds *packages* and all they need; downloaded once (about 100 MB), then reused.

    Args:
        packages: Debian binary packages of ``SUITE``.
        say: told each step in one line.
        cache: where to keep it; ``cache_folder()`` by default.

    Raises:
        RootfsError: no apt, no network or no space, each with the way out.
    """
    cache = cache or cache_folder()
    done = cache / ("root-" + "-".join(packages))
    if (done / ".complete").exists():
        return done
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise RootfsError(
                f"{tool} is missing, so nothing can be brought: install asterisk yourself and set ASTERISK_BIN,"
                " or use --pbx HOST"
            )
    work = cache / f"apt-{os.getpid()}"
    try:
        return _bring(packages, say, work, done)
    except OSError as error:
        raise RootfsError(f"cannot write {cache}: {error.strerror}; free space or set CTI_LAB_CACHE") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _bring(packages: tuple[str, ...], say: Callable[[str], None], work: Path, done: Path) -> Path:
    for folder in ("state/lists/partial", "cache/archives/partial", "parts", "root"):
        (work / folder).mkdir(parents=True)
    (work / "state/status").touch()
    (work / "sources.list").write_text(f"deb {debian_mirror()} {SUITE} main\n")
    options = [
        f"Dir::State={work}/state",
        f"Dir::State::status={work}/state/status",
        f"Dir::Cache={work}/cache",
        f"Dir::Etc::sourcelist={work}/sources.list",
        f"Dir::Etc::sourceparts={work}/parts",
        f"Dir::Etc::preferencesparts={work}/parts",
        "Acquire::Check-Valid-Until=false",  # testing's index is often past its date on a mirror
        "Acquire::Languages=none",
        "Acquire::Retries=3",
        "APT::Install-Recommends=false",
        "APT::Sandbox::User=",  # the private folders belong to us, not to _apt
        "APT::Keep-Downloaded-Packages=true",
        "Debug::NoLocking=1",
    ]
    apt = ["apt-get", "-q", *(word for option in options for word in ("-o", option))]
    say(f"asking Debian {SUITE} for {', '.join(packages)}")
    _run([*apt, "update"], "the package index could not be read: is there a network?")
    say("downloading about 100 MB")
    _run([*apt, "install", "-y", "--download-only", *packages], "the packages could not be downloaded")
    archives = sorted((work / "cache/archives").glob("*.deb"))
    if not archives:
        raise RootfsError("apt downloaded nothing: run `apt-get update` and look at its errors")
    for count, archive in enumerate(archives, 1):
        if count % 40 == 0 or count == len(archives):
            say(f"unpacking {count} of {len(archives)}")
        _run(["dpkg-deb", "-x", str(archive), str(work / "root")], f"{archive.name} could not be unpacked")
    (work / "root/.complete").touch()
    if done.exists():
        shutil.rmtree(done)
    (work / "root").rename(done)
    return done


def _run(command: list[str], trouble: str) -> None:
    result = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if result.returncode:
        lines = [line for line in (result.stderr or result.stdout).splitlines() if line.startswith(("E:", "dpkg"))]
        reason = lines[0] if lines else f"exit status {result.returncode}"
        raise RootfsError(f"{trouble} ({reason}); with an Asterisk of your own set ASTERISK_BIN or use --pbx HOST")

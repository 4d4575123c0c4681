"""Programs that Debian carries, brought into a cached folder without root.

``apt`` downloads into private state, ``dpkg-deb -x`` unpacks, and the folder's own dynamic loader runs the program:
no chroot, no namespace, no change to the machine.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cti.lab.apt import SUITE, PrivateApt, RootfsError, Say, way_out
from cti.lab.sources import DebianSource, debian_source

__all__ = ["PBX_PACKAGES", "RootfsError", "Say", "bring", "cache_folder", "loader_of"]

PBX_PACKAGES = ("asterisk", "sip-tester", "mosquitto")
UNPACKED = 5  # archives and what is in them need together about this many times the archives' size


def cache_folder() -> Path:
    """``$CTI_LAB_CACHE``, else ``$XDG_CACHE_HOME/cti-lab``, else ``~/.cache/cti-lab``."""
    named = os.environ.get("CTI_LAB_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(named).absolute() if named else Path(base) / "cti-lab"


def loader_of(root: Path) -> list[str]:
    """The argv prefix that runs a program of *root* with the libraries of *root*."""
    loader = next(root.glob("usr/lib64/ld-linux-*.so.2"), None) or next(root.glob("usr/lib/*/ld-linux-*.so.*"))
    libraries = sorted({str(p.parent) for p in root.glob("usr/lib/*/libc.so.6")})
    return [str(loader), "--library-path", ":".join(libraries)]


def bring(packages: tuple[str, ...], say: Say, cache: Path | None = None) -> Path:
    """The folder that holds *packages* and all they need; downloaded once (Asterisk: about 100 MB), then reused.

    A second process waits for the first. What an interrupted download left is used by the next one, and never counts
    as done: the folder gets its name only when it is whole.

    Args:
        packages: Debian binary packages of ``SUITE``.
        say: told each step in one line.
        cache: where to keep it; ``cache_folder()`` by default.

    Raises:
        RootfsError: no apt, no network, no space or no permission, each with the way out.
    """
    cache = cache or cache_folder()
    done = cache / f"{SUITE}-{'-'.join(packages)}"
    if done.is_dir():
        return done
    otherwise = way_out(packages)
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise RootfsError(f"{tool} is missing (this is not Debian), so nothing can be brought: {otherwise}")
    source = debian_source()
    if source is None:
        raise RootfsError(f"no Debian mirror in /etc/apt/sources.list.d: {otherwise}")
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with _alone(cache / f"{done.name}.lock", say):
            if not done.is_dir():
                _bring(packages, source, say, done)
    except OSError as error:
        raise RootfsError(f"cannot write {cache}: {error.strerror}; free space there or set CTI_LAB_CACHE") from error
    return done


@contextmanager
def _alone(lock: Path, say: Say) -> Iterator[None]:
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another start is bringing the same parts: waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _bring(packages: tuple[str, ...], source: DebianSource, say: Say, done: Path) -> None:
    work = done.with_suffix(".part")
    apt = PrivateApt(work, source, way_out(packages))
    say(f"asking Debian {SUITE} for {', '.join(packages)}")
    apt.update()
    size = apt.size(packages)
    free = shutil.disk_usage(work).free
    if free < size * UNPACKED:
        raise RootfsError(
            f"{done.parent} has {_mb(free)} free, {_mb(size * UNPACKED)} are needed: free space or set CTI_LAB_CACHE"
        )
    if size:
        say(f"downloading {_mb(size)} into {done.parent}")
    archives = apt.download(packages, say)
    apt.unpack(archives, say).rename(done)
    shutil.rmtree(work)


def _mb(size: int) -> str:
    return f"{size / 1e6:.0f} MB"

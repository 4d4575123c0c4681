"""Ports of the loopback for labs: free now, and no other lab's on this machine for as long as this process lives."""

from __future__ import annotations

import errno
import fcntl
import random
import socket
from typing import IO

from cti.lab.errors import LabError
from cti.lab.rootfs import cache_folder

# Below what the kernel gives to connections by itself; above a PBX's own RTP (10000 to 20000) and the labs'.
FIRST, LAST = 25000, 32767
FIRST_RTP = 20000

_claimed: set[int] = set()
_book: list[IO[bytes]] = []  # the one open file: closing any of a process's handles on it would drop all its locks


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    """A port that nobody listens at and no other lab has been given. With a taken one Asterisk would start without AMI
    and only log it; and between asking for a port and listening there some seconds may lie.

    Raises:
        LabError: there is none.
    """
    for port in random.sample(range(FIRST, LAST + 1), LAST + 1 - FIRST):
        if port not in _claimed and is_free(port, kind) and claim(port):
            return port
    raise LabError(f"no port from {FIRST} to {LAST} of the loopback is free: end other demos or tests")


def claim(port: int) -> bool:
    """Keep *port* from the other labs of this machine until this process ends; False when one of them has it.

    POSIX record locks (fcntl(2)): gone with the process, however it ends, and not inherited by its children.

    Raises:
        LabError: the file of the locks cannot be opened.
    """
    if not _book:
        _book.append(_open())
    try:
        fcntl.lockf(_book[0], fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EAGAIN):
            raise
        return False
    _claimed.add(port)
    return True


def _open() -> IO[bytes]:
    path = cache_folder() / "ports"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("ab", buffering=0)
    except OSError as error:
        raise LabError(f"cannot write {path}: {error.strerror}; set CTI_LAB_CACHE") from error


def is_free(port: int, kind: int = socket.SOCK_STREAM) -> bool:
    """Whether somebody could listen there now, as servers do: connections of the past are no hindrance (tcp(7))."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, kind == socket.SOCK_STREAM)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True

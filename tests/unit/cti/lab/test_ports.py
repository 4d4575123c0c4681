"""Labs that run at one time get ports of their own, from the asking to the end of the process."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from cti.lab import ports
from cti.lab.errors import LabError
from cti.lab.ports import FIRST, LAST, claim, free_port, is_free

SECOND = """
import sys
from cti.lab import ports
for port in map(int, sys.argv[1:]):
    print(ports.claim(port), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> int:
    """A range of one port, which nobody has yet."""
    port = free_port()
    monkeypatch.setattr(ports, "FIRST", port)
    monkeypatch.setattr(ports, "LAST", port)
    monkeypatch.setattr(ports, "_claimed", ports._claimed - {port})
    return port


def test_no_port_is_given_twice() -> None:
    """Also when nobody listens yet: Asterisk and the service come seconds after the question."""
    given = [free_port() for _ in range(150)] + [free_port(socket.SOCK_DGRAM) for _ in range(150)]
    assert len(set(given)) == 300
    assert all(FIRST <= port <= LAST for port in given)


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_taken_port_is_not_given(narrow: int, kind: socket.SocketKind) -> None:
    """Whoever listens there, a lab or not; and the refusal names the range."""
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", narrow))
        if kind is socket.SOCK_STREAM:
            other.listen()
        assert not is_free(narrow, kind)
        with pytest.raises(LabError, match=f"no port from {narrow} to {narrow}"):
            free_port(kind)
    assert free_port(kind) == narrow


def test_another_process_has_other_ports_until_this_one_ends() -> None:
    """Of two demos in one second the second takes another port; a killed one leaves nothing claimed."""
    mine, theirs = free_port(), FIRST - 1  # outside of the range: nobody else of this run is given it
    with subprocess.Popen(
        [sys.executable, "-c", SECOND, str(mine), str(theirs)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as second:  # fmt: skip
        assert second.stdout is not None
        assert [second.stdout.readline().strip() for _ in range(2)] == ["False", "True"]
        assert not claim(theirs)
        second.kill()
        second.wait()
        assert claim(theirs)


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the way out."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CTI_LAB_CACHE", str(tmp_path / "file/cache"))
    monkeypatch.setattr(ports, "_book", [])
    with pytest.raises(LabError, match=r"cannot write .*file/cache/ports: .*set CTI_LAB_CACHE"):
        claim(FIRST - 2)

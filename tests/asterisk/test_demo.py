"""``cti demo``: comes up with one login a role, is lively, and leaves no process however it ends."""

from __future__ import annotations

import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cti.lab import oracle
from cti.lab.asterisk import LabAsterisk
from cti.lab.citizens import Citizens
from cti.lab.ports import free_port
from cti.lab.service import LabBrowser

pytestmark = pytest.mark.asterisk
MARK = "CTI_DEMO_TEST"
MOMENTS = 6
SEED = 12319


class Demo:
    """The command as a person starts it; every process it makes carries the mark in its environment."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.mark = f"{MARK}={folder}"
        self.folder = folder
        (folder / "tmp").mkdir()
        environment = {**os.environ, MARK: str(folder), "TMPDIR": str(folder / "tmp"), "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cti", "demo", *words],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, env=environment,
        )  # fmt: skip
        self.said = ""

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Read until a line matches; fails when the demo ends before."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line
            found = re.search(pattern, line)
            if found:
                return found
        raise AssertionError(f"the demo ended without {pattern}: {self.said}")

    def end(self, sig: signal.Signals = signal.SIGTERM) -> int:
        """Send *sig* twice, as a terminal and make do, and wait; the exit status."""
        self.process.send_signal(sig)
        self.process.send_signal(sig)
        return self.wait()

    def wait(self) -> int:
        """The exit status, once it has ended."""
        self.said += self.process.communicate(timeout=30)[0]
        return self.process.returncode

    def left(self, command: str = "") -> list[int]:
        """Processes that carry the mark, of those whose command line holds *command*."""
        found = []
        for place in Path("/proc").glob("[0-9]*"):
            try:
                marked = self.mark.encode() in (place / "environ").read_bytes().split(b"\0")
                if marked and command.encode() in (place / "cmdline").read_bytes():
                    found.append(int(place.name))
            except (OSError, ProcessLookupError):
                continue  # ended while we looked, or not ours to look at
        return found

    def folders(self) -> list[str]:
        """What it left in the temporary folder."""
        return os.listdir(self.folder / "tmp")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[list[Demo]]:
    """Demos that were started; killed when a test fails."""
    demos: list[Demo] = []
    yield demos
    for demo in demos:
        for pid in demo.left():
            os.kill(pid, signal.SIGKILL)
        demo.process.wait(10)
        assert demo.process.stdout is not None
        demo.process.stdout.close()


def test_the_demo_is_lively_and_ends_without_a_trace(start: list[Demo], tmp_path: Path) -> None:
    """Each role's login works, two crews are rostered, callers answered; SIGTERM leaves no process, no folder."""
    demo = Demo(tmp_path, "--auto")
    start.append(demo)
    url = demo.wait_for(r"Open +(\S+)")[1]
    for role in ("agent", "lead", "admin", "auditor"):
        login = demo.wait_for(rf"{role} .*number (\d+) .*PIN (\d+)")
        browser = LabBrowser(url)
        answer = browser.ask("POST", "session", {"number": login[1], "pin": login[2]})
        assert (answer.status, answer.body["role"]) == (201, role)
    adherence = browser.ask("GET", "adherence").body
    assert len(adherence) >= 4
    limit = time.monotonic() + 30
    while not browser.ask("GET", "board").body["today"]["answered"]:
        assert time.monotonic() < limit
        time.sleep(0.2)
    assert browser.ask("GET", "board").body["queue"]["signed_in"] == 4
    assert demo.end() == 0
    assert demo.left() == []
    assert demo.folders() == []


def test_ctrl_c_at_any_moment_leaves_nothing(start: list[Demo], tmp_path: Path) -> None:
    """SIGINT at random moments of the start (seeded): exit status 0, no process, no folder."""
    moments = random.Random(SEED)
    for count in range(MOMENTS):
        folder = tmp_path / str(count)
        folder.mkdir()
        demo = Demo(folder)
        start.append(demo)
        demo.wait_for("starting Asterisk")
        time.sleep(moments.uniform(0, 4))
        assert demo.end(signal.SIGINT) == 0, demo.said
        assert demo.left() == []
        assert demo.folders() == []


@pytest.mark.parametrize(("victim", "named"), [("asterisk.conf", "Asterisk"), ("cti\0run", "service")])
def test_when_a_part_dies_the_rest_is_taken_down(start: list[Demo], tmp_path: Path, victim: str, named: str) -> None:
    """Asterisk or the service killed: one line that names the log, exit status 1, no process."""
    demo = Demo(tmp_path, "--auto")
    start.append(demo)
    demo.wait_for("Ctrl-C")
    (pid,) = demo.left(victim)
    os.kill(pid, signal.SIGKILL)
    assert demo.wait() == 1
    last = demo.said.strip().splitlines()[-1]
    assert re.search(rf"{named} ended by itself .*see (\S+)", last), last
    assert Path(last.rsplit(" ", 1)[1]).exists()
    assert demo.left() == []


def test_a_taken_port_is_told_and_another_one_used(start: list[Demo], tmp_path: Path) -> None:
    """The pages' usual port is held by somebody else: one line, another port, a working demo."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            other.bind(("127.0.0.1", 8090))
            other.listen()
        except OSError:
            pass  # somebody holds it already: as good
        demo = Demo(tmp_path)
        start.append(demo)
        port = demo.wait_for(r"port 8090 is taken: the pages are on (\d+)")[1]
        assert demo.wait_for(r"Open +(\S+)")[1] == f"http://127.0.0.1:{port}"
        assert demo.end() == 0


def test_two_demos_of_one_second_take_two_ports(start: list[Demo], tmp_path: Path) -> None:
    """Neither listens yet when the other looks: one of them goes elsewhere, and both work."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        start.append(Demo(tmp_path / name))
    urls = {demo.wait_for(r"Open +(\S+)")[1] for demo in start}
    assert len(urls) == 2
    assert [demo.end() for demo in start] == [0, 0]
    assert [demo.folders() for demo in start] == [[], []]


def test_an_asterisk_that_is_already_there_is_driven(
    start: list[Demo], tmp_path: Path, lab: LabAsterisk, citizens: Citizens
) -> None:
    """--pbx: calls run there; afterwards no member of ours is in its queue, and it is still running."""
    words = ("--pbx", f"127.0.0.1:{lab.ami_port}", "--ami-user", "lab", "--ami-secret", lab.lab_secret, "--auto")
    (tmp_path / "demo").mkdir()
    demo = Demo(tmp_path / "demo", *words)
    start.append(demo)
    demo.wait_for("Ctrl-C")
    four = ["1001", "1002", "1003", "1004"]
    citizens.wait_for(lambda: sorted(citizens.members()) == four, "Asterisk to show the agents who signed in")
    citizens.wait_for(lambda: oracle.answered(lab.queue_log), "a call to be answered", 20)
    assert demo.end() == 0
    assert citizens.members() == {}
    assert lab.channels() == 0


def test_what_is_missing_there_is_said_in_one_line(start: list[Demo], tmp_path: Path, lab: LabAsterisk) -> None:
    """Nobody there, a wrong secret, contexts not loaded: exit status 1 and one line with the way out."""
    here = f"127.0.0.1:{lab.ami_port}"
    extensions = lab.work / "etc/lab_extensions.conf"
    extensions.write_text(extensions.read_text().replace("[lab-talk]", "[somebody-else]"))
    lab.cli("dialplan reload")
    cases = {
        ("--pbx", f"127.0.0.1:{free_port()}"): "is Asterisk running",
        ("--pbx", "127.0.0.1:x"): "host:port",
        ("--pbx", here, "--ami-secret", "wrong"): "check name, secret and permit",
        ("--pbx", here, "--ami-secret", lab.lab_secret): "lacks lab-talk: load asterisk-conf/",
    }
    for number, (words, said) in enumerate(cases.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        demo = Demo(folder, *words)
        start.append(demo)
        assert demo.wait() == 1
        assert said in demo.said
        assert len(demo.said.splitlines()) == 1
        assert demo.folders() == []

"""Streams that a real Asterisk wrote: for ``bench.link`` and for the captures of ``tests/wire``.

``python -m bench.ami_stream FOLDER`` records the captures anew: one of every kind of event that can be provoked, with
obviously false numbers and names.
"""

from __future__ import annotations

import contextlib
import gzip
import itertools
import json
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from cti.lab.asterisk import LabAsterisk, find_program

CALLERS = ("测试市民甲", "测试市民乙", "测试市民丙", "测试市民丁")
AGENTS = ("测试坐席一", "测试坐席二", "测试坐席三", "测试坐席四")
_ids = itertools.count(1)


class Tap:
    """A session that keeps every byte Asterisk writes, and can send actions."""

    def __init__(self, lab: LabAsterisk, account: str, secret: str, events: str = "on") -> None:
        self._socket = socket.create_connection(("127.0.0.1", lab.ami_port))
        self.data = bytearray()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        self.act("Login", Username=account, Secret=secret, Events=events)

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while piece := self._socket.recv(1 << 16):
                self.data += piece

    def act(self, action: str, **headers: str) -> None:
        """Send one action as it stands; this is a lab, nothing is checked."""
        lines = {"Action": action, "ActionID": f"tap-{next(_ids)}", **headers}
        self._socket.sendall(("".join(f"{k}: {v}\r\n" for k, v in lines.items()) + "\r\n").encode())

    def until(self, text: str, seconds: float = 20.0, count: int = 1) -> None:
        """Wait until Asterisk wrote *text* so often."""
        limit = time.monotonic() + seconds
        while bytes(self.data).count(text.encode()) < count:
            if time.monotonic() > limit:
                raise TimeoutError(f"Asterisk did not write {text!r} {count} times in {seconds} s")
            time.sleep(0.02)

    def channel_of(self, event: str, header: str) -> str:
        """The value of *header* in the last *event*."""
        frame = bytes(self.data).decode().split(f"Event: {event}\r\n")[-1].split("\r\n\r\n")[0]
        return next(line for line in frame.split("\r\n") if line.startswith(f"{header}: ")).partition(": ")[2]

    def close(self) -> bytes:
        self._socket.close()
        self._thread.join(5)
        return bytes(self.data)


@contextlib.contextmanager
def a_lab(edit: Callable[[LabAsterisk], None] = lambda lab: None) -> Iterator[LabAsterisk]:
    """A private Asterisk for the time of the block; *edit* may change its files before it starts."""
    folder = Path(tempfile.mkdtemp(prefix="cti-lab-"))
    lab = LabAsterisk(folder, find_program())
    try:
        lab.configure()
        edit(lab)
        lab.start()
        yield lab
    finally:
        lab.stop()
        shutil.rmtree(folder, ignore_errors=True)


def call(tap: Tap, caller: int, seconds: int, exten: str = "12319") -> None:
    """A citizen calls the hotline and hangs up after *seconds*."""
    tap.act(
        "Originate", Channel=f"Local/{exten}@cti-inbound/n", Context="lab-talk", Exten="citizen", Priority="1",
        CallerID=f'"{CALLERS[caller % len(CALLERS)]}" <1380000{caller % 10000:04}>', Variable=f"LAB_SECONDS={seconds}",
        Async="true",
    )  # fmt: skip


def seat(tap: Tap, number: int, queue: str = "hotline") -> str:
    """Sign in the seat and return its interface."""
    interface = f"Local/{number}@lab-seats/n"
    tap.act("QueueAdd", Queue=queue, Interface=interface, MemberName=AGENTS[number % len(AGENTS)])
    return interface


def record_load(events: int) -> bytes:
    """At least *events* events of steady queue calls, with everything Asterisk says (``read = all``)."""
    with a_lab() as lab:
        tap = Tap(lab, "lab", lab.lab_secret)
        control = Tap(lab, "lab", lab.lab_secret, events="off")
        for number in range(3001, 3081):
            seat(control, number)
        tap.until("Event: QueueMemberAdded", count=80)
        caller = 0
        while tap.data.count(b"Event: ") < events:
            call(control, caller, seconds=2)
            caller += 1
            time.sleep(0.1)
        while lab.channels():
            time.sleep(0.2)
        control.close()
        return tap.close()


def record_kinds(account: str) -> tuple[bytes, str]:
    """One of every kind, as *account* (``cti`` or ``lab``) sees it, and Asterisk's version."""

    def with_channel_variables(lab: LabAsterisk) -> None:
        file = lab.work / "etc/manager.conf"
        file.write_text(file.read_text().replace("[general]\n", "[general]\nchannelvars = CTI_DAY,CTI_FROM\n", 1))

    with a_lab(with_channel_variables) as lab:
        version = lab.cli("core show version").split(" built")[0].strip()
        tap = Tap(lab, account, lab.cti_secret if account == "cti" else lab.lab_secret)
        control = Tap(lab, "lab", lab.lab_secret)
        _members(tap, control)
        _transfers(control)
        _unanswered(tap, control)
        _optimised(control)
        while lab.channels():
            time.sleep(0.2)
        lab.stop()
        control.close()
        return tap.close(), version


def _members(tap: Tap, control: Tap) -> None:
    interface = seat(control, 3001)
    control.act("QueuePause", Interface=interface, Paused="true", Reason="用餐")
    control.act("QueuePause", Interface=interface, Paused="false")
    control.act("QueuePenalty", Interface=interface, Penalty="2")
    control.act("QueueMemberRingInUse", Interface=interface, RingInUse="0")
    call(control, 1, seconds=3)
    control.until("Event: AgentConnect")
    tap.act("CoreShowChannels")
    control.act("StopMixMonitor", Channel=control.channel_of("AgentConnect", "Channel"))
    control.until("Event: AgentComplete")
    control.act("QueueRemove", Queue="hotline", Interface=interface)
    control.until("Event: QueueMemberRemoved")


def _transfers(control: Tap) -> None:
    first = seat(control, 3002)
    call(control, 2, seconds=6)
    control.until("Event: BridgeEnter", count=4)
    control.act(
        "BlindTransfer", Channel=control.channel_of("AgentConnect", "DestChannel"), Context="lab-seats", Exten="3009"
    )
    control.until("Event: BlindTransfer")
    control.until("Event: AgentComplete", count=2)
    control.act("QueueRemove", Queue="hotline", Interface=first)
    second = seat(control, 3003)
    call(control, 3, seconds=8)
    control.until("Event: AgentConnect", count=3)
    time.sleep(0.3)
    transferer = control.channel_of("AgentConnect", "DestChannel")
    control.act("Atxfer", Channel=transferer, Context="lab-seats", Exten="3008")
    time.sleep(2.0)
    control.act("Hangup", Channel=transferer)
    control.until("Event: AttendedTransfer")
    control.act("QueueRemove", Queue="hotline", Interface=second)
    control.until("Event: QueueMemberRemoved", count=3)


def _unanswered(tap: Tap, control: Tap) -> None:
    silent = seat(control, 2001)
    call(control, 4, seconds=17)
    control.until("Event: AgentCalled", count=4)
    tap.act("QueueStatus")
    control.until("Event: AgentRingNoAnswer")
    control.until("Event: QueueCallerAbandon")
    control.act("QueueRemove", Queue="hotline", Interface=silent)
    brief = seat(control, 5001)
    control.act(
        "Originate", Channel="Local/citizen@lab-talk/n", Application="Queue", Data="hotline,t,,demo-congrats,20",
        CallerID='"测试市民甲" <13800000005>', Variable="LAB_SECONDS=8", Async="true",
    )  # fmt: skip
    control.until("Event: AgentDump")
    control.act("QueueRemove", Queue="hotline", Interface=brief)
    control.act("Originate", Channel="Local/4001@lab-seats", Application="Wait", Data="1", Async="true")
    control.until("Event: OriginateResponse", count=6)


def _optimised(control: Tap) -> None:
    interface = "Local/3004@lab-colleagues"  # without /n: Asterisk takes the Local channel out of the way
    control.act("QueueAdd", Queue="hotline", Interface=interface, MemberName=AGENTS[0])
    call(control, 5, seconds=6)
    control.until("Event: LocalOptimizationBegin")
    control.act("QueueRemove", Queue="hotline", Interface=interface)


def main(folder: Path) -> None:
    for account in ("cti", "lab"):
        stream, version = record_kinds(account)
        (folder / f"kinds-{account}.ami.gz").write_bytes(gzip.compress(stream, mtime=0))
        about = {"asterisk": version, "account": account, "bytes": len(stream), "frames": stream.count(b"\r\n\r\n")}
        (folder / f"kinds-{account}.json").write_text(json.dumps(about, indent=2) + "\n")
        sys.stdout.write(json.dumps(about) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

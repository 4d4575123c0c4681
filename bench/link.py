"""How much CPU an AMI event costs: our link into typed events, against stock panoramisk, in one run.

``python -m bench.link [--rounds N] [--record]``. The stream is a real Asterisk's under steady queue calls, recorded
once into the lab's cache. Each measurement is a process of its own that reads the same bytes from a loopback socket;
the two kinds take turns, and the ratio is taken within each round. The last line is JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from socket import create_server, socket
from typing import Any

from panoramisk import Manager

from bench.ami_stream import record_load
from cti.ami import Event, Link, LinkSettings, LinkState
from cti.ami.events import WANTED
from cti.ami.protocol import AmiProtocol
from cti.ami.wire import Stats
from cti.clock import SystemClock
from cti.lab.rootfs import cache_folder

RECORDED = 10_000
BLASTED = 60_000
AT_LEAST = 8.0
BANNER = b"Asterisk Call Manager/11.0.0\r\n"
SEGMENTS = (7, 1448, 0)
"""Bytes; 0 is the whole buffer at once."""


def stream(record: bool) -> bytes:
    """The recorded events, without what answered the recorder."""
    file = cache_folder() / "ami-load.gz"
    if record or not file.exists():
        sys.stdout.write("recording a stream from the lab's Asterisk\n")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(gzip.compress(record_load(RECORDED), 5))
    raw = gzip.decompress(file.read_bytes())
    start = raw.index(b"Event: FullyBooted")
    return raw[start : raw.rindex(b"\r\n\r\n") + 4]


def oracle(events: bytes) -> list[tuple[str, ...]]:
    """What must come out, read by other means: regular expressions over the whole text, no framer, no parser."""
    text = events.decode()
    found = []
    for block in re.findall(r"^Event: .*?(?=\r\n\r\n)", text, re.DOTALL | re.MULTILINE):
        name = block.split("\r\n", 1)[0].removeprefix("Event: ")
        if name in WANTED:
            found.append((name, *(_last(block, header) for header in ("Timestamp", "Uniqueid", "MemberName"))))
    return found


def _last(block: str, header: str) -> str:
    values = re.findall(rf"^{header}: ([^\r\n]*)", block, re.MULTILINE)
    return values[-1] if values else ""


def seen(event: Event) -> tuple[str, ...]:
    """The same of a typed event."""
    at = getattr(event, "at", None)
    stamp = f"{int(at.timestamp())}.{at.microsecond:06}" if at else ""
    uniqueid = getattr(event, "uniqueid", None)
    return type(event).__name__, stamp, uniqueid or "", getattr(event, "member_name", "")


def complete(events: bytes, size: int) -> bool:
    """Whether every wanted event comes out undamaged when the stream arrives in pieces of *size* bytes."""

    async def feed() -> list[tuple[str, ...]]:
        got: list[tuple[str, ...]] = []
        wire = AmiProtocol(Stats(), lambda event: got.append(seen(event)), lambda: None, _ignore, _ignore)
        data = BANNER + events
        for start in range(0, len(data), size or len(data)):
            wire.data_received(data[start : start + (size or len(data))])
        return got

    expected = [
        (name, stamp, "" if name.startswith("QueueMember") else uniqueid, member)
        for name, stamp, uniqueid, member in oracle(events)
    ]
    return asyncio.run(feed()) == expected


def _ignore(text: str) -> None:
    """What is wrong shows in what is missing."""


class Blast:
    """An AMI peer that answers the login and then writes everything it has, from a process of its own."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def __enter__(self) -> Blast:
        command = [sys.executable, "-m", "bench.link", "--serve", self._kind]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(self, *unused: object) -> None:
        self._process.kill()
        self._process.communicate()


def filtered(events: bytes) -> bytes:
    """What is left when Asterisk itself filters by name, as asterisk-conf/manager.d does."""
    frames = re.findall(rb"(?:^|(?<=\r\n))(Event: (\w+)\r\n.*?\r\n\r\n)", events, re.DOTALL)
    return b"".join(frame for frame, name in frames if name.decode() in WANTED)


def repeated(events: bytes) -> tuple[bytes, int, int]:
    """At least ``BLASTED`` events, how many there are, and how many of them are wanted.

    Asterisk says once in a session that it has booted; the rest is repeated.
    """
    total, wanted = events.count(b"Event: "), len(oracle(events))
    copies = -(-BLASTED // total)
    booted, rest = events.split(b"\r\n\r\n", 1)
    return booted + b"\r\n\r\n" + rest * copies, (total - 1) * copies + 1, (wanted - 1) * copies + 1


def serve(kind: str) -> None:
    events = stream(record=False)
    data, _, _ = repeated(filtered(events) if kind == "filtered" else events)
    with create_server(("127.0.0.1", 0)) as listener:
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        while True:
            peer, _ = listener.accept()
            threading.Thread(target=_blast, args=(peer, data), daemon=True).start()


def _blast(peer: socket, data: bytes) -> None:
    with peer:
        peer.sendall(BANNER)
        login = b""
        while b"\r\n\r\n" not in login:
            login += peer.recv(65536)
        action_id = re.search(rb"ActionID: ([^\r]+)", login)
        assert action_id is not None
        peer.sendall(
            b"Response: Success\r\nActionID: " + action_id[1] + b"\r\nMessage: Authentication accepted\r\n\r\n"
        )
        peer.sendall(data)
        peer.recv(65536)


class Meter:
    """CPU of this process from the first event to the last."""

    def __init__(self, expected: int) -> None:
        self.left = expected
        self.done: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self.start = 0.0

    def one(self, *unused: Any) -> None:
        if not self.start:
            self.start = time.process_time()
        self.left -= 1
        if not self.left:
            self.done.set_result(time.process_time() - self.start)


async def ours(port: int, expected: int) -> float:
    meter = Meter(expected)
    settings = LinkSettings("127.0.0.1", port, "bench", "bench")
    link = Link(settings, SystemClock(), meter.one, lambda state, reason: None, lambda text: None)
    task = asyncio.create_task(link.run())
    cpu = await asyncio.wait_for(meter.done, 120)
    assert link.state is LinkState.UP
    assert link.stats.quarantined + link.stats.malformed + link.stats.oversized == 0
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return cpu


async def stock(port: int, expected: int) -> float:
    meter = Meter(expected)
    account = {"username": "bench", "secret": "bench"}
    manager = Manager(loop=asyncio.get_running_loop(), host="127.0.0.1", port=port, **account)
    for name in sorted(WANTED):
        manager.register_event(name, meter.one)
    await manager.connect()
    cpu = await asyncio.wait_for(meter.done, 120)
    manager.close()
    return cpu


def measure(kind: str, port: int, expected: int) -> float:
    """Seconds of CPU, in a fresh process."""
    command = [sys.executable, "-m", "bench.link", "--client", kind, "--port", str(port), "--expected", str(expected)]
    out = subprocess.run(command, capture_output=True, text=True, check=True, timeout=180).stdout
    return float(out.splitlines()[-1])


def rounds(count: int, port: int, expected: int) -> Iterator[tuple[float, float]]:
    for number in range(count):
        order = ("stock", "ours") if number % 2 else ("ours", "stock")
        cpu = {kind: measure(kind, port, expected) for kind in order}
        yield cpu["stock"], cpu["ours"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--record", action="store_true", help="record the stream anew")
    parser.add_argument("--serve", choices=("all", "filtered"), help=argparse.SUPPRESS)
    parser.add_argument("--client", choices=("ours", "stock"), help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--expected", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
    elif options.client:
        run = ours if options.client == "ours" else stock
        sys.stdout.write(f"{asyncio.run(run(options.port, options.expected))}\n")
    else:
        report(options.rounds, options.record)


def compare(count: int, kind: str, events: bytes) -> dict[str, float]:
    """CPU of both per event of the stream, and the ratio of it: the median of the rounds."""
    data, blasted, expected = repeated(events)
    with Blast(kind) as peer:
        measured = list(rounds(count, peer.port, expected))
    theirs, own = (statistics.median(column) / blasted * 1e6 for column in zip(*measured, strict=True))
    ratios = sorted(a / b for a, b in measured)
    return {
        "events": blasted, "wanted_share": round(expected / blasted, 3), "bytes_per_event": len(data) // blasted,
        "stock_us_per_event": round(theirs, 2), "link_us_per_event": round(own, 2),
        "ratio": round(statistics.median(ratios), 2), "ratio_min": round(ratios[0], 2),
        "ratio_max": round(ratios[-1], 2),
    }  # fmt: skip


def report(count: int, record: bool) -> None:
    events = stream(record)
    whole = {str(size or "whole"): complete(events, size) for size in SEGMENTS}
    say = sys.stdout.write
    say(f"no event lost or damaged, by bytes of a segment: {whole}\n")
    result: dict[str, object] = {"recorded": events.count(b"Event: "), "complete": whole, "rounds": count}
    ratio = 0.0
    for kind, data in (("all", events), ("filtered", filtered(events))):
        figures = compare(count, kind, data)
        result[kind] = figures
        ratio = ratio or figures["ratio"]
        say(
            f"{kind} events: stock panoramisk {figures['stock_us_per_event']} us each, link"
            f" {figures['link_us_per_event']} us each, {figures['ratio']} times\n"
        )
    result |= {"ratio": ratio, "ok": all(whole.values()) and ratio >= AT_LEAST}
    say(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()

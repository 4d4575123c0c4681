"""A paced AMI peer: one recorded queue call, played again and again with new ids, times and agents.

``python -m bench.feeder --rate CALLS_PER_SECOND --calls N --agents N`` prints its port, then, when it has played all,
one JSON line. It answers what the service asks, with the calls that are alive, so that audits find what they expect.
"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import json
import re
import sys
import time
import wave
from pathlib import Path
from typing import NamedTuple

from bench.link import stream
from recordings.naming import path_of

BANNER = b"Asterisk Call Manager/11.0.0\r\n"
LONGEST_S = 2.5  # a recorded call is squeezed into this, so that few agents serve many calls
AGENT = b"Local/{seat}@lab-seats"


class Template(NamedTuple):
    """The frames of one call, each with its moment in seconds, and what is put in for each play."""

    frames: list[tuple[float, bytes]]
    ids: list[bytes]  # uniqueids, the caller's queue leg first


def template() -> Template:
    """The recorded call of middling length among those that were answered."""
    raw = stream(record=False)
    calls: dict[bytes, list[bytes]] = {}
    for frame in raw.split(b"\r\n\r\n"):
        linkedid = re.search(rb"\r\n(?:Dest)?Linkedid: ([0-9.]+)", frame)
        if linkedid is not None and frame.startswith(b"Event: "):
            calls.setdefault(linkedid[1], []).append(frame)
    whole = [c for c in calls.values() if _once(c, b"AgentConnect") and _once(c, b"AgentComplete")]
    frames = sorted(whole, key=len)[len(whole) // 2]
    first = _at(frames[0])
    span = max(_at(frames[-1]) - first, 0.001)
    joined = next(f for f in frames if f.startswith(b"Event: QueueCallerJoin"))
    caller = _header(joined, b"Uniqueid")
    ids = sorted({m for f in frames for m in re.findall(rb"\b\d{10}\.\d+\b(?=\r\n|$)", f)} - _stamps(frames))
    ids.remove(caller)
    squeeze = min(1.0, LONGEST_S / span)
    return Template([((_at(f) - first) * squeeze, f) for f in frames], [caller, *ids])


def _once(frames: list[bytes], name: bytes) -> bool:
    return sum(f.startswith(b"Event: " + name + b"\r\n") for f in frames) == 1


def _header(frame: bytes, name: bytes) -> bytes:
    found = re.search(rb"\r\n" + name + rb": ([^\r\n]*)", frame)
    if found is None:
        raise LookupError(name.decode())
    return found[1]


def _at(frame: bytes) -> float:
    return float(_header(frame, b"Timestamp"))


def _stamps(frames: list[bytes]) -> set[bytes]:
    return {_header(f, b"Timestamp") for f in frames}


class Feeder:
    """Plays calls to whoever logs in, and leaves a recording of each in *recordings*."""

    def __init__(self, rate: float, calls: int, agents: int, recordings: Path) -> None:
        self.rate, self.calls, self.agents, self.recordings = rate, calls, agents, recordings
        self.audio = recordings / "audio.wav"
        with wave.open(str(self.audio), "wb") as audio:
            audio.setparams((1, 2, 8000, 0, "NONE", ""))
            audio.writeframes(bytes(int(16_000 * LONGEST_S)))
        self.template = template()
        joined = next(f for _, f in self.template.frames if f.startswith(b"Event: AgentConnect"))
        self.member, self.interface = _header(joined, b"MemberName"), _header(joined, b"Interface")
        self.alive: dict[int, list[bytes]] = {}
        self.sent = 0
        self.done = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One session."""
        writer.write(BANNER)
        playing: asyncio.Task[None] | None = None
        try:
            while True:
                action = await reader.readuntil(b"\r\n\r\n")
                name, action_id = _header(b"\r\n" + action, b"Action"), _header(action, b"ActionID")
                writer.write(self.answer(name, action_id))
                if name == b"Login":
                    writer.write(b"Event: FullyBooted\r\nPrivilege: system,all\r\nUptime: 1\r\nLastReload: 1\r\n\r\n")
                elif name == b"CoreShowChannels" and playing is None:
                    playing = asyncio.create_task(self.play(writer))
        except (asyncio.IncompleteReadError, ConnectionError):
            if playing is not None:
                playing.cancel()

    def answer(self, name: bytes, action_id: bytes) -> bytes:
        """What Asterisk would answer."""
        head = b"Response: Success\r\nActionID: " + action_id + b"\r\n"
        if name == b"QueueStatus":
            return _list(head, action_id, b"QueueStatusComplete", [self._member(n) for n in range(self.agents)])
        if name == b"CoreShowChannels":
            rows = [_channel(leg, ids[0]) for ids in self.alive.values() for leg in ids]
            return _list(head, action_id, b"CoreShowChannelsComplete", rows)
        return head + b"Message: done\r\n\r\n"

    def _member(self, n: int) -> bytes:
        seat = b"%d" % (1000 + n)
        return (
            b"Event: QueueMember\r\nQueue: hotline\r\nName: " + seat + b"\r\nLocation: Local/" + seat
            + b"@lab-seats/n\r\nStatus: 1\r\nPaused: 0\r\nPausedReason: \r\nInCall: 0\r\nLastCall: 0\r\nLoginTime: 0"
            b"\r\nWrapuptime: 0"
        )  # fmt: skip

    async def play(self, writer: asyncio.StreamWriter) -> None:
        """All calls, at their rate; frames of all that are under way leave every few milliseconds."""
        start = time.monotonic()
        due: list[tuple[float, int, int]] = []
        begun = 0
        while begun < self.calls or due:
            now = time.monotonic() - start
            while begun < self.calls and begun / self.rate <= now:
                for i, (after, _) in enumerate(self.template.frames):
                    heapq.heappush(due, (begun / self.rate + after, begun, i))
                self.alive[begun] = self._ids(begun)
                self._record(self.alive[begun][0].decode())
                begun += 1
            ready = []
            while due and due[0][0] <= now:
                ready.append(heapq.heappop(due))
            stamp = time.time()
            for _, call, i in ready:
                writer.write(self._frame(call, i, stamp))
                if i == len(self.template.frames) - 1:
                    del self.alive[call]
            self.sent += len(ready)
            await writer.drain()
            await asyncio.sleep(0.003)
        self.done.set()

    def _record(self, call_id: str) -> None:
        place = self.recordings / path_of(call_id)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.hardlink_to(self.audio)

    def _ids(self, call: int) -> list[bytes]:
        return [b"1795%06d.%d" % (call // 1000, call * 20 + k) for k in range(len(self.template.ids))]

    def _frame(self, call: int, index: int, stamp: float) -> bytes:
        frame = self.template.frames[index][1]
        seat = b"%d" % (1000 + call % self.agents)
        frame = re.sub(rb"\r\nTimestamp: [0-9.]+", b"\r\nTimestamp: %.6f" % stamp, frame, count=1)
        for old, new in zip(self.template.ids, self.alive[call], strict=True):
            frame = re.sub(rb"\b" + re.escape(old) + rb"(?=\r\n|$)", new, frame)
        frame = frame.replace(b"MemberName: " + self.member, b"MemberName: " + seat)
        frame = frame.replace(b"Interface: " + self.interface, b"Interface: Local/" + seat + b"@lab-seats/n")
        return frame + b"\r\n\r\n"


def _list(head: bytes, action_id: bytes, last: bytes, items: list[bytes]) -> bytes:
    tail = b"\r\nActionID: " + action_id + b"\r\n\r\n"
    end = b"Event: " + last + b"\r\nEventList: Complete\r\nListItems: %d" % len(items)
    return head + b"EventList: start\r\nMessage: will follow\r\n\r\n" + b"".join(i + tail for i in items) + end + tail


def _channel(leg: bytes, linkedid: bytes) -> bytes:
    return (
        b"Event: CoreShowChannel\r\nUniqueid: " + leg + b"\r\nLinkedid: " + linkedid + b"\r\nChannel: Local/x\r\n"
        b"CallerIDNum: \r\nContext: cti-hotline\r\nApplication: Queue\r\nBridgeId: \r\nDuration: 00:00:01"
    )  # fmt: skip


async def main() -> None:
    """Serve one bench."""
    options = argparse.ArgumentParser()
    options.add_argument("--rate", type=float, default=60)
    options.add_argument("--calls", type=int, default=15_000)
    options.add_argument("--agents", type=int, default=240)
    options.add_argument("--recordings", type=Path, required=True)
    chosen = options.parse_args()
    feeder = Feeder(chosen.rate, chosen.calls, chosen.agents, chosen.recordings)
    server = await asyncio.start_server(feeder.serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    start = time.monotonic()
    await feeder.done.wait()
    seconds = time.monotonic() - start
    print(
        json.dumps({"events": feeder.sent, "events_a_call": len(feeder.template.frames), "seconds": seconds}),
        flush=True,
    )
    await asyncio.sleep(3600)


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        sys.exit(0)

"""What the whole service costs at 60 queue calls a second: link, state, rows (FULL) and publishing.

``python -m bench.pipeline [--rate N] [--calls N]``. A recorded call is played by another process (bench.feeder); the
service runs here, on a database of its own and a real Mosquitto. CPU is this process's own, user and system, while
calls flow; lag is from the event's timestamp to the return of the commit that made its rows durable. The last line is
JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from itertools import accumulate
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from bench.link import stream
from cti.app import load_profile, make_service
from cti.clock import SystemClock
from cti.engine.engine import Engine
from cti.engine.inputs import CheckRecording, Heard, Input
from cti.lab.broker import start_broker
from cti.lab.ports import free_port
from cti.settings import make_settings
from cti.store import tables as t
from cti.store.db import Store

AT_MOST_CORE, AT_MOST_MS, AT_MOST_MB = 0.3, 20.0, 150.0
WARM_CALLS = 10_000  # memory must be flat after these
FLAT_MB = 5.0


def cpu() -> float:
    """Seconds of CPU that this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def memory_mb() -> float:
    """Resident memory now, in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise LookupError("VmRSS")


class Lags:
    """From an event's timestamp to the commit of its batch: how many events of each tenth of a millisecond."""

    def __init__(self, engine: Engine) -> None:
        self.counts = [0] * 100_001  # up to 10 s; a list of every lag would grow with the run that it measures
        self.batches = 0
        take = engine._take

        async def timed(batch: list[Input]) -> None:
            await take(batch)
            now = time.time()
            self.batches += 1
            for item in batch:
                if isinstance(item, Heard) and (at := getattr(item.event, "at", None)) is not None:
                    self.counts[min(int((now - at.timestamp()) * 10_000), 100_000)] += 1

        engine._take = timed  # type: ignore[method-assign]

    def clear(self) -> None:
        """Begin anew."""
        self.counts[:] = [0] * len(self.counts)
        self.batches = 0

    def ms(self, share: float) -> float:
        """The lag that *share* of the events do not exceed, in milliseconds."""
        wanted = sum(self.counts) * share
        for tenth, below in enumerate(accumulate(self.counts)):
            if below >= wanted:
                return tenth / 10
        raise LookupError("no event came")


def seat_agents(database: Path, pbx_id: str, numbers: list[str], known: int = 0) -> None:
    """Agents who are signed in already; the first *known* are people of that database."""
    people = [(n, f"测试坐席{n}", "agent", "-", True) for n in numbers[known:]]
    with closing(sqlite3.connect(database)) as rows, rows:
        rows.executemany("insert into people (number, name, role, pin_hash, active) values (?, ?, ?, ?, ?)", people)
        seats = [(pbx_id, n, n, f"Local/{n}@lab-seats/n") for n in numbers]
        rows.executemany("insert into agents (pbx_id, number, seat, interface) values (?, ?, ?, ?)", seats)


async def measure(rate: float, calls: int, agents: int, work: Path, checks: bool) -> dict[str, Any]:
    """One run; without *checks* the recordings are owed but not looked at."""
    recordings = work / "recordings"
    recordings.mkdir()
    stream(record=False)  # recorded now when it is missing
    command = [sys.executable, "-m", "bench.feeder", "--rate", str(rate), "--calls", str(calls)]
    feeder = subprocess.Popen(
        [*command, "--agents", str(agents), "--recordings", str(recordings)], stdout=subprocess.PIPE, text=True
    )
    broker_port = free_port()
    stop_broker = start_broker(work, broker_port)
    assert feeder.stdout is not None
    try:
        port = int(feeder.stdout.readline())
        files = {name: str(work / name) for name in ("queue_log", "cdr", "cel")}
        settings = make_settings({
            "database": work / "cti.db", "ami": {"port": port, "secret": "x"}, "agi": {"port": free_port()},
            "asterisk": {**files, "recordings": str(recordings)},
            "hotline": {"seat_interface": "Local/{seat}@lab-seats/n"},
            "mqtt": {"host": "127.0.0.1", "port": broker_port}, "web": {"port": free_port()},
        })  # fmt: skip
        store = await Store.open(settings.database)
        seat_agents(settings.database, settings.pbx_id, [str(1000 + n) for n in range(agents)])
        service = make_service(settings, load_profile("hz-12319"), store, SystemClock(), random.Random(1))
        if not checks:
            act = service.hands.act
            service.hands.act = lambda effect: None if isinstance(effect, CheckRecording) else act(effect)  # type: ignore[method-assign]
        lags = Lags(service.engine)
        running = asyncio.create_task(service.run())
        figures = await watch(service.engine, calls, lags)
        ended = json.loads(await asyncio.to_thread(feeder.stdout.readline))
        async with store.read() as connection:
            figures["tickets"] = (await connection.execute(select(func.count()).select_from(t.tickets))).scalar_one()
            whole = select(func.count()).where(t.recordings.c.state == "ok")
            figures["recordings_ok"] = (await connection.execute(whole)).scalar_one()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        await store.close()
    finally:
        feeder.kill()
        stop_broker()
    figures["ami_events_per_s"] = round(ended["events"] / ended["seconds"])
    figures["events_a_call"] = ended["events_a_call"]
    figures["ok"] = (
        figures["tickets"] == calls and figures["core"] <= AT_MOST_CORE and figures["lag_ms_p99"] <= AT_MOST_MS
        and figures["memory_mb_at_end"] <= AT_MOST_MB and figures["memory_grew_mb"] <= FLAT_MB
    )  # fmt: skip
    return figures


async def watch(engine: Engine, calls: int, lags: Lags) -> dict[str, Any]:
    """CPU, lag and memory while the calls flow. The first calls are left out: statements are being compiled."""
    warm = min(WARM_CALLS, calls // 2)
    at_warm = 0.0
    while engine.world.today.answered < min(300, calls // 4):
        await asyncio.sleep(0.05)
    began, cpu_began, answered_began = time.monotonic(), cpu(), engine.world.today.answered
    lags.clear()
    while engine.world.today.answered < calls - 50:
        await asyncio.sleep(0.5)
        if not at_warm and engine.world.today.answered >= warm:
            at_warm = memory_mb()
    seconds, cores = time.monotonic() - began, cpu() - cpu_began
    answered = engine.world.today.answered - answered_began
    at_end = memory_mb()
    return {
        "calls": calls,
        "calls_per_s": round(answered / seconds, 1),
        "core": round(cores / seconds, 3),
        "cpu_ms_a_call": round(1000 * cores / answered, 2),
        "commits_per_s": round(lags.batches / seconds),
        "lag_ms_p50": lags.ms(0.5),
        "lag_ms_p99": lags.ms(0.99),
        "lag_ms_max": lags.ms(1.0),
        "warm_calls": warm,
        "memory_mb_at_warm": round(at_warm, 1),
        "memory_mb_at_end": round(at_end, 1),
        "memory_grew_mb": round(at_end - at_warm, 1),
    }


def main() -> None:
    """Run it and print the figures."""
    options = argparse.ArgumentParser()
    options.add_argument("--rate", type=float, default=60)
    options.add_argument("--calls", type=int, default=15_000)
    options.add_argument("--agents", type=int, default=240)
    options.add_argument("--checks", action="store_true", help="look at each recording too: find, judge, hash")
    chosen = options.parse_args()
    work = Path(tempfile.mkdtemp(prefix="cti-bench-"))
    try:
        print(json.dumps(asyncio.run(measure(chosen.rate, chosen.calls, chosen.agents, work, chosen.checks))))
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()

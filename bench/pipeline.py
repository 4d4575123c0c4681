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
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from cti.app import load_profile, make_service
from cti.clock import SystemClock
from cti.engine.engine import Engine
from cti.engine.inputs import Heard, Input
from cti.lab.asterisk import free_port
from cti.lab.broker import start_broker
from cti.settings import Settings, make_settings
from cti.store import tables as t
from cti.store.db import Store

WARM_CALLS = 10_000  # memory must be flat after these


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
    """From an event's timestamp to the commit of its batch, in milliseconds."""

    def __init__(self, engine: Engine) -> None:
        self.ms: list[float] = []
        take = engine._take

        async def timed(batch: list[Input]) -> None:
            await take(batch)
            now = time.time()
            self.ms += [
                (now - at.timestamp()) * 1000
                for item in batch
                if isinstance(item, Heard) and (at := getattr(item.event, "at", None)) is not None
            ]

        engine._take = timed  # type: ignore[method-assign]


async def people(settings: Settings, agents: int) -> None:
    """Agents who are signed in already."""
    store = await Store.open(settings.database)
    numbers = [str(1000 + n) for n in range(agents)]
    rows = [{"number": n, "name": f"测试坐席{n}", "role": "agent", "pin_hash": "-", "active": True} for n in numbers]
    seats = [
        {"pbx_id": settings.pbx_id, "number": n, "seat": n, "interface": f"Local/{n}@lab-seats/n"} for n in numbers
    ]
    await store.write(lambda c: c.execute(t.people.insert(), rows))
    await store.write(lambda c: c.execute(t.agents.insert(), seats))
    await store.close()


async def measure(rate: float, calls: int, agents: int, work: Path) -> dict[str, Any]:
    """One run."""
    feeder = subprocess.Popen(
        [sys.executable, "-m", "bench.feeder", "--rate", str(rate), "--calls", str(calls), "--agents", str(agents)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    broker_port = free_port()
    stop_broker = start_broker(work, broker_port)
    assert feeder.stdout is not None
    try:
        port = int(feeder.stdout.readline())
        files = {name: str(work / name) for name in ("queue_log", "cdr", "cel")}
        settings = make_settings({
            "database": work / "cti.db", "ami": {"port": port, "secret": "x"}, "agi": {"port": free_port()},
            "asterisk": {**files, "recordings": str(work)}, "hotline": {"seat_interface": "Local/{seat}@lab-seats/n"},
            "mqtt": {"host": "127.0.0.1", "port": broker_port}, "web": {"port": free_port()},
        })  # fmt: skip
        await people(settings, agents)
        store = await Store.open(settings.database)
        service = make_service(settings, load_profile("hz-12319"), store, SystemClock(), random.Random(1))
        lags = Lags(service.engine)
        running = asyncio.create_task(service.run())
        figures = await watch(service.engine, calls, lags)
        ended = json.loads(await asyncio.to_thread(feeder.stdout.readline))
        async with store.read() as connection:
            figures["tickets"] = len((await connection.execute(t.tickets.select())).all())
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        await store.close()
    finally:
        feeder.kill()
        stop_broker()
    figures["ami_events_per_s"] = round(ended["events"] / ended["seconds"])
    figures["events_a_call"] = ended["events_a_call"]
    return figures


async def watch(engine: Engine, calls: int, lags: Lags) -> dict[str, Any]:
    """CPU, lag and memory while the calls flow."""
    samples: list[tuple[int, float]] = []
    while engine.world.today.answered < 50:
        await asyncio.sleep(0.05)
    began, cpu_began, answered_began = time.monotonic(), cpu(), engine.world.today.answered
    lags.ms.clear()
    while engine.world.today.answered < calls - 50:
        await asyncio.sleep(1)
        samples.append((engine.world.today.answered, memory_mb()))
    seconds, cores = time.monotonic() - began, cpu() - cpu_began
    answered = engine.world.today.answered - answered_began
    ordered = sorted(lags.ms)
    flat = [mb for count, mb in samples if count >= min(WARM_CALLS, calls // 2)]
    return {
        "calls": calls,
        "calls_per_s": round(answered / seconds, 1),
        "core": round(cores / seconds, 3),
        "cpu_ms_a_call": round(1000 * cores / answered, 2),
        "lag_ms_p50": round(statistics.median(ordered), 2),
        "lag_ms_p99": round(ordered[int(len(ordered) * 0.99)], 2),
        "lag_ms_max": round(ordered[-1], 2),
        "memory_mb_at_half": round(flat[0], 1),
        "memory_mb_at_end": round(flat[-1], 1),
    }


def main() -> None:
    """Run it and print the figures."""
    options = argparse.ArgumentParser()
    options.add_argument("--rate", type=float, default=60)
    options.add_argument("--calls", type=int, default=15_000)
    options.add_argument("--agents", type=int, default=240)
    chosen = options.parse_args()
    work = Path(tempfile.mkdtemp(prefix="cti-bench-"))
    try:
        print(json.dumps(asyncio.run(measure(chosen.rate, chosen.calls, chosen.agents, work))))
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()

"""Every promise of speed against its figure: ``python -m bench [--quick]``. The last line is JSON.

The parts run one after the other, each in a process of its own, on one machine that should do nothing else:
``bench.link`` (AMI events), ``bench.pipeline`` (the whole service), ``bench.page`` (an agent's page in Chromium),
``bench.year`` (a year of shifts on the virtual clock) and ``bench.schedules`` (generated callbacks, judged).
Exit status 1 when a promise is not kept.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from bench import link, page, pipeline, schedules, year

PARTS: dict[str, list[str]] = {
    "link": [],
    "pipeline": ["--calls", "15000"],
    "page": ["--seconds", "90"],
    "year": ["--days", "365"],
    "schedules": ["--count", str(schedules.COUNT)],
}
QUICK: dict[str, list[str]] = {
    "link": ["--rounds", "1"],
    "pipeline": ["--calls", "2400"],
    "page": ["--seconds", "20"],
    "year": ["--days", "30"],
    "schedules": ["--count", "4000"],
}


class Promise(NamedTuple):
    """One line of the table."""

    what: str
    limit: str
    figure: str
    kept: bool


def run(part: str, options: list[str]) -> dict[str, Any]:
    """One part's figures: the JSON of its last line.

    Raises:
        SystemExit: it failed; what it said is above.
    """
    print(f"bench.{part} {' '.join(options)}", flush=True)
    done = subprocess.run([sys.executable, "-m", f"bench.{part}", *options], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"bench.{part} ended with status {done.returncode}")
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def promises(figures: dict[str, dict[str, Any]]) -> list[Promise]:
    """The promises with what was measured."""
    ami, whole, pops, shifts = figures["link"], figures["pipeline"], figures["page"], figures["year"]
    most = pipeline.AT_MOST_CORE, pipeline.AT_MOST_MS, pipeline.AT_MOST_MB
    segments = ", ".join(ami["complete"])
    rate = f"{whole['calls_per_s']:g} calls/s, {whole['ami_events_per_s']} events/s"
    grew = f"after {whole['warm_calls']} calls"
    return [
        Promise(
            "link: times as fast as stock panoramisk", f">= {link.AT_LEAST:g}", f"{ami['ratio']}",
            ami["ratio"] >= link.AT_LEAST,
        ),
        Promise(f"link: no event lost, segments {segments}", "none", "none" if all(ami["complete"].values())
                else str(ami["complete"]), all(ami["complete"].values())),
        Promise(f"service at {rate}: core", f"<= {most[0]:g}", f"{whole['core']}", whole["core"] <= most[0]),
        Promise("service: event to durable row, p99 ms (median)", f"<= {most[1]:g}",
                f"{whole['lag_ms_p99']} ({whole['lag_ms_p50']})", whole["lag_ms_p99"] <= most[1]),
        Promise(f"service: memory MB, growth {grew}", f"<= {most[2]:g}, flat",
                f"{whole['memory_mb_at_end']}, {whole['memory_grew_mb']:+}",
                whole["memory_mb_at_end"] <= most[2] and whole["memory_grew_mb"] <= pipeline.FLAT_MB),
        Promise("service: tickets of answered calls", f"{whole['calls']}", f"{whole['tickets']}",
                whole["tickets"] == whole["calls"]),
        Promise(f"page at {pops['calls_per_s']:g} calls/s: pop, p99 ms (median)", f"<= {page.AT_MOST_MS:g}",
                f"{pops['pop_ms_p99']} ({pops['pop_ms_p50']})", pops["pop_ms_p99"] <= page.AT_MOST_MS),
        Promise("page: tickets shown, of those owed", f"{pops['owed_pops']}", f"{pops['pops']}",
                pops["pops"] == pops["owed_pops"]),
        Promise(f"{shifts['days']} days of shifts, {shifts['gaps']} handovers of a seat: s", f"<= {year.AT_MOST_S:g}",
                f"{shifts['seconds']}", shifts["seconds"] <= year.AT_MOST_S),
        *[
            Promise(f"{figures['schedules']['schedules']} schedules of callbacks: {name}", "0", f"{count}", count == 0)
            for name, count in figures["schedules"]["faults"].items()
        ],
    ]  # fmt: skip


def main() -> int:
    """Run all and print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="a short run, to see that everything works")
    chosen = QUICK if options.parse_args().quick else PARTS
    figures = {part: run(part, arguments) for part, arguments in chosen.items()}
    lines = promises(figures)
    table = Table("promise", "limit", "figure", "")
    for line in lines:
        table.add_row(line.what, line.limit, line.figure, "ok" if line.kept else "MISSED")
    Console(width=120).print(table)
    pops = figures["page"]
    print(f"beside the pages Asterisk used {pops['asterisk_core']} of a core, the service {pops['service_core']};"
          f" the page said that it shows the ticket after {pops['acknowledged_ms_p50']} ms (median),"
          f" {pops['acknowledged_ms_p99']} ms (p99)")  # fmt: skip
    kept = all(line.kept for line in lines)
    print(json.dumps({"ok": kept, **figures}))
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())

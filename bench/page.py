"""From Asterisk's AgentConnect to the agent's open page: 20 calls a second on a real Asterisk beside it.

``python -m bench.page [--rate N] [--seconds N] [--pages N]``. One agent (or --pages) has the page open in Chromium; a
MutationObserver in it notes when the ticket stands in the document. Asterisk, service and Chromium are on this machine
and read the same clock. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from bench.pipeline import seat_agents
from cti.lab.asterisk import LabAsterisk, find_program
from cti.lab.citizens import Citizens
from cti.lab.service import LabPerson, LabService
from cti.lab.tools import find

AT_MOST_MS = 100.0
PIN = "482915"
TALK_S = 2.0
WARM_S = 5.0
FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
OBSERVER = """
window.pops = [];
new MutationObserver(() => {
  const at = performance.timeOrigin + performance.now();
  const ticket = document.querySelector('[data-test=pop] .fact.id dd')?.textContent;
  if (ticket && window.pops.at(-1)?.ticket !== ticket) window.pops.push({ ticket, at });
}).observe(document, { childList: true, subtree: true, characterData: true });
"""


def cpu(pid: int) -> float:
    """Seconds of CPU that process *pid* has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def hotline(work: Path, agents: int, pages: int) -> Iterator[tuple[LabAsterisk, LabService]]:
    """Asterisk and the service; the first agents may log in, all are at their seats and have no wrap-up."""
    lab = LabAsterisk(work / "lab", find_program())
    lab.configure()
    queues = lab.work / "etc/cti_queues.conf"
    queues.write_text(queues.read_text().replace("wrapuptime = 5", "wrapuptime = 0"))
    lab.start()
    service = LabService.beside(lab, work / "service", hotline={"wrap_up_s": 0})
    try:
        numbers = [str(3000 + n) for n in range(agents)]
        service.prepare([LabPerson(n, f"测试坐席{n}", "agent", PIN) for n in numbers[:pages]])
        seat_agents(service.database, "pbx1", numbers, known=pages)
        service.start()
        limit = time.monotonic() + 30
        while lab.cli("queue show hotline").count("@lab-seats") < agents:
            assert time.monotonic() < limit, "the agents are no members within 30 s"
            time.sleep(0.2)
        yield lab, service
    finally:
        service.stop()
        lab.stop()


def open_page(browser: Browser, url: str, number: str) -> Page:
    """The agent page of *number* in a browser of its own, observed."""
    page = browser.new_context().new_page()
    page.add_init_script(OBSERVER)
    page.goto(f"{url}/login")
    for field, value in (("number", number), ("pin", PIN)):
        page.locator(f"[data-test={field}]").fill(value)
    page.locator("[data-test=login]").click()
    page.wait_for_url("**/agent")
    return page


def place(port: int, secret: str, rate: float, seconds: float) -> None:
    """Calls at *rate* for *seconds*, over the lab's own AMI account."""
    placed, start = 0, time.monotonic()
    with Citizens("127.0.0.1", port, "lab", secret) as citizens:
        while placed < rate * seconds:
            ahead = placed / rate - (time.monotonic() - start)
            if ahead > 0:
                time.sleep(ahead)
            citizens.call("12319", TALK_S, f"1380000{placed % 10000:04}")
            placed += 1


def measure(rate: float, seconds: float, agents: int, pages: int, work: Path) -> dict[str, Any]:
    """One run."""
    with hotline(work, agents, pages) as (lab, service), sync_playwright() as playwright:
        assert service.process is not None
        browser = playwright.chromium.launch(executable_path=find("chromium")[0], args=FLAGS)
        shown = [open_page(browser, service.url, str(3000 + n)) for n in range(pages)]
        place(lab.ami_port, lab.lab_secret, rate, WARM_S)
        begun, since = time.time(), time.monotonic()
        asterisk_cpu, service_cpu = cpu(lab.pid), cpu(service.process.pid)
        command = [sys.executable, "-m", "bench.page", "--place", json.dumps([lab.ami_port, lab.lab_secret])]
        placer = subprocess.Popen([*command, "--rate", str(rate), "--seconds", str(seconds)], stdout=subprocess.PIPE)
        while placer.poll() is None:
            shown[0].wait_for_timeout(200)
        passed = time.monotonic() - since
        asterisk_cpu, service_cpu = cpu(lab.pid) - asterisk_cpu, cpu(service.process.pid) - service_cpu
        shown[0].wait_for_timeout(1000)
        pops = {pop["ticket"]: pop["at"] for page in shown for pop in page.evaluate("window.pops")}
        browser.close()
        figures = judged(service.database, pops, begun, pages)
    return figures | {
        "calls_per_s": round(rate, 1), "seconds": round(passed, 1),
        "asterisk_core": round(asterisk_cpu / passed, 3), "service_core": round(service_cpu / passed, 3),
    }  # fmt: skip


def judged(database: Path, pops: dict[str, float], begun: float, pages: int) -> dict[str, Any]:
    """The moments in the pages against Asterisk's own."""
    measured = ", ".join(f"'{3000 + n}'" for n in range(pages))
    query = f"select ticket_id, answered_at, popped_at from tickets where agent in ({measured}) and answered_at > ?"  # noqa: S608
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as rows:
        tickets = rows.execute(query, (int(begun * 1e6),)).fetchall()
        answered = rows.execute("select count(*) from tickets where answered_at > ?", (int(begun * 1e6),)).fetchone()[0]
    lags = sorted(pops[ticket] - at / 1000 for ticket, at, _ in tickets if ticket in pops)
    told = sorted((popped - at) / 1000 for _, at, popped in tickets if popped is not None)
    return {
        "answered": answered, "owed_pops": len(tickets), "pops": len(lags),
        "pop_ms_p50": round(statistics.median(lags), 1), "pop_ms_p99": round(rank(lags, 0.99), 1),
        "pop_ms_max": round(lags[-1], 1), "acknowledged": len(told),
        "acknowledged_ms_p50": round(statistics.median(told), 1), "acknowledged_ms_p99": round(rank(told, 0.99), 1),
        "ok": len(lags) == len(tickets) and rank(lags, 0.99) <= AT_MOST_MS,
    }  # fmt: skip


def rank(ordered: list[float], share: float) -> float:
    """The value that *share* of *ordered* do not exceed."""
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def main() -> None:
    """Run it and print the figures."""
    options = argparse.ArgumentParser()
    options.add_argument("--rate", type=float, default=20)
    options.add_argument("--seconds", type=float, default=90)
    options.add_argument("--agents", type=int, default=40)
    options.add_argument("--pages", type=int, default=1)
    options.add_argument("--place", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.place:
        port, secret = json.loads(chosen.place)
        place(port, secret, chosen.rate, chosen.seconds)
        return
    work = Path(tempfile.mkdtemp(prefix="cti-bench-"))
    try:
        print(json.dumps(measure(chosen.rate, chosen.seconds, chosen.agents, chosen.pages, work)))
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()

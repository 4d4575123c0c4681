"""kill -9 of the service at random moments while calls run: nothing is lost, nothing is done twice.

The oracle is Asterisk's own: queue_log for answered calls, CEL for dialled legs, the files on disk.
"""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cti.lab import oracle
from cti.lab.asterisk import LabAsterisk
from cti.lab.citizens import Citizens
from cti.lab.service import LabPerson, LabService

KILLS = 200
SEED = 20261121
SEATS = {"1001": "3001", "1002": "3002", "1003": "3003", "1004": "3004"}
PIN = "482915"
LEAD = LabPerson("2001", "测试值班长", "lead", PIN)


def noon_profile(folder: Path) -> Path:
    """The shipped rules in a zone where it is about noon now, so that callbacks may be dialled during the test."""
    offset = (12 - datetime.now(UTC).hour) % 24
    zone = f"Etc/GMT{-offset:+d}" if offset <= 14 else f"Etc/GMT{24 - offset:+d}"
    text = Path("regulations/hz-12319.toml").read_text().replace("Asia/Shanghai", zone if offset else "Etc/GMT")
    path = folder / "noon.toml"
    path.write_text(text)
    return path


def rows(service: LabService, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(f"file:{service.database}?mode=ro", uri=True) as database:
        return database.execute(query).fetchall()


class Callers(threading.Thread):
    """Citizens ring about three times a second until told to stop; talks last 0.4 to 3 s, some give up."""

    def __init__(self, lab: LabAsterisk) -> None:
        super().__init__(daemon=True)
        self.lab, self.stop = lab, threading.Event()
        self.rng = random.Random(SEED)

    def run(self) -> None:
        with Citizens.of(self.lab) as citizens:
            while not self.stop.wait(self.rng.uniform(0.1, 0.5)):
                number = f"1380000{self.rng.randrange(100):04d}"
                citizens.call("12319", self.rng.uniform(0.4, 3), number)


@pytest.mark.asterisk
@pytest.mark.timeout(1500)
def test_two_hundred_kills_lose_nothing_and_double_nothing(lab: LabAsterisk, tmp_path: Path) -> None:
    """Every CONNECT in queue_log has one ticket and one recording; no attempt is dialled twice (seeded)."""
    rng = random.Random(SEED)
    service = LabService.beside(
        lab, tmp_path / "service", hotline={"profile": str(noon_profile(tmp_path))},
        callback={"agent_ring_s": 5, "ring_s": 5, "retry_agent_s": 2},
    )  # fmt: skip
    service.prepare([LabPerson(n, f"测试话务员{n}", "agent", PIN) for n in SEATS] + [LEAD])
    service.start()
    for number, seat in SEATS.items():
        assert service.log_in(number, PIN).ask("POST", "me/sign-in", {"seat": seat}).status == 200
    callers = Callers(lab)
    callers.start()
    asked = 0
    try:
        for kill in range(KILLS):
            if kill % 10 == 0:
                # Now and then live for long enough to take a callback's request.
                service.wait_live()
                lead = service.log_in(LEAD.number, PIN)
                asked += 1
                body = {"number": f"138000010{asked:02d}", "agent": rng.choice(sorted(SEATS))}
                assert lead.ask("POST", "callbacks", body, Idempotency_Key=f"k{asked}").status in (200, 201)
            time.sleep(rng.uniform(0.0, 3.0))
            service.kill()
            service.spawn()
    finally:
        callers.stop.set()
        callers.join()
    service.wait_live()
    with Citizens.of(lab) as citizens:
        citizens.wait_for(lambda: lab.channels() == 0, "the last call to end", 60)
    wait_until_settled(service)
    service.stop()

    log = oracle.read_queue_log(lab.queue_log)
    answered = {row.call_id for row in log if row.verb == "CONNECT"}
    assert len(answered) > KILLS
    tickets = Counter(str(r[0]) for r in rows(service, "select call_id from tickets"))
    assert set(tickets) == answered
    assert max(tickets.values()) == 1
    recordings = Counter(str(r[0]) for r in rows(service, "select call_id from recordings where ticket_id is not null"))
    assert answered <= set(recordings)
    assert max(recordings.values()) == 1
    states = Counter(str(r[0]) for r in rows(service, "select state from recordings"))
    assert set(states) <= {"ok", "repaired"}, states
    entered = {row.call_id for row in log if row.verb == "ENTERQUEUE"}
    calls = {str(r[0]) for r in rows(service, "select call_id from calls")}
    assert calls == entered
    assert rows(service, "select count(*) from calls where ended_at is null") == [(0,)]

    attempts = rows(service, "select channel_id, callback_id, outcome from attempts")
    cel = [row for row in oracle.read_cel(lab.cel) if row.linkedid.startswith("cticb-")]
    dialled = Counter(row.linkedid for row in cel if row.event == "CHAN_START" and row.uniqueid == row.linkedid)
    assert set(dialled) <= {str(a[0]) for a in attempts}
    assert set(dialled.values()) <= {1}
    # Two hours must lie between two attempts that rang the caller, so in this test each callback rings once at most.
    rang = Counter(str(a[1]) for a in attempts if str(a[2]) not in ("agent_away", "failed"))
    assert set(rang.values()) <= {1}
    citizens_rung = Counter(
        row.exten
        for row in cel
        if row.event == "CHAN_START" and row.context == "lab-citizens" and row.channel.endswith(";2")
    )
    assert set(citizens_rung.values()) <= {1}
    assert rows(service, "pragma integrity_check") == [("ok",)]
    print(f"{KILLS} kills: {len(answered)} answered of {len(entered)}, {len(attempts)} attempts, {dict(states)}")
    print(f"{sum(citizens_rung.values())} citizens rung back, none twice")


def wait_until_settled(service: LabService, seconds: float = 60) -> None:
    """Until every recording has been looked at, every reason is known and no attempt is under way."""
    limit = time.monotonic() + seconds
    unsettled = (
        "select 'recording', call_id, state, reason from recordings where state not in ('ok', 'repaired')",
        "select 'call', call_id, ending, agent from calls where ended_at is null or ending = 'left'",
        "select 'attempt', channel_id, outcome, agent from attempts where outcome = 'placing'",
    )
    while left := [row for query in unsettled for row in rows(service, query)]:
        assert time.monotonic() < limit, left
        time.sleep(0.2)

"""kill -9 of the service at random moments while calls run: nothing is lost, nothing is done twice.

The oracle is Asterisk's own: queue_log for answered calls, CEL for dialled legs, the files on disk.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from cti.lab import oracle
from cti.lab.asterisk import LabAsterisk
from cti.lab.citizens import Citizens
from tests.asterisk.conftest import LEAD, PIN, Hotline

KILLS = int(os.environ.get("CTI_KILLS", "100"))  # about 2 s each; CTI_KILLS=200 for longer
SEED = 20261121
SEATS = {"a1001": "3001", "a1002": "3002", "a1003": "3003", "a1004": "3004"}
UNSETTLED = (
    "select 'recording', call_id, state, reason from recordings where state not in ('ok', 'repaired')",
    "select 'call', call_id, ending, agent from calls where ended_at is null or ending = 'left'",
    "select 'attempt', channel_id, outcome, agent from attempts where outcome = 'placing'",
)


class Callers(threading.Thread):
    """Citizens ring about three times a second until told to stop; they stay 0.4 to 3 s, so many give up."""

    def __init__(self, lab: LabAsterisk) -> None:
        super().__init__(daemon=True)
        self.lab, self.stop = lab, threading.Event()
        self.rng = random.Random(SEED)

    def run(self) -> None:
        with Citizens.of(self.lab) as citizens:
            while not self.stop.wait(self.rng.uniform(0.1, 0.5)):
                citizens.call("12319", self.rng.uniform(0.4, 3), f"1380000{self.rng.randrange(100):04d}")


@pytest.fixture
def hotline(lab: LabAsterisk, tmp_path: Path) -> Iterator[Hotline]:
    """A hotline at noon whose callbacks are dialled at once."""
    working = Hotline(lab, tmp_path / "service", callback={"agent_ring_s": 5, "ring_s": 5, "retry_agent_s": 0.2})
    try:
        yield working
    finally:
        working.service.stop()


@pytest.mark.asterisk
@pytest.mark.timeout(1500)
def test_kills_lose_nothing_and_double_nothing(lab: LabAsterisk, hotline: Hotline) -> None:
    """Every CONNECT in queue_log has one ticket and one recording; no attempt is dialled twice (seeded)."""
    hotline.sign_in(**SEATS)
    assert hotline.page(LEAD).ask("PUT", "callbacks/dialling", {"waiting": 50}).status == 204  # somebody always waits
    callers = Callers(lab)
    callers.start()
    try:
        kill_and_start(hotline, random.Random(SEED))
    finally:
        callers.stop.set()
        callers.join()
    hotline.service.wait_live()
    with Citizens.of(lab) as citizens:
        citizens.wait_for(lambda: lab.channels() == 0, "the last call to end", 60)
    hotline.until_none(UNSETTLED, 60)
    hotline.service.stop()
    calls_are_whole(lab, hotline)
    nobody_is_rung_twice(lab, hotline)
    assert hotline.rows("pragma integrity_check") == [("ok",)]


def kill_and_start(hotline: Hotline, rng: random.Random) -> None:
    """The kills. Every tenth time the service lives until it has taken a request for a callback, and
    a second more, in which one of the busy agents may become free."""
    for kill in range(KILLS):
        asked = kill % 10 == 0
        if asked:
            hotline.service.wait_live()
            lead = hotline.service.log_in(LEAD, PIN)
            body = {"number": f"13800001{kill:03d}", "agent": rng.choice(sorted(SEATS))[1:]}
            assert lead.ask("POST", "callbacks", body, Idempotency_Key=f"k{kill}").status == 201
        time.sleep(rng.uniform(0.0, 3.0) + asked)
        hotline.service.kill()
        hotline.service.spawn()


def calls_are_whole(lab: LabAsterisk, hotline: Hotline) -> None:
    """queue_log against calls, tickets and recordings."""
    log = oracle.read_queue_log(lab.queue_log)
    entered = {row.call_id for row in log if row.verb == "ENTERQUEUE"}
    answered = {row.call_id for row in log if row.verb == "CONNECT"}
    assert len(answered) > KILLS // 2
    assert {row[0] for row in hotline.rows("select call_id from calls")} == entered
    for query in ("select call_id from tickets", "select call_id from recordings where ticket_id is not null"):
        assert Counter(row[0] for row in hotline.rows(query)) == Counter(answered)
    print(f"{KILLS} kills: {len(entered)} calls, {len(answered)} answered, each with one ticket and one recording")


def nobody_is_rung_twice(lab: LabAsterisk, hotline: Hotline) -> None:
    """CEL against attempts: each ChannelId was dialled once at most. Two hours must lie between two attempts that rang
    the caller, so within this test no citizen's phone rings twice."""
    cel = [row for row in oracle.read_cel(lab.cel) if row.event == "CHAN_START" and row.linkedid.startswith("cticb-")]
    dialled = Counter(row.linkedid for row in cel if row.uniqueid == row.linkedid)
    attempts = {row[0]: row[1] for row in hotline.rows("select channel_id, outcome from attempts")}
    assert set(dialled) <= set(attempts)
    assert set(dialled.values()) <= {1}
    rung = Counter(row.exten for row in cel if row.context == "lab-citizens" and row.channel.endswith(";2"))
    assert len(rung) > KILLS // 40
    assert set(rung.values()) == {1}
    print(f"{len(attempts)} attempts, {len(rung)} citizens rung back, none twice; {dict(Counter(attempts.values()))}")

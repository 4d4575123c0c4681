"""kill -9 of the service at each step of dialling a callback: never dialled twice, never lost, by CEL and CDR.

Nothing in the service knows of these steps: the database is locked from outside, the wire to Asterisk is cut, or
Asterisk itself shows that the step has come.
"""

from __future__ import annotations

import csv
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cti.lab import oracle
from cti.lab.asterisk import LabAsterisk
from cti.lab.citizens import Citizens
from tests.asterisk.conftest import LEAD, PIN, Hotline
from tests.asterisk.tap import Tap

pytestmark = pytest.mark.asterisk
ANSWERS, RINGS_OUT = "13800000151", "13800000159"


class Step:
    """One hotline, one callback, one kill."""

    def __init__(self, lab: LabAsterisk, folder: Path, seat: str) -> None:
        self.lab, self.tap, self.began = lab, Tap(lab.ami_port), time.time()
        lab.cli("dialplan set global CTI_RING_SECONDS 3")
        self.hotline = Hotline(
            lab, folder / "service", ami={"port": self.tap.port},
            callback={"agent_ring_s": 5, "ring_s": 3, "retry_agent_s": 1},
        )  # fmt: skip
        self.hotline.sign_in(a1001=seat)

    def ask(self, number: str, wait_s: float = 0.0) -> None:
        """The lead asks for a callback in *wait_s* seconds; agent 1001 makes it."""
        at = datetime.now(UTC) + timedelta(seconds=wait_s)
        body = {"number": number, "agent": "1001", "not_before": at.isoformat()}
        answer = self.hotline.service.log_in(LEAD, PIN).ask("POST", "callbacks", body, Idempotency_Key="k-1")
        assert answer.status == 201, answer

    def killed(self) -> None:
        """kill -9, and a new start."""
        self.hotline.service.kill()
        self.tap.cut = ""
        self.tap.seen.clear()
        self.hotline.service.start()

    def outcomes(self) -> list[tuple[str, str]]:
        """(outcome of each attempt that is over, state of its callback)."""
        return self.hotline.rows(
            "select a.outcome, c.state from attempts a join callbacks c using (callback_id)"
            " where a.outcome <> 'placing'"
        )  # fmt: skip

    def comes_to(self, outcome: str, state: str) -> None:
        """The attempt ends so, and Asterisk's own records agree with the rows."""
        self.hotline.until(lambda: self.outcomes() == [(outcome, state)], 25)
        with Citizens.of(self.lab) as citizens:
            citizens.wait_for(lambda: self.lab.channels() == 0, "the last leg to end", 20)
        carried_out = outcome != "failed"
        attempts = Counter(row[0] for row in self.hotline.rows("select channel_id from attempts"))
        assert self.legs() == (attempts if carried_out else Counter())
        assert set(attempts.values()) == {1}
        assert self.in_cdr() == (set(attempts) if carried_out else set())
        assert sum(self.rung().values()) == int(carried_out)
        if outcome == "reached":
            whole = [(next(iter(attempts)), "ok")]
            self.hotline.until(lambda: self.hotline.rows("select call_id, state from recordings") == whole, 15)
        if state == "due":
            assert self.hotline.rows("select count(*) from callbacks where due_at is not null") == [(1,)]

    def _cel(self) -> list[oracle.CelRow]:
        return [row for row in oracle.read_cel(self.lab.cel) if row.event == "CHAN_START" and self._ours(row.linkedid)]

    def _ours(self, channel_id: str) -> bool:
        return channel_id.startswith("cticb-") and int(channel_id[6:16]) >= int(self.began)

    def legs(self) -> Counter[str]:
        """Agents' legs with a ChannelId of ours, by CEL."""
        return Counter(row.linkedid for row in self._cel() if row.uniqueid == row.linkedid)

    def rung(self) -> Counter[str]:
        """Citizens' phones that were rung, by CEL."""
        cel = [r for r in self._cel() if r.context == "lab-citizens" and r.channel.endswith(";2")]
        return Counter(row.exten for row in cel)

    def in_cdr(self) -> set[str]:
        """ChannelIds of ours that CDR knows."""
        with self.lab.cdr.open(newline="") as file:
            return {row[0] for row in csv.reader(file) if self._ours(row[0]) and ";" not in row[0]}

    def close(self) -> None:
        """No process is left."""
        self.hotline.service.stop()
        self.tap.close()


@pytest.fixture
def step(lab: LabAsterisk, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Step]:
    """A hotline at noon; agent 1001 picks up at once, or where the test says so after 1 to 3 s."""
    made = Step(lab, tmp_path, getattr(request, "param", "3001"))
    try:
        yield made
    finally:
        made.close()


def test_killed_before_the_commit(step: Step) -> None:
    """The decision was not written: nothing had been sent. It is made once, after the start."""
    step.ask(ANSWERS, 2.5)
    time.sleep(1.5)
    with closing(sqlite3.connect(step.hotline.service.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        time.sleep(2.5)  # the time has come, and the service waits for the database
        assert step.hotline.rows("select count(*) from attempts") == [(0,)]
        assert not step.legs()
        step.hotline.service.kill()
        other.execute("ROLLBACK")
    step.hotline.service.start()
    step.comes_to("reached", "reached")


def test_killed_after_the_commit_before_the_sending(step: Step) -> None:
    """Asterisk never read it: by its records nobody was rung. It counts as nothing and is owed still."""
    with Citizens.of(step.lab) as citizens:  # records that know of some calls: from none, nothing would follow
        citizens.call(seconds=0.3)
        citizens.wait_for(lambda: step.lab.cel.exists() and step.lab.channels() == 0, "a first call to end")
    step.tap.cut = "before"
    step.ask(ANSWERS)
    assert step.tap.seen.wait(20)
    assert step.hotline.rows("select outcome from attempts") == [("placing",)]
    step.killed()
    step.comes_to("failed", "due")


def test_killed_after_the_sending(step: Step) -> None:
    """Asterisk read it, we never heard so: it goes on by itself and is not sent again."""
    step.tap.cut = "after"
    step.ask(ANSWERS)
    assert step.tap.seen.wait(10)
    step.killed()
    step.comes_to("reached", "reached")


@pytest.mark.parametrize("step", ["1001"], indirect=True)
def test_killed_while_the_agents_phone_rings(step: Step) -> None:
    """The agent picks up while nobody listens."""
    step.ask(ANSWERS)
    step.hotline.until(lambda: step.legs())
    assert not step.rung()
    step.killed()
    step.comes_to("reached", "reached")


def test_killed_while_the_callers_phone_rings(step: Step) -> None:
    """He does not answer while nobody listens; his ringing counts."""
    step.ask(RINGS_OUT)
    step.hotline.until(lambda: step.rung())
    step.killed()
    step.comes_to("no_answer", "due")


def test_killed_while_they_talk(step: Step) -> None:
    """The conversation goes on, recorded to its end."""
    step.ask(ANSWERS)
    step.hotline.until(lambda: step.hotline.rows("select 1 from attempts where answered_at is not null"))
    step.killed()
    step.comes_to("reached", "reached")

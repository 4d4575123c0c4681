"""What CDR and CEL tell of an attempt whose end nobody saw, and how queue_log is handed on with its cursor."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cti.clock import VirtualClock
from cti.engine.inputs import Traced
from cti.oracle.files import CURSOR, AsteriskFiles
from cti.settings import AsteriskSettings
from cti.store import tables as t
from cti.store.db import Store
from queues.facts import Entered
from tests.stores import open_store

SECOND = 1795285585
AGENT, CALLER = "cticb-1795285585.7", "1795285585.20"


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(SECOND, UTC) + timedelta(seconds=seconds)


def cel(event: str, seconds: float, channel: str = AGENT) -> str:
    """A row as asterisk-conf/cti_cel_custom.conf writes it."""
    values = (event, f"{SECOND + seconds:.6f}", channel, AGENT, "Local/3001@lab-seats-1;1", "cti-callback", "s")
    return ",".join(f'"{value}"' for value in values) + "\n"


def cdr(channel: str, disposition: str) -> str:
    """A row as asterisk-conf/cti_cdr_custom.conf writes it."""
    times = (f"{SECOND + 3}.500000", "0.000000", f"{SECOND + 9}.000000")
    values = (channel, AGENT, *times, disposition, "cti-callback", "L", "")
    return ",".join(f'"{value}"' for value in values) + "\n"


STARTED = cel("CHAN_START", 0)
PICKED_UP = STARTED + cel("ANSWER", 3)
RUNG = PICKED_UP + cel("CHAN_START", 3.5, CALLER)
OVER = cel("CHAN_END", 9)


class Files:
    """Asterisk's files in a folder, and their reader."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.settings = AsteriskSettings(
            queue_log=folder / "queue_log", cdr=folder / "cdr", cel=folder / "cel", recordings=folder
        )
        self.store = store
        self.clock = VirtualClock(at(60))
        self.reader = self.fresh()

    def fresh(self) -> AsteriskFiles:
        return AsteriskFiles(self.settings, self.store, self.clock)


@pytest.fixture
async def files(tmp_path: Path) -> AsyncIterator[Files]:
    store = await open_store(tmp_path / "cti.db")
    yield Files(tmp_path, store)
    await store.close()


@pytest.mark.parametrize(
    ("cels", "cdrs", "gone", "outcome", "ended"),
    [
        (STARTED, "", False, None, None),  # under way
        (RUNG, "", False, None, None),
        (cel("CHAN_START", 0, "1795285585.1"), "", False, None, None),  # not a word of it: it may come yet
        (cel("CHAN_START", 0, "1795285585.1"), "", True, "failed", None),  # it never came about
        (STARTED + OVER, "", True, "agent_away", 9),
        (PICKED_UP + OVER, "", True, "agent_away", 9),  # hung up before the caller was rung
        (RUNG + OVER, "", True, "no_answer", 9),
        (RUNG + OVER, "", False, "no_answer", 9),
        (RUNG + OVER, cdr(CALLER, "BUSY"), True, "busy", 9),
        (RUNG + cel("BRIDGE_ENTER", 6) + OVER, "", True, "reached", 9),
        (RUNG, "", True, "no_answer", None),  # Asterisk died: no end was written
    ],
)
async def test_the_fate_of_an_attempt(
    files: Files, cels: str, cdrs: str, gone: bool, outcome: str | None, ended: int | None
) -> None:
    """Rung or not decides whether it counts; while it may be under way nothing is said."""
    files.settings.cel.write_text(cels)
    files.settings.cdr.write_text(cdrs)
    found = await files.reader.trace(AGENT, gone)
    answered = at(6) if outcome == "reached" else None
    wanted = outcome and Traced(AGENT, outcome, answered, None if ended is None else at(ended))
    assert found == wanted


async def test_without_cel_a_lost_attempt_is_unknown(files: Files) -> None:
    """It then counts as made: a citizen is rather called once less than once too often."""
    assert await files.reader.trace(AGENT, gone=False) is None
    assert await files.reader.trace(AGENT, gone=True) == Traced(AGENT, "unknown", None, None)


async def test_the_first_start_owes_nothing_to_older_calls(files: Files) -> None:
    """Reading begins at the end of queue_log; from then on what was not committed comes again."""
    old = f"{SECOND}|{SECOND}.1|hotline|NONE|ENTERQUEUE||13800000001|1\n"
    files.settings.queue_log.write_text(old)
    await files.reader.open()
    assert await files.reader.read(complete=False) is None
    with files.settings.queue_log.open("a") as log:
        log.write(old.replace(f"{SECOND}.1|", f"{SECOND}.2|"))
    for reader in (files.reader, files.fresh()):  # the second is a start after a crash before the commit
        if reader is not files.reader:
            await reader.open()
        read = await reader.read(complete=False)
        assert read is not None
        assert read.facts == (Entered(f"{SECOND}.2", at(0), "hotline", "13800000001", exact=False),)
    assert await reader.read(complete=False) is None
    position = read.cursors[CURSOR]
    await files.store.write(
        lambda c: c.execute(t.cursors.update().where(t.cursors.c.name == CURSOR).values(position=position))
    )
    third = files.fresh()
    await third.open()
    assert await third.read(complete=False) is None


async def test_a_call_that_was_not_seen_gets_its_linkedid_from_cel(files: Files) -> None:
    """queue_log does not tell it, and without it transfers fall apart."""
    files.settings.queue_log.touch()
    await files.reader.open()
    files.settings.queue_log.write_text(f"{SECOND}|{CALLER}|hotline|NONE|ENTERQUEUE||13800000001|1\n")
    files.settings.cel.write_text(cel("CHAN_START", 0, CALLER))
    read = await files.reader.read(complete=True)
    assert read is not None
    assert [fact.linkedid for fact in read.facts if isinstance(fact, Entered)] == [AGENT]

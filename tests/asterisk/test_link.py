"""The link over the real Asterisk: its logins, its boot, its death.

How soon each is seen is held by tests/wire/test_link_faults.py on a clock that no load can slow; here it is by what.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from cti.ami import ActionTimeout, LinkDown, LinkState, QueueStatus
from cti.clock import SystemClock
from cti.lab.asterisk import LabAsterisk
from tests.wire.contract_ami import ADD, CONTRACT, Peer
from tests.wire.watching import running

pytestmark = pytest.mark.asterisk


@pytest.mark.parametrize("check", CONTRACT)
async def test_asterisk_keeps_the_contract(lab: LabAsterisk, check: Callable[[Peer], Awaitable[None]]) -> None:
    """Each check that the fake passes holds over the real Asterisk."""
    await check(Peer(lab.ami_port, lab.cti_secret))


async def test_wrong_secret_is_one_login(lab: LabAsterisk) -> None:
    """By Asterisk's own log there is one failed login, however long we wait; a mended secret needs retry()."""
    async with running(lab.ami_port, SystemClock(), secret="wrong") as (link, ears):
        await ears.until_state(LinkState.REFUSED)
        await asyncio.sleep(3.0)
        assert link.state is LinkState.REFUSED
    log = (lab.log / "messages.log").read_text()
    assert len(re.findall(r"failed to authenticate as 'cti'", log)) == 1


async def test_login_during_the_boot(lab: LabAsterisk) -> None:
    """Asterisk takes logins before it has booted; nothing is asked until it has, and then everything works (F10)."""
    lab.stop()
    with (lab.work / "etc/extensions.conf").open("a") as dialplan:
        dialplan.write("[slow-boot]\n")
        dialplan.writelines(f"exten => {n},1,NoOp()\n" for n in range(25_000))
    async with running(lab.ami_port, SystemClock(), secret=lab.cti_secret) as (link, ears):
        await ears.until_state(LinkState.DOWN)
        boot = asyncio.create_task(asyncio.to_thread(lab.start))
        await ears.until_state(LinkState.BOOTING)
        with pytest.raises(LinkDown, match="booting"):
            await link.send(ADD)
        await ears.until_state(LinkState.UP)
        assert [item["Event"] for item in (await link.send(QueueStatus("hotline"))).items] == ["QueueParams"]
        assert (await link.send(ADD)).success
        await boot
    assert [state for state, _ in ears.states[:4]] == [
        LinkState.CONNECTING, LinkState.DOWN, LinkState.BOOTING, LinkState.UP,
    ]  # fmt: skip


async def test_killed_and_back(lab: LabAsterisk) -> None:
    """kill -9: seen by the cut itself, not by a ping; after the restart a new session without anybody's help (F7)."""
    async with running(lab.ami_port, SystemClock(), secret=lab.cti_secret) as (link, ears):
        await ears.until_state(LinkState.UP)
        before = (await link.snapshot()).started
        lab.kill()
        await ears.until_state(LinkState.DOWN)
        assert "closed by Asterisk" in ears.states[-1][1] or "connection lost" in ears.states[-1][1]
        await asyncio.sleep(1.0)
        await asyncio.to_thread(lab.start)
        await ears.until_state(LinkState.UP)
        assert (await link.snapshot()).started != before


async def test_clean_stop_says_so(lab: LabAsterisk) -> None:
    """A clean stop is told as such, not as a broken line."""
    async with running(lab.ami_port, SystemClock(), secret=lab.cti_secret) as (link, ears):
        await ears.until_state(LinkState.UP)
        await asyncio.to_thread(lab.stop)
        await ears.until_state(LinkState.DOWN)
        assert (LinkState.DOWN, "Asterisk was shut down") in ears.states
        assert link.stats.quarantined == 0


def freeze(pid: int) -> None:
    """Stop a process. The signal is under way for a moment, and an answer with it: wait until no thread runs."""
    os.kill(pid, signal.SIGSTOP)
    threads = Path(f"/proc/{pid}/task")
    while any(stat.read_text().rpartition(")")[2].split()[0] != "T" for stat in threads.glob("*/stat")):
        time.sleep(0.01)


async def test_frozen_is_seen_and_thawed(lab: LabAsterisk) -> None:
    """SIGSTOP: TCP still accepts and takes bytes, yet two pings find the link down; after SIGCONT it is back (F5)."""
    async with running(lab.ami_port, SystemClock(), secret=lab.cti_secret, action_timeout_s=1.0) as (link, ears):
        await ears.until_state(LinkState.UP)
        freeze(lab.pid)
        try:
            while link.state is LinkState.UP:
                with pytest.raises((ActionTimeout, LinkDown)):
                    await link.send(ADD)
            assert (LinkState.DOWN, "no answer to two pings: Asterisk is frozen or the network is cut") in ears.states
            await asyncio.sleep(1.0)
        finally:
            os.kill(lab.pid, signal.SIGCONT)
        await ears.until_state(LinkState.UP)
        # What a frozen Asterisk had been sent it does carry out when it thaws: unknown is not undone.
        assert (await link.send(ADD)).message in ("Added interface to queue", "Unable to add interface: Already there")


async def test_refusals_leave_no_session(lab: LabAsterisk) -> None:
    """Stopped links leave no AMI session behind, by Asterisk's own count."""
    for _ in range(5):
        async with running(lab.ami_port, SystemClock(), secret=lab.cti_secret) as (_, ears):
            await ears.until_state(LinkState.UP)
    await asyncio.sleep(0.5)
    assert "0 users connected" in lab.cli("manager show connected")

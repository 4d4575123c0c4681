"""What the link relies on in an AMI peer. The same checks run over the fake and over the real Asterisk."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from cti.ami import ActionError, LinkState, Originate, QueueAdd, QueuePause, QueueRemove, QueueStatus
from cti.ami.actions import CoreShowChannels, Ping
from cti.ami.events import OriginateResponse, QueueMemberAdded, QueueMemberPause, QueueMemberRemoved
from cti.clock import SystemClock
from tests.wire.watching import running

SEAT = "Local/3001@lab-seats/n"
ADD = QueueAdd("hotline", SEAT, "测试坐席一")


@dataclass(frozen=True)
class Peer:
    port: int
    secret: str


async def membership(peer: Peer) -> None:
    """Adding and removing a member is answered at once, told as an event, and refused by name the second time."""
    async with running(peer.port, SystemClock(), secret=peer.secret) as (link, ears):
        await ears.until_state(LinkState.UP)
        added = await link.send(ADD)
        assert (added.success, added.message) == (True, "Added interface to queue")
        again = await link.send(ADD)
        assert (again.success, again.message) == (False, "Unable to add interface: Already there")
        unknown = await link.send(QueueAdd("nowhere", SEAT, "测试坐席一"))
        assert (unknown.success, unknown.message) == (False, "Unable to add interface to queue: No such queue")
        removed = await link.send(QueueRemove("hotline", SEAT))
        assert (removed.success, removed.message) == (True, "Removed interface from queue")
        gone = await link.send(QueueRemove("hotline", SEAT))
        assert (gone.success, gone.message) == (False, "Unable to remove interface: Not there")
        await ears.until(lambda: bool(ears.all(QueueMemberRemoved)))
        (event,) = ears.all(QueueMemberAdded)
        assert (event.queue, event.member_name, event.interface, event.paused) == ("hotline", "测试坐席一", SEAT, False)


async def chinese_reason(peer: Peer) -> None:
    """A pause reason in Chinese comes back in the event and in the snapshot as it was sent."""
    async with running(peer.port, SystemClock(), secret=peer.secret) as (link, ears):
        await ears.until_state(LinkState.UP)
        await link.send(ADD)
        paused = await link.send(QueuePause(SEAT, True, reason="用餐（约30分钟）"))
        assert (paused.success, paused.message) == (True, "Interface paused successfully")
        await ears.until(lambda: bool(ears.all(QueueMemberPause)))
        assert [(e.paused, e.paused_reason) for e in ears.all(QueueMemberPause)] == [(True, "用餐（约30分钟）")]
        snapshot = await link.snapshot()
        assert [(m.member_name, m.paused, m.paused_reason) for m in snapshot.members] == [
            ("测试坐席一", True, "用餐（约30分钟）")
        ]
        unpaused = await link.send(QueuePause(SEAT, False))
        assert (unpaused.success, unpaused.message) == (True, "Interface unpaused successfully")
        absent = await link.send(QueuePause("Local/3999@lab-seats/n", True))
        assert (absent.success, absent.message) == (False, "Interface not found")
        await link.send(QueueRemove("hotline", SEAT))


async def lists(peer: Peer) -> None:
    """A list is whole when its last message came; an empty one is whole too."""
    async with running(peer.port, SystemClock(), secret=peer.secret) as (link, ears):
        await ears.until_state(LinkState.UP)
        assert [item["Event"] for item in (await link.send(QueueStatus("hotline"))).items] == ["QueueParams"]
        assert (await link.send(QueueStatus("nowhere"))).items == []
        assert (await link.send(CoreShowChannels())).items == []
        assert (await link.send(Ping())).fields["Ping"] == "Pong"
        snapshot = await link.snapshot()
        assert "hotline" in [queue.queue for queue in snapshot.queues]
        assert (snapshot.members, snapshot.entries, snapshot.channels, snapshot.missing) == ((), (), (), 0)
        assert snapshot.version.startswith("22.")
        assert len(snapshot.started) == len("2026-11-21 18:13:47")


async def originate(peer: Peer) -> None:
    """Our channel id is the leg's Uniqueid and comes back in OriginateResponse."""
    async with running(peer.port, SystemClock(), secret=peer.secret) as (link, ears):
        await ears.until_state(LinkState.UP)
        wish = Originate(
            "Local/12319@cti-inbound/n", "lab-talk", "citizen", "cti-contract-1", caller_id="13800000001",
            timeout_ms=5000, variables={"LAB_SECONDS": "1"},
        )  # fmt: skip
        taken = await link.send(wish)
        assert (taken.success, taken.message) == (True, "Originate successfully queued")
        await ears.until(lambda: bool(ears.all(OriginateResponse)))
        (event,) = ears.all(OriginateResponse)
        assert (event.channel_id, event.response, event.reason, event.uniqueid) == (
            "cti-contract-1", True, 4, "cti-contract-1",
        )  # fmt: skip


async def injection(peer: Peer) -> None:
    """A reason that holds a second action is refused before any byte; the session and the queue are as before."""
    async with running(peer.port, SystemClock(), secret=peer.secret) as (link, ears):
        await ears.until_state(LinkState.UP)
        second = f"x\r\n\r\nAction: QueueAdd\r\nQueue: hotline\r\nInterface: {SEAT}"
        for reason in (second, second.replace("\r\n", "\n"), "x\0"):
            with pytest.raises(ActionError):
                await link.send(QueuePause("Local/3002@lab-seats/n", True, reason=reason))
        assert (await link.snapshot()).members == ()
        assert link.stats.late == 0


async def wrong_secret(peer: Peer) -> None:
    """A wrong secret ends in REFUSED after one login."""
    async with running(peer.port, SystemClock(), secret="wrong") as (link, ears):
        await ears.until_state(LinkState.REFUSED)
        assert [state for state, _ in ears.states] == [LinkState.CONNECTING, LinkState.REFUSED]
        assert "Authentication failed" in link.reason


CONTRACT = [
    pytest.param(check, id=check.__name__)
    for check in (membership, chinese_reason, lists, originate, injection, wrong_secret)
]

"""The link against a peer that misbehaves. Time is virtual: hours of outage pass in milliseconds."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from cti.ami import ActionTimeout, Event, LinkDown, LinkState, Originate, QueueAdd, QueuePause, QueueStatus
from cti.ami.events import FullyBooted, Hangup, QueueMemberPause
from cti.clock import VirtualClock
from tests.wire.fake_ami import BANNER, RIGHT, FakeAmi, event, frame, hangup
from tests.wire.watching import running, turns

DIAL = Originate("Local/12319@cti-inbound/n", "lab-talk", "citizen", "cti-fault-1")
ADD = QueueAdd("hotline", "Local/3001@lab-seats/n", "测试坐席一")


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))


async def test_mute_peer_is_seen_within_seven_seconds(clock: VirtualClock) -> None:
    """A peer that answers nothing any more is dead within 7 s, and what was asked fails with it (G4, F4)."""
    async with FakeAmi() as peer, running(peer.port, clock, action_timeout_s=60.0) as (link, ears):
        await ears.until_state(LinkState.UP)
        peer.mute = True
        pending = asyncio.create_task(link.send(ADD))
        await clock.advance(6.0)
        assert link.state is LinkState.UP
        await clock.advance(0.9)
        assert link.state is LinkState.DOWN
        assert "no answer to two pings" in link.reason
        with pytest.raises(LinkDown, match="no answer to two pings"):
            await pending
        assert [state for state, _ in ears.states[-2:]] == [LinkState.UP, LinkState.DOWN]


async def test_answered_pings_keep_the_link(clock: VirtualClock) -> None:
    """A quiet but living peer is never dropped."""
    async with FakeAmi() as peer, running(peer.port, clock) as (link, ears):
        await ears.until_state(LinkState.UP)
        for _ in range(40):
            before = peer.count("Ping")
            await clock.advance(3.0)
            await turns(lambda before=before: peer.count("Ping") > before)  # type: ignore[misc]
        assert link.state is LinkState.UP
        assert peer.connections == 1


async def test_events_are_a_sign_of_life(clock: VirtualClock) -> None:
    """While events come in, a late answer to Ping is no death: behind a flood the answer waits its turn."""
    async with FakeAmi(unanswered={"Ping"}) as peer, running(peer.port, clock) as (link, ears):
        await ears.until_state(LinkState.UP)
        for count in range(1, 20):
            peer.say(hangup())
            await ears.until(lambda count=count: len(ears.all(Hangup)) == count)  # type: ignore[misc]
            await clock.advance(1.5)
        assert link.state is LinkState.UP
        assert peer.connections == 1


async def test_frozen_peer_that_accepts(clock: VirtualClock) -> None:
    """A connection that is accepted and then silent is given up after 3 s: connecting is not life (F5)."""
    async with FakeAmi(banner=b"") as peer, running(peer.port, clock) as (link, _):
        await turns(lambda: peer.connections == 1)
        await clock.advance(2.9)
        assert link.state is LinkState.CONNECTING
        await clock.advance(0.2)
        assert link.state is LinkState.DOWN
        assert "frozen" in link.reason
        assert peer.logins == 0


async def test_frozen_in_the_login(clock: VirtualClock) -> None:
    """A peer that dies between banner and login is given up after the action's deadline."""
    async with FakeAmi(mute=True) as peer, running(peer.port, clock) as (link, _):
        await turns(lambda: peer.logins == 1)
        await clock.advance(5.1)
        assert (link.state, link.reason) == (LinkState.DOWN, "no answer to the login")


@pytest.mark.parametrize("reset", [False, True])
async def test_cut_fails_everything_at_once(clock: VirtualClock, reset: bool) -> None:
    """FIN or RST: every action in flight fails at that moment, not at its deadline."""
    async with FakeAmi(unanswered={"QueueAdd", "Originate"}) as peer, running(peer.port, clock) as (link, ears):
        await ears.until_state(LinkState.UP)
        told: list[bool] = []
        hear = ears.state
        link._on_state = lambda state, reason: (told.append(link._wire is not None), hear(state, reason))[1]
        pending = [asyncio.create_task(link.send(action)) for action in (ADD, DIAL, ADD)]
        await turns(lambda: peer.count("QueueAdd") == 2)
        peer.cut(reset)
        results = await asyncio.gather(*pending, return_exceptions=True)
        assert [type(result) for result in results] == [LinkDown] * 3
        assert told[0]  # DOWN was told while the session was still being taken down, not after
        assert clock.monotonic() == 0.0


async def test_nothing_is_sent_again(clock: VirtualClock) -> None:
    """After a reconnect no action of the old session is sent: a callback must not be dialled twice."""
    async with FakeAmi(unanswered={"Originate", "QueuePause"}) as peer, running(peer.port, clock) as (link, ears):
        await ears.until_state(LinkState.UP)
        pending = [asyncio.create_task(link.send(action)) for action in (DIAL, QueuePause(ADD.interface, True))]
        await turns(lambda: peer.count("QueuePause") == 1)
        peer.cut()
        await ears.until_state(LinkState.DOWN)
        with pytest.raises(LinkDown):
            await link.send(DIAL)
        await clock.advance(1.0)
        await ears.until_state(LinkState.UP)
        await clock.advance(30.0)
        assert (peer.count("Originate"), peer.count("QueuePause"), peer.logins) == (1, 1, 2)
        await asyncio.gather(*pending, return_exceptions=True)


async def test_late_answer_is_counted_and_harmless(clock: VirtualClock) -> None:
    """An answer after the deadline answers nothing else and is no forgery."""
    async with FakeAmi(unanswered={"QueueAdd"}) as peer, running(peer.port, clock) as (link, ears):
        await ears.until_state(LinkState.UP)
        pending = asyncio.create_task(link.send(ADD))
        await turns(lambda: bool(peer.held))
        await clock.advance(2.9)
        assert not pending.done()
        await clock.advance(2.2)
        with pytest.raises(ActionTimeout, match=r"QueueAdd in 5 s"):
            await pending
        peer.say(peer.held[0].split(b"Event:")[0])
        peer.say(hangup())
        await ears.until(lambda: bool(ears.all(Hangup)))
        assert (link.stats.late, link.stats.quarantined, ears.troubles) == (1, 0, [])


async def test_list_that_never_completes(clock: VirtualClock) -> None:
    """Half a list is no snapshot; it ends at the deadline and the next one works (F24)."""
    async with FakeAmi(endless_lists=True) as peer, running(peer.port, clock) as (link, ears):
        await ears.until_state(LinkState.UP)
        pending = asyncio.create_task(link.snapshot())
        await turns(lambda: peer.count("QueueStatus") == 1)
        await clock.advance(2.0)
        await clock.advance(3.1)
        with pytest.raises(ActionTimeout, match="QueueStatus"):
            await pending
        peer.endless_lists = False
        assert [queue.queue for queue in (await link.snapshot()).queues] == ["hotline"]


async def test_list_item_lost_on_the_way(clock: VirtualClock) -> None:
    """A list that announces more items than came says so, instead of looking whole."""
    async with FakeAmi(unanswered={"QueueStatus"}) as peer, running(peer.port, clock) as (link, ears):
        await ears.until_state(LinkState.UP)
        pending = asyncio.create_task(link.send(QueueStatus()))
        await turns(lambda: bool(peer.held))
        peer.say(peer.held[0].replace(b"ListItems: 1", b"ListItems: 3"))
        reply = await pending
        assert (len(reply.items), reply.missing) == (1, 2)


async def test_nothing_but_ping_before_the_boot(clock: VirtualClock) -> None:
    """Logged in is not booted: until FullyBooted only Ping is sent (F10)."""
    async with FakeAmi(booted=False) as peer, running(peer.port, clock) as (link, ears):
        await ears.until_state(LinkState.BOOTING)
        with pytest.raises(LinkDown, match="booting"):
            await link.send(ADD)
        for _ in range(25):
            before = peer.count("Ping")
            await clock.advance(3.0)
            await turns(lambda before=before: peer.count("Ping") > before)  # type: ignore[misc]
        assert {action["Action"] for action in peer.actions} == {"Login", "Ping"}
        assert [text for text in ears.troubles if "FullyBooted" in text] == ears.troubles
        assert len(ears.troubles) == 1
        peer.boot()
        await ears.until_state(LinkState.UP)
        assert (await link.send(ADD)).success


async def test_up_comes_between_the_facts(clock: VirtualClock) -> None:
    """UP is told after FullyBooted and before the facts that follow in the same bytes; a second FullyBooted is none."""
    order: list[str] = []
    async with FakeAmi(booted=False) as peer, running(peer.port, clock) as (_, ears):
        await ears.until_state(LinkState.BOOTING)
        ears.on_event = lambda fact: order.append(f"{type(fact).__name__} {ears.states[-1][0].name}")
        at_the_end_of_the_boot = event("FullyBooted", "system,all", Uptime="1")
        at_login = frame(("Event", "FullyBooted"), ("Privilege", "system,all"), ("Uptime", "1"))
        peer.say(hangup() + at_the_end_of_the_boot + hangup() + at_login + hangup())
        await ears.until(lambda: len(ears.all(Hangup)) == 3)
    assert order == ["Hangup BOOTING", "FullyBooted BOOTING", "Hangup UP", "Hangup UP"]


async def test_wrong_secret_is_tried_once(clock: VirtualClock) -> None:
    """A wrong secret is one login in ten minutes, and one more for each retry()."""
    async with FakeAmi(secret="other") as peer, running(peer.port, clock) as (link, ears):
        await ears.until_state(LinkState.REFUSED)
        await clock.advance(600.0)
        assert peer.logins == 1
        with pytest.raises(LinkDown, match="Authentication failed"):
            await link.send(ADD)
        peer.secret = RIGHT
        link.retry()
        await clock.advance(1.0)
        await ears.until_state(LinkState.UP)
        assert peer.logins == 2


@pytest.mark.parametrize("jitter", [0.0, 0.5, 0.999])
@pytest.mark.parametrize("away", [0.1, 3.0, 20.0, 58.0])
async def test_back_within_a_second_in_the_first_minute(clock: VirtualClock, away: float, jitter: float) -> None:
    """A new session at most 1 s after the port is back, whatever the dice say (G4)."""
    async with FakeAmi() as peer, running(peer.port, clock, jitter=jitter) as (_, ears):
        await ears.until_state(LinkState.UP)
        await clock.advance(10.0)
        await peer.leave()
        await ears.until_state(LinkState.DOWN)
        while clock.monotonic() < 10.0 + away:
            await clock.advance(0.05)
            await asyncio.sleep(0.0)
        await peer.listen()
        await clock.advance(1.0)
        await ears.until_state(LinkState.UP)
        assert peer.logins == 2


async def test_long_outage_is_not_hammered(clock: VirtualClock) -> None:
    """Past the first minute attempts come 2.5 to 5 s apart; each is told once, not once an attempt (F6)."""
    async with FakeAmi(hangs_up=True) as peer, running(peer.port, clock, jitter=0.999) as (_, ears):
        times: list[float] = []
        while clock.monotonic() < 400.0:
            before = peer.connections
            await clock.advance(0.1)
            times += [clock.monotonic()] * (peer.connections - before)
        gaps = [after - before for before, after in pairwise(times) if before > 70.0]
        assert min(gaps) > 2.2
        assert max(gaps) < 5.3
        assert [state for state, _ in ears.states] == [LinkState.CONNECTING, LinkState.DOWN]
        assert "before its banner" in ears.states[-1][1]


async def test_not_asterisk_at_all(clock: VirtualClock) -> None:
    """Something else on the port is named as such."""
    async with FakeAmi(banner=b"HTTP/1.1 400 Bad Request\r\n\r\n") as peer, running(peer.port, clock) as (link, ears):
        await ears.until_state(LinkState.DOWN)
        assert "not Asterisk's manager interface" in link.reason


async def test_bytes_one_at_a_time(clock: VirtualClock) -> None:
    """A peer that dribbles single bytes gives the same facts, Chinese names whole."""
    async with FakeAmi(dribble=1) as peer, running(peer.port, clock) as (link, ears):
        await ears.until_state(LinkState.UP)
        await link.send(ADD)
        await link.send(QueuePause(ADD.interface, True, reason="用餐"))
        await ears.until(lambda: bool(ears.all(QueueMemberPause)))
        (paused,) = ears.all(QueueMemberPause)
        assert (paused.member_name, paused.paused_reason) == ("测试坐席一", "用餐")


async def test_a_faulty_consumer_costs_nothing(clock: VirtualClock) -> None:
    """What on_event raises is counted and reported by type alone; every later event still comes."""

    def fail(fact: Event) -> None:
        raise KeyError("13800000001")

    async with FakeAmi() as peer, running(peer.port, clock) as (link, ears):
        await ears.until_state(LinkState.UP)
        ears.on_event = fail
        peer.say(hangup() * 3)
        await ears.until(lambda: len(ears.troubles) == 3)
        assert len(ears.all(Hangup)) == 3
        assert link.stats.sink_errors == 3
        assert set(ears.troubles) == {"on_event failed on Hangup: KeyError"}
        assert link.state is LinkState.UP
        assert (await link.send(ADD)).success


async def test_our_own_fault_costs_one_frame(clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame that our code fails on, or a report that fails, is counted by type; the session goes on."""

    def fail(raw: bytes) -> Event:
        raise RuntimeError(raw)

    async with FakeAmi() as peer, running(peer.port, clock) as (link, ears):
        await ears.until_state(LinkState.UP)
        monkeypatch.setattr("cti.ami.protocol.parse_event", fail)
        peer.say(hangup())
        await ears.until(lambda: bool(ears.troubles))
        assert ears.troubles == ["Hangup could not be handled: RuntimeError"]
        monkeypatch.setattr(link, "_report", fail)
        peer.say(hangup())
        await turns(lambda: link.stats.malformed == 2)
        assert link.stats.sink_errors == 1
        assert (await link.send(ADD)).success
        assert peer.connections == 1


FORGED = {
    "without Timestamp": frame(("Event", "Hangup"), ("Privilege", "call,all"), ("Uniqueid", "1.1")),
    "without Privilege": frame(("Event", "Hangup"), ("Timestamp", "1795284828.000001"), ("Uniqueid", "1.1")),
    "Timestamp later": frame(
        ("Event", "Hangup"), ("Privilege", "call,all"), ("Uniqueid", "1.1"), ("Timestamp", "1795284828.000001")
    ),
    "header twice": event("Hangup", Channel="x", Uniqueid="1.1", Linkedid="1.1", Cause="16")[:-2] + b"Cause: 0\r\n\r\n",
    "no header": hangup()[:-2] + b"junk\r\n\r\n",
    "answer to nobody": frame(("Response", "Success"), ("ActionID", "1"), ("Message", "x")),
    "answer without id": frame(("Response", "Success"), ("Message", "x")),
    "item of no list": frame(("Event", "QueueMember"), ("Queue", "hotline"), ("Paused", "0")),
    "text": b"hello\r\n\r\n",
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED.keys())
async def test_forged_frames_are_no_facts(clock: VirtualClock, forged: bytes) -> None:
    """What Asterisk does not write so is quarantined, counted and reported; the session goes on (S1, F22)."""
    async with FakeAmi() as peer, running(peer.port, clock) as (link, ears):
        await ears.until_state(LinkState.UP)
        peer.say(forged + forged + hangup("7.7"))
        await ears.until(lambda: bool(ears.all(Hangup)))
        assert [type(fact) for fact in ears.events] == [FullyBooted, Hangup]
        assert link.stats.quarantined == 2
        assert len(ears.troubles) == 1
        assert ears.troubles[0].startswith("2 AMI frames were not written by Asterisk")


async def test_system_name_is_a_second_wall(clock: VirtualClock) -> None:
    """With a systemname set, a frame that follows Asterisk's order but lacks the name is forged."""
    real = event("Hangup", SystemName="x7Qk", Channel="x", Uniqueid="2.2", Linkedid="2.2", Cause="16")
    async with FakeAmi() as peer, running(peer.port, clock, system_name="x7Qk") as (link, ears):
        await ears.until_state(LinkState.UP)
        peer.say(hangup() + real)
        await ears.until(lambda: bool(ears.all(Hangup)))
        assert [fact.uniqueid for fact in ears.all(Hangup)] == ["2.2"]
        assert link.stats.quarantined == 1


async def test_damaged_event_is_named_without_its_values(clock: VirtualClock) -> None:
    """A wanted event without a header it must have is counted; the report names event and header, no value."""
    secret = "13800000001"
    async with FakeAmi() as peer, running(peer.port, clock) as (link, ears):
        await ears.until_state(LinkState.UP)
        peer.say(event("Hangup", "call,all", Channel=secret, Uniqueid="1.1", Linkedid="1.1"))
        peer.say(event("Hangup", "call,all", Channel=secret, Uniqueid="1.1", Linkedid="1.1", Cause=secret + "x"))
        await ears.until(lambda: len(ears.troubles) == 2)
        assert ears.troubles == ["Hangup: header Cause is missing", "Hangup: header Cause cannot be read"]
        assert link.stats.malformed == 2


async def test_oversized_frame_is_skipped(clock: VirtualClock) -> None:
    """A frame of 2 MB is thrown away without being kept; the facts around it come."""
    async with FakeAmi() as peer, running(peer.port, clock) as (link, ears):
        await ears.until_state(LinkState.UP)
        peer.say(hangup("1.1") + b"Event: Hangup\r\nX: " + b"x" * 2_000_000 + b"\r\n\r\n" + hangup("3.3"))
        await ears.until(lambda: len(ears.all(Hangup)) == 2)
        assert [fact.uniqueid for fact in ears.all(Hangup)] == ["1.1", "3.3"]
        assert link.stats.oversized == 1
        assert ears.troubles == ["an AMI frame was too large and was skipped"]


@pytest.mark.parametrize("moment", ["connecting", "login", "booting", "up", "down", "asking"])
async def test_stop_leaves_nothing(clock: VirtualClock, moment: str) -> None:
    """Cancelled at any moment, the link leaves no task and no session, and never logs in later (fault 13)."""
    before = asyncio.all_tasks()
    peer = FakeAmi(banner=b"" if moment == "connecting" else BANNER, mute=moment == "login", booted=moment != "booting")
    async with peer:
        async with running(peer.port, clock) as (link, ears):
            if moment in ("connecting", "login"):
                await turns(lambda: peer.connections == 1 and peer.logins == (moment == "login"))
            else:
                await ears.until_state(LinkState.BOOTING if moment == "booting" else LinkState.UP)
            if moment == "down":
                await peer.leave()
                await ears.until_state(LinkState.DOWN)
                await peer.listen()
            if moment == "asking":
                peer.unanswered.add("QueueAdd")
                asking = asyncio.create_task(link.send(ADD))
                await turns(lambda: bool(peer.held))
            wire = link._wire
        assert wire is None or wire.gone.done()
        if moment == "asking":
            with pytest.raises(LinkDown, match="stopped"):
                await asking
        assert ears.states[-1] == (LinkState.DOWN, "stopped")
        logins = peer.logins
        await clock.advance(60.0)
        assert peer.logins == logins
        await turns(lambda: not peer._writers)
    assert asyncio.all_tasks() == before

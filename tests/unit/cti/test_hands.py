"""Effects become the right AMI actions in the right order, and every way they can end comes back as an input."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agents.presence import Agent, Observed, busy, signed_in
from cti.ami import (
    Action,
    ActionTimeout,
    CoreShowChannels,
    Hangup,
    LinkDown,
    Originate,
    QueueAdd,
    QueuePause,
    QueueRemove,
    Reply,
    SetVariable,
)
from cti.commands.conduct import SeatUnproved
from cti.commands.dialling import FolderSeen
from cti.commands.voice import VoiceFailed
from cti.engine.inputs import (
    Align,
    Aligned,
    Asked,
    Checked,
    CheckRecording,
    Dial,
    Dialled,
    DropDial,
    EndTalk,
    Input,
    LookAtFolder,
    RingSeat,
    Speak,
    Trace,
    Traced,
)
from cti.hands import Hands
from cti.recordings.checker import Checked as Found
from cti.recordings.folder import trouble_of
from cti.settings import make_settings
from recordings import State

NOW = datetime(2026, 11, 21, 1, tzinfo=UTC)
DONE = Reply(True, "Added interface to queue", {}, ())
RECORDABLE = Asked(FolderSeen(""), None)
DIAL = Dial("cticb-1795284828.7", "Local/3001@lab-seats/n", "13800000009", NOW, "1001")


@dataclass
class FakeLink:
    """Answers actions by their kind; an exception is raised."""

    answers: dict[type[Action], Reply | Exception] = field(default_factory=dict)
    sent: list[Action] = field(default_factory=list)

    async def send(self, action: Action) -> Reply:
        self.sent.append(action)
        answer = self.answers.get(type(action), DONE)
        if isinstance(answer, Exception):
            raise answer
        return answer


class FakeRecords:
    """The checker and the tracer."""

    def __init__(self) -> None:
        self.checks = 0
        self.may_end = asyncio.Event()
        self.traced: Traced | None = None

    async def check(self, call_id: str, expected_ms: int) -> Found:
        self.checks += 1
        await self.may_end.wait()
        return Found(State.OK, "p", expected_ms, 9, "ab", "whole")

    async def trace(self, channel_id: str, gone: bool) -> Traced | None:
        return self.traced


class Desk:
    """Hands with a fake link and fake records, and what came back."""

    def __init__(self, folder: Path) -> None:
        hotline, files = {"seat_interface": "Local/{seat}@lab-seats/n"}, {"recordings": str(folder)}
        settings = make_settings({"ami": {"secret": "x"}, "hotline": hotline, "asterisk": files})
        self.link, self.records = FakeLink(), FakeRecords()
        self.agents: dict[str, Agent] = {}
        self.back: list[Input] = []
        records: Any = self.records
        self.hands = Hands(settings, self.link, records, records, self.agents.get, self.back.append)

    async def did(self, *effects: Any) -> list[Action]:
        """The actions that *effects* sent."""
        self.link.sent.clear()
        self.back.clear()
        for effect in effects:
            self.hands.act(effect)
        while self.hands._tasks:
            await asyncio.gather(*self.hands._tasks, return_exceptions=True)
        return self.link.sent


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    folder = tmp_path / "recordings"
    folder.mkdir()
    desk = Desk(folder)
    yield desk
    await desk.hands.close()


def at(seat: str) -> Agent:
    return signed_in(Agent("1001", "测试"), seat, f"Local/{seat}@lab-seats/n", NOW)


async def test_a_new_member_is_added_as_he_should_be(desk: Desk) -> None:
    """签入 and 示忙 in one action: no moment in which a busy agent could be rung, and no second line in queue_log."""
    desk.agents["1001"] = busy(at("3001"), "meal", NOW)
    (add,) = await desk.did(Align("1001"))
    assert isinstance(add, QueueAdd)
    assert (add.interface, add.member_name, add.paused, add.reason) == ("Local/3001@lab-seats/n", "1001", True, "meal")
    assert desk.back == [Aligned("1001", None)]


async def test_who_is_there_already_is_paused_or_not_as_wished(desk: Desk) -> None:
    """Asterisk refuses a second QueueAdd; that is no trouble, and the pause follows."""
    desk.agents["1001"] = at("3001")
    desk.link.answers[QueueAdd] = Reply(False, "Unable to add interface: Already there", {}, ())
    add, pause = await desk.did(Align("1001"))
    assert isinstance(add, QueueAdd)
    assert isinstance(pause, QueuePause)
    assert not pause.paused
    assert desk.back == [Aligned("1001", None)]


async def test_the_old_seat_is_left_before_the_new_one_is_taken(desk: Desk) -> None:
    """A moved agent never has two phones in the queue; what was added last counts even when nobody saw it yet."""
    desk.agents["1001"] = at("3001")
    await desk.did(Align("1001"))
    desk.agents["1001"] = at("3002")
    remove, add = await desk.did(Align("1001"))
    assert isinstance(remove, QueueRemove)
    assert remove.interface == "Local/3001@lab-seats/n"
    assert isinstance(add, QueueAdd)
    assert add.interface == "Local/3002@lab-seats/n"


async def test_signed_out_means_removed_even_after_a_restart_of_ours(desk: Desk) -> None:
    """The interface that Asterisk shows is removed, although this process never added it; absent is as wished."""
    shown = Observed(True, False, "", NOW, "Local/3007@lab-seats/n")
    desk.agents["1001"] = Agent("1001", "测试", observed=shown)
    desk.link.answers[QueueRemove] = Reply(False, "Unable to remove interface: Not there", {}, ())
    (remove,) = await desk.did(Align("1001"))
    assert isinstance(remove, QueueRemove)
    assert remove.interface == "Local/3007@lab-seats/n"
    assert desk.back == [Aligned("1001", None)]


async def test_a_refusal_is_told_and_a_lost_link_is_not(desk: Desk) -> None:
    """Refused: the lead hears of it. Link down or silent: the resync applies the wish anew, nothing is alarming."""
    desk.agents["1001"] = at("3001")
    desk.link.answers[QueueAdd] = Reply(False, "Unable to add interface to queue: No such queue", {}, ())
    await desk.did(Align("1001"))
    assert desk.back == [Aligned("1001", "refused")]
    for lost in (LinkDown("lost"), ActionTimeout("no answer")):
        desk.link.answers[QueueAdd] = lost
        await desk.did(Align("1001"))
        assert desk.back == [Aligned("1001", None)]


async def test_only_the_newest_wish_is_applied(desk: Desk) -> None:
    """Two alignments of one agent in a row both apply what is wished when their turn comes, never what was."""
    desk.agents["1001"] = busy(at("3001"), "meal", NOW)
    desk.hands.act(Align("1001"))
    desk.agents["1001"] = at("3001")
    sent = await desk.did(Align("1001"))
    assert [a.paused for a in sent if isinstance(a, QueueAdd)] == [False, False]


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [
        (DONE, True),
        (Reply(False, "Originate failed", {}, ()), False),
        (ActionTimeout("no answer"), None),
        (LinkDown("lost"), None),
    ],
)
async def test_what_becomes_of_a_dial(desk: Desk, answer: Reply | Exception, accepted: bool | None) -> None:
    """Taken, refused, or unknown; sent once with our own ChannelId, and never again by us."""
    desk.link.answers[Originate] = answer
    (originate,) = await desk.did(DIAL)
    assert isinstance(originate, Originate)
    assert (originate.channel_id, originate.context) == (DIAL.channel_id, "cti-callback")
    assert originate.variables == {"CTI_NOT_AFTER": str(int(NOW.timestamp())), "CTI_AGENT": "1001"}
    assert desk.back == [RECORDABLE, Dialled(DIAL.channel_id, accepted)]


@pytest.mark.parametrize(("spoil", "trouble"), [("gone", "missing"), ("locked", "read_only"), ("file", "missing")])
async def test_what_cannot_be_recorded_is_never_sent(desk: Desk, tmp_path: Path, spoil: str, trouble: str) -> None:
    """QD 第十二条（三）: callbacks are made on a recorded phone. The folder is looked at right before the Originate."""
    folder = tmp_path / "recordings"
    if spoil == "locked":
        folder.chmod(0o500)
    else:
        folder.rmdir()
    if spoil == "file":
        folder.write_text("")
    assert await desk.did(DIAL) == []
    assert desk.back == [Asked(FolderSeen(trouble), None), Dialled(DIAL.channel_id, False)]
    await desk.did(LookAtFolder())
    assert desk.back == [Asked(FolderSeen(trouble), None)]


def test_a_folder_with_too_little_room_is_full(tmp_path: Path) -> None:
    """callback.recording_free_mb is the room that is needed."""
    assert trouble_of(tmp_path, 0) == ""
    assert trouble_of(tmp_path, 1 << 40) == "full"


async def test_a_dial_that_gave_way_before_it_was_sent_is_not_sent(desk: Desk) -> None:
    """The caller rang in between the commit and the Originate: nobody's phone rings."""
    sent = await desk.did(DIAL, DropDial(DIAL.channel_id))
    assert [type(action) for action in sent] == [Hangup]
    assert Dialled(DIAL.channel_id, False) in desk.back
    (hangup,) = await desk.did(DropDial(DIAL.channel_id))
    assert hangup == Hangup(DIAL.channel_id)


async def test_a_recording_is_looked_at_once_at_a_time(desk: Desk) -> None:
    """An audit that asks again while the file is still being looked at starts no second look."""
    for _ in range(3):
        desk.hands.act(CheckRecording("1795284828.1", 5000))
    await asyncio.sleep(0)
    desk.records.may_end.set()
    await desk.did()
    assert desk.records.checks == 1
    await desk.did(CheckRecording("1795284828.1", 5000))
    assert desk.records.checks == 2
    assert desk.back == [Checked("1795284828.1", State.OK, 5000, 9, "ab", "whole")]


async def test_a_trace_speaks_only_when_it_knows(desk: Desk) -> None:
    """None: the attempt may still be under way, and is asked for again by the next audit."""
    await desk.did(Trace("cticb-1795284828.7", False))
    assert desk.back == []
    desk.records.traced = Traced("cticb-1795284828.7", "no_answer", None, NOW)
    await desk.did(Trace("cticb-1795284828.7", True))
    assert desk.back == [desk.records.traced]


@pytest.mark.parametrize("answer", [DONE, Reply(False, "Originate failed", {}, ()), LinkDown("lost")])
async def test_a_seat_is_rung_once_with_our_own_words_alone(desk: Desk, answer: Reply | Exception) -> None:
    """The context, the check, the agent and the seat are the service's; a phone that cannot be rung ends the check."""
    desk.link.answers[Originate] = answer
    (originate,) = await desk.did(RingSeat("ctisc-1795284828.7", "Local/3001@lab-seats/n", "1001", "3001"))
    assert isinstance(originate, Originate)
    assert (originate.channel, originate.context, originate.exten) == ("Local/3001@lab-seats/n", "cti-seat-check", "s")
    assert originate.channel_id == originate.variables["CTI_CHECK"] == "ctisc-1795284828.7"
    assert (originate.variables["CTI_AGENT"], originate.variables["CTI_SEAT"]) == ("1001", "3001")
    gone = Asked(SeatUnproved("ctisc-1795284828.7"), None)
    assert desk.back == ([] if answer is DONE else [gone])


SPEAK = Speak("ctivo-1795284828.8", "1795284828.1", "nuisance", "1001")
END = EndTalk("ctiet-1795284828.9", "1795284828.1", "1795284828.2", "rate", "1001")
JOINED = tuple(
    {"Uniqueid": uniqueid, "Channel": name, "BridgeId": bridge}
    for uniqueid, name, bridge in (
        ("cticb-1795284828.7", "PJSIP/3001-00000004", "b1"), ("1795284828.5", "PJSIP/trunk-00000005", "b1"),
        ("1795284828.6", "PJSIP/trunk-00000006", "b2"), ("cticb-1795284828.8", "PJSIP/3002-00000007", ""),
        ("1795284828.7", "PJSIP/3003-00000008", ""),
    )
)  # fmt: skip
LEGS = Reply(True, "", {}, ({"Uniqueid": "1795284828.2", "Channel": "PJSIP/3001-00000002"},))


async def test_a_prompt_is_one_leg_that_joins_the_talk(desk: Desk) -> None:
    """The words are one of our own files, the talk is named by the caller's channel; what is refused is told."""
    (originate,) = await desk.did(SPEAK)
    assert isinstance(originate, Originate)
    assert (originate.channel, originate.context, originate.exten) == ("Local/s@cti-into/n", "cti-say", "words")
    assert originate.variables == {"CTI_TO": "1795284828.1", "CTI_SOUNDS": "cti/nuisance"}
    desk.link.answers[Originate] = Reply(False, "no", {}, ())
    await desk.did(SPEAK)
    assert desk.back == [Asked(VoiceFailed("1001", "nuisance"), None)]


@pytest.mark.parametrize("trouble", [LinkDown(), ActionTimeout(), Reply(False, "No such channel", {}, ())])
async def test_the_agents_leg_ends_only_when_asterisk_knows_what_comes_then(
    desk: Desk, trouble: Reply | Exception
) -> None:
    """First the caller's channel is told, then the dialplan lets the leg go; else the talk goes on, and it is told."""
    desk.link.answers[CoreShowChannels] = LEGS
    look, told, part = await desk.did(END)
    assert isinstance(look, CoreShowChannels)
    assert isinstance(told, SetVariable)
    assert (told.variable, told.value, told.channel) == ("CTI_AFTER", "rate", "1795284828.1")
    assert isinstance(part, Originate)
    assert part.variables == {"CTI_LEG": "PJSIP/3001-00000002"}
    assert desk.back == []
    desk.link.answers[SetVariable] = trouble
    assert not any(isinstance(action, Originate) for action in await desk.did(END))
    assert desk.back == [Asked(VoiceFailed("1001", "rate"), None)]
    desk.link.answers[CoreShowChannels] = Reply(True, "", {}, ())
    assert len(await desk.did(END)) == 1  # the leg is gone
    assert desk.back == [Asked(VoiceFailed("1001", "rate"), None)]


async def test_after_a_callback_whoever_is_joined_with_our_leg_is_asked(desk: Desk) -> None:
    """His channel is nobody's to name; where our leg is joined with nobody, nobody is hung up and it is told."""
    desk.link.answers[CoreShowChannels] = Reply(True, "", {}, JOINED)
    _, told, part = await desk.did(END._replace(call_id="", leg="cticb-1795284828.7"))
    assert told == SetVariable("CTI_AFTER", "rate", "1795284828.5")
    assert isinstance(part, Originate)
    assert part.variables == {"CTI_LEG": "PJSIP/3001-00000004"}
    (look,) = await desk.did(END._replace(call_id="", leg="cticb-1795284828.8"))
    assert isinstance(look, CoreShowChannels)
    assert desk.back == [Asked(VoiceFailed("1001", "rate"), None)]

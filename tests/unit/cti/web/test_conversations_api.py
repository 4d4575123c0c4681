"""The recording of a callback's conversation: heard by whose callback it is and by leads; refusals name no number."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from tests.unit.cti.web.test_recordings_api import Heard, heard  # noqa: F401 - a fixture
from tests.web.desking import AUDIO, change_callback, put_attempt, put_callback, put_file
from tests.web.duty import NINE
from tests.web.ticketing import answered

TALK = "cticb-1795395700.0000000007"
SAID = AUDIO + b"talk"


class Talked(Heard):
    """1001 has talked with the caller, in the second attempt."""

    async def talk(self, number: str, ordinal: int | str = 2, callback: str = "", ranged: str = "") -> httpx.Response:
        """Ask for the conversation of an attempt."""
        headers = {"Range": ranged} if ranged else {}
        path = f"callbacks/{callback or self.callback_id}/recordings/{ordinal}"
        return await self.ask(number, "GET", path, **headers)

    async def conversations(self, number: str, ticket: str | None = None) -> Any:
        """What the ticket lists for this person."""
        return (await self.ask(number, "GET", f"tickets/{ticket or self.ticket_id}/conversations")).json()


@pytest.fixture
async def talked(heard: Heard) -> Talked:  # noqa: F811
    """Busy first, then reached and recorded; nobody has said yet what came of it."""
    made = Talked(heard.site)
    made.root, made.ticket_id, made.callback_id = heard.root, heard.ticket_id, heard.callback_id
    made.clients = heard.clients
    await put_attempt(made.site, made.callback_id, 1, NINE, "busy")
    await put_attempt(made.site, made.callback_id, 2, NINE, "reached", TALK)
    made.file = await put_file(made.site, made.root, TALK, None, SAID)
    await change_callback(made.site, made.callback_id, state="reached", closed_at=NINE)
    return made


async def test_whose_callback_it_is_and_a_lead_hear_it_and_it_is_written_down(talked: Talked) -> None:
    """Whole or one range; each part a row that names the conversation, the callback and its ticket."""
    whole = await talked.talk("1001")
    assert (whole.status_code, whole.content, whole.headers["cache-control"]) == (200, SAID, "no-store")
    assert (await talked.talk("9001", ranged="bytes=-4")).content == b"talk"
    last = len(SAID) - 1
    assert await talked.plays() == [
        ("1001", TALK, talked.callback_id, 0, last), ("9001", TALK, talked.callback_id, last - 3, last),
    ]  # fmt: skip


async def test_others_do_not_learn_that_there_is_one(talked: Talked) -> None:
    """Another agent, an attempt without one, an unknown callback: one answer. His own only until its result."""
    unknown = await talked.talk("1001", callback="cb-none")
    for answer in (await talked.talk("1002"), await talked.talk("1001", 1), await talked.talk("1001", 9)):
        assert (answer.status_code, answer.json()) == (404, unknown.json())
    assert [(await talked.talk(number)).status_code for number in ("9999", "9500")] == [403, 403]
    assert [(await talked.talk("1001", n)).status_code for n in (0, 100, "x", "1%2f..")] == [422, 422, 422, 404]
    await change_callback(talked.site, talked.callback_id, result="neutral")
    assert [(await talked.talk(number)).status_code for number in ("1001", "9001")] == [404, 200]
    assert [row[0] for row in await talked.plays()] == ["9001"]


async def test_a_file_that_was_swapped_is_not_played(talked: Talked) -> None:
    """As the recording of any other call."""
    talked.file.write_bytes(SAID[:-1] + b"x")
    assert (await talked.talk("1001")).json()["code"] == "recording_changed"


async def test_the_ticket_lists_what_this_person_may_hear(talked: Talked) -> None:
    """By a joined ticket too; for everybody else, and for what does not exist, the list is empty."""
    other = await answered(talked.site, "1002", "13800000092")
    await change_callback(talked.site, talked.callback_id, joined=[other])
    for ticket in (talked.ticket_id, other):
        for number in ("1001", "9001"):
            (one,) = await talked.conversations(number, ticket)
            assert (one["callback_id"], one["ordinal"], one["recording"]) == (talked.callback_id, 2, "ok")
    assert await talked.conversations("1002") == await talked.conversations("1001", "t-none") == []
    await change_callback(talked.site, talked.callback_id, result="satisfied")
    assert await talked.conversations("1001") == []


async def test_the_desk_shows_each_ticket_and_each_conversation(talked: Talked) -> None:
    """A joined callback has the recording and the replies of each of its tickets; others see neither."""
    other = await answered(talked.site, "1002", "13800000091")
    await change_callback(talked.site, talked.callback_id, state="due", closed_at=None, joined=[other])
    (view,) = (await talked.ask("1001", "GET", "callback-desk")).json()
    assert [(m["ticket_id"], m["recording"], m["replies"]) for m in view["matters"]] == [
        (talked.ticket_id, "ok", 0), (other, "ok", 0),
    ]  # fmt: skip
    assert [attempt["recording"] for attempt in view["attempts"]] == [None, "ok"]
    (masked,) = (await talked.ask("1002", "GET", "callback-desk")).json()
    assert (masked["matters"], [a["recording"] for a in masked["attempts"]]) == ([], [None, None])


async def test_a_refused_play_is_logged_with_the_ticket_and_never_with_what_was_asked(talked: Talked) -> None:
    """Ids of our own rows alone: who puts a number into an address does not get it into the log."""
    without = await put_callback(talked.site, "2", agent="1001")
    with capture_logs() as lines:
        await talked.play("1002")
        await talked.talk("1002")
        await talked.talk("1001", callback=without)
        await talked.play("1002", ticket="13800000091")
        await talked.talk("1002", callback="13800000091")
    refused = [line for line in lines if line["event"] == "recording.refused"]
    assert [(line["by"], line["ticket_id"], line["callback_id"]) for line in refused] == [
        ("1002", talked.ticket_id, None), ("1002", talked.ticket_id, talked.callback_id), ("1001", None, without),
        ("1002", None, None), ("1002", None, None),
    ]  # fmt: skip
    assert "13800000091" not in str(refused)

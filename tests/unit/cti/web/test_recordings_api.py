"""A ticket's recording: heard by who calls its caller back, by nobody else; one range; each part written down."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from cti.commands import SignIn
from cti.store.play_tables import plays
from cti.store.tables import recordings, tickets
from cti.web.problems import Problem
from cti.web.recordings import Part, part_of
from tests.unit.cti.web.test_tickets_api import Desk
from tests.web.desking import AUDIO, CALL, change_callback, put_callback, put_recording
from tests.web.duty import DutySite, duty_site
from tests.web.ticketing import AREAS, answered


class Heard(Desk):
    """A ticket of 1002's with a recording, and a callback about it that 1001 has claimed."""

    ticket_id: str
    callback_id: str
    file: Path
    root: Path

    async def play(self, number: str, ranged: str = "", ticket: str | None = None) -> httpx.Response:
        """Ask for the audio."""
        headers = {"Range": ranged} if ranged else {}
        return await self.ask(number, "GET", f"tickets/{ticket or self.ticket_id}/recording", **headers)

    async def plays(self) -> list[tuple[Any, ...]]:
        """What was written down."""
        p = plays.c
        async with self.site.store.read() as connection:
            rows = await connection.execute(select(p.by, p.call_id, p.callback_id, p.first, p.last).order_by(p.play_id))
            return [tuple(row) for row in rows]


@pytest.fixture
async def heard(tmp_path: Path) -> AsyncIterator[Heard]:
    """The recordings folder stands beside a folder whose name begins like it."""
    root = tmp_path / "cti"
    (tmp_path / "cti-elsewhere").mkdir()
    async with duty_site(tmp_path, settings={**AREAS, "asterisk": {"recordings": str(root)}}) as site:
        for number in ("1001", "1002"):
            await site.ask(SignIn(number, f"3{number[1:]}"))
        made = Heard(site)
        made.root, made.ticket_id = root, await answered(site, "1002", "13800000091")
        made.file = await put_recording(site, made.ticket_id, root)
        made.callback_id = await put_callback(site, "1", ticket_id=made.ticket_id, agent="1001")
        yield made
        for client in made.clients.values():
            await client.aclose()


async def change_recording(site: DutySite, **values: Any) -> None:
    """Other columns for the call's recording, and the call's id for its ticket too."""
    one = update(recordings).where(recordings.c.call_id == CALL)
    await site.store.write(lambda c: c.execute(one.values(**values)))
    if "call_id" in values:
        moved = update(tickets).where(tickets.c.call_id == CALL).values(call_id=values["call_id"])
        await site.store.write(lambda c: c.execute(moved))


async def test_who_calls_back_hears_the_call_and_it_is_written_down(heard: Heard) -> None:
    """Whole or one range, never kept by a cache; each part a row with who, whose call, by which callback."""
    whole = await heard.play("1001")
    assert (whole.status_code, whole.content, whole.headers["content-type"]) == (200, AUDIO, "audio/wav")
    assert (whole.headers["cache-control"], whole.headers["accept-ranges"]) == ("no-store", "bytes")
    part = await heard.play("1001", "bytes=4-9")
    assert (part.status_code, part.content) == (206, AUDIO[4:10])
    assert part.headers["content-range"] == f"bytes 4-9/{len(AUDIO)}"
    assert (await heard.play("9001", "bytes=-3")).content == AUDIO[-3:]
    last = len(AUDIO) - 1
    assert await heard.plays() == [
        ("1001", CALL, heard.callback_id, 0, last), ("1001", CALL, heard.callback_id, 4, 9),
        ("9001", CALL, heard.callback_id, last - 2, last),
    ]  # fmt: skip


async def test_others_do_not_learn_that_it_exists(heard: Heard) -> None:
    """Another agent, the ticket's own first agent, a joined stranger, an unknown id: one answer, nothing written."""
    unknown = await heard.play("1001", ticket="t-none")
    for answer in (await heard.play("1002"), await heard.play("1003"), unknown):
        assert (answer.status_code, answer.json()) == (404, unknown.json())
    for number in ("9999", "9500"):
        assert (await heard.play(number)).status_code == 403
    await change_callback(heard.site, heard.callback_id, agent="1003")
    assert [(await heard.play(n)).status_code for n in ("1001", "1003")] == [404, 200]
    await change_callback(heard.site, heard.callback_id, state="reached", result="neutral")
    assert [(await heard.play(n)).status_code for n in ("1003", "9001")] == [404, 200]
    assert [row[0] for row in await heard.plays()] == ["1003", "9001"]


async def test_a_joined_ticket_is_heard_too(heard: Heard) -> None:
    """One conversation speaks of several tickets (QD 第十二条(四)); a ticket in the text of another is not one."""
    await change_callback(heard.site, heard.callback_id, ticket_id=None, joined=[f"{heard.ticket_id}x"])
    assert (await heard.play("1001")).status_code == 404
    await change_callback(heard.site, heard.callback_id, joined=["t-other", heard.ticket_id])
    assert (await heard.play("1001")).status_code == 200


async def test_a_file_that_is_not_the_one_kept_is_not_played(heard: Heard) -> None:
    """Swapped after its hash was taken: 409. A link, a pipe's folder, a file outside: as if there were none."""
    heard.file.write_bytes(AUDIO[:-1] + b"x")
    assert (await heard.play("1001")).json()["code"] == "recording_changed"
    outside = heard.root.parent / "cti-elsewhere" / "a.wav"
    outside.write_bytes(AUDIO)
    heard.file.unlink()
    heard.file.symlink_to(outside)
    assert (await heard.play("1001")).status_code == 404
    heard.file.unlink()
    heard.file.mkdir()
    assert (await heard.play("1001")).status_code == 404
    heard.file.rmdir()
    heard.file.parent.rmdir()
    heard.file.parent.symlink_to(outside.parent)
    outside.rename(outside.parent / heard.file.name)
    assert (await heard.play("1001")).status_code == 404
    assert await heard.plays() == []


@pytest.mark.parametrize("call_id", ["../cti-elsewhere/a", "/etc/passwd", "a\x00b", "..%2f..%2fa", "pbx-1.1"])
async def test_no_path_is_taken_from_a_row_that_is_no_calls(heard: Heard, call_id: str) -> None:
    """Were a row forged, its call id would still have to make the path."""
    outside = heard.root.parent / "cti-elsewhere" / "a.wav"
    outside.write_bytes(AUDIO)
    await change_recording(heard.site, call_id=call_id, path="../cti-elsewhere/a.wav")
    assert (await heard.play("1001")).status_code == 404


@pytest.mark.parametrize("ticket", ["..", "%2e%2e%2f", "..%2f..%2fetc%2fpasswd", "t%00", "t-none%2f..%2frecording"])
async def test_no_path_is_taken_from_the_address(heard: Heard, ticket: str) -> None:
    """Whatever stands in the address is an id of ours or nothing."""
    assert (await heard.play("1001", ticket=ticket)).status_code == 404


async def test_while_it_is_being_written_it_is_not_played(heard: Heard) -> None:
    """409 until the call's end has been looked at; a lost one is not there."""
    for state, status in (("expected", 409), ("missing", 404)):
        await change_recording(heard.site, state=state, size=None, sha256=None)
        assert (await heard.play("1001")).status_code == status
    assert await heard.plays() == []


ATTACKS = (
    "bytes=0-1,2-3", "bytes=" + ",".join(["0-1"] * 10_000), "bytes=-0", "bytes=2052-", "bytes=9-3", "bytes=-",
    "bytes=--1", "bytes=0-٣", "bytes=0x1-2", "octets=0-1", "bytes 0-1", "bytes=1-2 ", "bytes=" + "9" * 60 + "-",
)  # fmt: skip


@pytest.mark.parametrize("ranged", ATTACKS, ids=lambda text: text[:16])
def test_one_range_within_the_file_only(ranged: str) -> None:
    """Several, another unit, other digits, nothing, or beyond the end: 416 with the length."""
    with pytest.raises(Problem) as refused:
        part_of(ranged, len(AUDIO))
    assert (refused.value.code, refused.value.headers) == ("range", {"Content-Range": f"bytes */{len(AUDIO)}"})


async def test_a_bad_range_is_416_and_no_play(heard: Heard) -> None:
    """Nothing is read, nothing written."""
    answer = await heard.play("1001", "bytes=0-1,2-3")
    assert (answer.status_code, answer.json()["code"]) == (416, "range")
    assert await heard.plays() == []


@pytest.mark.parametrize(
    ("ranged", "part"),
    [
        ("", None),
        ("bytes=0-", Part(0, 9)),
        ("bytes=3-99", Part(3, 9)),
        ("bytes=-99", Part(0, 9)),
        ("bytes=9-9", (9, 9)),
    ],
)
def test_what_a_range_means(ranged: str, part: Part | None) -> None:
    """RFC 9110: an end beyond the file is its end, a longer tail than the file is the file."""
    assert part_of(ranged, 10) == part

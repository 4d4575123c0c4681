"""A phone types a number and a PIN over FastAGI; whatever it types, one command at most comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from cti.agi.server import AgiServer
from cti.commands import Command, GoBusy, GoReady, Outcome, SignIn, SignOut
from cti.commands.conduct import SeatUnproved
from cti.errors import Unavailable
from cti.lab.ports import free_port
from cti.settings import AgiSettings
from regulations import allowed, refused

PIN = "482915"
HEADERS = (
    "agi_network: yes\nagi_network_script: {script}\nagi_request: agi://127.0.0.1/{script}\nagi_arg_1: 3001\n"
    "agi_arg_2: 1001\nagi_arg_3: ctisc-1795284828.7\n\n"
)
UNPROVED = SeatUnproved("ctisc-1795284828.7")


class Desk:
    """The server with a scripted engine, and what it was asked."""

    def __init__(self) -> None:
        self.port = free_port()
        self.asked: list[Command] = []
        self.tried: list[tuple[str, str]] = []
        self.outcome: Outcome | Exception = Outcome(allowed())
        self.server = AgiServer(AgiSettings(port=self.port), self.submit, self.check_pin, "break")

    async def submit(self, command: Command) -> Outcome:
        self.asked.append(command)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    async def check_pin(self, number: str, pin: str, seat: str) -> bool:
        self.tried.append((number, seat))
        return pin == PIN

    async def call(self, script: str, *typed: str) -> list[str]:
        """Asterisk runs *script*; *typed* answers its questions, and then the phone hangs up. What was said to it."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(HEADERS.format(script=script).encode())
        said, keys = [], list(typed)
        while line := (await reader.readline()).decode().strip():
            said.append(line)
            if line.startswith("GET DATA"):
                if not keys:
                    break
                writer.write(f"200 result={keys.pop(0)}\n".encode())
            else:
                writer.write(b"200 result=0 endpos=0\n")
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)
        return said


@asynccontextmanager
async def running() -> AsyncIterator[Desk]:
    desk = Desk()
    task = asyncio.create_task(desk.server.run())
    try:
        for _ in range(1000):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", desk.port)
                writer.close()
                break
            except ConnectionRefusedError:
                await asyncio.sleep(0)
        yield desk
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize(
    ("script", "command", "sound"),
    [
        ("sign-in", SignIn("1001", "3001", proved=True), "agent-loginok"),
        ("sign-out", SignOut("1001"), "agent-loggedoff"),
        ("busy", GoBusy("1001", "break"), "activated"),
        ("ready", GoReady("1001"), "de-activated"),
    ],
)
async def test_each_code_gives_its_command_once(script: str, command: Command, sound: str) -> None:
    """签入 签出 示忙 就绪; the seat is the phone's own, told by the dialplan and not by who types."""
    async with running() as desk:
        said = await desk.call(script, "1001", PIN)
        assert desk.asked == [command]
        assert said[-1] == f'STREAM FILE {sound} ""'


async def test_three_wrong_pins_end_it(capfd: pytest.CaptureFixture[str]) -> None:
    """No fourth try, no command; and the PIN is in no log and in nothing that is said."""
    async with running() as desk:
        said = await desk.call("sign-in", "1001", "111222", "1001", "111222", "1001", "111222", "1001", PIN)
        assert desk.tried == [("1001", "3001")] * 3
        assert desk.asked == []
        assert sum(line.startswith("GET DATA agent-pass") for line in said) == 3
        logged = "".join(capfd.readouterr())
        assert "111222" not in logged + "".join(said)


@pytest.mark.parametrize("typed", ["", "-1", "１００１", "1001*", '1001"', "abc"])
async def test_what_is_no_number_is_not_tried(typed: str) -> None:
    """A timeout, a hang-up code or another byte is no input; the PIN is not even compared."""
    async with running() as desk:
        await desk.call("sign-in", typed, PIN, typed, PIN, typed, PIN)
        assert desk.tried == []
        assert desk.asked == []


@pytest.mark.parametrize("typed", [(), ("1001",)])
async def test_a_phone_that_hangs_up_leaves_nothing_behind(typed: tuple[str, ...]) -> None:
    """Before the number or before the PIN: no command, and the next phone is served."""
    async with running() as desk:
        await desk.call("sign-in", *typed)
        assert desk.asked == []
        await desk.call("sign-in", "1001", PIN)
        assert desk.asked == [SignIn("1001", "3001", proved=True)]


async def test_a_peer_that_says_nothing_stops_nobody() -> None:
    """A port scan opens and closes; the hotline's phones go on."""
    async with running() as desk:
        _, silent = await asyncio.open_connection("127.0.0.1", desk.port)
        await desk.call("ready", "1001", PIN)
        silent.close()
        await desk.call("ready", "1001", PIN)
        assert desk.asked == [GoReady("1001")] * 2


@pytest.mark.parametrize("outcome", [Outcome(refused("seat_taken", "席位已占用", "taken")), Unavailable("ending")])
async def test_a_refusal_is_heard_and_not_tried_again(outcome: Outcome | Exception) -> None:
    """The agent hears that it did not work; no second command follows by itself."""
    async with running() as desk:
        desk.outcome = outcome
        said = await desk.call("sign-in", "1001", PIN)
        assert len(desk.asked) == 1
        assert said[-1].startswith("STREAM FILE ")
        assert "loginok" not in said[-1]


async def test_a_seats_check_asks_that_agents_pin_and_nothing_else() -> None:
    """The number is the service's own word; the right PIN signs in, proved, at that seat; the check is over then."""
    async with running() as desk:
        said = await desk.call("seat-check", "000000", PIN)
        assert desk.tried == [("1001", "3001")] * 2
        assert desk.asked == [SignIn("1001", "3001", proved=True), UNPROVED]
        assert not [line for line in said if "agent-user" in line]
        assert said[-1] == 'STREAM FILE agent-loginok ""'


@pytest.mark.parametrize("typed", [("111222", "111222", "111222", PIN), ("", "", ""), (), ("111222",)])
async def test_a_check_that_is_not_proved_is_told(typed: tuple[str, ...]) -> None:
    """Three wrong PINs, nothing typed, a phone that hangs up: nobody is signed in, and the page hears of it."""
    async with running() as desk:
        await desk.call("seat-check", *typed)
        for _ in range(1000):
            if desk.asked:
                break
            await asyncio.sleep(0)
        assert desk.asked == [UNPROVED]
        assert len(desk.tried) <= 3

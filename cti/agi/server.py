"""签入 签出 示忙 就绪 from the phone: a feature code, the work number and the PIN.

Asterisk asks over FastAGI (panoramisk's server); the seat is told by the dialplan from the phone's own endpoint, so
nobody signs in at a seat without being there (HZ 第十八条). Prompts are Asterisk's core sounds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from panoramisk.fast_agi import Application, Request

from cti.commands import Command, GoBusy, GoReady, Outcome, SignIn, SignOut
from cti.commands.conduct import SeatUnproved
from cti.errors import CtiError
from cti.settings import AgiSettings

log = structlog.get_logger()

Submit = Callable[[Command], Awaitable[Outcome]]
CheckPin = Callable[[str, str, str], Awaitable[bool]]

NUMBER_MS = 8000  # time for a digit before the input counts as ended
MOST_DIGITS = 12
TRIES = 3
SESSION_S = 90.0  # a phone left off the hook ends here
REFUSED = "feature-not-avail-line"  # a core sound: nothing more to install


class AgiServer:
    """Answers Asterisk's FastAGI requests ``sign-in``, ``sign-out``, ``busy``, ``ready`` and ``seat-check``.

    Args:
        submit: the engine.
        check_pin: tells whether a PIN belongs to a number, tried from a seat; slows guessing down.
        busy_reason: the reason that the phone's 示忙 carries.
    """

    def __init__(self, settings: AgiSettings, submit: Submit, check_pin: CheckPin, busy_reason: str) -> None:
        self._settings = settings
        self._submit = submit
        self._check_pin = check_pin
        self._busy_reason = busy_reason

    async def run(self) -> None:
        """Serve until cancelled.

        Raises:
            OSError: the port is taken.
        """
        app = Application(loop=asyncio.get_running_loop())
        app.add_route("sign-in", self._sign_in)
        app.add_route("sign-out", self._sign_out)
        app.add_route("busy", self._busy)
        app.add_route("ready", self._ready)
        app.add_route("seat-check", self._seat_check)

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                async with asyncio.timeout(SESSION_S):
                    await app.handler(_Primed(await reader.readuntil(b"\n\n"), reader), writer)
            except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError) as error:
                log.info("agi_session_broken_off", reason=type(error).__name__)
            finally:
                writer.close()

        server = await asyncio.start_server(serve, self._settings.host, self._settings.port, limit=4096)
        async with server:
            await server.serve_forever()

    async def _sign_in(self, request: Request) -> None:
        seat = request.headers.get("agi_arg_1", "")
        await self._act(request, lambda number: SignIn(number, seat, proved=True), "agent-loginok")

    async def _seat_check(self, request: Request) -> None:
        """A page asked to sign in here: whoever picks up types that agent's PIN. The number and the seat are ours."""
        seat, number, check_id = (request.headers.get(f"agi_arg_{n}", "") for n in (1, 2, 3))
        try:
            await self._prove(request, number, seat)
            # The page waits for this. Of a check that has signed in it changes nothing; a session that is broken off
            # ends the check by its own deadline.
            await self._submit(SeatUnproved(check_id))
        except CtiError as error:
            log.warning("agi_command_failed", code=error.code)

    async def _prove(self, request: Request, number: str, seat: str) -> None:
        try:
            if await self._proves(request, number, seat):
                outcome = await self._submit(SignIn(number, seat, proved=True))
                await _say(request, "agent-loginok" if outcome.ruling.allowed else REFUSED)
        except _HungUpError:
            log.info("agi_hung_up")

    async def _proves(self, request: Request, number: str, seat: str) -> bool:
        for _ in range(TRIES):
            pin = await _digits(request, "agent-pass")
            if number and pin and await self._check_pin(number, pin, seat):
                return True
            await _say(request, "agent-incorrect")
        return False

    async def _sign_out(self, request: Request) -> None:
        await self._act(request, SignOut, "agent-loggedoff")

    async def _busy(self, request: Request) -> None:
        await self._act(request, lambda number: GoBusy(number, self._busy_reason), "activated")

    async def _ready(self, request: Request) -> None:
        await self._act(request, GoReady, "de-activated")

    async def _act(self, request: Request, command: Callable[[str], Command], done: str) -> None:
        try:
            number = await self._who(request)
            if number is None:
                return
            outcome = await self._submit(command(number))
            await _say(request, done if outcome.ruling.allowed else REFUSED)
        except CtiError as error:
            log.warning("agi_command_failed", code=error.code)
            await _say(request, REFUSED)
        except _HungUpError:
            log.info("agi_hung_up")

    async def _who(self, request: Request) -> str | None:
        seat = request.headers.get("agi_arg_1", "")
        for _ in range(TRIES):
            number = await _digits(request, "agent-user")
            pin = await _digits(request, "agent-pass")
            if number and pin and await self._check_pin(number, pin, seat):
                return number
            await _say(request, "agent-incorrect")
        return None


class _HungUpError(Exception):
    """The phone is gone."""


class _Primed:
    """A reader whose headers have been read. panoramisk's own loop never ends, and never yields, on a peer that closes
    before its headers are whole: one port scan would stop the hotline."""

    def __init__(self, headers: bytes, reader: asyncio.StreamReader) -> None:
        self._headers, self._reader = headers, reader

    async def read(self, _most: int) -> bytes:
        return self._headers

    async def readline(self) -> bytes:
        line = await self._reader.readline()
        if not line.endswith(b"\n"):
            raise _HungUpError
        return line


async def _digits(request: Request, prompt: str) -> str:
    """Digits typed during or after *prompt*, up to #. Whatever is not a digit is no input."""
    reply = await _command(request, f"GET DATA {prompt} {NUMBER_MS} {MOST_DIGITS}")
    typed = str(reply.get("result", ("", ""))[0])
    return typed if typed.isascii() and typed.isdigit() else ""


async def _say(request: Request, sound: str) -> None:
    await _command(request, f'STREAM FILE {sound} ""')


async def _command(request: Request, command: str) -> dict[str, Any]:
    reply: dict[str, Any] = await request.send_command(command)
    if reply.get("error") in ("AGIResultHangup", "AGIAppError"):
        raise _HungUpError
    return reply

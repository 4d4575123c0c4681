"""签入 签出 示忙 就绪 from the phone: a feature code, the work number and the PIN.

Asterisk asks over FastAGI (panoramisk's server); the seat is told by the dialplan from the phone's own endpoint, so
nobody signs in at a seat without being there (HZ 第十八条). Prompts are Asterisk's core sounds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from panoramisk.fast_agi import Application, Request

from cti.commands import Command, GoBusy, GoReady, Outcome, SignIn, SignOut
from cti.errors import CtiError
from cti.settings import AgiSettings

log = structlog.get_logger()

Submit = Callable[[Command], Awaitable[Outcome]]
CheckPin = Callable[[str, str, str], Awaitable[bool]]

NUMBER_MS = 8000  # time for a digit before the input counts as ended
MOST_DIGITS = 12
TRIES = 3
SESSION_S = 90.0  # a phone left off the hook ends here


class AgiServer:
    """Answers Asterisk's FastAGI requests ``sign-in``, ``sign-out``, ``busy`` and ``ready``.

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

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                async with asyncio.timeout(SESSION_S):
                    await app.handler(reader, writer)
            except TimeoutError:
                log.info("agi_session_too_long")
            finally:
                writer.close()

        server = await asyncio.start_server(serve, self._settings.host, self._settings.port, limit=4096)
        async with server:
            await server.serve_forever()

    async def _sign_in(self, request: Request) -> None:
        seat = request.headers.get("agi_arg_1", "")
        await self._act(request, lambda number: SignIn(number, seat), "agent-loginok")

    async def _sign_out(self, request: Request) -> None:
        await self._act(request, SignOut, "agent-loggedoff")

    async def _busy(self, request: Request) -> None:
        await self._act(request, lambda number: GoBusy(number, self._busy_reason), "activated")

    async def _ready(self, request: Request) -> None:
        await self._act(request, GoReady, "de-activated")

    async def _act(self, request: Request, command: Callable[[str], Command], done: str) -> None:
        number = await self._who(request)
        if number is None:
            return
        try:
            outcome = await self._submit(command(number))
        except CtiError as error:
            log.warning("agi_command_failed", code=error.code)
            await _say(request, "an-error-has-occured")
            return
        await _say(request, done if outcome.ruling.allowed else "an-error-has-occured")

    async def _who(self, request: Request) -> str | None:
        seat = request.headers.get("agi_arg_1", "")
        for _ in range(TRIES):
            number = await _digits(request, "agent-user")
            pin = await _digits(request, "agent-pass")
            if number and pin and await self._check_pin(number, pin, seat):
                return number
            await _say(request, "agent-incorrect")
        return None


async def _digits(request: Request, prompt: str) -> str:
    """Digits typed during or after *prompt*, up to #. Whatever is not a digit is no input."""
    reply = await request.send_command(f"GET DATA {prompt} {NUMBER_MS} {MOST_DIGITS}")
    typed = str(reply.get("result", ("", ""))[0])
    return typed if typed.isascii() and typed.isdigit() else ""


async def _say(request: Request, sound: str) -> None:
    await request.send_command(f'STREAM FILE {sound} ""')

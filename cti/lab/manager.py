"""A plain, blocking AMI session for the lab: it plays people and watches the oracle, so it shares no code with the
service's link."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from cti.lab.errors import LabError

Headers = dict[str, str]
LOGIN_S = 5.0  # a refused login costs Asterisk 1 s on purpose


class Unreachable(LabError):
    """Nobody listens, or not an Asterisk."""


class Refused(LabError):
    """Asterisk does not accept the account."""


class Manager:
    """One session. ``send`` may be called from any thread; what nobody asked for goes to *on_frame*, raw.

    Args:
        host: where AMI listens.
        port: its port.
        username: an account of manager.conf.
        secret: its secret.
        on_frame: called in a thread of its own with every frame that is no answer, without its blank line; None
            asks for no events.

    Raises:
        Unreachable: nobody speaks AMI there.
        Refused: the login is not accepted.
    """

    def __init__(
        self, host: str, port: int, username: str, secret: str, on_frame: Callable[[bytes], None] | None = None
    ) -> None:
        self._on_frame = on_frame
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self._answers: dict[str, list[Headers]] = {}
        self._arrived = threading.Condition()
        self._over = False
        try:
            self._socket = socket.create_connection((host, port), timeout=5)
        except OSError as error:
            raise Unreachable(f"no AMI at {host}:{port} ({error.strerror or error}): is Asterisk running?") from error
        self._socket.settimeout(None)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        events = "on" if on_frame is not None else "off"
        try:
            answer = self.send("Login", timeout=LOGIN_S, Username=username, Secret=secret, Events=events)
        except LabError as error:
            self.close()
            raise Unreachable(f"{host}:{port} does not speak AMI: {error}") from error
        if answer.get("Response") != "Success":
            self.close()
            raise Refused(f"AMI at {host}:{port} refused the login of {username}: check name, secret and permit")

    def send(self, action: str, timeout: float = 10.0, **headers: str) -> Headers:
        """Send one action; the first frame of its answer. A trailing ``_`` in a header's name is dropped."""
        return self._ask(action, timeout, headers, lists=False)[0]

    def items(self, action: str, timeout: float = 10.0, **headers: str) -> list[Headers]:
        """Send an action that answers with a list; its items."""
        return self._ask(action, timeout, headers, lists=True)[1:-1]

    def _ask(self, action: str, timeout: float, headers: Headers, lists: bool) -> list[Headers]:
        action_id = f"lab{next(self._ids)}"
        lines = {"Action": action, "ActionID": action_id, **{k.rstrip("_"): v for k, v in headers.items()}}
        if any(set("\r\n\0") & set(value) for value in lines.values()):
            raise LabError(f"{action}: a value holds a line end")
        self._answers[action_id] = []
        try:
            with self._lock:
                self._socket.sendall("".join(f"{k}: {v}\r\n" for k, v in lines.items()).encode() + b"\r\n")
        except OSError as error:
            raise LabError(f"{action}: the session ended") from error
        with self._arrived:
            self._arrived.wait_for(lambda: self._over or self._complete(action_id, lists), timeout)
            if not self._complete(action_id, lists):
                why = "the session ended" if self._over else f"no answer within {timeout:.0f} s"
                raise LabError(f"{action}: {why}")
            return self._answers.pop(action_id)

    def _complete(self, action_id: str, lists: bool) -> bool:
        frames = self._answers[action_id]
        if not frames:
            return False
        return not lists or frames[0]["Response"] == "Error" or frames[-1].get("EventList") in ("Complete", "cancelled")

    def _read(self) -> None:
        buffer = b""
        data = b" "
        while data:
            try:
                data = self._socket.recv(65536)
            except OSError:
                break
            *frames, buffer = (buffer + data).split(b"\r\n\r\n")
            for frame in frames:
                self._sort(frame.lstrip(b"\r\n"))
        with self._arrived:
            self._over = True
            self._arrived.notify_all()

    def _sort(self, frame: bytes) -> None:
        headers = headers_of(frame)
        action_id = headers.get("ActionID", "")
        if action_id in self._answers and (
            frame.startswith((b"Response", b"Asterisk"))
            or "EventList" in headers
            or (self._answers[action_id] and "Privilege" not in headers)
        ):
            with self._arrived:
                self._answers[action_id].append(headers)
                self._arrived.notify_all()
        elif self._on_frame is not None and frame:
            self._on_frame(frame)

    def close(self) -> None:
        """End the session."""
        with suppress(OSError):  # the other side may have been faster
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._reader.join(5)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def headers_of(frame: bytes) -> Headers:
    """The headers of a frame; the last of a repeated one."""
    lines = (line.partition(": ") for line in frame.decode("utf-8", "replace").split("\r\n"))
    return {name: value for name, _, value in lines if name}

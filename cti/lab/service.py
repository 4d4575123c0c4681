"""The service as a child process beside the lab's Asterisk: demo, tests, bench and prove share it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError, URLError

from cti.lab.asterisk import LabAsterisk
from cti.lab.errors import LabError
from cti.lab.ports import free_port
from cti.lab.process import end
from cti.store.db import Store
from cti.store.people import Pins, add_person

READY_S = 30.0
SEATS = "Local/{seat}@lab-seats/n"


class LabPerson(NamedTuple):
    """Somebody who may log in to the lab's pages."""

    number: str
    name: str
    role: str
    pin: str


class Answer(NamedTuple):
    """What the API answered."""

    status: int
    body: Any


@dataclass
class LabService:
    """One ``cti run`` on its own database. ``start`` returns when the pages answer and the link is up.

    Args:
        work: folder of settings, database and log.
        ami: host, port, username and secret of the AMI account.
        files: the asterisk section of the settings.
        more: further settings, by section; they outweigh the lab's.
    """

    work: Path
    ami: Mapping[str, Any]
    files: Mapping[str, Any]
    agi_port: int
    more: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @classmethod
    def beside(cls, lab: LabAsterisk, work: Path, **more: Mapping[str, Any]) -> LabService:
        """A service for the lab's own Asterisk."""
        ami = {"host": "127.0.0.1", "port": lab.ami_port, "username": "cti", "secret": lab.cti_secret}
        files = {"queue_log": lab.queue_log, "cdr": lab.cdr, "cel": lab.cel, "recordings": lab.recordings}
        return cls(work, ami, {key: str(path) for key, path in files.items()}, lab.agi_port, more)

    @property
    def database(self) -> Path:
        return self.work / "cti.db"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def settings(self) -> dict[str, Any]:
        """The settings as plain values."""
        values: dict[str, Any] = {
            "database": str(self.database),
            "demo": True,
            "ami": dict(self.ami),
            "agi": {"port": self.agi_port},
            "asterisk": dict(self.files),
            "hotline": {"seat_interface": SEATS},
            "web": {"port": self.port},
        }
        for section, changes in self.more.items():
            values[section] = {**values.get(section, {}), **changes}
        return values

    def prepare(self, people: list[LabPerson]) -> None:
        """Write the settings file and add people to a new database."""
        self.work.mkdir(parents=True, exist_ok=True)
        (self.work / "config.toml").write_text(_toml(self.settings()))
        (self.work / "config.toml").chmod(0o600)

        async def work() -> None:
            store = await Store.open(self.database)
            try:
                for person in people:
                    await add_person(store, Pins(), person.number, person.name, person.role, person.pin)
            finally:
                await store.close()

        asyncio.run(work())

    def spawn(self) -> None:
        """Start the process without waiting."""
        with (self.work / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cti", "run", "--config", str(self.work / "config.toml")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                cwd=Path(__file__).parent.parent.parent, env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )  # fmt: skip

    def start(self) -> None:
        """Start, and wait until it is live.

        Raises:
            LabError: it ended, or is not live in ``READY_S``; names the log to read.
        """
        self.spawn()
        self.wait_live()

    def wait_live(self) -> None:
        """Wait until pages answer and Asterisk is linked and synced. Raises LabError as ``start``."""
        limit = time.monotonic() + READY_S
        while time.monotonic() < limit:
            if self.process is not None and self.process.poll() is not None:
                raise LabError(f"the service ended with status {self.process.returncode}: see {self.work}/log")
            try:
                with urllib.request.urlopen(f"{self.url}/api/v1/health", timeout=2) as reply:  # noqa: S310
                    if json.load(reply).get("status") == "ok":
                        return
            except (URLError, OSError, ValueError):
                pass
            time.sleep(0.03)
        raise LabError(f"the service was not live in {READY_S:.0f} s: see {self.work}/log")

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        end(self.process, signal.SIGKILL)
        self.process = None

    def stop(self) -> None:
        """A clean stop; SIGKILL when it takes too long."""
        end(self.process)
        self.process = None

    def log_in(self, number: str, pin: str) -> LabBrowser:
        """A logged-in client of the API.

        Raises:
            LabError: the login is refused.
        """
        client = LabBrowser(self.url)
        answer = client.ask("POST", "session", {"number": number, "pin": pin})
        if answer.status != 201:
            raise LabError(f"login of {number} refused with status {answer.status}")
        return client


class LabBrowser:
    """The API as a page uses it, with its cookie."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.cookie = ""

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None, **headers: str) -> Answer:
        """One request to /api/v1; a refusal is an answer."""
        request = urllib.request.Request(  # noqa: S310
            f"{self.url}/api/v1/{path}", method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Origin": self.url, "X-CTI-Request": "1",
                     "Cookie": self.cookie, **{name.replace("_", "-"): value for name, value in headers.items()}},
        )  # fmt: skip
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:  # noqa: S310
                self.cookie = (reply.headers.get("Set-Cookie") or self.cookie).partition(";")[0]
                return Answer(reply.status, _json(reply.read()))
        except HTTPError as error:
            return Answer(error.code, _json(error.read()))


def _json(raw: bytes) -> Any:
    return json.loads(raw) if raw else None


def _toml(values: Mapping[str, Any]) -> str:
    """TOML with one level of sections; deeper ones are inline tables. A JSON string is a TOML basic string."""
    top = [f"{name} = {_value(value)}" for name, value in values.items() if not isinstance(value, Mapping)]
    for name, section in values.items():
        if isinstance(section, Mapping):
            top += ["", f"[{name}]", *(f"{key} = {_value(value)}" for key, value in section.items())]
    return "\n".join(top) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_value(inner) for inner in value) + "]"
    return json.dumps(value, ensure_ascii=False)

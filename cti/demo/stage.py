"""Asterisk and service of the demo: opened together, watched, closed together."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from cti.clock import SystemClock
from cti.demo.cast import AGENTS, RELIEF, SEAT_OF
from cti.lab.apt import Say
from cti.lab.asterisk import LabAsterisk, find_program
from cti.lab.citizens import Citizens
from cti.lab.errors import LabError
from cti.lab.ports import claim, free_port, is_free
from cti.lab.service import LabPerson, LabService
from cti.settings import AgiSettings, AsteriskSettings, WebSettings

AMI_PORT = 5038
SHIFT = timedelta(hours=8)
LEFT = timedelta(minutes=35)  # the handover is drafted 30 minutes before the end (HZ 第三十一条)
CONTEXTS = ("cti-inbound", "cti-hotline", "lab-seats", "lab-talk")
LOADED = "load asterisk-conf/ (its README.md) and cti/lab/conf/lab_extensions.conf there"


@dataclass
class Stage:
    """What the demo plays on."""

    work: Path
    service: LabService
    citizens: Citizens
    lab: LabAsterisk | None = None
    number: str = "12319"

    def open(self, people: list[LabPerson]) -> None:
        """Start the service.

        Raises:
            LabError: it does not come up.
        """
        self.service.prepare(people)
        self.service.start()

    def roster(self, lead: LabPerson) -> None:
        """Put the shift that is on, which ends in ``LEFT``, and the next one, over the API as the lead's page does.

        Raises:
            LabError: it is refused.
        """
        browser = self.service.log_in(lead.number, lead.pin)
        zone = ZoneInfo(browser.ask("GET", "me").body["zone"])
        change = SystemClock().now().astimezone(zone).replace(second=0, microsecond=0) + LEFT
        entries = [
            {
                "agent": agent.number,
                "day": begins.date().isoformat(),
                "from": f"{begins:%H:%M}",
                "to": f"{begins + SHIFT:%H:%M}",
                "code": code,
                "crew": crew,
                "seat": agent.seat,
            }
            for agents, code, crew, begins in ((AGENTS, "前班", "甲", change - SHIFT), (RELIEF, "后班", "乙", change))
            for agent in agents
        ]
        answer = browser.ask("PUT", "roster/shifts", {"entries": entries, "reason": "演示"})
        if answer.status != 200:
            raise LabError(f"the roster was refused with status {answer.status}")

    def sign_in(self, people: list[LabPerson]) -> None:
        """Sign *people* in at their seats, over the API as a page does.

        Raises:
            LabError: one of them is refused.
        """
        for person in people:
            browser = self.service.log_in(person.number, person.pin)
            answer = browser.ask("POST", "me/sign-in", {"seat": SEAT_OF[person.number]})
            if answer.status != 200:
                raise LabError(f"sign-in of {person.number} was refused with status {answer.status}")

    def look(self) -> None:
        """Is everything still there?

        Raises:
            LabError: Asterisk or the service has ended; names the log to read.
        """
        if self.lab is not None and self.lab.process is not None and self.lab.process.poll() is not None:
            status = self.lab.process.returncode
            raise LabError(f"Asterisk ended by itself with status {status}: see {self.lab.log}/messages.log")
        if self.service.process is not None and self.service.process.poll() is not None:
            status = self.service.process.returncode
            raise LabError(f"the service ended by itself with status {status}: see {self.service.work}/log")


@contextmanager
def own_stage(say: Say) -> Iterator[Stage]:
    """An Asterisk of our own in a temporary folder, which stays only when something went wrong.

    Raises:
        RootfsError: Asterisk cannot be brought.
        LabError: Asterisk does not start.
    """
    program = find_program(say)
    with _folder() as work:
        lab = LabAsterisk(work / "pbx", program)
        try:
            say("starting Asterisk")
            lab.configure()
            lab.start()
            say("starting the service")
            service = LabService.beside(lab, work / "service")
            with _running(service, say), Citizens.of(lab) as citizens:
                yield Stage(work, service, citizens, lab)
        finally:
            lab.stop()


@contextmanager
def there_stage(pbx: str, user: str, secret: str, say: Say) -> Iterator[Stage]:
    """An Asterisk that is already there; at the end our calls and members are gone from it.

    Raises:
        LabError: it is not there, refuses the account, or lacks what the demo needs.
    """
    host, _, port = pbx.partition(":")
    if port and not port.isdigit():
        raise LabError(f"--pbx {pbx}: host or host:port is needed")
    at = int(port) if port else AMI_PORT
    with Citizens(host, at, user, secret) as citizens:
        missing = citizens.missing(CONTEXTS)
        if missing:
            raise LabError(f"{pbx} lacks {', '.join(missing)}: {LOADED}")
        files = AsteriskSettings()
        ami = {"host": host, "port": at, "username": user, "secret": secret}
        paths = {name: str(getattr(files, name)) for name in ("queue_log", "cdr", "cel", "recordings")}
        with _folder() as work:
            service = LabService(work / "service", ami, paths, AgiSettings().port)
            try:
                with _running(service, say):
                    yield Stage(work, service, citizens)
            finally:
                for seat in SEAT_OF.values():
                    citizens.remove_member(seat)


@contextmanager
def _running(service: LabService, say: Say) -> Iterator[None]:
    service.port = _page_port(say)
    try:
        yield
    finally:
        service.stop()


def _page_port(say: Say) -> int:
    """The usual port of the pages, or another one when it is taken."""
    usual = WebSettings().port
    if is_free(usual) and claim(usual):
        return usual
    other = free_port()
    say(f"port {usual} is taken: the pages are on {other}")
    return other


@contextmanager
def _folder() -> Iterator[Path]:
    work = Path(tempfile.mkdtemp(prefix="cti-demo-"))
    keep = False
    try:
        yield work
    except Exception:
        keep = True  # the message names a log in there
        raise
    finally:
        if not keep:
            shutil.rmtree(work, ignore_errors=True)

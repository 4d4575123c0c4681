"""Asks Asterisk over AMI, with nothing but the rights that the service's account has."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

from cti.clock import Clock
from cti.doctor.facts import AmiFacts
from cti.lab.errors import LabError
from cti.lab.manager import Headers, Manager, Refused, Unreachable, headers_of
from cti.settings import AmiSettings

MEMBER = "cti-doctor"
INTERFACE = "Local/doctor@cti-agi"  # a paused member is never rung, and this context has no such extension
CONTEXTS = (
    "cti-inbound", "cti-hotline", "cti-caller", "cti-record", "cti-callback", "cti-unrecorded", "cti-seat-check",
    "cti-codes", "cti-agi",
)  # fmt: skip
EVENT_S = 2.0


class _Ears:
    """Waits for the event about our own member."""

    def __init__(self) -> None:
        self.heard = threading.Event()
        self.stamped = False

    def hear(self, frame: bytes) -> None:
        if not frame.startswith(b"Event: QueueMember") or self.heard.is_set():
            return
        headers = headers_of(frame)
        if headers.get("MemberName") == MEMBER:
            self.stamped = "Timestamp" in headers
            self.heard.set()


def ask_asterisk(settings: AmiSettings, queue: str, queue_log: Path, clock: Clock) -> AmiFacts:
    """What Asterisk answers; a session that does not come about is a fact too."""
    ears = _Ears()
    try:
        with Manager(settings.host, settings.port, settings.username, settings.secret, ears.hear) as ami:
            return _ask(ami, queue, queue_log, clock, ears)
    except Refused as error:
        return AmiFacts(refused=True, unreachable=str(error))
    except (Unreachable, LabError) as error:
        return AmiFacts(unreachable=str(error))


def _ask(ami: Manager, queue: str, queue_log: Path, clock: Clock, ears: _Ears) -> AmiFacts:
    commands = frozenset(ami.send("ListCommands")) - {"Response", "ActionID"}
    before = clock.now()
    stamp = ami.send("Ping").get("Timestamp", "")
    middle = before + (clock.now() - before) / 2
    offset = (datetime.fromtimestamp(float(stamp), UTC) - middle).total_seconds() if stamp else None
    known = any(item.get("Event") == "QueueParams" for item in ami.items("QueueStatus", Queue=queue))
    size = queue_log.stat().st_size if queue_log.exists() else 0
    if known:
        ami.send("QueueAdd", Queue=queue, Interface=INTERFACE, MemberName=MEMBER, Paused="true", Reason="cti doctor")
        ears.heard.wait(EVENT_S)
        ami.send("QueueRemove", Queue=queue, Interface=INTERFACE)
    return AmiFacts(
        version=ami.send("CoreSettings").get("AsteriskVersion", ""),
        commands=commands,
        offset_s=offset,
        queue=known,
        contexts=_contexts(ami) if "ShowDialPlan" in commands else None,
        member_event=ears.heard.is_set(),
        member_stamped=ears.stamped,
        member_log=_line_of_member(queue_log, size),
    )


def _contexts(ami: Manager) -> frozenset[str]:
    found = set()
    for name in CONTEXTS:
        items: list[Headers] = ami.items("ShowDialPlan", Context=name)
        found |= {item["Context"] for item in items if "Context" in item}
    return frozenset(found)


def _line_of_member(queue_log: Path, start: int) -> str:
    try:
        with queue_log.open("rb") as file:
            file.seek(start)
            lines = file.read().decode("utf-8", "replace").split("\n")
    except OSError:
        return ""
    return next((line for line in lines if "|ADDMEMBER|" in line and (MEMBER in line or INTERFACE in line)), "")

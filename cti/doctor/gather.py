"""Looks at the machine and asks Asterisk. Judges nothing."""

from __future__ import annotations

import ipaddress
import os
import re
import shutil
import socket
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cti.app import load_profile
from cti.clock import Clock
from cti.doctor.asking import ask_asterisk
from cti.doctor.facts import ConfigFacts, Facts, FileFacts, FolderFacts, HostFacts
from cti.doctor.layout import layout_faults
from cti.errors import BadInput
from cti.lab.oracle import parse_queue_log
from cti.settings import HotlineSettings, Settings
from cti.workdays import load_calendar

SHIPPED_SECRET = "CHANGE-ME"  # noqa: S105  the word in asterisk-conf/manager.d/cti.conf that must not stay
TAIL = 256 * 1024
MAKEUP_DAYS_ARE_OUT = 11  # the State Council proclaims next year's holidays in October or November
SETTLED = timedelta(minutes=1)  # a call that ended this long ago is in every file
_ENDINGS = frozenset({"ABANDON", "COMPLETEAGENT", "COMPLETECALLER", "EXITEMPTY", "EXITWITHTIMEOUT"})


def gather(settings: Settings, clock: Clock, etc: Path) -> Facts:
    """All facts. Blocking: at most some 30 s, when Asterisk answers nothing."""
    files = settings.asterisk
    last = _last_call(files.queue_log, clock)
    return Facts(
        ami=ask_asterisk(settings.ami, settings.hotline.queue, files.queue_log, clock),
        config=read_config(etc, settings.hotline.queue),
        queue_log=_file(files.queue_log, None),
        cdr=_file(files.cdr, last),
        cel=_file(files.cel, last),
        recordings=_folder(files.recordings, os.R_OK | os.X_OK),
        database=_folder(settings.database.parent, os.W_OK | os.X_OK),
        host=_host(settings, clock.now()),
        queue=settings.hotline.queue,
        account=settings.ami.username,
        agi_address=f"{settings.agi.host}:{settings.agi.port}",
    )


def _host(settings: Settings, now: datetime) -> HostFacts:
    secret = settings.ami.secret
    workdays, without_makeup = _workdays(settings.hotline.workdays, now)
    return HostFacts(
        secret_length=len(secret),
        secret_shipped=secret == SHIPPED_SECRET,
        web_loopback=_is_loopback(settings.web.host),
        web_tls=settings.web.certificate is not None,
        agi=_port(settings.agi.host, settings.agi.port),
        profile=_profile(settings.hotline),
        ring_next_s=_ring_next(settings.hotline),
        wrap_up_s=settings.hotline.wrap_up_s,
        workdays=workdays,
        without_makeup=without_makeup,
        layout=layout_faults(),
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _port(host: str, port: int) -> str:
    try:
        with socket.create_connection((host, port), timeout=2):
            return "answers"
    except OSError:
        pass  # nobody listens: can we?
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            return "free"
    except OSError as error:
        return error.strerror or "cannot be used"


def _profile(hotline: HotlineSettings) -> str:
    try:
        ZoneInfo(load_profile(hotline.profile, hotline.house).zone)
    except (BadInput, ZoneInfoNotFoundError, ValueError) as error:
        return str(error)
    return ""


def _ring_next(hotline: HotlineSettings) -> float | None:
    if _profile(hotline):
        return None  # said already: the rules do not load
    limit = load_profile(hotline.profile, hotline.house).get("escalate.ring_next_after")
    return None if limit is None else limit.seconds()


def _workdays(path: Path | None, now: datetime) -> tuple[str, tuple[int, ...]]:
    """Why the calendar does not load, and the years that it lacks; next year's are asked for from November on."""
    try:
        calendar = load_calendar(path, now.year)
    except BadInput as error:
        return str(error), ()
    years = (now.year, now.year + 1) if now.month >= MAKEUP_DAYS_ARE_OUT else (now.year,)
    return "", tuple(year for year in years if not calendar.knows(year))


def _folder(path: Path, rights: int) -> FolderFacts:
    place = next(p for p in (path, *path.parents) if p.exists())
    free = shutil.disk_usage(place).free
    if not path.is_dir():
        return FolderFacts(path, "does not exist", free)
    return FolderFacts(path, "" if os.access(path, rights) else "permission denied", free)


def _file(path: Path, last_call: str | None) -> FileFacts:
    text, trouble = _tail(path)
    return FileFacts(path, trouble, None if last_call is None or trouble else last_call in text)


def _tail(path: Path) -> tuple[str, str]:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL))
            return file.read().decode("utf-8", "replace"), ""
    except OSError as error:
        return "", error.strerror or "cannot be read"


def _last_call(queue_log: Path, clock: Clock) -> str | None:
    before = (clock.now() - SETTLED).timestamp()
    for line in reversed(_tail(queue_log)[0].split("\n")):
        row = parse_queue_log(line)
        if row is not None and row.verb in _ENDINGS and row.at <= before:
            return row.call_id
    return None


def read_config(etc: Path, queue: str) -> ConfigFacts:
    """What manager.conf and queues.conf, with the files beside them that FreePBX, Debian and we include, say."""
    manager = _sections(
        [etc / "manager.conf", *sorted(etc.glob("manager.d/*.conf")), *sorted(etc.glob("manager_*.conf"))]
    )
    queues = _sections([etc / "queues.conf", *sorted(etc.glob("queues_*.conf")), etc / "cti_queues.conf"])
    timeouts = {
        section: int(value)
        for section, key, value in manager or []
        if key == "writetimeout" and value.isdigit()
    }  # fmt: skip
    web = [value for section, key, value in manager or [] if (section, key) == ("general", "webenabled")]
    of_queue = {key: int(value) for section, key, value in queues or [] if section == queue and value.isdigit()}
    members = [value for _, key, value in queues or [] if key == "persistentmembers"]
    return ConfigFacts(
        write_timeouts=None if manager is None else timeouts,
        web_enabled=None if manager is None else bool(web) and web[-1] in ("yes", "true", "1", "on"),
        persistent_members=None if queues is None else bool(members) and members[-1] in ("yes", "true", "1", "on"),
        ring_s=of_queue.get("timeout"),
        wrap_up_s=of_queue.get("wrapuptime"),
    )


def _sections(files: list[Path]) -> list[tuple[str, str, str]] | None:
    """(section, key, value) of every line, in order; None when the first file cannot be read."""
    rows: list[tuple[str, str, str]] = []
    section = ""
    for file in files:
        try:
            lines = file.read_text(errors="replace").splitlines()
        except OSError:
            if file is files[0]:
                return None
            continue
        for line in lines:
            text = line.split(";", 1)[0].strip()
            header = re.match(r"\[([^\]]+)\]", text)
            pair = re.match(r"([A-Za-z_]+)\s*=>?\s*(.*)", text)
            if header:
                section = header.group(1)
            elif pair:
                rows.append((section, pair.group(1).lower(), pair.group(2).strip().lower()))
    return rows

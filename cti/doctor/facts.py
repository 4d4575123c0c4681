"""What the doctor found, before it is judged. Plain values, so that every check can be tried without an Asterisk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class AmiFacts:
    """What Asterisk answered over AMI."""

    unreachable: str = ""
    """Why no session came about, one line."""
    refused: bool = False
    version: str = ""
    commands: frozenset[str] = frozenset()
    """Actions that this account may send (ListCommands)."""
    offset_s: float | None = None
    """Asterisk's clock minus ours, seconds."""
    queue: bool = False
    contexts: frozenset[str] | None = None
    """Those of our contexts that the dialplan has; None when it could not be asked."""
    member_event: bool = False
    """The event about our own member arrived."""
    member_stamped: bool = False
    """... and carried a Timestamp."""
    member_log: str = ""
    """Its line in queue_log; "" when it was not found in the file of the settings."""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A file that Asterisk writes and the service reads."""

    path: Path
    trouble: str = ""
    """Why it cannot be read, one line; "" when it can."""
    has_last_call: bool | None = None
    """The newest finished call of queue_log is in it; None when there is none, or for queue_log itself."""


@dataclass(frozen=True, slots=True)
class FolderFacts:
    """A folder that is read or written."""

    path: Path
    trouble: str = ""
    free: int = 0
    """Bytes."""


@dataclass(frozen=True, slots=True)
class ConfigFacts:
    """What Asterisk's own configuration says; every value is None when it could not be read."""

    write_timeouts: Mapping[str, int] | None = None
    """Account -> writetimeout, milliseconds, of those that set one."""
    web_enabled: bool | None = None
    persistent_members: bool | None = None
    ring_s: int | None = None
    """``timeout`` of the hotline's queue, seconds; None, too, when no file sets it."""
    wrap_up_s: int | None = None
    """``wrapuptime`` of the hotline's queue, seconds; None, too, when no file sets it."""


@dataclass(frozen=True, slots=True)
class HostFacts:
    """This machine and these settings."""

    secret_length: int
    secret_shipped: bool
    """Still the one of asterisk-conf/."""
    web_loopback: bool
    web_tls: bool
    agi: str
    """``free``, ``answers`` or why it can be neither."""
    profile: str
    """Why the hotline's rules or their time zone do not load; "" when they do."""
    ring_next_s: float | None = None
    """After how long the rules want the next agent rung, seconds; None when they do not say."""
    wrap_up_s: float = 0.0
    """For how long wrap-up is shown after a call, seconds."""
    workdays: str = ""
    """Why the calendar of working days does not load; "" when it does."""
    without_makeup: tuple[int, ...] = ()
    """Years that have begun or begin soon and whose make-up days are not known."""
    layout: tuple[str, ...] = ()
    """Folders of ours that somebody else's package stands in front of."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything."""

    ami: AmiFacts
    config: ConfigFacts
    queue_log: FileFacts
    cdr: FileFacts
    cel: FileFacts
    recordings: FolderFacts
    database: FolderFacts
    host: HostFacts
    queue: str
    account: str
    agi_address: str

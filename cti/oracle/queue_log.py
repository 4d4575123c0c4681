"""Asterisk's queue_log, line by line, into the vocabulary of queues/facts.py.

Grammar (Asterisk 22, app_queue and logger): ``epoch|call id|queue|member|VERB|data...``. A line that does not follow
it is quarantined whole, never mended: on a full disk Asterisk leaves a torn line glued to the next, and a caller whose
number holds a newline writes lines of his own. Unknown verbs are counted by name. All times are whole seconds, rounded
down; every fact says so with ``exact=False``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from queues.facts import Answered, Completed, Door, Ending, Entered, Left, NotAnswered, Offered, Rated, ShutOut, Told

EARLIEST = datetime(2001, 1, 1, tzinfo=UTC)
AHEAD = timedelta(hours=1)
"""A time further ahead of our clock than this is noted as absurd."""


class RingCancelled(NamedTuple):
    """An offer ended because the caller gave up while it rang. ``rang_ms`` is Asterisk's own figure."""

    call_id: str
    at: datetime
    agent: str
    rang_ms: int


class MemberAdded(NamedTuple):
    """A queue member was added: an agent signed in, by us or past us. ``by`` is ``MANAGER``, or a channel's id."""

    at: datetime
    queue: str
    agent: str
    paused: bool
    by: str


class MemberRemoved(NamedTuple):
    """A queue member was removed."""

    at: datetime
    queue: str
    agent: str
    by: str


class PauseChanged(NamedTuple):
    """A queue member was paused or unpaused; ``reason`` as given by whoever did it, may be empty."""

    at: datetime
    queue: str
    agent: str
    paused: bool
    reason: str


class Restarted(NamedTuple):
    """Asterisk started (QUEUESTART): a call that was open before this is over, and nobody logged its end."""

    at: datetime


Fact = Told | RingCancelled | MemberAdded | MemberRemoved | PauseChanged | Restarted


class Entry(NamedTuple):
    """One line understood. CONNECT gives two facts: the offer, with its ring time, and the answer.

    ``call_id`` is empty for lines that are about no call; ``queue`` may be ``NONE``.
    """

    at: datetime
    verb: str
    call_id: str
    queue: str
    facts: tuple[Fact, ...]


class Quarantined(NamedTuple):
    """One line refused. ``number`` counts from 0 in this reading; the content is not repeated: it is hostile."""

    number: int
    reason: str


class Reading(NamedTuple):
    """What a batch of lines says. ``notes`` are reasons to trust the times less; ``ignored`` counts unknown verbs."""

    entries: tuple[Entry, ...]
    quarantined: tuple[Quarantined, ...]
    ignored: Counter[str]
    notes: tuple[str, ...]


class _Line(NamedTuple):
    at: datetime
    call_id: str
    queue: str
    agent: str
    verb: str


_Make = Callable[[_Line, re.Match[str]], tuple[Fact, ...]]

_CALL_ID = r"[A-Za-z0-9._;-]{1,80}"
_SECONDS = r"-?\d{1,9}"  # negative after the wall clock was set back
_PLACE = r"\d{1,6}\|\d{1,6}\|" + _SECONDS  # position, position at entry, wait
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_HEAD = re.compile(rf"(\d{{10}})\|({_CALL_ID})\|([^|]{{1,80}})\|([^|]{{1,80}})\|([A-Z][A-Z_]{{1,30}})\|(.*)", re.ASCII)


def _left(ending: Ending) -> _Make:
    return lambda line, _: (Left(line.call_id, line.at, ending, exact=False),)


def _completed(ending: Ending) -> _Make:
    return lambda line, _: (Completed(line.call_id, line.at, line.agent, ending, exact=False),)


def _entered(line: _Line, data: re.Match[str]) -> tuple[Fact, ...]:
    return (Entered(line.call_id, line.at, line.queue, data["caller"], exact=False),)


def _connected(line: _Line, data: re.Match[str]) -> tuple[Fact, ...]:
    hold, ring = max(int(data["hold"]), 0), max(int(data["ring"]), 0)
    offered = Offered(line.call_id, line.at - timedelta(seconds=ring), line.agent, data["leg"], exact=False)
    return offered, Answered(line.call_id, line.at, line.queue, line.agent, data["leg"], hold, exact=False)


def _not_answered(line: _Line, data: re.Match[str]) -> tuple[Fact, ...]:
    return (NotAnswered(line.call_id, line.at, line.agent, max(int(data["ms"]), 0), exact=False),)


def _dumped(line: _Line, _: re.Match[str]) -> tuple[Fact, ...]:
    # The agent picked up and put down while the queue's announcement played: the caller goes on waiting.
    return (NotAnswered(line.call_id, line.at, line.agent, 0, exact=False),)


def _cancelled(line: _Line, data: re.Match[str]) -> tuple[Fact, ...]:
    return (RingCancelled(line.call_id, line.at, line.agent, max(int(data["ms"]), 0)),)


def _added(line: _Line, data: re.Match[str]) -> tuple[Fact, ...]:
    return (MemberAdded(line.at, line.queue, line.agent, bool(data["paused"]), line.call_id),)


def _removed(line: _Line, _: re.Match[str]) -> tuple[Fact, ...]:
    return (MemberRemoved(line.at, line.queue, line.agent, line.call_id),)


def _pause(paused: bool) -> _Make:
    return lambda line, data: (PauseChanged(line.at, line.queue, line.agent, paused, data["reason"]),)


def _rated(line: _Line, data: re.Match[str]) -> tuple[Fact, ...]:
    return (Rated(line.call_id, line.at, line.queue, line.agent, int(data["rating"])),)


def _shut_out(line: _Line, data: re.Match[str]) -> tuple[Fact, ...]:
    return (ShutOut(line.call_id, line.at, line.queue, data["caller"], Door(data["why"].lower())),)


def _restarted(line: _Line, _: re.Match[str]) -> tuple[Fact, ...]:
    return (Restarted(line.at),)


# Verb -> who the member field must be (an agent, or NONE), the grammar of the data, the facts.
_VERBS: dict[str, tuple[bool, re.Pattern[str], _Make]] = {
    verb: (agent, re.compile(data, re.ASCII), make)
    for verb, agent, data, make in (
        ("ENTERQUEUE", False, r"[^|]*\|(?P<caller>[^|]{0,80})\|\d{1,6}", _entered),
        ("CONNECT", True, rf"(?P<hold>{_SECONDS})\|(?P<leg>{_CALL_ID})\|(?P<ring>{_SECONDS})", _connected),
        ("COMPLETEAGENT", True, rf"{_SECONDS}\|{_SECONDS}\|\d{{1,6}}", _completed(Ending.COMPLETED)),
        ("COMPLETECALLER", True, rf"{_SECONDS}\|{_SECONDS}\|\d{{1,6}}", _completed(Ending.COMPLETED)),
        ("BLINDTRANSFER", True, rf"[^|]*\|[^|]*\|{_SECONDS}\|{_SECONDS}\|\d{{1,6}}", _completed(Ending.TRANSFERRED)),
        ("ATTENDEDTRANSFER", True,
         rf"(?:(?:BRIDGE|APP)\|[^|]*|LINK\|[^|]*\|[^|]*)\|{_SECONDS}\|{_SECONDS}\|\d{{1,6}}",
         _completed(Ending.TRANSFERRED)),
        ("TRANSFER", True, rf"[^|]*\|[^|]*\|{_SECONDS}\|{_SECONDS}(?:\|\d{{1,6}})?", _completed(Ending.TRANSFERRED)),
        ("ABANDON", False, _PLACE, _left(Ending.ABANDONED)),
        ("EXITWITHTIMEOUT", False, _PLACE, _left(Ending.TIMED_OUT)),
        ("EXITEMPTY", False, _PLACE, _left(Ending.EMPTY)),
        ("EXITWITHKEY", False, rf"[0-9A-D*#]{{1,20}}\|{_PLACE}", _left(Ending.KEY)),
        ("WITHDRAW", False, rf"{_PLACE}(?:\|[^|]{{0,40}})?", _left(Ending.WITHDRAWN)),
        # No common codec: Asterisk drops the caller. Nobody decided it, so the call counts as lost.
        ("SYSCOMPAT", True, "", _left(Ending.LOST)),
        ("RINGNOANSWER", True, rf"(?P<ms>{_SECONDS})", _not_answered),
        ("RINGCANCELED", True, rf"(?P<ms>{_SECONDS})", _cancelled),
        ("AGENTDUMP", True, "", _dumped),
        ("ADDMEMBER", True, r"(?P<paused>PAUSED|)", _added),
        ("REMOVEMEMBER", True, "", _removed),
        ("PAUSE", True, r"(?P<reason>[^|]*)", _pause(True)),
        ("UNPAUSE", True, r"(?P<reason>[^|]*)", _pause(False)),
        ("QUEUESTART", False, "", _restarted),
        # Of cti_voice.conf and cti_door.conf, not of Asterisk.
        ("RATING", True, r"(?P<rating>[123])", _rated),
        ("SHUTOUT", False, rf"(?P<caller>[0-9+]{{0,20}})\|(?P<why>{'|'.join(d.upper() for d in Door)})", _shut_out),
    )
}  # fmt: skip
_NO_CALL = frozenset({"ADDMEMBER", "REMOVEMEMBER", "PAUSE", "UNPAUSE", "QUEUESTART"})


def parse_line(line: bytes) -> Entry | str:
    """One line: what it says, or the name of a verb that means nothing to us.

    Raises:
        ValueError: it does not follow the grammar; the message is the reason, without the content.
    """
    try:
        text = line.decode()
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    if _CONTROL.search(text):
        raise ValueError("control byte")
    found = _HEAD.fullmatch(text)
    if found is None:
        raise ValueError("not epoch|call|queue|member|VERB|data")
    epoch, call_id, queue, agent, verb, data = found.groups()
    if verb not in _VERBS:
        return verb
    about_agent, grammar, make = _VERBS[verb]
    values = grammar.fullmatch(data)
    if values is None:
        raise ValueError(f"{verb}: fields")
    if about_agent != (agent != "NONE"):
        raise ValueError(f"{verb}: member")
    about_call = verb not in _NO_CALL
    if about_call and "." not in call_id:
        raise ValueError(f"{verb}: call id")
    head = _Line(datetime.fromtimestamp(int(epoch), UTC), call_id, queue, agent, verb)
    return Entry(head.at, verb, call_id if about_call else "", queue, make(head, values))


class QueueLogReader:
    """Reads batches of lines in order; keeps the last time, and whether the line before was cut."""

    def __init__(self) -> None:
        self._last = EARLIEST
        self._cut = False

    def read(self, lines: Iterable[bytes], now: datetime) -> Reading:
        """Sort *lines* into facts, quarantined lines and unknown verbs. *now*: our wall clock, aware."""
        entries: list[Entry] = []
        quarantined: list[Quarantined] = []
        ignored: Counter[str] = Counter()
        notes: list[str] = []
        for number, line in enumerate(lines):
            try:
                entry = self._next(line)
            except ValueError as error:
                quarantined.append(Quarantined(number, str(error)))
                continue
            if isinstance(entry, str):
                ignored[entry] += 1
                continue
            entries.append(entry)
            notes += self._time_notes(entry, number, now)
        return Reading(tuple(entries), tuple(quarantined), ignored, tuple(notes))

    def _next(self, line: bytes) -> Entry | str:
        # Caller text stands in ENTERQUEUE only. When it holds a newline, that line ends early, and the next one, well
        # formed or not, was written by the caller. A torn line on a full disk is glued to the next, so it is not short.
        after_cut, self._cut = self._cut, line.count(b"|") < 7 and b"|ENTERQUEUE|" in line
        if after_cut:
            raise ValueError("follows a cut ENTERQUEUE line")
        return parse_line(line)

    def _time_notes(self, entry: Entry, number: int, now: datetime) -> list[str]:
        notes = []
        if not EARLIEST <= entry.at <= now + AHEAD:
            notes.append(f"line {number}: absurd time {entry.at:%Y-%m-%dT%H:%M:%SZ}")
        elif entry.at < self._last:
            notes.append(f"line {number}: {(self._last - entry.at).total_seconds():.0f} s before the line above")
        self._last = entry.at
        return notes

"""Asterisk's CDR and CEL, as asterisk-conf/cti_cdr_custom.conf and cti_cel_custom.conf write them: CSV, microseconds.

They tell what queue_log cannot: the linkedid, the moment a channel was answered and the moment it ended. After a
kill -9 of Asterisk the CDR has no row and the CEL no CHAN_END: an end that is None is not known, not "still talking".
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeVar

from cti.oracle.queue_log import Quarantined

Row = TypeVar("Row")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_TIME = re.compile(r"(\d{1,11})\.(\d{6})", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9._;-]{1,150}", re.ASCII)
_EVENT = re.compile(r"[A-Z_]{3,40}", re.ASCII)


class Cdr(NamedTuple):
    """One CDR row. One call may have several. ``answer`` is None when nobody answered."""

    uniqueid: str
    linkedid: str
    start: datetime
    answer: datetime | None
    end: datetime | None
    disposition: str
    context: str
    channel: str
    dstchannel: str


class Cel(NamedTuple):
    """One channel event. ``channel`` and ``exten`` may hold a number that was dialled: not for logs."""

    event: str
    at: datetime
    uniqueid: str
    linkedid: str
    channel: str
    context: str
    exten: str


class Channel(NamedTuple):
    """What is known of one channel. Times are aware UTC, exact to the microsecond; None: not known.

    Attributes:
        linkedid: the last one seen: a transfer may give a channel another.
        answered_at: when the channel itself was answered; for a caller that is the dialplan's Answer, not the agent.
        bridged_at: when it first stood in a bridge with somebody.
        ended_at: its hang-up.
        dispositions: of its CDR rows, in the order written.
    """

    uniqueid: str
    linkedid: str
    started_at: datetime | None = None
    answered_at: datetime | None = None
    bridged_at: datetime | None = None
    ended_at: datetime | None = None
    dispositions: tuple[str, ...] = ()


def parse_cdr(line: bytes) -> Cdr:
    """One line of the CDR file.

    Raises:
        ValueError: it does not follow the grammar; the message is the reason, without the content.
    """
    uniqueid, linkedid, start, answer, end, disposition, context, channel, dstchannel = _fields(line, 9)
    started = _time(start, "start")
    if started is None:
        raise ValueError("start: no time")
    return Cdr(
        _id(uniqueid, "uniqueid"), _id(linkedid, "linkedid"), started, _time(answer, "answer"), _time(end, "end"),
        disposition, context, channel, dstchannel,
    )  # fmt: skip


def parse_cel(line: bytes) -> Cel:
    """One line of the CEL file.

    Raises:
        ValueError: it does not follow the grammar; the message is the reason, without the content.
    """
    event, at, uniqueid, linkedid, channel, context, exten = _fields(line, 7)
    when = _time(at, "time")
    if when is None or not _EVENT.fullmatch(event):
        raise ValueError("event or time")
    return Cel(event, when, _id(uniqueid, "uniqueid"), _id(linkedid, "linkedid"), channel, context, exten)


def read_rows(lines: Iterable[bytes], parse: Callable[[bytes], Row]) -> tuple[list[Row], list[Quarantined]]:
    """*lines* through ``parse_cdr`` or ``parse_cel``; those that do not parse are told by number and reason."""
    rows: list[Row] = []
    quarantined: list[Quarantined] = []
    for number, line in enumerate(lines):
        try:
            rows.append(parse(line))
        except ValueError as error:
            quarantined.append(Quarantined(number, str(error)))
    return rows, quarantined


_MOMENTS = {
    "CHAN_START": "started_at", "ANSWER": "answered_at", "BRIDGE_ENTER": "bridged_at", "CHAN_END": "ended_at",
}  # fmt: skip


class ChannelIndex:
    """Channels by uniqueid and by linkedid, from rows in any order; a row given twice changes nothing."""

    def __init__(self) -> None:
        self._channels: dict[str, Channel] = {}
        self._seen: dict[str, datetime] = {}  # when the linkedid of each channel was seen
        self._legs: defaultdict[str, set[str]] = defaultdict(set)

    def add_cels(self, rows: Iterable[Cel]) -> None:
        """Take in channel events."""
        for row in rows:
            known = self._known(row.uniqueid, row.linkedid, row.at)
            if row.event in _MOMENTS:
                moment = _MOMENTS[row.event]
                known = known._replace(**{moment: _first(getattr(known, moment), row.at)})  # type: ignore[arg-type]
            self._channels[row.uniqueid] = known

    def add_cdrs(self, rows: Iterable[Cdr]) -> None:
        """Take in call detail rows. Their end is that of a conversation, not of the channel, and is not used."""
        for row in rows:
            known = self._known(row.uniqueid, row.linkedid, row.end or row.start)
            self._channels[row.uniqueid] = known._replace(
                started_at=_first(known.started_at, row.start),
                answered_at=_first(known.answered_at, row.answer),
                dispositions=tuple(dict.fromkeys((*known.dispositions, row.disposition))),
            )

    def get(self, uniqueid: str) -> Channel | None:
        """The channel, or None when neither file knows it."""
        return self._channels.get(uniqueid)

    def of(self, uniqueids: Iterable[str]) -> dict[str, Channel]:
        """Those of *uniqueids* that are known."""
        return {u: self._channels[u] for u in uniqueids if u in self._channels}

    def legs(self, linkedid: str) -> tuple[Channel, ...]:
        """Every channel of one call, by start; those without a known start first."""
        found = (self._channels[u] for u in self._legs.get(linkedid, ()))
        return tuple(sorted(found, key=lambda c: (c.started_at or _EPOCH, c.uniqueid)))

    def _known(self, uniqueid: str, linkedid: str, at: datetime) -> Channel:
        known = self._channels.get(uniqueid) or Channel(uniqueid, linkedid)
        if at >= self._seen.get(uniqueid, _EPOCH):
            self._seen[uniqueid] = at
            self._legs[known.linkedid].discard(uniqueid)
            known = known._replace(linkedid=linkedid)
        self._legs[known.linkedid].add(uniqueid)
        return known


def _first(known: datetime | None, at: datetime | None) -> datetime | None:
    return min((t for t in (known, at) if t is not None), default=None)


def _fields(line: bytes, count: int) -> list[str]:
    try:
        text = line.decode()
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    if _CONTROL.search(text):
        raise ValueError("control byte")
    if not (text.startswith('"') and text.endswith('"')):
        raise ValueError("not quoted")  # a line cut or continued by a newline in a value
    try:
        fields = next(csv.reader([text], strict=True))
    except csv.Error:
        raise ValueError("not CSV") from None
    if len(fields) != count:
        raise ValueError(f"{len(fields)} fields, not {count}")
    return fields


def _id(text: str, field: str) -> str:
    if not _ID.fullmatch(text):
        raise ValueError(f"{field}: not an id")
    return text


def _time(text: str, field: str) -> datetime | None:
    """Epoch seconds with six decimals; empty or zero: it did not happen."""
    if text in ("", "0.000000"):
        return None
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(f"{field}: not a time")
    return _EPOCH + timedelta(seconds=int(found[1]), microseconds=int(found[2]))

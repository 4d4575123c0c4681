"""All that the engine consumes, besides AMI events and commands."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import NamedTuple

from cti.ami import Event, LinkState, Snapshot
from cti.commands import Command, Outcome
from queues.facts import Told


class Heard(NamedTuple):
    """An AMI event."""

    event: Event


class Asked(NamedTuple):
    """A command, and where its answer goes after the commit; None when nobody waits for one."""

    command: Command
    answer: asyncio.Future[Outcome] | None


class Read(NamedTuple):
    """Facts that Asterisk wrote into its own files, and how far those have been read with them."""

    facts: tuple[Told, ...]
    cursors: dict[str, str]


class LinkChanged(NamedTuple):
    """The link went up, down or was refused."""

    state: LinkState
    reason: str


class Synced(NamedTuple):
    """A snapshot of Asterisk, after everything its files told has been applied. ``ended`` are channel ends by CEL."""

    snapshot: Snapshot
    began: datetime
    fresh: bool  # the first after the link came up; False for the regular audit
    ended: dict[str, datetime]


class Checked(NamedTuple):
    """What the recording of a call turned out to be."""

    call_id: str
    state: str
    length_ms: int | None
    size: int | None
    sha256: str | None
    reason: str | None
    retryable: bool = False  # the folder was away, or the file still being written: a later look may find more


class Dialled(NamedTuple):
    """What became of sending an Originate: accepted, refused, or unknown (None)."""

    channel_id: str
    accepted: bool | None


class Traced(NamedTuple):
    """What CDR and CEL say of an attempt that was found half-placed: did it ring the caller, and how did it end."""

    channel_id: str
    outcome: str
    answered_at: datetime | None
    ended_at: datetime | None


class Aligned(NamedTuple):
    """The actions that bring Asterisk to an agent's desired state have been answered, or failed."""

    number: str
    trouble: str | None


class Due(NamedTuple):
    """A moment that somebody asked to be woken at has come."""

    key: str


Input = Heard | Asked | Read | LinkChanged | Synced | Checked | Dialled | Traced | Aligned | Due


class Align(NamedTuple):
    """Effect: bring Asterisk's queue member to the agent's desired state."""

    number: str


class CheckRecording(NamedTuple):
    """Effect: look at the recording of a call that ended."""

    call_id: str
    expected_ms: int


class Dial(NamedTuple):
    """Effect: send one Originate, once. After *not_after* (wall clock) the dialplan does not ring the caller."""

    channel_id: str
    interface: str
    caller: str
    not_after: datetime
    agent: str
    """Whose phone it is: the caller may rate him."""


class DropDial(NamedTuple):
    """Effect: hang up our own leg of an attempt, which gives way to a call of the caller's own."""

    channel_id: str


class LookAtFolder(NamedTuple):
    """Effect: look whether the recordings folder could take a recording."""


class Trace(NamedTuple):
    """Effect: ask Asterisk's records what became of an attempt. ``gone``: its channel lives no more."""

    channel_id: str
    gone: bool


class RingSeat(NamedTuple):
    """Effect: ring a seat's phone and ask there for the PIN of *agent*: proof of who sits at it."""

    check_id: str
    interface: str
    agent: str
    seat: str


class Move(NamedTuple):
    """Effect: a step of a transfer: blind, begin (a consultation), complete or cancel. ``leg``: the agent's."""

    transfer_id: str
    step: str
    leg: str
    exten: str


class SetGlobal(NamedTuple):
    """Effect: set a global variable of the dialplan."""

    name: str
    value: str


class DialUnit(NamedTuple):
    """Effect: ring an agent's phone, then *numbers* one after the other, once. After *not_after* it is too late."""

    channel_id: str
    interface: str
    numbers: tuple[str, ...]
    not_after: datetime


class Lift(NamedTuple):
    """Effect: move a waiting caller to the front of the queue."""

    call_id: str


class Speak(NamedTuple):
    """Effect: caller and agent of a call hear a prompt of asterisk-conf/sounds; *agent* asked for it."""

    channel_id: str
    call_id: str
    prompt: str
    agent: str


class EndTalk(NamedTuple):
    """Effect: end the agent's leg, after the caller's channel has been told what comes then (cti_voice.conf)."""

    channel_id: str
    call_id: str
    """The caller's channel; empty for a callback's, which is the one that is joined with the leg."""
    leg: str
    after: str
    agent: str


Effect = (
    Align | CheckRecording | Dial | DropDial | LookAtFolder | Trace | RingSeat | SetGlobal | Move | DialUnit | Lift
    | Speak | EndTalk
)  # fmt: skip

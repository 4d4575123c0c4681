"""Emergencies (报警): the lead is told, the responsible unit is rung, and it goes on being told until acknowledged.

Durations run on the monotonic clock; times of day are aware UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from queues.directory import Target
from regulations import Article, Profile, Ruling, allowed, refused

KIND = "emergency"  # of queues/kinds.py: 报警
MOST_TARGETS = 9  # numbers tried by one press of the key
RULES = ("emergency.told", "emergency.unit_at_once", "emergency.acknowledge_within", "emergency.repeat")


class Why(StrEnum):
    """What made it an emergency."""

    MENU = "menu"  # the caller pressed the key
    CALLER = "caller"  # his number is on the lead's list
    LEAD = "lead"  # a lead lifted the waiting call
    KIND = "kind"  # the agent chose 报警, or marked the ticket
    WORDS = "words"  # words of hotline.emergency_words stand in the notes


class DialEnd(StrEnum):
    """How ringing one number of a unit ended."""

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    FAILED = "failed"
    AGENT_AWAY = "agent_away"  # the agent's own phone was not answered: the unit never rang
    CANCELLED = "cancelled"  # the agent hung up while it rang
    NOT_TRIED = "not_tried"  # an earlier number answered, or the agent hung up
    UNKNOWN = "unknown"  # we were away


class Attempt(NamedTuple):
    """One number of a dial. ``began_at``: when it rang, None while it has not."""

    target: Target
    began_at: datetime | None = None
    ended_at: datetime | None = None
    end: DialEnd | None = None


@dataclass(frozen=True, slots=True)
class Dialling:
    """One press of the key: the numbers in the order in which Asterisk tries them, on the agent's one leg."""

    channel_id: str
    agent: str
    asked_at: datetime
    attempts: tuple[Attempt, ...]
    agent_at: datetime | None = None
    """When the agent's phone was picked up, and the first number began to ring."""
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    held: bool = False
    """During the call, the caller held: a consultation, which is the ledger of transfers'."""

    @property
    def running(self) -> bool:
        return self.ended_at is None

    @property
    def reached(self) -> Target | None:
        """Whose phone was answered."""
        return next((a.target for a in self.attempts if a.end is DialEnd.ANSWERED), None)


@dataclass(frozen=True, slots=True)
class Emergency:
    """One emergency. ``step``: how often it was told again since it was raised; ``due_mono``: when it is told next."""

    emergency_id: str
    why: Why
    raised_at: datetime
    call_id: str | None = None
    ticket_id: str | None = None
    word: str = ""
    kind: str | None = None
    area: str | None = None
    agent: str | None = None
    joined_at: datetime | None = None
    offered_at: datetime | None = None
    answered_at: datetime | None = None
    call_ended_at: datetime | None = None
    dialled_at: datetime | None = None
    reached_at: datetime | None = None
    reached_unit: str | None = None
    not_rung_at: datetime | None = None
    """When the lead was told that the call was over and no unit had been rung."""
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    note: str = ""
    step: int = 0
    due_mono: float | None = None
    boot: str = ""
    diallings: tuple[Dialling, ...] = ()

    @property
    def running(self) -> Dialling | None:
        """The dial that is under way."""
        return next((d for d in self.diallings if d.running), None)

    @property
    def open(self) -> bool:
        return self.acknowledged_at is None


class Ladder(NamedTuple):
    """How long after it is raised an emergency is told again, then how far apart; None: once is all."""

    first: timedelta | None
    again: timedelta | None


def ladder_of(profile: Profile) -> Ladder:
    """The steps in force."""
    first, again = profile.get("emergency.acknowledge_within"), profile.get("emergency.repeat")
    return Ladder(
        None if first is None else timedelta(seconds=first.seconds()),
        None if again is None else timedelta(seconds=again.seconds()),
    )


def articles_of(profile: Profile) -> tuple[Article, ...]:
    """What says so, each text once."""
    found = (profile.get(path) for path in RULES)
    return tuple(dict.fromkeys(limit.article for limit in found if limit is not None))


def word_in(text: str, words: Iterable[str]) -> str | None:
    """The first of *words* that stands in *text*, whatever its case; None without one."""
    folded = text.casefold()
    return next((word for word in words if word.casefold() in folded), None)


def armed(emergency: Emergency, ladder: Ladder, mono: float, boot: str) -> Emergency:
    """Just raised: the first step of the ladder lies ahead."""
    due = None if ladder.first is None else mono + ladder.first.total_seconds()
    return replace(emergency, due_mono=due, boot=boot)


def resumed(emergency: Emergency, mono: float, boot: str) -> Emergency:
    """After a restart: the step comes when it would have come; after a reboot of the machine, at once."""
    if emergency.due_mono is None or emergency.boot == boot:
        return emergency
    return replace(emergency, due_mono=mono, boot=boot)


def is_due(emergency: Emergency, mono: float) -> bool:
    """Whether the next step's moment has come (in: exactly then it is due). Silent once acknowledged."""
    return emergency.open and emergency.due_mono is not None and mono >= emergency.due_mono


def told_again(emergency: Emergency, ladder: Ladder, mono: float) -> Emergency:
    """One step up."""
    due = None if ladder.again is None else mono + ladder.again.total_seconds()
    return replace(emergency, step=emergency.step + 1, due_mono=due)


def whose(step: int, present: Sequence[str], others: Sequence[str]) -> str | None:
    """Which lead is named at *step*: those who are there first, then the others, and from the beginning again."""
    line = [*present, *(number for number in others if number not in present)]
    return line[step % len(line)] if line else None


def may_acknowledge(emergency: Emergency, by: str, leads: bool, articles: tuple[Article, ...]) -> Ruling:
    """A lead says that he has it in hand: it goes up to him, so nobody else can."""
    if not leads:
        return lead_only(articles)
    if not emergency.open:
        return refused(
            "emergency_acknowledged",
            f"已由{emergency.acknowledged_by}确认",
            f"{emergency.acknowledged_by} has acknowledged it",
            *articles,
        )
    return allowed(*articles)


def lead_only(articles: tuple[Article, ...]) -> Ruling:
    """What an agent hears who asks for what is the lead's."""
    return refused("emergency_lead_only", "由值班长办理", "This is for a shift lead", *articles)


def acknowledged(emergency: Emergency, by: str, note: str, now: datetime) -> Emergency:
    """From now on it is silent."""
    return replace(emergency, acknowledged_at=now, acknowledged_by=by, note=note, due_mono=None)


def may_dial(emergency: Emergency, targets: Sequence[Target], articles: tuple[Article, ...]) -> Ruling:
    """Whether the unit may be rung: one dial at a time, and only numbers of the directory. No ticket is needed."""
    if emergency.running is not None:
        return refused("unit_dial_running", "正在呼叫责任单位", "The unit is being rung already", *articles)
    if not targets:
        return refused(
            "no_unit_fits", "名录中没有对应的责任单位，请值班长补充", "The directory has no unit for this", *articles
        )
    return allowed(*articles)


def dialling(channel_id: str, agent: str, targets: Sequence[Target], now: datetime) -> Dialling:
    """The key was pressed."""
    return Dialling(channel_id, agent, now, tuple(Attempt(target) for target in targets[:MOST_TARGETS]))


def consulting(transfer_id: str, agent: str, target: Target, now: datetime) -> Dialling:
    """The key was pressed during the call: one number shall ring while the caller is held."""
    return Dialling(transfer_id, agent, now, (Attempt(target),), held=True)


def next_target(emergency: Emergency, targets: Sequence[Target]) -> Target:
    """The number to ring while the caller is held: the next after those that were rung in vain, then from the first.

    Raises:
        IndexError: no target.
    """
    rung = sum(1 for dial in emergency.diallings if dial.held and dial.agent_at and dial.answered_at is None)
    return targets[rung % len(targets)]


def picked_up(dial: Dialling, at: datetime) -> Dialling:
    """The agent's phone was answered, or he consults: the first number rings."""
    if dial.agent_at is not None or not dial.running:
        return dial
    first = dial.attempts[0]._replace(began_at=at)
    return replace(dial, agent_at=at, attempts=(first, *dial.attempts[1:]))


def rang(dial: Dialling, end: DialEnd, at: datetime) -> Dialling:
    """The ringing of the number that is tried ended. In vain: the next rings at once; at the last, all is over."""
    place = next((n for n, attempt in enumerate(dial.attempts) if attempt.end is None), None)
    if not dial.running or place is None:
        return dial
    attempts = list(dial.attempts)
    attempts[place] = attempts[place]._replace(began_at=attempts[place].began_at or at, ended_at=at, end=end)
    if end is DialEnd.ANSWERED:
        return replace(dial, attempts=tuple(attempts), answered_at=at)
    if end is DialEnd.CANCELLED:
        return over(replace(dial, attempts=tuple(attempts)), at)
    if place + 1 < len(attempts):
        attempts[place + 1] = attempts[place + 1]._replace(began_at=at)
        return replace(dial, attempts=tuple(attempts))
    return replace(dial, attempts=tuple(attempts), ended_at=at)


def over(dial: Dialling, at: datetime, end: DialEnd = DialEnd.NOT_TRIED) -> Dialling:
    """The agent's leg is gone, or never was; what rang then ended with it (*end* for what was not tried).

    Once a number has answered, the others were not tried, however the leg ended.
    """
    if not dial.running:
        return dial
    untried = end if dial.answered_at is None else DialEnd.NOT_TRIED

    def closed(attempt: Attempt) -> Attempt:
        if attempt.end is not None:
            return attempt
        if attempt.began_at is None:
            return attempt._replace(end=untried)
        cut_off = DialEnd.CANCELLED if end is DialEnd.NOT_TRIED else end
        return attempt._replace(ended_at=at, end=cut_off)

    return replace(dial, attempts=tuple(closed(attempt) for attempt in dial.attempts), ended_at=at)


def with_dialling(emergency: Emergency, dial: Dialling) -> Emergency:
    """The emergency with one dial replaced or added; the first dial and the first answer are its own times."""
    others = tuple(d for d in emergency.diallings if d.channel_id != dial.channel_id)
    first_reached = emergency.reached_at is None and dial.answered_at is not None
    target = dial.reached
    return replace(
        emergency, diallings=(*others, dial), dialled_at=emergency.dialled_at or dial.asked_at,
        reached_at=dial.answered_at if first_reached else emergency.reached_at,
        reached_unit=target.unit if first_reached and target else emergency.reached_unit,
    )  # fmt: skip


def failed(before: Dialling, after: Dialling) -> bool:
    """Whether this dial has just ended with nobody reached."""
    return before.running and not after.running and after.answered_at is None

"""May a callback be dialled now, and when otherwise. Attempts are counted before dialling, so a crash may cost a
call but never place a fourth, a too early or a night one (KL 第十四条(九)).

What is read into the article, and why, is in docs/adr/0014. How a callback ends is in ``queues.endings``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta, tzinfo
from enum import StrEnum

from regulations import Article, Profile, Ruling, Strength, allowed, refused


class AttemptOutcome(StrEnum):
    """How one attempt ended."""

    PLACING = "placing"  # committed, not yet known
    REACHED = "reached"
    REFUSED = "refused"  # spoken with, and does not want to be called back
    WRONG_NUMBER = "wrong_number"  # somebody else's number: nobody there is to be rung again
    NOT_CONVENIENT = "not_convenient"  # spoken with: another time is agreed
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    AGENT_AWAY = "agent_away"  # the agent's own phone was not answered: the caller was never rung
    FAILED = "failed"  # a network failure that never rang the caller
    CALLER_CAME = "caller_came"  # he rang in himself meanwhile: the dial gave way, and counts as nothing
    UNKNOWN = "unknown"  # we went down in the middle and Asterisk's records do not tell


NEVER_RANG = frozenset({AttemptOutcome.AGENT_AWAY, AttemptOutcome.FAILED, AttemptOutcome.CALLER_CAME})
UNREACHED = frozenset({AttemptOutcome.NO_ANSWER, AttemptOutcome.BUSY, AttemptOutcome.NOT_CONVENIENT})
"""「由于客户原因导致回复（回访）不成功的」: what counts towards the least number of attempts before closing."""
RETRY_MINUTES = (1, 2, 5, 15, 30)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to ring a caller. ``ended_at`` is None while it runs."""

    ordinal: int
    started_at: datetime
    ended_at: datetime | None
    outcome: AttemptOutcome

    @property
    def counts(self) -> bool:
        """Whether it counts for spacing and the most: unless it surely never rang the caller."""
        return self.outcome not in NEVER_RANG


@dataclass(frozen=True, slots=True)
class Override:
    """A shift lead's leave to ring in quiet hours, for the next attempt alone; ``may_override``: who may give it."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Terms:
    """What else binds one callback's next dial.

    Attributes:
        appointment_at: a time agreed with the caller; not rung before its minute.
        override: a lead's leave for the quiet hours. Nothing overrides the spacing or the most attempts.
        spaced_from: the last moment at which the wall clock was stepped, in today's reading; see ``as_read``.
        not_before: a wait of our own, as after a network failure.
    """

    appointment_at: datetime | None = None
    override: Override | None = None
    spaced_from: datetime | None = None
    not_before: datetime | None = None


NO_TERMS = Terms()


@dataclass(frozen=True, slots=True)
class CallbackLimits:
    """The figures in force, from a profile. A rule that is off is None."""

    quiet_from: time | None
    quiet_to: time | None
    spacing: timedelta | None
    most: int | None
    profile: Profile
    zone: tzinfo
    least: int | None = None


def limits_of(profile: Profile, zone: tzinfo) -> CallbackLimits:
    """Pick the callback figures of *profile*; *zone* is built by the shell, since loading one reads files."""

    def value(path: str) -> object:
        limit = profile.get(path)
        return limit.value if limit else None

    return CallbackLimits(
        value("callback.quiet_from"), value("callback.quiet_to"), value("callback.spacing"), value("callback.attempts"),  # type: ignore[arg-type]
        profile, zone, value("callback.least_attempts"),  # type: ignore[arg-type]
    )  # fmt: skip


def may_place(
    attempts: tuple[Attempt, ...], limits: CallbackLimits, now: datetime, ring: timedelta, terms: Terms = NO_TERMS
) -> Ruling:
    """Whether a dial may start at *now* and ring for at most *ring*.

    A ring may not cross into quiet hours [21:00, 08:00); the spacing runs from the end of one attempt to the start of
    the next; an attempt without an end (we crashed) is taken to have ended when it started plus *ring*.
    """
    if any(a.outcome is AttemptOutcome.PLACING for a in attempts):
        return refused("attempt_running", "正在回访中", "An attempt is running")
    counted = [a for a in as_read(attempts, now, ring, terms) if a.counts]
    if limits.most is not None and len(counted) >= limits.most:
        return refused(
            "attempts_used", f"已回访{len(counted)}次，不得再拨", f"{len(counted)} attempts were made: no more",
            *_articles(limits, "callback.attempts"),
        )  # fmt: skip
    at = earliest(attempts, limits, now, ring, terms)
    if at <= now:
        return allowed(*_articles(limits, "callback.quiet_from", "callback.spacing", "callback.attempts"))
    local = at.astimezone(limits.zone).strftime("%m-%d %H:%M")
    if _spaced(counted, limits, now, ring) > now:
        return refused(
            "too_soon", f"距上次回访不足规定间隔，最早{local}", f"Too soon after the last attempt; earliest {local}",
            *_articles(limits, "callback.spacing"), at=at,
        )  # fmt: skip
    if _awaited(now, terms) > now:
        return refused(
            "agreed_later", f"未到约定或重试时间，最早{local}", f"Agreed or put off for later; earliest {local}", at=at
        )
    return refused(
        "quiet_hours", f"夜间不得回访，最早{local}", f"Not in quiet hours; earliest {local}",
        *_articles(limits, "callback.quiet_from", "callback.quiet_to"), at=at, override="lead",
    )  # fmt: skip


def earliest(
    attempts: tuple[Attempt, ...], limits: CallbackLimits, now: datetime, ring: timedelta, terms: Terms = NO_TERMS
) -> datetime:
    """The first moment, at *now* or later, at which spacing, appointment and quiet hours allow a dial."""
    counted = [a for a in as_read(attempts, now, ring, terms) if a.counts]
    at = max(_awaited(now, terms), _spaced(counted, limits, now, ring))
    return at if terms.override else _out_of_quiet(at, limits, ring)


def may_agree(
    attempts: tuple[Attempt, ...], limits: CallbackLimits, at: datetime, now: datetime, ring: timedelta,
    override: Override | None = None,
) -> Ruling:  # fmt: skip
    """Whether *at* may be promised to the caller: only what can be kept (遇客户不方便……约定下次回复（回访）时间).

    Asked while he is on the line or right after: an attempt that runs is taken to end at *now*.
    """
    if at <= now:
        return refused("appointment_past", "约定时间已过", "That time has passed")
    ended = tuple(
        replace(a, ended_at=now, outcome=AttemptOutcome.NOT_CONVENIENT) if a.outcome is AttemptOutcome.PLACING else a
        for a in attempts
    )
    return may_place(ended, limits, at, ring, Terms(override=override))


def may_override(limits: CallbackLimits, by: str, concerned: frozenset[str], reason: str) -> Ruling:
    """Whether lead *by* may let a callback be made in quiet hours: they hold in principle (原则上), nothing else does.

    Args:
        concerned: who asked for the callback or is to make it; nobody grants to himself.
    """
    limit = limits.profile.get("callback.quiet_from")
    if limit is not None and limit.strength is not Strength.PRINCIPLE:
        return refused("no_override", "该规定不得例外", "This rule has no exception", limit.article)
    if by in concerned:
        return refused("own_request", "本人的申请须由他人批准", "Nobody grants his own request")
    if not reason.strip():
        return refused("reason_needed", "请填写例外理由", "A reason is needed")
    return allowed(*_articles(limits, "callback.quiet_from"))


def retry_after(attempts: tuple[Attempt, ...]) -> timedelta:
    """How long to wait after the network failures that stand at the end of *attempts*: 1, 2, 5, 15, then 30 minutes.

    They never rang the caller and count as nothing, so nothing but this wait stands before the next.
    """
    failed = 0
    for attempt in reversed(attempts):
        if attempt.outcome is not AttemptOutcome.FAILED:
            break
        failed += 1
    return timedelta(minutes=RETRY_MINUTES[min(failed, len(RETRY_MINUTES)) - 1]) if failed else timedelta(0)


def retry_at(attempts: tuple[Attempt, ...], now: datetime, ring: timedelta, terms: Terms) -> datetime | None:
    """Until when the network failures at the end of *attempts* keep the next dial back, by whomever; None without any.

    For ``Terms.not_before``. Kept apart from the rules of the texts: no article asks for it.
    """
    wait = retry_after(attempts)
    if not wait:
        return None
    last = as_read(attempts, now, ring, terms)[-1]
    return (last.ended_at or last.started_at + ring) + wait


def _awaited(now: datetime, terms: Terms) -> datetime:
    """*now*, or later when an appointment or a wait stands before; an appointment begins with its minute."""
    waits = [now]
    if terms.appointment_at is not None:
        waits.append(terms.appointment_at.replace(second=0, microsecond=0))
    if terms.not_before is not None:
        waits.append(terms.not_before)
    return max(waits)


def as_read(attempts: tuple[Attempt, ...], now: datetime, ring: timedelta, terms: Terms) -> tuple[Attempt, ...]:
    """The attempts in today's reading of the clock: after a step what was written before it cannot be compared.

    Whatever ended before the step, or by a clock that ran ahead ends only in time to come, is taken to have ended at
    the step; so the caller waits the whole spacing from then, and not for a day that a wrong clock had shown.
    """
    at = terms.spaced_from
    if at is None:
        return attempts
    return tuple(
        a if at <= (a.ended_at or a.started_at + ring) <= now or a.outcome is AttemptOutcome.PLACING
        else replace(a, ended_at=at)
        for a in attempts
    )  # fmt: skip


def _spaced(counted: list[Attempt], limits: CallbackLimits, now: datetime, ring: timedelta) -> datetime:
    if limits.spacing is None or not counted:
        return now
    return max(a.ended_at or a.started_at + ring for a in counted) + limits.spacing


def _out_of_quiet(moment: datetime, limits: CallbackLimits, ring: timedelta) -> datetime:
    if limits.quiet_to is None:
        return moment
    last = moment + max(ring - timedelta(microseconds=1), timedelta(0))  # a ring that ends at 21:00 sharp is outside
    if not (_quiet(moment, limits) or _quiet(last, limits)):
        return moment
    # The next end of the quiet hours, on the local calendar, not 24 h later: a zone may change its offset between.
    local = (moment if _quiet(moment, limits) else last).astimezone(limits.zone)
    day = local.date() if local.time() < limits.quiet_to else local.date() + timedelta(days=1)
    return datetime.combine(day, limits.quiet_to, limits.zone).astimezone(moment.tzinfo)


def _quiet(moment: datetime, limits: CallbackLimits) -> bool:
    """Whether *moment* lies in [from, to) local time; the window may cross midnight."""
    if limits.quiet_from is None or limits.quiet_to is None:
        return False
    local = moment.astimezone(limits.zone).time()
    if limits.quiet_from <= limits.quiet_to:
        return limits.quiet_from <= local < limits.quiet_to
    return local >= limits.quiet_from or local < limits.quiet_to


def _articles(limits: CallbackLimits, *paths: str) -> tuple[Article, ...]:
    found = [limit.article for path in paths if (limit := limits.profile.get(path)) is not None]
    return tuple(dict.fromkeys(found))

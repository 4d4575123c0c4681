"""May a callback be dialled now, and when otherwise. Attempts are counted before dialling, so a crash may cost a
call but never place a fourth, a too early or a night one (KL 第十四条(九))."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from enum import StrEnum

from regulations import Article, Profile, Ruling, allowed, refused


class AttemptOutcome(StrEnum):
    """How one attempt ended."""

    PLACING = "placing"  # committed, not yet known
    REACHED = "reached"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    AGENT_AWAY = "agent_away"  # the agent's own phone was not answered: the caller was never rung
    FAILED = "failed"  # a network failure that never rang the caller
    UNKNOWN = "unknown"  # we went down in the middle and Asterisk's records do not tell


NEVER_RANG = frozenset({AttemptOutcome.AGENT_AWAY, AttemptOutcome.FAILED})


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
class CallbackLimits:
    """The figures in force, from a profile. A rule that is off is None."""

    quiet_from: time | None
    quiet_to: time | None
    spacing: timedelta | None
    most: int | None
    profile: Profile
    zone: tzinfo


def limits_of(profile: Profile, zone: tzinfo) -> CallbackLimits:
    """Pick the callback figures of *profile*; *zone* is built by the shell, since loading one reads files."""

    def value(path: str) -> object:
        limit = profile.get(path)
        return limit.value if limit else None

    return CallbackLimits(
        value("callback.quiet_from"), value("callback.quiet_to"), value("callback.spacing"), value("callback.attempts"),  # type: ignore[arg-type]
        profile, zone,
    )  # fmt: skip


def may_place(attempts: tuple[Attempt, ...], limits: CallbackLimits, now: datetime, ring: timedelta) -> Ruling:
    """Whether a dial may start at *now* and ring for at most *ring*.

    A ring may not cross into quiet hours [21:00, 08:00); the spacing runs from the end of one attempt to the start of
    the next; an attempt without an end (we crashed) is taken to have ended when it started plus *ring*.
    """
    if any(a.outcome is AttemptOutcome.PLACING for a in attempts):
        return refused("attempt_running", "正在回访中", "An attempt is running")
    counted = [a for a in attempts if a.counts]
    if limits.most is not None and len(counted) >= limits.most:
        return refused(
            "attempts_used", f"已回访{len(counted)}次，不得再拨", f"{len(counted)} attempts were made: no more",
            *_articles(limits, "callback.attempts"),
        )  # fmt: skip
    at = earliest(attempts, limits, now, ring)
    if at <= now:
        return allowed(*_articles(limits, "callback.quiet_from", "callback.spacing", "callback.attempts"))
    local = at.astimezone(limits.zone).strftime("%m-%d %H:%M")
    if _spaced(counted, limits, now, ring) > now:
        return refused(
            "too_soon", f"距上次回访不足规定间隔，最早{local}", f"Too soon after the last attempt; earliest {local}",
            *_articles(limits, "callback.spacing"), at=at,
        )  # fmt: skip
    return refused(
        "quiet_hours", f"夜间不得回访，最早{local}", f"Not in quiet hours; earliest {local}",
        *_articles(limits, "callback.quiet_from", "callback.quiet_to"), at=at, override="lead",
    )  # fmt: skip


def earliest(attempts: tuple[Attempt, ...], limits: CallbackLimits, now: datetime, ring: timedelta) -> datetime:
    """The first moment, at *now* or later, at which spacing and quiet hours allow a dial."""
    return _out_of_quiet(max(now, _spaced([a for a in attempts if a.counts], limits, now, ring)), limits, ring)


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

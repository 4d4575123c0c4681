"""The clocks of a ticket stub: hand-out by kind, taken by the unit, finished by grade (KL-14, WD-3(3), WD-7, WD-8).

The hand-out runs from the opening of the stub, the answer of its call: KL 第十四条 counts from 「接到……诉求时」,
the moment at which the demand is received, and not from the end of the call. What the unit owes runs from the hand-out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from queues.kinds import KINDS
from queues.stubs import Stub
from queues.workdays import WEEKENDS, Calendar, working_days_after
from regulations import Limit, Profile, Ruling, allowed, refused

_COMPLAINT = {
    "3": "ticket.finish_complaint_light", "2": "ticket.finish_complaint_ordinary", "1": "ticket.finish_complaint_major",
}  # fmt: skip
_GRADE = {
    "special": "ticket.finish_special", "first": "ticket.finish_first", "second": "ticket.finish_second",
    "third": "ticket.finish_third",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Clocks:
    """The figures in force for one stub; None: no clock of that sort runs. ``hand_out``: a time, or the same day.

    ``calendar`` says what a working day is.
    """

    hand_out: Limit | None = None
    taken: Limit | None = None
    finish: Limit | None = None
    calendar: Calendar = WEEKENDS


def clocks_of(
    profile: Profile, kind: str | None, grade: str | None, complaint_grade: str | None, calendar: Calendar = WEEKENDS
) -> Clocks:
    """The figures for a stub of *kind*. A grade of urgency rules the end, else that of the complaint, else the kind."""
    known = KINDS.get(kind or "")
    if known is None:
        return Clocks()
    graded = _COMPLAINT.get(complaint_grade or "") if kind == "complaint" else None
    ends = (_GRADE.get(grade or ""), graded, known.finish_days)
    hand_out = _first(profile, known.hand_out, "ticket.handout_same_day" if known.hand_out else None)
    return Clocks(hand_out, profile.get("ticket.taken_within"), _first(profile, *ends), calendar)


def _first(profile: Profile, *paths: str | None) -> Limit | None:
    return next((limit for path in paths if path is not None and (limit := profile.get(path)) is not None), None)


def timed(stub: Stub, clocks: Clocks, zone: ZoneInfo) -> Stub:
    """The stub with its deadlines. Those of the unit begin with the hand-out, and so does the one before it end."""
    handed = stub.handed_out_at
    hand_out_due = stub.hand_out_due
    if handed is None:
        hand_out_due = _after(stub.returned_at or stub.opened_at, clocks.hand_out, clocks, zone)
    return replace(
        stub,
        hand_out_due=hand_out_due,
        taken_due=None if handed is None else _after(handed, clocks.taken, clocks, zone),
        finish_due=None if handed is None else _after(handed, clocks.finish, clocks, zone),
    )


def _after(start: datetime, limit: Limit | None, clocks: Clocks, zone: ZoneInfo) -> datetime | None:
    if limit is None:
        return None
    if limit.value is True:
        return end_of_day(start, zone)
    if isinstance(limit.value, int):
        return working_days_after(start, limit.value, clocks.calendar, zone)
    return start + timedelta(seconds=limit.seconds())


def end_of_day(start: datetime, zone: ZoneInfo) -> datetime:
    """The next local midnight (GJ 第十七条「当日收、当日转」), in the zone of *start*, which is aware."""
    tomorrow = start.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), zone).astimezone(start.tzinfo)


def handed_out(stub: Stub, unit: str, clocks: Clocks, zone: ZoneInfo, now: datetime) -> Stub:
    """The stub in the hands of *unit*. Given to another unit after a return (退单), the unit's clocks begin anew."""
    if stub.unit == unit and stub.handed_out_at is not None:
        return stub
    return timed(replace(stub, unit=unit, handed_out_at=now, taken_at=None), clocks, zone)


def returned(stub: Stub, clocks: Clocks, zone: ZoneInfo, now: datetime) -> Stub:
    """退单: the stub is to be handed out anew, and the clock of the hand-out begins with the return."""
    return timed(replace(stub, unit=None, handed_out_at=None, taken_at=None, returned_at=now), clocks, zone)


def may_hand_out(stub: Stub) -> Ruling:
    """A stub goes to a unit only when it says what kind of matter it is: the kind sets the clock."""
    if stub.kind is None:
        return refused("kind_needed", "请先选择业务分类再派发", "Choose the kind before handing out")
    return allowed()


def may_be_taken(stub: Stub) -> Ruling:
    """接收工单: only what was handed out."""
    if stub.handed_out_at is None:
        return refused("not_handed_out", "该工单尚未派发", "The ticket has not been handed out")
    return allowed()


def may_be_returned(stub: Stub, within: Limit | None, now: datetime) -> Ruling:
    """A unit that is not responsible returns it in time; later it counts as taken (KL-15(3).1, GJ 第十一条)."""
    if stub.handed_out_at is None:
        return may_be_taken(stub)
    if within is not None and now > stub.handed_out_at + timedelta(seconds=within.seconds()):
        return refused("too_late_to_return", "已过退单时限", "It is too late to return the ticket", within.article)
    return allowed()


def overdue(stub: Stub, now: datetime) -> bool:
    """Whether the hand-out is late. The edge is in time, as everywhere: 20:00.000 of 20 minutes."""
    return stub.handed_out_at is None and stub.hand_out_due is not None and now > stub.hand_out_due

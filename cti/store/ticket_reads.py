"""A ticket as its agent sees it: the call, the particulars, who the caller is by what went before, what repeats.

This is on the way of every pop: a few indexed queries, and for a caller who never rang before one less.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Row, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.store.stub_tables import stubs
from cti.store.tables import callbacks, calls, recordings, tickets
from queues import chasing, repeats
from queues.stubs import Stub
from regulations import Article, Profile

EARLIER_CALLS = 5
OPEN_TICKETS = 5
PAST_CALLBACKS = 3
CALLBACKS_OF = timedelta(days=90)
UNOWNED_OF = timedelta(days=31)
MOST_UNOWNED = 100


class Rules(NamedTuple):
    """What a view is made by: the hotline's figures, its zone, and the moment (aware)."""

    profile: Profile
    zone: ZoneInfo
    now: datetime

    @property
    def chasing(self) -> chasing.Rules:
        """The figures for callers who chase."""
        return chasing.Rules(self.profile.get("chase.after_percent"), self.profile.get("chase.reminders"))

    @property
    def repeating(self) -> repeats.Rules:
        """The figures for complaints that repeat."""
        get = self.profile.get
        return repeats.Rules(get("complaint.different_callers_a_month"), get("complaint.same_caller"))


@dataclass(frozen=True, slots=True)
class EarlierCall:
    """A former call of the same number. ``result`` is ``answered``, ``open`` or how the call ended."""

    at: datetime
    agent: str | None
    result: str
    ticket_id: str | None


@dataclass(frozen=True, slots=True)
class PastCallback:
    """A callback to the same number. ``state``: due, placing, reached, exhausted, cancelled."""

    at: datetime
    agent: str
    state: str


@dataclass(frozen=True, slots=True)
class OpenTicket:
    """Another open ticket of the same caller, and how it stands if he chases (queues/chasing.py).

    ``share``: of the time that it may take, 0 up; past 1 it is late. ``advice``: a value of queues.chasing.Advice.
    """

    ticket_id: str
    opened_at: datetime
    kind: str | None
    area: str | None
    unit: str | None
    handed_out_at: datetime | None
    finish_due: datetime | None
    reminders: int
    most_reminders: int | None
    age_s: float
    limit_s: float | None
    share: float | None
    advice: str


@dataclass(frozen=True, slots=True)
class Sibling:
    """A stub of the same call."""

    ticket_id: str
    ordinal: int
    kind: str | None
    closed: bool


@dataclass(frozen=True, slots=True)
class Cited:
    """An article with its wording."""

    article: str
    wording: str


@dataclass(frozen=True, slots=True)
class Repeats:
    """What was counted for a complaint, and the grade that it suggests; the agent decides."""

    same_caller: int
    different: int
    grade: str | None
    articles: tuple[Cited, ...]


@dataclass(frozen=True, slots=True)
class StubView:
    """The particulars of a stub (queues/stubs.py). Times are aware UTC."""

    channel: str = "phone"
    ordinal: int = 1
    kind: str | None = None
    area: str | None = None
    emergency: bool = False
    caller_kind: str = "citizen"
    verified: bool = False
    verified_by: str | None = None
    verified_at: datetime | None = None
    notes: str = ""
    notes_version: int = 0
    complaint_grade: str | None = None
    grade: str | None = None
    unit: str | None = None
    hand_out_due: datetime | None = None
    handed_out_at: datetime | None = None
    returned_at: datetime | None = None
    taken_due: datetime | None = None
    taken_at: datetime | None = None
    finish_due: datetime | None = None
    reminders: int = 0
    reminded_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TicketView:
    """A ticket stub as its agent sees it. Times are aware UTC, durations milliseconds.

    Attributes:
        call_id: None for a stub that another channel opened.
        agent: who keeps first responsibility (首问责任); empty while nobody has taken it.
        calls_in_month: calls of this number within a month, this one with them.
        stubs: all stubs of the same call, when there are several.
    """

    ticket_id: str
    call_id: str | None
    hotline: str
    queue: str
    caller: str
    agent: str
    opened_at: datetime
    entered_at: datetime
    answered_at: datetime
    wait_ms: int
    ring_ms: int | None
    popped_at: datetime | None
    talk_ended_at: datetime | None
    recording: str | None
    owner: str
    closed_at: datetime | None
    stub: StubView
    stubs: tuple[Sibling, ...]
    history: tuple[EarlierCall, ...]
    calls_in_month: int
    callbacks: tuple[PastCallback, ...]
    open_tickets: tuple[OpenTicket, ...]
    repeats: Repeats | None


@dataclass(frozen=True, slots=True)
class Unowned:
    """A stub of another channel that nobody has taken yet; without its caller's number."""

    ticket_id: str
    channel: str
    kind: str | None
    area: str | None
    opened_at: datetime
    hand_out_due: datetime | None


async def unowned(connection: AsyncConnection, pbx_id: str, now: datetime) -> list[Unowned]:
    """The stubs of the last month that nobody has, the oldest first."""
    found = await connection.execute(
        select(*(stubs.c[name] for name in Unowned.__slots__))
        .join(tickets, tickets.c.ticket_id == stubs.c.ticket_id)
        .where(
            tickets.c.agent == "", tickets.c.opened_at > now - UNOWNED_OF, tickets.c.closed_at.is_(None),
            tickets.c.pbx_id == pbx_id, stubs.c.agent == "",
        )
        .order_by(stubs.c.opened_at)
        .limit(MOST_UNOWNED)
    )  # fmt: skip
    return [Unowned(*tuple(each)) for each in found]


def same_call(table: Any) -> ColumnElement[bool]:
    """The rows of *table* that belong to the call."""
    return and_(table.c.pbx_id == calls.c.pbx_id, table.c.call_id == calls.c.call_id)


def first_stub() -> ColumnElement[bool]:
    """The stub that the answer of the call opened, among several of one call."""
    return and_(same_call(tickets), tickets.c.ordinal == 1)


async def ticket_view(connection: AsyncConnection, ticket_id: str, rules: Rules) -> TicketView | None:
    """A ticket with what is known of its caller, or None."""
    row = await _row(connection, ticket_id)
    if row is None:
        return None
    known = any(character.isdigit() for character in row.caller)  # withheld: such callers have no number in common
    history, in_month = await _earlier(connection, row, rules) if known else ((), 0)
    said = row.s_kind is not None or row.s_channel is not None
    stub = StubView(**{name: getattr(row, f"s_{name}") for name in StubView.__slots__}) if said else StubView()
    return TicketView(
        row.ticket_id, row.call_id, row.hotline, row.queue, row.caller, row.s_agent or row.agent, row.opened_at,
        row.entered_at, row.answered_at, row.wait_ms, row.ring_ms, row.popped_at, row.talk_ended_at, row.recording,
        row.owner or row.s_agent or row.agent, row.closed_at, stub,
        await _siblings(connection, row) if row.stubs_of_call > 1 else (),
        history, in_month,
        await _callbacks(connection, row.caller, rules) if history else (),
        await _open_tickets(connection, row, rules) if known else (),
        await _repeats(connection, row, rules) if stub.kind == "complaint" else None,
    )  # fmt: skip


async def _row(connection: AsyncConnection, ticket_id: str) -> Row[Any] | None:
    sibling = tickets.alias("sibling")
    of_call = (
        select(func.count())
        .where(sibling.c.pbx_id == tickets.c.pbx_id, sibling.c.call_id == tickets.c.call_id)
        .scalar_subquery()
    )
    columns = [stubs.c[name].label(f"s_{name}") for name in (*StubView.__slots__, "agent")]
    joined = tickets.outerjoin(calls, same_call(tickets)).outerjoin(
        recordings, and_(recordings.c.pbx_id == tickets.c.pbx_id, recordings.c.call_id == tickets.c.call_id)
    )
    found = await connection.execute(
        select(
            tickets, calls.c.talk_ended_at, recordings.c.state.label("recording"), of_call.label("stubs_of_call"),
            *columns,
        )
        .select_from(joined.outerjoin(stubs, stubs.c.ticket_id == tickets.c.ticket_id))
        .where(tickets.c.ticket_id == ticket_id)
    )  # fmt: skip
    return found.one_or_none()


async def _earlier(connection: AsyncConnection, row: Row[Any], rules: Rules) -> tuple[tuple[EarlierCall, ...], int]:
    """The last calls, and how many there were within a month."""
    month = repeats.month_before(row.entered_at, rules.zone)
    of_number = (calls.c.caller == row.caller) & (calls.c.entered_at < row.entered_at)
    counted = select(func.count()).where(of_number, calls.c.entered_at > month).scalar_subquery()
    rows = await connection.execute(
        select(
            calls.c.entered_at, calls.c.agent, calls.c.answered_at, calls.c.ending, tickets.c.ticket_id,
            counted.label("counted"),
        )
        .select_from(calls.outerjoin(tickets, first_stub()))
        .where(of_number)
        .order_by(calls.c.entered_at.desc())
        .limit(EARLIER_CALLS)
    )  # fmt: skip
    found = rows.all()
    history = tuple(
        EarlierCall(r.entered_at, r.agent, "answered" if r.answered_at else r.ending or "open", r.ticket_id)
        for r in found
    )
    return history, 1 + (found[0].counted if found else 0)


async def _siblings(connection: AsyncConnection, row: Row[Any]) -> tuple[Sibling, ...]:
    found = await connection.execute(
        select(tickets.c.ticket_id, tickets.c.ordinal, stubs.c.kind, tickets.c.closed_at.is_not(None))
        .select_from(tickets.outerjoin(stubs, stubs.c.ticket_id == tickets.c.ticket_id))
        .where(tickets.c.pbx_id == row.pbx_id, tickets.c.call_id == row.call_id)
        .order_by(tickets.c.ordinal)
    )
    return tuple(Sibling(*tuple(each)) for each in found)


async def _callbacks(connection: AsyncConnection, number: str, rules: Rules) -> tuple[PastCallback, ...]:
    found = await connection.execute(
        select(callbacks.c.requested_at, callbacks.c.agent, callbacks.c.state)
        .where(callbacks.c.number == number, callbacks.c.requested_at > rules.now - CALLBACKS_OF)
        .order_by(callbacks.c.requested_at.desc())
        .limit(PAST_CALLBACKS)
    )
    return tuple(PastCallback(*tuple(each)) for each in found)


async def _open_tickets(connection: AsyncConnection, row: Row[Any], rules: Rules) -> tuple[OpenTicket, ...]:
    """What he may ask after: his open tickets of other calls, the newest first."""
    other = stubs.c.call_id.is_distinct_from(row.call_id) if row.call_id else stubs.c.ticket_id != row.ticket_id
    found = await connection.execute(
        select(stubs)
        .join(tickets, tickets.c.ticket_id == stubs.c.ticket_id)
        .where(stubs.c.caller == row.caller, tickets.c.closed_at.is_(None), other)
        .order_by(stubs.c.opened_at.desc())
        .limit(OPEN_TICKETS)
    )
    made = (Stub(**{name: each[name] for name in Stub.__slots__}) for each in found.mappings())
    return tuple(_standing(stub, rules) for stub in made)


def _standing(stub: Stub, rules: Rules) -> OpenTicket:
    stands = chasing.standing(stub, rules.chasing, rules.now)
    most = rules.chasing.reminders
    return OpenTicket(
        stub.ticket_id, stub.opened_at, stub.kind, stub.area, stub.unit, stub.handed_out_at, stub.finish_due,
        stub.reminders, int(str(most.value)) if most is not None else None, stands.age_s, stands.limit_s,
        stands.share, stands.advice.value,
    )  # fmt: skip


async def _repeats(connection: AsyncConnection, row: Row[Any], rules: Rules) -> Repeats | None:
    """Counted from complaints about the same area: by this number, and by different ones within a month."""
    s = stubs.c
    same_area = s.area == row.s_area if row.s_area is not None else s.kind == row.s_kind
    by_caller = select(func.count(func.distinct(func.coalesce(s.call_id, s.ticket_id)))).where(
        s.caller == row.caller, s.kind == row.s_kind, same_area, s.caller != ""
    )
    month = repeats.month_before(rules.now, rules.zone)
    different = select(func.count(func.distinct(s.caller))).where(
        s.kind == row.s_kind, s.area == row.s_area, s.opened_at > month, s.caller != ""
    )
    same, others = (await connection.execute(select(by_caller.scalar_subquery(), different.scalar_subquery()))).one()
    counted = repeats.Counted(same, others)
    suggested = repeats.suggest(counted, rules.repeating)
    if suggested is None:
        return None
    return Repeats(same, others, suggested.grade, tuple(_cited(article) for article in suggested.articles))


def _cited(article: Article) -> Cited:
    return Cited(article.cite(), article.wording)

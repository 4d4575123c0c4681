"""What pages and the API show, read from the store. Every function takes a connection and changes nothing.

A caller's number is in some of these rows; who may see it whole is decided in cti/web.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.store.tables import attempts, callbacks, calls, offers, outbox, recordings, tickets
from cti.store.ticket_reads import first_stub, same_call

MISSED_ROWS = 50_000  # how far back in the outbox a resuming page is searched, so that a made-up id costs little
MISSED_POPS = 20
POPS = ("ticket.opened", "ticket.transferred")  # messages that put a ticket on their agent's page


@dataclass(frozen=True, slots=True)
class OwnCall:
    """One line of an agent's list of calls."""

    call_id: str
    ticket_id: str | None
    caller: str
    queue: str
    answered_at: datetime
    talk_ended_at: datetime | None
    wait_ms: int | None
    ring_ms: int | None
    ending: str | None
    recording: str | None
    recording_ms: int | None
    owner: str | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class OfferView:
    """One offer to one agent. ``ring_ms`` runs from the first ring to the answer or the end."""

    ordinal: int
    agent: str
    offered_at: datetime
    ended_at: datetime | None
    outcome: str | None
    ring_ms: int | None


@dataclass(frozen=True, slots=True)
class RecordingView:
    """What is known of a call's recording. Lengths are milliseconds."""

    state: str
    expected_ms: int | None
    length_ms: int | None
    sha256: str | None
    reason: str | None
    checked_at: datetime | None


@dataclass(frozen=True, slots=True)
class CallView:
    """One call from queue entry to end, with every offer."""

    call_id: str
    linkedid: str
    queue: str
    caller: str
    entered_at: datetime
    agent: str | None
    answered_at: datetime | None
    wait_ms: int | None
    ring_ms: int | None
    talk_ended_at: datetime | None
    ended_at: datetime | None
    ending: str | None
    ticket_id: str | None
    offers: tuple[OfferView, ...]
    recording: RecordingView | None


@dataclass(frozen=True, slots=True)
class CallbackView:
    """A callback and how often it was tried."""

    callback_id: str
    ticket_id: str | None
    number: str
    agent: str
    state: str
    requested_by: str
    requested_at: datetime
    due_at: datetime | None
    closed_at: datetime | None
    attempts: int
    last_outcome: str | None


async def calls_of_agent(
    connection: AsyncConnection, pbx_id: str, agent: str, since: datetime, most: int = 200
) -> list[OwnCall]:
    """The calls that *agent* answered at or after *since*, newest first."""
    rows = await connection.execute(
        select(
            calls.c.call_id, tickets.c.ticket_id, calls.c.caller, calls.c.queue, calls.c.answered_at,
            calls.c.talk_ended_at, calls.c.wait_ms, calls.c.ring_ms, calls.c.ending,
            recordings.c.state, recordings.c.length_ms, func.coalesce(tickets.c.owner, tickets.c.agent),
            tickets.c.closed_at,
        )
        .select_from(calls.outerjoin(tickets, first_stub()).outerjoin(recordings, same_call(recordings)))
        .where(calls.c.agent == agent, calls.c.answered_at >= since, calls.c.pbx_id == pbx_id)
        .order_by(calls.c.answered_at.desc())
        .limit(most)
    )  # fmt: skip
    return [OwnCall(*tuple(row)) for row in rows]


async def call_view(connection: AsyncConnection, pbx_id: str, call_id: str) -> CallView | None:
    """One call with its offers in order, or None."""
    found = await connection.execute(
        select(calls, tickets.c.ticket_id, *(recordings.c[name].label(f"r_{name}") for name in _RECORDING))
        .select_from(calls.outerjoin(tickets, first_stub()).outerjoin(recordings, same_call(recordings)))
        .where(calls.c.pbx_id == pbx_id, calls.c.call_id == call_id)
    )
    row = found.one_or_none()
    if row is None:
        return None
    asked = await connection.execute(
        select(
            offers.c.ordinal, offers.c.agent, offers.c.offered_at, offers.c.ended_at, offers.c.outcome, offers.c.ring_ms
        )
        .where(offers.c.pbx_id == pbx_id, offers.c.call_id == call_id)
        .order_by(offers.c.ordinal)
    )
    recording = RecordingView(*(getattr(row, f"r_{name}") for name in _RECORDING)) if row.r_state is not None else None
    return CallView(
        row.call_id, row.linkedid, row.queue, row.caller, row.entered_at, row.agent, row.answered_at, row.wait_ms,
        row.ring_ms, row.talk_ended_at, row.ended_at, row.ending, row.ticket_id,
        tuple(OfferView(*offer) for offer in asked), recording,
    )  # fmt: skip


_RECORDING = ("state", "expected_ms", "length_ms", "sha256", "reason", "checked_at")


async def callbacks_list(
    connection: AsyncConnection, pbx_id: str, agent: str | None = None, most: int = 200
) -> list[CallbackView]:
    """Callbacks, the newest asked first; of one *agent*, or of all."""
    count = select(func.count()).where(attempts.c.callback_id == callbacks.c.callback_id).scalar_subquery()
    last = (
        select(attempts.c.outcome)
        .where(attempts.c.callback_id == callbacks.c.callback_id)
        .order_by(attempts.c.ordinal.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(
            callbacks.c.callback_id, callbacks.c.ticket_id, callbacks.c.number, callbacks.c.agent, callbacks.c.state,
            callbacks.c.requested_by, callbacks.c.requested_at, callbacks.c.due_at, callbacks.c.closed_at, count, last,
        )
        .where(callbacks.c.pbx_id == pbx_id)
        .order_by(callbacks.c.requested_at.desc())
        .limit(most)
    )  # fmt: skip
    if agent is not None:
        query = query.where(callbacks.c.agent == agent)
    return [CallbackView(*row) for row in await connection.execute(query)]


async def callback_owner(connection: AsyncConnection, callback_id: str) -> str | None:
    """The agent that a callback is given to, or None when there is no such callback."""
    found = await connection.scalar(select(callbacks.c.agent).where(callbacks.c.callback_id == callback_id))
    return None if found is None else str(found)


async def last_seq(connection: AsyncConnection) -> int:
    """The newest outbox row's id; 0 when there is none."""
    return int(await connection.scalar(select(func.max(outbox.c.seq))) or 0)


async def missed_pops(
    connection: AsyncConnection, agent: str, after: int, not_before: datetime
) -> list[tuple[int, str]]:
    """(outbox id, ticket id) of *agent*'s pops after row *after*, oldest first, at most ``MISSED_POPS``."""
    newest = await last_seq(connection)
    rows = await connection.execute(
        select(outbox.c.seq, outbox.c.subject)
        .where(
            outbox.c.seq > max(after, newest - MISSED_ROWS), outbox.c.kind.in_(POPS),
            outbox.c.audience == f"agent:{agent}", outbox.c.at >= not_before,
        )
        .order_by(outbox.c.seq.desc())
        .limit(MISSED_POPS)
    )  # fmt: skip
    return [(row.seq, row.subject) for row in reversed(rows.all())]


async def ticket_in_hand(connection: AsyncConnection, agent: str, not_before: datetime) -> str | None:
    """The ticket of the conversation that *agent* is in now, if any: a page that is opened late shows it."""
    found = await connection.execute(
        select(tickets.c.ticket_id, calls.c.talk_ended_at, calls.c.ended_at)
        .select_from(tickets.join(calls, same_call(tickets)))
        .where(tickets.c.agent == agent, tickets.c.opened_at >= not_before)
        .order_by(tickets.c.opened_at.desc())
        .limit(1)
    )
    row = found.one_or_none()
    return None if row is None or row.talk_ended_at is not None or row.ended_at is not None else str(row.ticket_id)

"""One batch into rows: one statement for each kind of row, whatever the size of the batch."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from sqlalchemy import Table, bindparam, update
from sqlalchemy.dialects.sqlite import Insert, insert

from agents.presence import Agent
from cti.bus.outbox import Message
from cti.engine.records import Callback, Recording
from cti.engine.world import Changes, World
from cti.store import outbox
from cti.store import tables as t
from cti.store.db import Statements
from queues.calls import Call, Offer


async def persist(connection: Statements, world: World, changes: Changes, pbx_id: str) -> list[Message]:
    """Write *changes* inside the caller's transaction; the messages come back with their seq.

    A row written twice is the same row: unique keys decide, so a batch that is written again changes nothing.
    """
    calls = list(changes.calls.values())
    await _upsert(connection, t.calls, [call_row(call, pbx_id) for call in calls])
    offers = [offer_row(call_id, offer, pbx_id) for (call_id, _), offer in changes.offers.items()]
    await _upsert(connection, t.offers, offers)
    # Who left a seat before who took it: one seat holds one agent (unique key).
    agents = sorted((world.agents[number] for number in changes.agents), key=lambda a: a.seat is not None)
    rows = [agent_row(agent, pbx_id) for agent in agents]
    # Ringing and talking are not kept: most steps of an agent change no row.
    await _upsert(connection, t.agents, [row for row in rows if world.kept_agents.get(row["number"]) != row])
    world.kept_agents.update((row["number"], row) for row in rows)
    if changes.tickets:
        tickets = [
            {
                "ticket_id": x.ticket_id, "pbx_id": pbx_id, "call_id": x.call_id, "ordinal": x.ordinal,
                "linkedid": x.linkedid, "hotline": x.hotline, "queue": x.queue, "caller": x.caller, "agent": x.agent,
                "opened_at": x.opened_at, "entered_at": x.entered_at, "answered_at": x.answered_at,
                "wait_ms": x.wait_ms, "ring_ms": x.ring_ms, "owner": x.agent, "owned_at": x.opened_at,
            }
            for x in changes.tickets
        ]  # fmt: skip
        await connection.execute(insert(t.tickets).on_conflict_do_nothing(), tickets)
    if changes.sharper:
        await connection.execute(
            update(t.tickets).where(t.tickets.c.pbx_id == pbx_id, t.tickets.c.call_id == bindparam("of_call")),
            [
                {"of_call": c.call_id, "entered_at": c.entered_at, "answered_at": c.answered_at,
                 "wait_ms": c.wait_ms, "ring_ms": c.ring_ms, "linkedid": c.linkedid}
                for c in changes.sharper
            ],
        )  # fmt: skip
    if changes.popped:
        await connection.execute(
            update(t.tickets).where(t.tickets.c.ticket_id == bindparam("of_ticket"), t.tickets.c.popped_at.is_(None)),
            [{"of_ticket": ticket_id, "popped_at": at} for ticket_id, at in changes.popped],
        )
    if changes.owners:
        await connection.execute(
            update(t.tickets).where(t.tickets.c.ticket_id == bindparam("of_ticket")),
            [{"of_ticket": ticket_id, "owner": o.owner, "owned_at": o.owned_at, "closed_at": o.closed_at,
              "closed_by": o.closed_by} for ticket_id, o in changes.owners.items()],
        )  # fmt: skip
    await _upsert(connection, t.recordings, [recording_row(r, pbx_id) for r in changes.recordings.values()])
    callbacks = list(changes.callbacks.values())
    await _upsert(connection, t.callbacks, [callback_row(c, pbx_id) for c in callbacks])
    await _upsert(connection, t.attempts, [row for c in callbacks for row in attempt_rows(c)])
    for gap in changes.gaps:
        await _upsert(connection, t.gaps, [gap])
    await _upsert(connection, t.cursors, [{"name": k, "position": v} for k, v in changes.cursors.items()])
    for table, rows_of in changes.records.items():
        await _upsert(connection, table, rows_of.values())
    return await outbox.append(connection, changes.messages) if changes.messages else []


async def _upsert(connection: Statements, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    rows = list(rows)
    if not rows:
        return
    await connection.execute(_upsert_of(table, tuple(rows[0])), rows)


@cache  # there are few; making one costs as much as running it
def _upsert_of(table: Table, columns: tuple[str, ...]) -> Insert:
    keys = [c.name for c in table.primary_key]
    statement = insert(table)
    changed = {name: statement.excluded[name] for name in columns if name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=changed)


def call_row(call: Call, pbx_id: str) -> dict[str, Any]:
    """The row of a call."""
    return {
        "pbx_id": pbx_id, "call_id": call.call_id, "linkedid": call.linkedid, "queue": call.queue,
        "caller": call.caller, "entered_at": call.entered_at, "exact": call.exact, "agent": call.agent,
        "answered_at": call.answered_at, "answer_exact": call.answer_exact, "wait_ms": call.wait_ms,
        "ring_ms": call.ring_ms, "talk_ended_at": call.talk_ended_at, "ended_at": call.ended_at,
        "ending": call.ending.value if call.ending else None, "transfers": list(call.transfers),
    }  # fmt: skip


def offer_row(call_id: str, o: Offer, pbx_id: str) -> dict[str, Any]:
    """The row of one offer of a call."""
    return {
        "pbx_id": pbx_id, "call_id": call_id, "ordinal": o.ordinal, "agent": o.agent, "leg": o.leg,
        "offered_at": o.offered_at, "ended_at": o.ended_at, "outcome": o.end.value if o.end else None,
        "ring_ms": o.ring_ms, "talk_ended_at": o.talk_ended_at,
    }  # fmt: skip


def agent_row(agent: Agent, pbx_id: str) -> dict[str, Any]:
    """The row of an agent's desired state."""
    return {
        "pbx_id": pbx_id, "number": agent.number, "seat": agent.seat, "interface": agent.interface,
        "signed_in_at": agent.signed_in_at, "since": agent.since, "busy_reason": agent.busy_reason,
        "outside": agent.outside, "wrap_since": agent.wrap_since, "wrap_until": agent.wrap_until,
    }  # fmt: skip


def recording_row(recording: Recording, pbx_id: str) -> dict[str, Any]:
    """The row of a recording."""
    return {
        "pbx_id": pbx_id, "call_id": recording.call_id, "ticket_id": recording.ticket_id, "path": recording.path,
        "state": recording.state, "expected_ms": recording.expected_ms, "length_ms": recording.length_ms,
        "size": recording.size, "sha256": recording.sha256, "reason": recording.reason,
        "checked_at": recording.checked_at,
    }  # fmt: skip


def callback_row(callback: Callback, pbx_id: str) -> dict[str, Any]:
    """The row of a callback."""
    return {
        "callback_id": callback.callback_id, "pbx_id": pbx_id, "ticket_id": callback.ticket_id,
        "number": callback.number, "agent": callback.agent, "state": callback.state,
        "requested_at": callback.requested_at, "due_at": callback.due_at, "closed_at": callback.closed_at,
        "requested_by": callback.requested_by, "request_key": callback.request_key, "source": callback.source,
        "kind": callback.kind, "mandatory": callback.mandatory, "deadline": callback.deadline,
        "appointment_at": callback.appointment_at, "by_key": callback.by_key, "joined": list(callback.joined),
        "result": callback.result, "close_reason": callback.close_reason, "override_by": callback.override_by,
        "override_reason": callback.override_reason,
    }  # fmt: skip


def attempt_rows(callback: Callback) -> list[dict[str, Any]]:
    """The rows of a callback's attempts."""
    return [
        {
            "channel_id": d.channel_id, "callback_id": callback.callback_id, "ordinal": d.attempt.ordinal,
            "agent": d.agent, "started_at": d.attempt.started_at, "answered_at": d.answered_at,
            "ended_at": d.attempt.ended_at, "outcome": d.attempt.outcome.value,
        }
        for d in callback.diallings
    ]  # fmt: skip

"""What each sink is to hear of a batch of messages, with what the database knows of their calls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import chain

import structlog

from cti.bus import webhooks, zammad
from cti.bus.outbox import Message
from cti.settings import Settings
from cti.store import sinks as rows
from cti.store.db import Statements
from cti.store.sinks import ZAMMAD, Owed, Sink

log = structlog.get_logger(__name__)


async def shape(
    connection: Statements, sinks: Sequence[Sink], messages: Sequence[Message], settings: Settings, now: datetime
) -> list[Owed]:
    """What *sinks* are owed for *messages*, inside the writer's transaction; stages of calls move with it."""
    numbers: dict[str, str] = {}
    if any(sink.with_numbers for sink in sinks):
        ids = set(chain.from_iterable((m.subject, str(m.data.get("call_id"))) for m in messages))
        numbers = await rows.callers(connection, settings.pbx_id, ids)
    owed: list[Owed] = []
    for sink in sinks:
        heard = [message for message in messages if message.kind in sink.kinds and message.seq > sink.from_seq]
        if heard and sink.kind == ZAMMAD:
            owed += await _for_zammad(connection, heard, numbers, settings, now)
        elif heard:
            owed += _for_webhook(sink, heard, numbers, now)
    return owed


def _for_webhook(sink: Sink, messages: Iterable[Message], numbers: dict[str, str], now: datetime) -> list[Owed]:
    owed = []
    for message in messages:
        caller = numbers.get(webhooks.order_of(message)) if sink.with_numbers else None
        try:
            body = webhooks.payload(message, caller)
        except ValueError as error:
            log.error("webhook_message_left_out", seq=message.seq, reason=str(error))
            continue
        owed.append(Owed(sink.sink_id, message.seq, webhooks.order_of(message), message.kind, body, now))
    return owed


async def _for_zammad(
    connection: Statements, messages: Sequence[Message], numbers: dict[str, str], settings: Settings, now: datetime
) -> list[Owed]:
    names = await rows.names(connection, {str(m.data.get("agent")) for m in messages if m.data.get("agent")})
    known = await rows.stages(connection, ZAMMAD, {zammad.call_of(message) for message in messages})
    owed: list[Owed] = []
    changed: dict[str, str] = {}
    for message in messages:
        call_id = zammad.call_of(message)
        facts = zammad.Facts(numbers.get(message.subject, ""), names)
        event = zammad.told(message, facts, known.get(call_id), settings.zammad.line)
        if event is None:
            continue
        held = not event.instead or _taken_back(owed, call_id)
        if not held and not await rows.unsay(connection, ZAMMAD, call_id, message.seq):
            continue  # what was held back has been told: Zammad's call is over
        known[call_id] = changed[call_id] = event.stage
        due = now + timedelta(seconds=event.wait_s)
        owed.append(Owed(ZAMMAD, message.seq, call_id, message.kind, zammad.as_json(event.event), due))
    await rows.put_stages(connection, ZAMMAD, changed, now)
    return owed


def _taken_back(owed: list[Owed], call_id: str) -> bool:
    """Drop the hangup of *call_id* that is held back in this very batch."""
    for index, one in enumerate(owed):
        if one.key == call_id and one.kind == "call.ended":
            del owed[index]
            return True
    return False

"""Emergencies and rows: one row each, one row a number that was tried."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from sqlalchemy import RowMapping

from queues.directory import Target
from queues.emergency import Attempt, DialEnd, Dialling, Emergency, Why

_KEPT = [name for name in Emergency.__slots__ if name != "diallings"]


def row_of(emergency: Emergency, pbx_id: str) -> dict[str, Any]:
    """The row of table emergencies."""
    values = {name: getattr(emergency, name) for name in _KEPT}
    return {**values, "why": emergency.why.value, "pbx_id": pbx_id}


def unit_rows(after: Emergency, before: Emergency | None) -> Iterable[dict[str, Any]]:
    """The rows of table unit_calls that are new or differ from *before*."""
    known = {dial.channel_id: dial for dial in before.diallings} if before else {}
    for dial in after.diallings:
        if known.get(dial.channel_id) != dial:
            yield from _rows(after.emergency_id, dial)


def _rows(emergency_id: str, dial: Dialling) -> Iterable[dict[str, Any]]:
    for ordinal, attempt in enumerate(dial.attempts, start=1):
        yield {
            "channel_id": dial.channel_id, "ordinal": ordinal, "emergency_id": emergency_id, "agent": dial.agent,
            "unit": attempt.target.unit, "number": attempt.target.digits, "asked_at": dial.asked_at,
            "agent_at": dial.agent_at, "began_at": attempt.began_at, "ended_at": attempt.ended_at,
            "outcome": attempt.end.value if attempt.end else None, "answered_at": dial.answered_at,
            "over_at": dial.ended_at, "held": dial.held,
        }  # fmt: skip


def emergency_of(row: RowMapping, tried: Iterable[RowMapping]) -> Emergency:
    """An emergency from its row and those of its numbers, in the order of dial and number."""
    diallings = tuple(_dialling(list(rows)) for _, rows in groupby(tried, key=lambda one: one["channel_id"]))
    values = {name: row[name] for name in _KEPT}
    return Emergency(**{**values, "why": Why(row["why"])}, diallings=diallings)


def _dialling(rows: list[RowMapping]) -> Dialling:
    first = rows[0]
    attempts = tuple(
        Attempt(
            Target(row["unit"], row["number"]), row["began_at"], row["ended_at"],
            DialEnd(row["outcome"]) if row["outcome"] else None,
        )
        for row in rows
    )  # fmt: skip
    return Dialling(
        first["channel_id"], first["agent"], first["asked_at"], attempts, first["agent_at"], first["answered_at"],
        first["over_at"], first["held"],
    )  # fmt: skip

"""Transfers as rows, and as the board shows them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping

from queues.transfers import How, State, Target, TargetKind, Transfer


def shown(transfer: Transfer) -> dict[str, Any]:
    """What an agent's line of the board shows of his transfer."""
    return {
        "transfer_id": transfer.transfer_id, "call_id": transfer.call_id, "how": transfer.how.value,
        "kind": transfer.target.kind.value, "target": transfer.target.code, "state": transfer.state.value,
        "why": transfer.why, "since": (transfer.answered_at or transfer.asked_at).isoformat(),
    }  # fmt: skip


def row_of(transfer: Transfer, pbx_id: str) -> dict[str, Any]:
    """The row of a transfer."""
    return {
        "transfer_id": transfer.transfer_id, "pbx_id": pbx_id, "call_id": transfer.call_id,
        "ticket_id": transfer.ticket_id, "agent": transfer.agent, "how": transfer.how.value,
        "target_kind": transfer.target.kind.value, "target": transfer.target.code, "by_phone": transfer.by_phone,
        "asked_at": transfer.asked_at, "rang_at": transfer.rang_at, "answered_at": transfer.answered_at,
        "ended_at": transfer.ended_at, "state": transfer.state.value, "why": transfer.why,
        "consult_id": transfer.consult_id, "leg": transfer.leg,
    }  # fmt: skip


def transfer_of(row: RowMapping) -> Transfer:
    """A transfer from its row; what is dialled for it is not kept."""
    same = {name: row[name] for name in Transfer.__slots__ if name in row and name not in ("how", "target", "state")}
    target = Target(TargetKind(row["target_kind"]), row["target"])
    return Transfer(**same, how=How(row["how"]), target=target, state=State(row["state"]))

"""The live board and the health word."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from cti.web.context import AnyoneDep, WebDep, Who

router = APIRouter(tags=["board"])

LEADS_ONLY = ("emergencies", "requests", "over_time", "escalated", "sinks_away")
"""Keys of the duty desk that are no agent's: requests and callers that wait for the lead, and who is busy too long."""


def board_for(who: Who, board: Mapping[str, Any]) -> Mapping[str, Any]:
    """What this person may see of it: call ids are their agents' and the leads', and alarms are the lead's."""
    if who.leads:
        return board
    lines = [
        line if line["number"] == who.number or line["call_id"] is None else {**line, "call_id": None}
        for line in board["agents"]
    ]
    return {**board, "agents": lines, "alarms": [], "duty": duty_for(who, board.get("duty", {}))}


def duty_for(who: Who, duty: Mapping[str, Any]) -> Mapping[str, Any]:
    """What an agent may see of the duty desk: of findings that go on and of handovers his own alone, and not what waits
    for the lead. An auditor sees every handover, and no findings that go on."""
    shown = {key: value for key, value in duty.items() if key not in LEADS_ONLY}
    roster = {key: value for key, value in duty.get("roster", {}).items() if key != "pending"}
    return {
        **shown, "roster": roster, "findings": [f for f in duty.get("findings", ()) if f["agent"] == who.number],
        "handovers": duty.get("handovers", []) if who.audits
        else own_handovers(who.number, duty.get("handovers", ())),
    }  # fmt: skip


def own_handovers(number: str, handovers: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The handovers in which this agent goes or comes, with his own pair alone."""
    own = [
        {**h, "candidates": [], "pairs": [p for p in h["pairs"] if number in (p["outgoing"], p["incoming"])]}
        for h in handovers
    ]
    return [handover for handover in own if handover["pairs"]]


def as_text(value: Mapping[str, Any]) -> str:
    """Compact JSON; Chinese stays readable in a network trace."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class Health(BaseModel):
    """``ok``, or ``degraded`` while Asterisk is out of reach; open to monitoring, so it says no more."""

    status: str


@router.get("/board")
async def board(who: AnyoneDep, web: WebDep) -> dict[str, Any]:
    """Queue, figures of today, agents and waiting callers, with masked numbers."""
    return dict(board_for(who, web.engine.board()))


@router.get("/health")
async def health(web: WebDep) -> Health:
    """Is the service whole?"""
    return Health(status="ok" if web.engine.board()["link"] == "up" else "degraded")

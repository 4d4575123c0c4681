"""Commands of emergencies. ``by`` is the person whom the session has proved."""

from __future__ import annotations

from typing import NamedTuple


class RaiseEmergency(NamedTuple):
    """An agent or lead says that this ticket is an emergency."""

    by: str
    ticket_id: str


class LiftCall(NamedTuple):
    """A lead lifts a waiting call to the front; it is an emergency from then on."""

    by: str
    call_id: str


class RingUnit(NamedTuple):
    """The agent's phone rings, and then the responsible unit's numbers, one after the other, until one answers."""

    by: str
    emergency_id: str


class UnitNotRung(NamedTuple):
    """Asterisk refused to ring the agent's phone; never sent by a person."""

    channel_id: str


class NotLifted(NamedTuple):
    """Asterisk did not move the waiting call to the front; never sent by a person."""

    call_id: str


class AcknowledgeEmergency(NamedTuple):
    """A lead has it in hand: the ladder is silent from now on."""

    by: str
    emergency_id: str
    note: str


class PutFront(NamedTuple):
    """Calls of this number go to the front (a school, a hospital, a pumping station)."""

    by: str
    number: str
    reason: str


class RemoveFront(NamedTuple):
    """The number is a caller like any other again."""

    by: str
    number: str


EmergencyCommand = (
    RaiseEmergency | LiftCall | NotLifted | RingUnit | UnitNotRung | AcknowledgeEmergency | PutFront | RemoveFront
)

"""What callers hear by an agent's key, and how they rate the service.

A rating stands in Asterisk's queue_log, written by the dialplan: it is there when the service is not, it is read once,
and the caller waits for nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from cti.commands import Outcome
from cti.commands.voice import Announce, EndWith, InviteRating, VoiceFailed
from cti.engine.inputs import EndTalk, Speak
from cti.engine.part import Handler, Part
from cti.engine.world import World
from cti.errors import BadInput
from cti.ids import Ids
from cti.settings import Settings
from cti.store.survey_tables import ratings
from queues import voice as core
from queues.facts import Rated
from queues.voice import AfterAgent, Prompt
from regulations import allowed

Choice = TypeVar("Choice", bound=StrEnum)


class Voicing(Part):
    """Starts what the agent's key asks for; keeps what the caller pressed."""

    def __init__(self, world: World, ids: Ids, settings: Settings) -> None:
        self.world, self.ids, self.pbx_id = world, ids, settings.pbx_id

    def commands(self) -> Mapping[type[Any], Handler]:
        return {
            Announce: self._announce, EndWith: self._end, InviteRating: self._invite, VoiceFailed: self._failed,
        }  # fmt: skip

    def rated(self, fact: Rated, now: datetime) -> None:
        row = {"pbx_id": self.pbx_id, "call_id": fact.call_id, "agent": fact.agent, "rating": fact.rating}
        self.world.write(ratings, {**row, "at": fact.at})

    def _announce(self, command: Announce, now: datetime) -> Outcome:
        prompt = _choice(Prompt, "prompt", command.prompt)
        ruling = core.may_speak(self.world.calls.get(command.call_id), command.by)
        if ruling.allowed:
            channel_id = self.ids.channel(now, "ctivo")
            self.world.changes.effects.append(Speak(channel_id, command.call_id, prompt.value, command.by))
        return Outcome(ruling)

    def _end(self, command: EndWith, now: datetime) -> Outcome:
        ending = _choice(AfterAgent, "ending", command.ending)
        call = self.world.calls.get(command.call_id)
        ruling = core.may_speak(call, command.by)
        leg = None if call is None else core.leg_of(call, command.by)
        if leg is not None:
            if ending is AfterAgent.SILENT:
                self._mark_silent(command.call_id, now)
            channel_id = self.ids.channel(now, "ctiet")
            self.world.changes.effects.append(EndTalk(channel_id, command.call_id, leg, ending.value, command.by))
        return Outcome(ruling)

    def _invite(self, command: InviteRating, now: datetime) -> Outcome:
        callback = self.world.callbacks.get(command.callback_id)
        talk = callback.running if callback is not None else None
        ruling = core.may_invite(talk.agent if talk is not None and talk.answered_at is not None else None, command.by)
        if ruling.allowed and talk is not None:
            leg, after = talk.channel_id, AfterAgent.RATE.value
            self.world.changes.effects.append(EndTalk(self.ids.channel(now, "ctiet"), "", leg, after, command.by))
        return Outcome(ruling)

    def _mark_silent(self, call_id: str, now: datetime) -> None:
        for stub in [s for s in self.world.stubs.values() if s.call_id == call_id and s.ordinal == 1]:
            self.world.put_stub(replace(stub, caller_kind="silent"), now)

    def _failed(self, command: VoiceFailed, now: datetime) -> Outcome:
        data = {"code": "voice_failed", "agent": command.agent, "what": command.what}
        self.world.tell(now, "alarm", command.agent, data, "lead")
        return Outcome(allowed())


def _choice(kind: type[Choice], field: str, value: str) -> Choice:
    try:
        return kind(value)
    except ValueError as error:
        raise BadInput(field, f"one of {', '.join(kind)} is needed") from error

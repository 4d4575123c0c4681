"""Other systems in the engine: the lead hears which sink stays away, and units' answers are kept with their tickets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.commands import Command, Outcome
from cti.commands.sinks import ReportReply, SinkStood
from cti.engine.part import Handler, Part
from cti.engine.world import World
from cti.errors import BadInput
from cti.store.sinks_tables import replies
from cti.store.tables import tickets
from cti.texts import lines_taken
from queues.replies import Result
from regulations import Ruling, allowed, refused

LONGEST = 1000  # characters of an answer
REPLIES = "replies"  # in World.versions: pages that show a ticket ask again when it rises


class OtherSystems(Part):
    """Which sinks are away, and the answers that units report."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.away: dict[str, str] = {}  # sink id -> name
        self._known: dict[tuple[str, str], dict[str, Any]] = {}  # answers that this batch may speak of
        self._tickets: set[str] = set()

    def commands(self) -> Mapping[type[Any], Handler]:
        return {SinkStood: self._stood, ReportReply: self._reply}

    def view(self, now: datetime) -> dict[str, Any]:
        """The names of sinks that have been away for long, the lead's; and how many answers came since the start."""
        return {"sinks_away": sorted(self.away.values()), "replies": self.world.versions[REPLIES]}

    def batched(self, now: datetime) -> None:
        self._known.clear()
        self._tickets.clear()

    def lacks(self, command: Command) -> bool:
        return isinstance(command, ReportReply)

    async def fetch(self, connection: AsyncConnection, commands: Iterable[Command]) -> None:
        asked = [command for command in commands if isinstance(command, ReportReply)]
        if not asked:
            return
        keys = tuple_(replies.c.token_id, replies.c.request_key).in_([(c.token_id, c.key) for c in asked])
        for row in (await connection.execute(select(replies).where(keys))).mappings():
            self._known[row["token_id"], row["request_key"]] = dict(row)
        found = select(tickets.c.ticket_id).where(tickets.c.ticket_id.in_([c.ticket_id for c in asked]))
        self._tickets.update((await connection.execute(found)).scalars())

    def _stood(self, asked: SinkStood, now: datetime) -> Outcome:
        if asked.state in ("back", "ended"):
            self.away.pop(asked.sink_id, None)
        elif asked.state == "away":
            self.away[asked.sink_id] = asked.name
        self.world.tell(now, "alarm", asked.name, {"code": f"sink_{asked.state}", "what": asked.name}, "lead")
        return Outcome(allowed())

    def _reply(self, asked: ReportReply, now: datetime) -> Outcome:
        row = self._row(asked, now)
        known = self._known.get((asked.token_id, asked.key))
        if known is not None:
            same = all(known[name] == row[name] for name in ("ticket_id", "result", "text", "at"))
            return Outcome(allowed() if same else _key_used(), {"ticket_id": known["ticket_id"]})
        if asked.ticket_id not in self._tickets:
            return Outcome(refused("no_such_ticket", "工单不存在", "There is no such ticket"))
        self._known[asked.token_id, asked.key] = row
        self.world.write(replies, row, shown=False)
        self.world.changed(REPLIES)
        for part in self.world.parts:
            part.unit_answered(asked.ticket_id, Result(asked.result), now)
        return Outcome(allowed(), {"ticket_id": asked.ticket_id})

    def _row(self, asked: ReportReply, now: datetime) -> dict[str, Any]:
        if asked.at > now:
            raise BadInput("at", "the unit cannot have answered in the future (不得晚于当前时间)")
        if asked.result not in list(Result):
            raise BadInput("result", f"one of {', '.join(Result)} is needed")
        return {
            "token_id": asked.token_id, "request_key": asked.key, "ticket_id": asked.ticket_id, "result": asked.result,
            "text": lines_taken("text", asked.text, longest=LONGEST), "at": asked.at, "reported_at": now,
            "reported_by": asked.by,
        }  # fmt: skip


def _key_used() -> Ruling:
    return refused("key_used", "该Idempotency-Key已用于其他内容", "This Idempotency-Key was used for something else")

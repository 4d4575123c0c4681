"""Nuisance and media callers in the engine: marks are the stub's; blocks are asked for, decided, and end in time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.commands import Outcome
from cti.commands.nuisance import AskBlock, DecideBlock, EndBlock
from cti.engine.directory import Directory
from cti.engine.part import Handler, Part, Waker
from cti.engine.world import World
from cti.errors import BadInput
from cti.ids import Ids
from cti.settings import Settings
from cti.store.nuisance_tables import blocks
from cti.texts import taken
from queues import nuisance as core
from queues.nuisance import Block, State
from queues.stubs import Stub
from regulations import refused

LONGEST_DAYS = 366  # where the rules are silent: as long as any figure of a profile may be


class Nuisance(Part):
    """The blocks that are asked for or in force. The dialplan knows each with its end, and needs nobody to end it."""

    def __init__(self, world: World, ids: Ids, settings: Settings, directory: Directory) -> None:
        self.world, self.ids, self.directory = world, ids, directory
        self.pbx_id = settings.pbx_id
        self.blocks: dict[str, Block] = {}

    def commands(self) -> Mapping[type[Any], Handler]:
        return {AskBlock: self._ask, DecideBlock: self._decide, EndBlock: self._end}

    def dues(self) -> Mapping[str, Waker]:
        return {"block": self._expire}

    def view(self, now: datetime) -> dict[str, Any]:
        """How many requests wait for the lead, and how many numbers are blocked."""
        asked = sum(block.state is State.ASKED for block in self.blocks.values())
        return {"blocks": {"asked": asked, "active": len(self.blocks) - asked}}

    def stub_changed(self, before: Stub | None, after: Stub, now: datetime) -> None:
        was = before.caller_kind if before is not None else "citizen"
        if after.caller_kind == "media" and was != "media":
            data = {"code": "media_caller", "agent": after.agent, "ticket_id": after.ticket_id}
            self.world.tell(now, "alarm", after.ticket_id, data, "lead")

    def turned_away(self, caller: str, now: datetime) -> None:
        block = self._of(_digits(caller))
        if block is not None and block.state is State.ACTIVE:
            self._keep(core.tried(block, now))

    def _ask(self, command: AskBlock, now: datetime) -> Outcome:
        stub = self.world.stubs.get(command.ticket_id)
        leads = command.by in self.world.leads
        if stub is None or not (leads or command.by == stub.agent):
            return Outcome(refused("no_such_ticket", "没有该工单", "There is no such ticket"))
        reason, number = taken("reason", command.reason), _digits(stub.caller)
        protected = any(number.endswith(digits.lstrip("0")) for digits in self._protected())
        ruling = core.may_ask(number, stub.caller_kind == "nuisance", self._of(number), protected)
        if not ruling.allowed:
            return Outcome(ruling)
        block = Block(self.ids.make("b", now), number, stub.ticket_id, command.by, now, reason)
        self._keep(block)
        data = {"code": "block_asked", "agent": command.by, "ticket_id": stub.ticket_id}
        self.world.tell(now, "alarm", block.block_id, data, "lead")
        return Outcome(ruling, {"block_id": block.block_id})

    def _decide(self, command: DecideBlock, now: datetime) -> Outcome:
        block = self.blocks.get(command.block_id)
        words = taken("words", command.words)
        if command.by not in self.world.leads:
            return Outcome(refused("not_the_lead", "须由值班长审批", "A shift lead decides"))
        ruling = core.may_decide(block, command.by)
        if not ruling.allowed or block is None:
            return Outcome(ruling)
        if not command.agree:
            self._keep(core.declined(block, command.by, words, now))
            return Outcome(ruling)
        block = core.agreed(block, command.by, self._days(command.days), words, now)
        self._keep(block)
        self._switch(block)
        self._wake(block)
        return Outcome(ruling)

    def _end(self, command: EndBlock, now: datetime) -> Outcome:
        block = self.blocks.get(command.block_id)
        if command.by not in self.world.leads:
            return Outcome(refused("not_the_lead", "须由值班长审批", "A shift lead decides"))
        ruling = core.may_end(block)
        if ruling.allowed and block is not None:
            self._close(block, command.by, now)
        return Outcome(ruling)

    def _expire(self, block_id: str, now: datetime) -> None:
        block = self.blocks.get(block_id)
        if block is None or block.until is None:
            return
        if block.until > now:
            self._wake(block)  # the clock was set back
        else:
            self._close(block, None, now)

    def _close(self, block: Block, by: str | None, now: datetime) -> None:
        self._keep(core.ended(block, by, now))
        self.world.switch(f"CTI_BLOCK_{block.number}", "")

    def _switch(self, block: Block) -> None:
        if block.until is not None:
            self.world.switch(f"CTI_BLOCK_{block.number}", str(int(block.until.timestamp())))

    def _wake(self, block: Block) -> None:
        if block.until is not None:
            self.world.wake_at(block.until, f"block:{block.block_id}")

    def _days(self, asked: int | None) -> int:
        days = self._in_days("nuisance.block") if asked is None else asked
        most = self._in_days("nuisance.block_most") or LONGEST_DAYS
        if days is None or not 1 <= days <= most:
            raise BadInput("days", f"1 to {most} days are needed")
        return days

    def _in_days(self, path: str) -> int | None:
        limit = self.world.profile.get(path)
        return None if limit is None else int(limit.seconds() // 86_400)

    def _protected(self) -> set[str]:
        return {number.digits for unit in self.directory.units.values() for number in unit.numbers}

    def _of(self, number: str) -> Block | None:
        return next((block for block in self.blocks.values() if block.number == number), None) if number else None

    def _keep(self, block: Block) -> None:
        self.world.write(blocks, _row(block, self.pbx_id))
        if block.state in core.OPEN:
            self.blocks[block.block_id] = block
        else:
            self.blocks.pop(block.block_id, None)

    async def load(self, connection: AsyncConnection, now: datetime) -> None:
        b = blocks.c
        query = select(blocks).where(b.pbx_id == self.pbx_id, b.ended_at.is_(None)).order_by(b.asked_at)
        for row in (await connection.execute(query)).mappings():
            block = _block(row)
            self.blocks[block.block_id] = block

    def started(self, now: datetime) -> None:
        for block in list(self.blocks.values()):
            self._switch(block)
            if block.until is not None:
                self._expire(block.block_id, now)


def _digits(number: str) -> str:
    return "".join(character for character in number if character.isdigit())


def _row(block: Block, pbx_id: str) -> dict[str, Any]:
    return {"pbx_id": pbx_id, **{name: getattr(block, name) for name in Block.__slots__}, "state": block.state.value}


def _block(row: RowMapping) -> Block:
    return Block(**{**{name: row[name] for name in Block.__slots__}, "state": State(row["state"])})

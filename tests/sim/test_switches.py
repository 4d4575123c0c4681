"""Global variables of the dialplan: set when they change, set again when Asterisk may have forgotten them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cti.commands import Outcome
from cti.commands.switches import SwitchNotSet
from cti.engine.inputs import SetGlobal
from cti.engine.part import Handler, Part
from cti.engine.world import World
from regulations import allowed
from tests.sim.house import House


class Turn(NamedTuple):
    """A wish of some part."""

    name: str
    value: str


class Turner(Part):
    """A part that switches what it is told."""

    def __init__(self, world: World) -> None:
        self.world = world

    def commands(self) -> Mapping[type[Any], Handler]:
        return {Turn: self._turn}

    def _turn(self, command: Turn, now: datetime) -> Outcome:
        self.world.switch(command.name, command.value)
        return Outcome(allowed())


def sent(house: House) -> list[SetGlobal]:
    """What was set since the last look."""
    found = [effect for effect in house.seen if isinstance(effect, SetGlobal)]
    house.seen.clear()
    return found


async def test_set_on_change_again_after_a_gap_and_again_after_a_refusal(tmp_path: Path) -> None:
    """Once for each change; all of them when the link is back; one that was refused is tried again, and told."""
    async with House(tmp_path, random.Random(1)) as house:
        world = house.engine.world
        world.parts.append(Turner(world))
        house.seen.clear()
        for value in ("yes", "yes", "no"):
            await house.ask(Turn("CTI_ONE", value))
        await house.ask(Turn("CTI_TWO", "a,b/c"))
        assert sent(house) == [SetGlobal("CTI_ONE", "yes"), SetGlobal("CTI_ONE", "no"), SetGlobal("CTI_TWO", "a,b/c")]
        house.drop()
        await house.quiet()
        await house.ask(Turn("CTI_TWO", ""))  # declared while Asterisk is away
        assert sent(house) == []
        await house.connect()
        assert [e for e in sent(house) if e.name in ("CTI_ONE", "CTI_TWO")] == [
            SetGlobal("CTI_ONE", "no"), SetGlobal("CTI_TWO", ""),
        ]  # fmt: skip
        await house.ask(SwitchNotSet("CTI_ONE"))
        assert sent(house) == []
        await house.wait(11)
        assert sent(house) == [SetGlobal("CTI_ONE", "no")]
        assert world.alarms[-1].data == {"code": "switch_not_set"}


async def test_what_nobody_declares_any_more_is_cleared_after_a_restart(tmp_path: Path) -> None:
    """Asterisk keeps its globals while we are dead: a number that may be dialled no longer is not left open there."""
    async with House(tmp_path, random.Random(1)) as house:
        house.engine.world.parts.insert(0, Turner(house.engine.world))
        await house.ask(Turn("CTI_TO_05300000001", "yes"))
        await house.kill()
        await house.boot()  # and nobody declares it anew
        assert house.engine.world.switches["CTI_TO_05300000001"] == ""
        assert SetGlobal("CTI_TO_05300000001", "") in sent(house)


@pytest.mark.parametrize("name", ["CTI", "cti_x", "CTI_x", "CTI_X Y", "PATH", "SHELL(ls)", "CTI_X\n"])
async def test_no_other_name(tmp_path: Path, name: str) -> None:
    """Only our own globals, and nothing that a dialplan reads as a function."""
    async with House(tmp_path, random.Random(1)) as house:
        with pytest.raises(ValueError, match="switch"):
            house.engine.world.switch(name, "yes")


@pytest.mark.parametrize("value", ["${SHELL(ls)}", "a b", "a\n", "a&b", "x" * 121, "甲"])
async def test_no_other_value(tmp_path: Path, value: str) -> None:
    """Nothing that would be evaluated, and nothing that ends a header."""
    async with House(tmp_path, random.Random(1)) as house:
        with pytest.raises(ValueError, match="switch"):
            house.engine.world.switch("CTI_X", value)

"""The parts of duty, put together in the order in which they speak."""

from __future__ import annotations

from collections.abc import Container

from cti.commands import Command, SignIn
from cti.engine.part import Part
from cti.engine.world import World
from cti.ids import Ids
from cti.settings import Settings


def parts_of(world: World, ids: Ids, settings: Settings) -> list[Part]:
    """Every part, each given what it may know of the others."""
    return []


def names_strangers(command: Command, known: Container[str]) -> bool:
    """Whether *command* speaks of a person whom memory does not hold yet: somebody added since the start."""
    return isinstance(command, SignIn) and command.number not in known

"""The parts of duty, put together in the order in which they speak."""

from __future__ import annotations

from collections.abc import Container

from cti.commands import Command, PeopleChanged, SignIn
from cti.commands.roster import AskLeave, AskSwap, PutRotation, PutShifts, TakeShiftOff
from cti.engine.directory import Directory
from cti.engine.door import Door
from cti.engine.doubled import Doubled
from cti.engine.duty.conduct import Conduct
from cti.engine.duty.finding import Findings
from cti.engine.duty.handing import Handing
from cti.engine.duty.rostering import Rostering
from cti.engine.emergency import Emergencies
from cti.engine.escalating import Escalating
from cti.engine.figuring import Figuring
from cti.engine.fitting import Fitting
from cti.engine.fronting import Fronting
from cti.engine.gating import DialGate
from cti.engine.missed import MissedCallers
from cti.engine.nuisance import Nuisance
from cti.engine.outages import Outages
from cti.engine.owing import Owing
from cti.engine.part import Part
from cti.engine.sinks import OtherSystems
from cti.engine.surging import Surging
from cti.engine.switches import Switches
from cti.engine.ticketing import Ticketing
from cti.engine.transferring import Transfers
from cti.engine.voicing import Voicing
from cti.engine.world import World
from cti.ids import Ids
from cti.settings import Settings


def parts_of(world: World, ids: Ids, settings: Settings) -> list[Part]:
    """Every part, each given what it may know of the others."""
    roster = Rostering(world, ids, settings)
    conduct = Conduct(world, ids, settings, roster)
    findings = Findings(world, ids, settings, roster, conduct)
    handing = Handing(world, ids, settings, roster, conduct, findings)
    directory = Directory(world, ids, settings)
    ticketing = Ticketing(world, ids, settings, handing.tickets, directory)
    owing = Owing(world, ids, settings, handing.tickets)  # before the tickets, which forget what is finished
    front = Fronting(world, settings)
    surging = Surging(world, ids, settings)
    emergencies = Emergencies(world, ids, settings, directory, front)
    missed = MissedCallers(world, ids, settings)
    calls_in = [missed, Door(world, settings, missed), Escalating(world, settings), Figuring(world, settings)]
    transfers = Transfers(world, ids, settings, directory)
    nuisance = Nuisance(world, ids, settings, directory)
    spoken = [Voicing(world, ids, settings), Outages(world, ids, settings)]
    served = [directory, front, emergencies, surging, transfers, nuisance, *calls_in, *spoken, OtherSystems(world)]
    told = [Doubled(world), DialGate(world, settings), Fitting(world, settings.pbx_id, settings.callback)]
    return [owing, ticketing, *told, roster, conduct, findings, handing, *served, Switches(world, settings)]


def names_strangers(command: Command, known: Container[str]) -> bool:
    """Whether *command* speaks of a person whom memory does not hold as he is: somebody added or changed since."""
    match command:
        case PeopleChanged():
            return True
        case SignIn():
            named = {command.number}
        case PutShifts():
            named = {command.by, *(entry.agent for entry in command.entries)}
        case PutRotation():
            named = {command.by, *(number for _, numbers in command.crews for number in numbers)}
        case AskSwap():
            named = {command.by, command.with_agent}
        case TakeShiftOff() | AskLeave():
            named = {command.by}
        case _:
            return False
    return any(number not in known for number in named)

"""What people ask of the engine, from a page, a phone or the API; and what it answers."""

from cti.commands.base import (
    BaseCommand,
    DialNow,
    GoBusy,
    GoReady,
    Outcome,
    PageClosed,
    PageOpened,
    PeopleChanged,
    Popped,
    RequestCallback,
    SignIn,
    SignOut,
)
from cti.commands.conduct import ConductCommand
from cti.commands.dialling import DiallingCommand
from cti.commands.directory import DirectoryCommand
from cti.commands.emergency import EmergencyCommand
from cti.commands.findings import FindingCommand
from cti.commands.handover import HandoverCommand
from cti.commands.missed import MissedCommand
from cti.commands.nuisance import NuisanceCommand
from cti.commands.outage import OutageCommand
from cti.commands.owed import OwedCommand
from cti.commands.roster import RosterCommand
from cti.commands.sinks import SinkCommand
from cti.commands.surge import SurgeCommand
from cti.commands.switches import SwitchNotSet
from cti.commands.tickets import TicketCommand
from cti.commands.transfers import TransferCommand
from cti.commands.voice import VoiceCommand

Command = (
    BaseCommand | RosterCommand | ConductCommand | FindingCommand | HandoverCommand | MissedCommand | SwitchNotSet
    | DirectoryCommand | EmergencyCommand | SurgeCommand | SinkCommand | TicketCommand | TransferCommand
    | NuisanceCommand | OutageCommand | OwedCommand | VoiceCommand | DiallingCommand
)  # fmt: skip

__all__ = [
    "BaseCommand", "Command", "ConductCommand", "DialNow", "DiallingCommand", "DirectoryCommand",
    "EmergencyCommand", "FindingCommand",
    "GoBusy", "GoReady", "HandoverCommand", "MissedCommand", "NuisanceCommand", "OutageCommand", "Outcome",
    "OwedCommand", "PageClosed", "PageOpened", "PeopleChanged", "Popped", "RequestCallback", "RosterCommand", "SignIn",
    "SignOut", "SinkCommand", "SwitchNotSet", "TicketCommand", "TransferCommand", "VoiceCommand",
]  # fmt: skip

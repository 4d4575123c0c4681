"""The link to Asterisk's manager interface (AMI).

``wire`` turns bytes into whole frames, ``parse`` frames into the facts of ``events``, ``actions`` wishes into bytes;
``protocol`` is one session, ``link`` keeps one alive. Nothing here decides anything about calls or agents.
"""

from cti.ami.actions import (
    Action,
    ActionError,
    Atxfer,
    BlindTransfer,
    CancelAtxfer,
    CoreSettings,
    CoreShowChannels,
    CoreStatus,
    Hangup,
    Originate,
    Ping,
    QueueAdd,
    QueueChangePriorityCaller,
    QueuePause,
    QueueRemove,
    QueueStatus,
    SetVariable,
)
from cti.ami.events import Event
from cti.ami.items import ChannelItem, EntryItem, MemberItem, ParamsItem
from cti.ami.link import ActionTimeout, Link, LinkError, LinkSettings, LinkState, Reply, Snapshot
from cti.ami.parse import EventError, ForgedError, parse_event
from cti.ami.protocol import LinkDown

__all__ = [
    "Action",
    "ActionError",
    "ActionTimeout",
    "Atxfer",
    "BlindTransfer",
    "CancelAtxfer",
    "ChannelItem",
    "CoreSettings",
    "CoreShowChannels",
    "CoreStatus",
    "EntryItem",
    "Event",
    "EventError",
    "ForgedError",
    "Hangup",
    "Link",
    "LinkDown",
    "LinkError",
    "LinkSettings",
    "LinkState",
    "MemberItem",
    "Originate",
    "ParamsItem",
    "Ping",
    "QueueAdd",
    "QueueChangePriorityCaller",
    "QueuePause",
    "QueueRemove",
    "QueueStatus",
    "Reply",
    "SetVariable",
    "Snapshot",
    "parse_event",
]

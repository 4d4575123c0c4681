"""The link to Asterisk's manager interface (AMI): wire, events, actions, link.

``wire`` turns bytes into whole frames, ``events`` frames into facts, ``actions`` wishes into bytes, ``link`` keeps
one session alive. Nothing here decides anything about calls or agents.
"""

from cti.ami.actions import (
    Action,
    ActionError,
    CoreSettings,
    CoreShowChannels,
    CoreStatus,
    Hangup,
    Originate,
    Ping,
    QueueAdd,
    QueuePause,
    QueueRemove,
    QueueStatus,
)
from cti.ami.events import Event, EventError, ForgedError, parse_event
from cti.ami.items import ChannelItem, EntryItem, MemberItem, ParamsItem
from cti.ami.link import ActionTimeout, Link, LinkError, LinkSettings, LinkState, Reply, Snapshot
from cti.ami.protocol import LinkDown

__all__ = [
    "Action",
    "ActionError",
    "ActionTimeout",
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
    "QueuePause",
    "QueueRemove",
    "QueueStatus",
    "Reply",
    "Snapshot",
    "parse_event",
]

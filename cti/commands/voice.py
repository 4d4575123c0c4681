"""Commands for what a caller hears while an agent has him. ``by`` is the agent whom the session has proved."""

from __future__ import annotations

from typing import NamedTuple


class Announce(NamedTuple):
    """The caller, and the agent with him, hear a prompt; the conversation goes on.

    *prompt*: a value of ``queues.voice.Prompt``.
    """

    by: str
    call_id: str
    prompt: str


class EndWith(NamedTuple):
    """The agent ends the conversation and Asterisk goes on with the caller.

    *ending*: a value of ``queues.voice.Ending``: ``silent`` (told that nobody was heard) or ``rate`` (asked to rate).
    """

    by: str
    call_id: str
    ending: str


class InviteRating(NamedTuple):
    """The agent ends the conversation of a callback, and the caller is asked to rate."""

    by: str
    callback_id: str


class VoiceFailed(NamedTuple):
    """Asterisk did not take what an agent's key asked for; *what* is the prompt or the ending."""

    agent: str
    what: str


VoiceCommand = Announce | EndWith | InviteRating | VoiceFailed

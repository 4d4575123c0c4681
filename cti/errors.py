"""Faults of the shell. A refusal is a value (regulations.Ruling); an exception is a fault with a stable code."""

from __future__ import annotations


class CtiError(Exception):
    """Base of all faults. ``code`` is stable, part of the HTTP API; the text is for people and holds no caller data."""

    code = "fault"


class BadInput(CtiError):
    """Something given from outside cannot be taken. ``field`` names it."""

    code = "bad_input"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


class NotFound(CtiError):
    """What was asked for does not exist, or not for this user: the two look the same on purpose."""

    code = "not_found"


class Unavailable(CtiError):
    """A part that is needed for this is away just now (AMI link, database); asking again later can work."""

    code = "unavailable"

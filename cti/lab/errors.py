"""What a lab says when it cannot go on."""

from __future__ import annotations


class LabError(Exception):
    """The lab cannot go on; the message is one line with the way out."""

"""Commands of the findings ledger: an appeal, and the ruling on it."""

from __future__ import annotations

from typing import NamedTuple


class Appeal(NamedTuple):
    """The agent says why a finding is wrong."""

    number: str
    finding_id: str
    reason: str


class RuleOnAppeal(NamedTuple):
    """The lead upholds the finding or revokes it, with a reason."""

    by: str
    finding_id: str
    upheld: bool
    reason: str


FindingCommand = Appeal | RuleOnAppeal

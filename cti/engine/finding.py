"""Findings: what was against an article, recorded with its evidence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cti.engine.conduct import Conduct
from cti.engine.part import Part
from cti.engine.rostering import Rostering
from cti.engine.world import World
from cti.ids import Ids
from cti.settings import Settings
from regulations import Article


class Findings(Part):
    """The ledger of findings."""

    def __init__(self, world: World, ids: Ids, settings: Settings, roster: Rostering, conduct: Conduct) -> None:
        self.world, self.ids, self.settings, self.roster, self.conduct = world, ids, settings, roster, conduct

    def record(
        self,
        kind: str,
        agent: str,
        article: Article,
        began: datetime,
        ended: datetime | None,
        evidence: Mapping[str, Any],
        now: datetime,
    ) -> str | None:
        """Record a finding and tell the lead; its id, or None when it lies inside a gap and is no finding."""
        return None

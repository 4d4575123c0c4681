"""The handover in the engine."""

from __future__ import annotations

from cti.engine.conduct import Conduct
from cti.engine.finding import Findings
from cti.engine.part import Part
from cti.engine.rostering import Rostering
from cti.engine.world import World
from cti.ids import Ids
from cti.settings import Settings


class Handing(Part):
    """Seats paired, sheets signed, gaps timed."""

    def __init__(
        self, world: World, ids: Ids, settings: Settings, roster: Rostering, conduct: Conduct, findings: Findings
    ) -> None:
        self.world, self.ids, self.settings = world, ids, settings
        self.roster, self.conduct, self.findings = roster, conduct, findings

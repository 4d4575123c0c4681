"""A pause set past the console, from a feature code, the CLI or another AMI client: undone, or left and marked.

Which of both is the profile's (``busy.past_console``); the mark and the duty log's row are there either way.
"""

from __future__ import annotations

from cti.engine.inputs import Align
from cti.engine.part import Act, ActKind
from cti.engine.world import World


class PastConsole:
    """Brings the members back to what was asked for here, but for those who talk: after the talk."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._owed: set[str] = set()

    def acted(self, act: Act) -> None:
        """A difference that lasts is undone once; whoever sets it again is undone again."""
        choice = self.world.profile.get("busy.past_console")
        if act.kind is ActKind.OUTSIDE and choice is not None and choice.value == "revert":
            self._owed.add(act.agent)
            self.look()
        elif act.kind is ActKind.INSIDE:
            self._owed.discard(act.agent)

    def look(self) -> None:
        """Undo what is owed to whoever does not talk."""
        for number in sorted(self._owed):
            agent = self.world.agents[number]
            if agent.talking is None:
                self._owed.discard(number)
                self.world.aligning.add(number)
                self.world.changes.effects.append(Align(number))

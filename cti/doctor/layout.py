"""Are ``agents``, ``queues`` and the others the folders of this program, or another package of the same name?"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path

OURS = ("agents", "cti", "queues", "recordings", "regulations")
DISTRIBUTION = "hotline-cti"


def layout_faults() -> tuple[str, ...]:
    """One line for each of our folders that is not ours, or that a second distribution has written into."""
    places: dict[str, str] = {}
    for name in OURS:
        spec = importlib.util.find_spec(name)
        places[name] = str(Path(spec.origin).parent.parent) if spec is not None and spec.origin else ""
    return judge_layout(places, importlib.metadata.packages_distributions())


def judge_layout(places: Mapping[str, str], owners: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Paths see a package that stands in front of ours, metadata two that share one folder: each misses the other.

    Args:
        places: folder name -> where its package lies.
        owners: folder name -> distributions that say they install it.
    """
    home = places["cti"]
    faults = [f"{name}: {place or 'missing'} instead of {home}" for name, place in places.items() if place != home]
    for name in OURS:
        others = sorted(set(owners.get(name, ())) - {DISTRIBUTION})
        if others and DISTRIBUTION in owners.get(name, ()):
            faults.append(f"{name}: {', '.join(others)} installs it too")
    return tuple(faults)

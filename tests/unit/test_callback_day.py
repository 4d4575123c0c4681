"""The kept picture of a day of callbacks is what ``python -m bench.day`` writes, byte for byte."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

from bench import day
from queues.callbacks import AttemptOutcome

GAP = timedelta(hours=2)


def test_regenerating_gives_the_same_bytes(tmp_path: Path) -> None:
    """A smaller day, twice; and a picture that is well-formed."""
    kept = []
    for _ in range(2):
        day.written(200, 4, tmp_path)
        kept.append([(tmp_path / name).read_bytes() for name in ("callback-day.svg", "callback-day.md")])
    assert kept[0] == kept[1]
    ElementTree.fromstring(kept[0][0])  # noqa: S314  our own file


def test_the_kept_day_is_the_one_that_is_played(tmp_path: Path) -> None:
    """docs/callback-day.svg and .md: 2,000 callbacks, 20 agents."""
    day.written(2000, 20, tmp_path)
    for name in ("callback-day.svg", "callback-day.md"):
        assert (tmp_path / name).read_bytes() == (Path("docs") / name).read_bytes(), f"python -m bench.day: {name}"


def test_the_day_keeps_the_rules_and_its_agents() -> None:
    """Nobody is dialled before 08:00, under 2 h or a fourth time, and every ring ends by 21:00."""
    played = day.Day(300, 5).run()
    for citizen in played.citizens.values():
        rung = [a for a in citizen.owed.attempts if a.counts]
        assert len(rung) <= 3
        assert all(day.OPENS <= a.started_at <= day.CLOSES - day.RING for a in rung)
        for before, after in pairwise(rung):
            assert before.ended_at is not None
            assert after.started_at - before.ended_at >= GAP
        assert citizen.state != "due" or all(a.outcome is not AttemptOutcome.REACHED for a in rung)

"""A simulated year: every ruling at its edge, every gap, alarm and finding against a second reckoning."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from tests.sim.year import Year

pytestmark = pytest.mark.timeout(400)  # half a minute on a quiet machine
SEED = 12319
DAYS = 365
HANDOVERS = DAYS * 2 - 1


async def test_a_year_of_four_crews(tmp_path: Path) -> None:
    """729 handovers of six seats over a year end, from a seed: what is kept is what a clerk would have written down."""
    async with Year(tmp_path, SEED, DAYS) as year:
        await year.play()
        clerk = year.reckoned
        gaps = year.rows("select seat, ms, cause, alarmed_at - began_at, within from handover_gaps")
        assert Counter(gap[:3] for gap in gaps) == Counter(clerk.gaps)
        for _, ms, _, alarm_us, within in gaps:
            assert within == (ms <= 30_000)
            if ms != 30_000:  # at this very moment either may come first
                assert (alarm_us is not None) == (ms > 30_000)
            assert alarm_us is None or abs(alarm_us - 30_000_000) <= 500_000
        assert dict(year.rows("select kind, count(*) from findings group by kind")) == clerk.found
        assert dict(year.rows("select act, count(*) from duty_log group by act")) == clerk.acts
        told = "select count(*) from outbox where json_extract(data, '$.code') = ?"
        assert year.rows(told, "no_relief") == [(clerk.no_relief,)]
        assert year.rows(told, "handover_due") == [(HANDOVERS,)]
        assert year.rows("select state, count(*) from handovers group by state") == [("closed", HANDOVERS)]
        # 四班二运转: 24 h of every day are rostered, at six seats, in shifts of 11 and 13 h.
        lengths = year.rows("select (ends_at - starts_at) / 3600000000.0, count(*) from shifts group by 1 order by 1")
        assert lengths == [(11.0, DAYS * 6), (13.0, DAYS * 6)]
        assert all(clerk.refused[code] > 0 for code in ("first_minutes", "last_minutes", "relief_absent"))


async def test_a_year_leaves_nothing_in_memory(tmp_path: Path) -> None:
    """What is over is forgotten: after 140 days no collection is longer than after 100, but for a few days' chances.

    Findings stay at hand for an appeal for 92 days, the longest of all.
    """
    async with Year(tmp_path, SEED, 140) as year:
        early: dict[str, int] = {}

        async def look() -> None:
            early.update(year.held())

        year.at(year.start + timedelta(days=100), look)
        await year.play()
        late = year.held()
    assert {name: (early[name], n) for name, n in late.items() if n > early[name] * 1.1 + 12} == {}

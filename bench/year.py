"""A year of four crews on the virtual clock: ``python -m bench.year``. The last line is JSON.

The same year as tests/sim/test_year.py, with the real engine, rules and SQLite; the promise is a minute.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from pathlib import Path

from cti.engine import engine
from tests.sim.year import Year

AT_MOST_S = 60.0
SEED = 12319


async def play(days: int) -> dict[str, object]:
    """Figures of *days* simulated days."""
    engine.GATHER_S = 0.0  # virtual time stands still while a batch is committed
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="cti-bench-") as folder:
        async with Year(Path(folder), SEED, days) as year:
            await year.play()
            ((gaps,),) = year.rows("select count(*) from handover_gaps")
            ((acts,),) = year.rows("select count(*) from duty_log")
            ((found,),) = year.rows("select count(*) from findings")
    return {
        "days": days, "gaps": gaps, "acts": acts, "findings": found, "seconds": round(time.monotonic() - began, 1)
    }  # fmt: skip


def main() -> None:
    """Print the figures."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--days", type=int, default=365)
    print(json.dumps(asyncio.run(play(options.parse_args().days))))


if __name__ == "__main__":
    main()

"""What every tier shares: the Asterisk program, and a running lab with its citizens."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from cti.lab.asterisk import LabAsterisk, Program, find_program
from cti.lab.citizens import Citizens
from cti.lab.tools import let_node_run

# The same examples at each run, so that a change is what turns a test red. New ones: --hypothesis-profile=search.
settings.register_profile("same", derandomize=True, deadline=None, database=None)
settings.register_profile("search", deadline=None, database=None)
settings.load_profile("same")


@pytest.fixture(scope="session")
def program() -> Program:
    """Asterisk: an installed one, else one brought into the cache."""
    return find_program()


@pytest.fixture(scope="session", autouse=True)
def _playwright_starts() -> None:
    """A bare Debian lacks a library that Playwright's driver needs."""
    let_node_run()


@pytest.fixture
def lab(program: Program, tmp_path: Path) -> Iterator[LabAsterisk]:
    """A private Asterisk, fully booted. Afterwards no channel is left and no process."""
    asterisk = LabAsterisk(tmp_path / "lab", program)
    asterisk.configure()
    asterisk.start()
    pid = asterisk.pid
    try:
        yield asterisk
        if asterisk.process is not None and asterisk.process.poll() is None:
            with Citizens.of(asterisk) as citizens:
                citizens.clear()
                citizens.wait_for(lambda: asterisk.channels() == 0, "the last channel to end")
    finally:
        asterisk.stop()
    assert not alive(pid)


@pytest.fixture
def citizens(lab: LabAsterisk) -> Iterator[Citizens]:
    """Citizens who call the lab."""
    with Citizens.of(lab) as people:
        yield people


def alive(pid: int) -> bool:
    """Is there a process *pid*?"""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True

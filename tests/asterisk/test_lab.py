"""The lab itself: it starts, restarts and ends in any folder, and leaves nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from cti.lab import oracle
from cti.lab.asterisk import LabAsterisk, Program, find_program
from cti.lab.citizens import Citizens
from cti.lab.errors import LabError

pytestmark = pytest.mark.asterisk


def test_a_folder_that_lies_deep_does(program: Program, tmp_path: Path) -> None:
    """A control socket's path may have 107 bytes: the lab puts it elsewhere, and takes that away again."""
    lab = LabAsterisk(tmp_path / ("deep" * 20) / "lab", program)
    before = set(Path("/tmp").glob("cti-run-*"))
    for _ in range(2):
        lab.start()
        assert lab.channels() == 0
        lab.stop()
    assert set(Path("/tmp").glob("cti-run-*")) <= before


def test_a_taken_ami_port_is_told(program: Program, tmp_path: Path, lab: LabAsterisk) -> None:
    """Asterisk would start without AMI and only log it; the lab says so, and ends it."""
    other = LabAsterisk(tmp_path / "other", program, ami_port=lab.ami_port)
    with pytest.raises(LabError, match="AMI port"):
        other.start()
    assert other.process is None


def test_a_busy_seat_and_one_where_nobody_comes(lab: LabAsterisk, citizens: Citizens) -> None:
    """4xxx is busy and 2xxx rings on: neither is ever connected, and the caller goes on waiting."""
    citizens.add_member("1001", "4001")
    citizens.add_member("1002", "2001")
    call_id = citizens.call(seconds=3)
    citizens.wait_for(lambda: call_id in citizens.waiting(), "the caller to wait")
    citizens.wait_for(lambda: not citizens.callers(), "the caller to give up")
    verbs = {row.verb for row in oracle.read_queue_log(lab.queue_log) if row.call_id == call_id}
    assert "CONNECT" not in verbs
    assert "ABANDON" in verbs


def test_asterisk_bin_that_is_no_program_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line that names the variable."""
    monkeypatch.setenv("ASTERISK_BIN", str(tmp_path / "nothing"))
    with pytest.raises(LabError, match="ASTERISK_BIN"):
        find_program()

"""``cti doctor`` against a real Asterisk: content with asterisk-conf/ as shipped, and each fault found by its name."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cti.clock import SystemClock
from cti.doctor import Finding, Level, report, run_doctor
from cti.lab import oracle
from cti.lab.asterisk import LabAsterisk, Program
from cti.lab.citizens import Citizens
from cti.lab.ports import free_port
from cti.settings import Settings, make_settings
from tests.asterisk.conftest import proclaimed

pytestmark = pytest.mark.asterisk


def settings_of(lab: LabAsterisk, folder: Path, **ami: Any) -> Settings:
    return make_settings(
        {
            "database": str(folder / "cti.db"),
            "hotline": {"workdays": str(proclaimed(folder))},
            "ami": {"port": lab.ami_port, "secret": lab.cti_secret, **ami},
            "agi": {"port": lab.agi_port},
            "asterisk": {
                "queue_log": str(lab.queue_log), "cdr": str(lab.cdr), "cel": str(lab.cel),
                "recordings": str(lab.recordings),
            },
        }
    )  # fmt: skip


async def levels(settings: Settings, lab: LabAsterisk) -> dict[str, Level]:
    return {f.check: f.level for f in await run_doctor(settings, SystemClock(), lab.work / "etc")}


async def test_a_lab_as_shipped_is_healthy(lab: LabAsterisk, citizens: Citizens, tmp_path: Path) -> None:
    """After one call nothing is amiss, no member is left behind, and the report says so in both forms."""
    citizens.add_member("1001", "3001")
    call_id = citizens.call(seconds=1)
    citizens.wait_for(lambda: call_id in {row.uniqueid for row in oracle.read_cdr(lab.cdr)}, "the call's record")
    findings = await run_doctor(settings_of(lab, tmp_path), SystemClock(), lab.work / "etc")
    assert [f for f in findings if f.level is not Level.OK] == []
    assert list(citizens.members()) == ["1001"]
    out = StringIO()
    assert report(findings, True, Console(file=out, width=80)) == 0
    assert json.loads(out.getvalue())["ok"] is True
    assert report(findings, False, Console(file=out)) == 0


async def test_a_wrong_secret_and_a_dead_port_are_told_apart(lab: LabAsterisk, tmp_path: Path) -> None:
    """Refused by Asterisk, or nobody there: both fail the check ``ami``, each with its own cure."""
    etc = lab.work / "etc"
    cures = set()
    for wrong in ({"secret": "x" * 20}, {"port": free_port()}):
        findings = await run_doctor(settings_of(lab, tmp_path, **wrong), SystemClock(), etc)
        ami = next(f for f in findings if f.check == "ami")
        assert ami.level is Level.FAIL
        cures.add(ami.cure_en)
    assert len(cures) == 2


FAULTS = [
    ("manager.d/cti.conf", "timestampevents = yes", "timestampevents = no", "timestamps", Level.FAIL),
    ("manager.d/cti.conf", "write = agent,originate,reporting,call", "write = agent,call", "rights", Level.FAIL),
    ("manager.d/cti.conf", "write = agent,originate,reporting,call", "write = all", "rights_wide", Level.WARN),
    ("manager.d/cti.conf", "read = call,agent,system", "read = call,system", "events", Level.FAIL),
    ("manager.d/cti.conf", "writetimeout = 100 ", "writetimeout = 30000 ", "writetimeout", Level.FAIL),
    ("manager.conf", "webenabled = no", "webenabled = yes", "webenabled", Level.WARN),
    ("queues.conf", "persistentmembers = yes", "persistentmembers = no", "persistentmembers", Level.FAIL),
    ("queues.conf", "log_membername_as_agent = yes", "", "queue_log", Level.FAIL),
    ("queues.conf", '#include "cti_queues.conf"', "", "queue", Level.FAIL),
    ("extensions.conf", '#include "cti_extensions.conf"', "", "dialplan", Level.FAIL),
    ("cel_custom.conf", '#include "cti_cel_custom.conf"', "", "cel", Level.UNKNOWN),
]


@pytest.mark.parametrize(
    ("file", "good", "bad", "check", "level"), FAULTS, ids=[f"{f[3]}-{i}" for i, f in enumerate(FAULTS)]
)
async def test_each_fault_in_asterisk_is_found_by_its_name(
    program: Program, tmp_path: Path, file: str, good: str, bad: str, check: str, level: Level
) -> None:
    """One line of the configuration is wrong: that check and no other says so, with a cure in both languages."""
    lab = LabAsterisk(tmp_path / "lab", program)
    lab.configure()
    path = lab.work / "etc" / file
    text = path.read_text()
    assert good in text
    path.write_text(text.replace(good, bad))
    lab.start()
    try:
        findings: list[Finding] = await run_doctor(settings_of(lab, tmp_path), SystemClock(), lab.work / "etc")
    finally:
        lab.stop()
    found = {f.check: f for f in findings}
    assert found[check].level is level
    assert found[check].cure_zh
    assert found[check].cure_en
    assert {f.check for f in findings if f.level is Level.FAIL} <= {check}

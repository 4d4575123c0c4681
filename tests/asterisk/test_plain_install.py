"""asterisk-conf/README.md, done to the letter on Asterisk's own sample configuration, gives a healthy site."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cti.clock import SystemClock
from cti.doctor import Level, run_doctor
from cti.lab import oracle
from cti.lab.asterisk import ASTERISK_CONF, LabAsterisk, Program
from cti.lab.citizens import Citizens
from cti.settings import make_settings
from tests.asterisk.conftest import proclaimed

pytestmark = pytest.mark.asterisk
STEPS = re.findall(r"```ini\n\s*; (\S+)\n(.*?)```", (ASTERISK_CONF / "README.md").read_text(), re.DOTALL)
OURS = sorted(ASTERISK_CONF.glob("*.conf"))


@pytest.fixture
def plain(program: Program, tmp_path: Path) -> Iterator[LabAsterisk]:
    """Asterisk with the sample configuration; only folders, the AMI port and the lab's account are set."""
    lab = LabAsterisk(tmp_path / "lab", program)
    lab.configure()
    etc = lab.work / "etc"
    here = (etc / "asterisk.conf").read_text()
    shutil.rmtree(etc)
    shutil.copytree((program.root or Path("/")) / "etc/asterisk", etc)
    (etc / "asterisk.conf").write_text(here)
    manager = (etc / "manager.conf").read_text()
    (etc / "manager.conf").write_text(manager.replace("port = 5038", f"port = {lab.ami_port}"))
    (etc / "manager.d/lab.conf").write_text(f"[lab]\nsecret = {lab.lab_secret}\nread = all\nwrite = all\n")
    shutil.copy(Path(oracle.__file__).parent / "conf/lab_extensions.conf", etc)
    append(etc / "extensions.conf", "#include lab_extensions.conf")
    try:
        yield lab
    finally:
        lab.stop()


def append(file: Path, text: str) -> None:
    with file.open("a") as end:
        end.write(f"\n{text}\n")


def install(lab: LabAsterisk) -> None:
    """Steps 1, 2 and 4 of the README."""
    etc = lab.work / "etc"
    for source in OURS:
        shutil.copy(source, etc)
    account = (ASTERISK_CONF / "manager.d/cti.conf").read_text()
    (etc / "manager.d/cti.conf").write_text(account.replace("CHANGE-ME", lab.cti_secret))
    for name, text in STEPS:
        append(etc / name, "\n".join(line.strip() for line in text.splitlines()))
    dialplan = etc / "cti_extensions.conf"
    dialplan.write_text(dialplan.read_text().replace("/var/spool/asterisk/monitor/cti", str(lab.recordings)))


async def test_the_steps_of_the_readme_give_a_healthy_site(plain: LabAsterisk, tmp_path: Path) -> None:
    """Every file of asterisk-conf/ is loaded by the steps, a call is recorded, and the doctor has nothing to mend."""
    install(plain)
    plain.start()
    with Citizens.of(plain) as citizens:
        citizens.add_member("1001", "3001")
        call_id = citizens.call(seconds=1)
        citizens.wait_for(lambda: call_id in {r.uniqueid for r in oracle.read_cdr(plain.cdr)}, "the call's record")
    assert call_id in oracle.recordings(plain.recordings)
    settings = make_settings({
        "database": str(tmp_path / "cti.db"),
        "hotline": {"workdays": str(proclaimed(tmp_path))},
        "ami": {"port": plain.ami_port, "secret": plain.cti_secret},
        "agi": {"port": plain.agi_port},
        "asterisk": {
            "queue_log": str(plain.queue_log), "cdr": str(plain.cdr), "cel": str(plain.cel),
            "recordings": str(plain.recordings),
        },
    })  # fmt: skip
    findings = await run_doctor(settings, SystemClock(), plain.work / "etc")
    assert [f for f in findings if f.level is not Level.OK] == []


def test_every_file_is_named_in_the_steps() -> None:
    """A new file in asterisk-conf/ that no step and no file of ours includes would be shipped and never loaded."""
    reached = {found for _, text in STEPS for found in re.findall(r"#include (\S+)", text)}
    for source in (ASTERISK_CONF / name for name in sorted(reached)):
        reached = reached | set(re.findall(r'^#include "(\S+)"', source.read_text(), re.MULTILINE))
    assert reached == {source.name for source in OURS}


def test_taken_out_again_asterisk_starts_and_calls_go_on(plain: LabAsterisk) -> None:
    """Installed, then removed as the README says: the sample configuration answers calls as before."""
    etc = plain.work / "etc"
    before = {name: (etc / name).read_text() for name, _ in STEPS}
    install(plain)
    for name, text in before.items():
        (etc / name).write_text(text)
    for source in OURS:
        (etc / source.name).unlink()
    (etc / "manager.d/cti.conf").unlink()
    plain.start()
    with Citizens.of(plain) as citizens:
        answer = citizens.ami.send(
            "Originate", Channel="Local/3001@lab-seats/n", Context="lab-talk", Exten="agent", Priority="1"
        )
        assert answer["Response"] == "Success"
        citizens.clear()
        citizens.wait_for(lambda: not citizens.channels(), "the call to end")


async def test_a_dialplan_without_globals_takes_ours(plain: LabAsterisk) -> None:
    """[globals](+) where no [globals] stands would fail the whole dialplan: ours loads all the same."""
    install(plain)
    dialplan = plain.work / "etc/extensions.conf"
    dialplan.write_text(dialplan.read_text().replace("[globals]", "[something-else]"))
    plain.start()
    assert "CTI_WAIT_SECONDS=600" in plain.cli("dialplan show globals")

"""A real Asterisk in a folder of its own: started, asked, stopped, killed. Demo, tests and bench share it."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import socket
import string
import subprocess
import tempfile
import time
import wave
from dataclasses import dataclass, field
from pathlib import Path

from cti.lab.errors import LabError
from cti.lab.ports import FIRST, FIRST_RTP, free_port
from cti.lab.process import end
from cti.lab.rootfs import PBX_PACKAGES, Say, bring, loader_of

HERE = Path(__file__).parent
# In a checkout beside cti/, in an installed wheel inside it.
ASTERISK_CONF = next((p for p in (HERE.parent.parent / "asterisk-conf", HERE / "asterisk-conf") if p.is_dir()), HERE)
BOOT_SECONDS = 30.0
LONGEST_SOCKET = 107  # bytes in sockaddr_un, less the closing NUL


class _Template(string.Template):
    delimiter = "@"
    pattern = r"@(?:(?P<escaped>@@@)|(?P<named>(?!))|\{(?P<braced>[a-z_]+)\}|(?P<invalid>(?!)))"  # type: ignore[assignment]


@dataclass(frozen=True)
class Program:
    """How to run Asterisk here: the argv in front, its modules, its data."""

    argv: tuple[str, ...]
    modules: Path
    data: Path
    sounds: Path
    root: Path | None = None
    """The brought folder; None for an installed Asterisk."""


def find_program(say: Say = print) -> Program:
    """An installed Asterisk (``ASTERISK_BIN`` or on the path), else one brought from Debian testing.

    Raises:
        RootfsError: when neither is there nor can be brought.
        LabError: when ``ASTERISK_BIN`` is no program.
    """
    binary = os.environ.get("ASTERISK_BIN") or shutil.which("asterisk", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if binary:
        if not os.access(binary, os.X_OK):
            raise LabError(f"ASTERISK_BIN: {binary} is no program: correct it or unset it")
        modules = next(
            (p for p in Path("/usr").glob("lib*/**/asterisk/modules") if (p / "app_queue.so").exists()),
            Path("/usr/lib/asterisk/modules"),
        )
        data = Path("/usr/share/asterisk") if Path("/usr/share/asterisk").exists() else Path("/var/lib/asterisk")
        return Program((binary,), modules, data, _sounds(data))
    root = bring(PBX_PACKAGES, say)
    modules = next(root.glob("usr/lib/*/asterisk/modules"))
    data = root / "usr/share/asterisk"
    return Program((*loader_of(root), str(root / "usr/sbin/asterisk")), modules, data, _sounds(data), root)


def _sounds(data: Path) -> Path:
    for name in ("en", "en_US_f_Allison"):
        if (data / "sounds" / name).is_dir():
            return (data / "sounds" / name).resolve()
    return data / "sounds"


@dataclass
class LabAsterisk:
    """One private Asterisk. ``start`` returns when it is fully booted; ``stop`` leaves no process."""

    work: Path
    program: Program
    ami_port: int = field(default_factory=free_port)
    agi_port: int = field(default_factory=free_port)
    sip_port: int = field(default_factory=lambda: free_port(socket.SOCK_DGRAM))
    sipp_port: int = field(default_factory=lambda: free_port(socket.SOCK_DGRAM))
    rtp_start: int = 0
    wait_seconds: int = 600
    ring_seconds: int = 30
    cti_secret: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    lab_secret: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    process: subprocess.Popen[bytes] | None = None
    _run: Path | None = None

    @property
    def recordings(self) -> Path:
        return self.work / "spool/monitor/cti"

    @property
    def log(self) -> Path:
        return self.work / "log"

    @property
    def queue_log(self) -> Path:
        return self.log / "queue_log"

    @property
    def cdr(self) -> Path:
        return self.log / "cdr-custom/cti.csv"

    @property
    def cel(self) -> Path:
        return self.log / "cel-custom/cti.csv"

    @property
    def pid(self) -> int:
        if self.process is None:
            raise LabError("the lab's Asterisk is not running")
        return self.process.pid

    def configure(self) -> None:
        """Write the folder: asterisk-conf/ as it is shipped, and the lab's own files around it."""
        etc = self.work / "etc"
        self._run = self._run or self._run_folder()
        for folder in ("etc/manager.d", "var", "spool", "run", "log/cdr-custom", "log/cel-custom", "moh", "data"):
            (self.work / folder).mkdir(parents=True, exist_ok=True)
        self.recordings.mkdir(parents=True, exist_ok=True)
        self._data_folder()
        rtp = self.rtp_start or FIRST_RTP + self.sip_port % ((FIRST - FIRST_RTP) // 100) * 100
        values = {
            "etc": etc, "modules": self.program.modules, "var": self.work / "var", "data": self.work / "data",
            "spool": self.work / "spool", "run": self._run, "log": self.log, "ami_port": self.ami_port,
            "agi_port": self.agi_port, "sip_port": self.sip_port, "sipp_port": self.sipp_port, "rtp_start": rtp,
            "rtp_end": rtp + 98, "lab_secret": self.lab_secret, "recordings": self.recordings,
            "wait_seconds": self.wait_seconds, "ring_seconds": self.ring_seconds, "moh": self.work / "moh",
        }  # fmt: skip
        for source in sorted((HERE / "conf").glob("*.conf")):
            (etc / source.name).write_text(_Template(source.read_text()).substitute(values))
        for source in sorted(ASTERISK_CONF.glob("*.conf")):
            shutil.copy(source, etc / source.name)
        account = (ASTERISK_CONF / "manager.d/cti.conf").read_text().replace("CHANGE-ME", self.cti_secret)
        (etc / "manager.d/cti.conf").write_text(account)
        (etc / "pjsip.conf").write_text('#include "cti_pjsip_trunk.conf"\n' + (etc / "pjsip.conf").read_text())

    def _run_folder(self) -> Path:
        """Where the control socket lies: in the work folder, or in a short one of its own when that lies too deep."""
        inside = self.work / "run"
        if len(str(inside / "asterisk.ctl").encode()) <= LONGEST_SOCKET:
            return inside
        return Path(tempfile.mkdtemp(prefix="cti-run-", dir="/tmp"))

    def _data_folder(self) -> None:
        sounds = self.work / "data/sounds"
        shutil.copytree(ASTERISK_CONF / "sounds", sounds, dirs_exist_ok=True)
        links = {sounds / "en" / sound.name: sound for sound in self.program.sounds.iterdir()}
        links[self.work / "data/documentation"] = self.program.data / "documentation"
        for link, target in links.items():
            if not link.exists():
                link.symlink_to(target)
        with wave.open(str(self.work / "moh/quiet.wav"), "wb") as music:
            music.setnchannels(1)
            music.setsampwidth(2)
            music.setframerate(8000)
            music.writeframes(b"\0\0" * 8000 * 4)

    def start(self) -> None:
        """Start and wait until Asterisk says that it is fully booted.

        Raises:
            LabError: the AMI port is taken, it ends early or is not ready in ``BOOT_SECONDS``; names the log to read.
        """
        if not (self.work / "etc/asterisk.conf").exists():
            self.configure()
        if self._run is not None:
            self._run.mkdir(mode=0o700, exist_ok=True)
        if self._listens():
            raise LabError(f"the AMI port {self.ami_port} is taken: choose another, or a free one by itself")
        output = (self.log / "stdout").open("ab")
        self.process = subprocess.Popen(
            [*self.program.argv, "-C", str(self.work / "etc/asterisk.conf"), "-f"],
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        output.close()
        limit = time.monotonic() + BOOT_SECONDS
        while time.monotonic() < limit:
            if self.process.poll() is not None:
                raise LabError(f"Asterisk ended at start with status {self.process.returncode}: see {self.log}/stdout")
            if "fully booted" in self.cli("core waitfullybooted").lower() and self._listens():
                return
            time.sleep(0.05)
        self.kill()
        raise LabError(f"Asterisk was not ready in {BOOT_SECONDS:.0f} s: see {self.log}/messages.log")

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.ami_port)) == 0

    def cli(self, command: str) -> str:
        """What Asterisk's own command line answers to *command*."""
        result = subprocess.run(
            [*self.program.argv, "-C", str(self.work / "etc/asterisk.conf"), "-rx", command],
            capture_output=True, text=True, errors="replace", check=False, timeout=20, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return result.stdout

    def channels(self) -> int:
        """How many channels are alive, by Asterisk's own count."""
        found = re.search(r"(\d+) active channel", self.cli("core show channels count"))
        return int(found.group(1)) if found else -1

    def kill(self) -> None:
        """SIGKILL: what a crash or a power cut leaves."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """A clean stop; SIGKILL when it takes too long."""
        self._end(signal.SIGTERM)

    def _end(self, sig: signal.Signals) -> None:
        end(self.process, sig)
        self.process = None
        if self._run is not None:
            shutil.rmtree(self._run, ignore_errors=True)

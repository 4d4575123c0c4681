"""``apt-get`` and ``dpkg-deb`` in a private folder: the machine is not changed, signatures are apt's to check."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from cti.lab.sources import DebianSource

SUITE = "testing"  # Debian 12 and 13 carry no Asterisk; testing carries 22

Say = Callable[[str], None]


class RootfsError(Exception):
    """A part could not be brought; the message is one line that says the way out."""


def way_out(packages: tuple[str, ...]) -> str:
    """What can be done instead when *packages* cannot be brought."""
    if "asterisk" in packages:
        return "install asterisk yourself and set ASTERISK_BIN, or use --pbx HOST"
    return f"as root: apt-get install {' '.join(packages)}"


class PrivateApt:
    """apt's whole state in *work*; what an interrupted run downloaded is still there for the next.

    Args:
        work: a folder of its own.
        source: where to ask.
        otherwise: the way out that its errors name.
    """

    def __init__(self, work: Path, source: DebianSource, otherwise: str) -> None:
        self.work, self._otherwise = work, otherwise
        for folder in ("state/lists/partial", "cache/archives/partial", "none"):
            (work / folder).mkdir(parents=True, exist_ok=True)
        (work / "status").write_text("")
        (work / "debian.sources").write_text(source.stanza(SUITE))
        (work / "apt.conf").write_text("".join(f'{name} "{value}";\n' for name, value in self._options()))

    def _options(self) -> Iterator[tuple[str, object]]:
        """The machine's proxy and certificates, none of its hooks (a container's delete what was downloaded)."""
        dump = subprocess.run(
            ["apt-config", "dump", "--format", "%F\t%v%n"], capture_output=True, text=True, check=False
        ).stdout
        yield from re.findall(r"^(Acquire::(?:https?|Force)\S*)\t(.+)$", dump, re.MULTILINE)
        yield from {
            "Dir::Etc::main": "/dev/null",
            "Dir::Etc::parts": self.work / "none",
            "Dir::Etc::preferencesparts": self.work / "none",
            "Dir::Etc::sourcelist": self.work / "debian.sources",
            "Dir::Etc::sourceparts": self.work / "none",
            "Dir::State": self.work / "state",
            "Dir::State::status": self.work / "status",
            "Dir::Cache": self.work / "cache",
            "Acquire::Check-Valid-Until": "false",  # testing's index is often past its date on a mirror
            "Acquire::Languages": "none",
            "Acquire::Retries": "2",
            "APT::Install-Recommends": "false",
            "APT::Update::Error-Mode": "any",  # else a dead network is only a warning
            "APT::Sandbox::User": "",  # the private folders belong to us, not to _apt
            "Debug::NoLocking": "1",
        }.items()

    def update(self) -> None:
        """Read the index.

        Raises:
            RootfsError: no network, or a signature that apt does not accept.
        """
        self._run(["update"], "the package index could not be read: is there a network?")

    def size(self, packages: tuple[str, ...]) -> int:
        """Bytes that are still to be downloaded for *packages*."""
        listed = self._run(["install", "-qq", "--print-uris", *packages], "the packages could not be found")
        return sum(int(size) for size in re.findall(r"^'\S+' \S+ (\d+) ", listed, re.MULTILINE))

    def download(self, packages: tuple[str, ...], say: Say) -> list[Path]:
        """Download *packages* and all they need, telling each tenth of the way; the archives."""
        command = ["install", "-y", "--download-only", *packages]
        self._run(command, "the packages could not be downloaded", say)
        return sorted((self.work / "cache/archives").glob("*.deb"))

    def unpack(self, archives: list[Path], say: Say) -> Path:
        """Unpack *archives* into one root folder, which is made anew."""
        root = self.work / "root"
        if root.exists():
            shutil.rmtree(root)
        root.mkdir()
        for count, archive in enumerate(archives, 1):
            result = subprocess.run(
                ["dpkg-deb", "-x", str(archive), str(root)], capture_output=True, text=True, check=False
            )
            if result.returncode:
                reason = (result.stderr.splitlines() or ["no reason given"])[-1]
                raise RootfsError(f"{archive.name} could not be unpacked: {reason}; free space or set CTI_LAB_CACHE")
            if count % 40 == 0 or count == len(archives):
                say(f"unpacked {count} of {len(archives)}")
        return root

    def _run(self, words: list[str], trouble: str, say: Say | None = None) -> str:
        environment = os.environ | {
            "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive", "APT_CONFIG": str(self.work / "apt.conf"),
        }  # fmt: skip
        reader, writer = os.pipe()
        with (self.work / "apt.log").open("w+") as log, open(reader, errors="replace") as progress:
            with subprocess.Popen(
                ["apt-get", "-q", "-o", f"APT::Status-Fd={writer}", *words],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=environment, pass_fds=(writer,),
            ) as process:  # fmt: skip
                os.close(writer)
                try:
                    _tell(progress, say)
                except BaseException:
                    process.kill()  # else leaving waits until everything is downloaded
                    raise
            log.seek(0)
            output = log.read()
        if process.returncode:
            errors = [line[2:].strip() for line in output.splitlines() if line.startswith("E:")]
            reason = errors[0] if errors else f"exit status {process.returncode}"
            if "No space left" in output:
                raise RootfsError(f"no space left in {self.work.parent}: free some or set CTI_LAB_CACHE")
            raise RootfsError(f"{trouble} ({reason}); else {self._otherwise}")
        return output


def _tell(progress: IO[str], say: Say | None) -> None:
    told = 0
    for line in progress:
        found = re.match(r"dlstatus:\d+:(\d+)", line)
        if found and say and int(found.group(1)) >= told + 10:
            told = int(found.group(1)) // 10 * 10
            say(f"downloaded {told} %")

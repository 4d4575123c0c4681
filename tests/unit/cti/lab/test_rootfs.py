"""Bringing programs: once, whole or not at all, by one process at a time, and with one clear line when it cannot be.

``apt-get``, ``apt-config`` and ``dpkg-deb`` are small scripts here; the real ones run whenever the real Asterisk is
brought.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from cti.lab import rootfs
from cti.lab.apt import RootfsError
from cti.lab.rootfs import bring, cache_folder
from cti.lab.sources import DebianSource

APT_GET = """#!/bin/sh
echo "apt-get $*" >> "$LOG"
work=$(dirname "$APT_CONFIG")
fd=$(echo "$*" | sed 's/.*Status-Fd=\\([0-9]*\\).*/\\1/')
case "$*" in
*" update"*)
  [ -z "$NO_NETWORK" ] || { echo "W: a warning"; echo "E: Failed to fetch x  Could not resolve"; exit 100; };;
*print-uris*) echo "'http://mirror.invalid/a.deb' a.deb ${SIZE:-1000} SHA256:0";;
*download-only*)
  for percent in 4.2 55.0 100; do echo "dlstatus:1:$percent:Retrieving a.deb" >> "/dev/fd/$fd"; done
  echo archive > "$work/cache/archives/a_1_all.deb";;
esac
"""
DPKG_DEB = """#!/bin/sh
echo "dpkg-deb $*" >> "$LOG"
[ -z "$BROKEN" ] || { echo "dpkg-deb: error: no space left" >&2; exit 2; }
mkdir -p "$3/usr/bin"; cp "$2" "$3/usr/bin/program"
"""


@pytest.fixture
def debian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with apt; the log of what was run."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, text in {"apt-get": APT_GET, "dpkg-deb": DPKG_DEB, "apt-config": "#!/bin/sh\n"}.items():
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    log = tmp_path / "ran"
    log.touch()
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    monkeypatch.setenv("LOG", str(log))
    monkeypatch.setattr(rootfs, "debian_source", lambda: DebianSource("http://mirror.invalid/debian", ""))
    return log


def test_it_is_brought_once_with_progress(debian: Path, tmp_path: Path) -> None:
    """Steps are told; the second call runs nothing; no work folder stays."""
    said: list[str] = []
    root = bring(("program",), said.append, tmp_path / "cache")
    assert (root / "usr/bin/program").read_text() == "archive\n"
    assert any("downloaded 50 %" in line for line in said)
    assert said[-1] == "unpacked 1 of 1"
    ran = debian.read_text()
    assert bring(("program",), said.append, tmp_path / "cache") == root
    assert debian.read_text() == ran
    assert sorted(p.suffix for p in (tmp_path / "cache").iterdir()) == ["", ".lock"]


def test_a_half_done_download_never_counts(debian: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unpacking fails: an error, no folder of the final name; the next call goes on and succeeds."""
    monkeypatch.setenv("BROKEN", "1")
    with pytest.raises(RootfsError, match=r"could not be unpacked: .*no space left"):
        bring(("asterisk",), print, tmp_path / "cache")
    assert not (tmp_path / "cache/testing-asterisk").exists()
    monkeypatch.delenv("BROKEN")
    assert (bring(("asterisk",), print, tmp_path / "cache") / "usr/bin/program").exists()


def test_two_processes_bring_it_once(debian: Path, tmp_path: Path) -> None:
    """The second waits for the first and downloads nothing."""
    context = multiprocessing.get_context("fork")
    both = [context.Process(target=bring, args=(("asterisk",), print, tmp_path / "cache")) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join(30)
    assert [process.exitcode for process in both] == [0, 0]
    assert debian.read_text().count("download-only") == 1


def test_no_network_is_one_line_with_the_way_out(debian: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """apt's own first error, and what can be done instead."""
    monkeypatch.setenv("NO_NETWORK", "1")
    with pytest.raises(RootfsError, match=r"is there a network.*Could not resolve.*ASTERISK_BIN.*--pbx") as caught:
        bring(("asterisk",), print, tmp_path / "cache")
    assert "\n" not in str(caught.value)


def test_no_apt_is_one_line_with_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not Debian."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RootfsError, match=r"apt-get is missing.*ASTERISK_BIN.*--pbx"):
        bring(("asterisk",), print, tmp_path / "cache")


def test_a_tool_s_way_out_is_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing browser is not mended with another Asterisk."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RootfsError, match=r"as root: apt-get install chromium fonts$"):
        bring(("chromium", "fonts"), print, tmp_path / "cache")


def test_no_mirror_is_one_line_with_the_way_out(debian: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian without a source of the main archive."""
    monkeypatch.setattr(rootfs, "debian_source", lambda: None)
    with pytest.raises(RootfsError, match=r"no Debian mirror.*ASTERISK_BIN"):
        bring(("asterisk",), print, tmp_path / "cache")


def test_too_little_space_is_told_before_the_download(
    debian: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Archives and what is in them need five times the archives' size."""
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(10**9, 0, 499_000_000))
    monkeypatch.setenv("SIZE", "100000000")
    with pytest.raises(RootfsError, match=r"has 499 MB free, 500 MB are needed: .*CTI_LAB_CACHE"):
        bring(("asterisk",), print, tmp_path / "cache")
    assert "download-only" not in debian.read_text()


def test_a_cache_that_cannot_be_written_is_told(debian: Path, tmp_path: Path) -> None:
    """The folder is a file: the reason and CTI_LAB_CACHE."""
    (tmp_path / "cache").write_text("")
    with pytest.raises(RootfsError, match=r"cannot write .*CTI_LAB_CACHE"):
        bring(("asterisk",), print, tmp_path / "cache")


def test_the_cache_is_where_the_user_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """$CTI_LAB_CACHE, else $XDG_CACHE_HOME/cti-lab, else ~/.cache/cti-lab."""
    monkeypatch.setenv("CTI_LAB_CACHE", "/a")
    assert cache_folder() == Path("/a")
    monkeypatch.delenv("CTI_LAB_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/b")
    assert cache_folder() == Path("/b/cti-lab")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path(os.path.expanduser("~")) / ".cache/cti-lab"

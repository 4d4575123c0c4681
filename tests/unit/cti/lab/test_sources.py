"""The mirror and its key come from the machine's own apt sources, in both of apt's formats."""

from __future__ import annotations

from pathlib import Path

import pytest

from cti.lab.sources import DebianSource, debian_source

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
INLINE = "\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc=\n -----END PGP PUBLIC KEY BLOCK-----"
CASES = {
    "deb822": (
        "debian.sources",
        f"Types: deb\n# a comment\nURIs: http://mirror.invalid/debian\nSuites: bookworm bookworm-updates\n"
        f"Components: main contrib\nSigned-By: {KEYRING}\n",
        DebianSource("http://mirror.invalid/debian", KEYRING),
    ),
    "inline key": (
        "debian.sources",
        "Types: deb deb-src\nURIs: http://mirror.invalid/debian/\nSuites: trixie\nComponents: main\n"
        f"Signed-By:{INLINE}\n",
        DebianSource("http://mirror.invalid/debian/", INLINE),
    ),
    "security first": (
        "debian.sources",
        "Types: deb\nURIs: http://mirror.invalid/debian-security\nSuites: bookworm-security\nComponents: main\n\n"
        "Types: deb\nURIs: http://mirror.invalid/debian\nSuites: bookworm\nComponents: main\n",
        DebianSource("http://mirror.invalid/debian", ""),
    ),
    "disabled": (
        "debian.sources",
        "Enabled: no\nTypes: deb\nURIs: http://old.invalid/debian\nSuites: bookworm\nComponents: main\n",
        None,
    ),
    "one line": (
        "sources.list",
        "# deb http://old.invalid/debian bookworm main\ndeb http://mirror.invalid/debian bookworm main\n",
        DebianSource("http://mirror.invalid/debian", ""),
    ),
    "one line with options": (
        "sources.list",
        f"deb [arch=amd64 signed-by={KEYRING}] http://mirror.invalid/debian bookworm main contrib\n",
        DebianSource("http://mirror.invalid/debian", KEYRING),
    ),
    "somebody else's packages": (
        "other.list",
        "deb https://packages.invalid/cloud stable main\ndeb-src http://mirror.invalid/debian a main\n",
        None,
    ),
    "no apt file": ("debian.list.save", "deb http://mirror.invalid/debian bookworm main\n", None),
}  # fmt: skip


@pytest.mark.parametrize(("name", "text", "expected"), CASES.values(), ids=CASES.keys())
def test_the_main_archive_is_found_and_nothing_else(
    tmp_path: Path, name: str, text: str, expected: DebianSource | None
) -> None:
    """Security updates, disabled sources and other people's archives are passed over."""
    (tmp_path / name).write_text(text)
    assert debian_source((tmp_path / "missing", tmp_path)) == expected


@pytest.mark.parametrize("key", ["", KEYRING, INLINE])
def test_a_stanza_reads_back_as_the_same_source(tmp_path: Path, key: str) -> None:
    """What is written for apt is what was read, key included: apt checks the same signature."""
    source = DebianSource("http://mirror.invalid/debian", key)
    (tmp_path / "a.sources").write_text(source.stanza("testing"))
    assert debian_source((tmp_path,)) == source
    assert "Suites: testing\n" in source.stanza("testing")

"""Which Debian mirror this machine uses, and which key its packages are signed with: read from its own apt sources."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

APT_SOURCES = (Path("/etc/apt/sources.list"), Path("/etc/apt/sources.list.d"))


class DebianSource(NamedTuple):
    """A mirror of Debian's main archive."""

    uri: str
    signed_by: str
    """A keyring's path, or a whole key; "" for apt's default trusted set."""

    def stanza(self, suite: str) -> str:
        """The deb822 source that asks this mirror for *suite*."""
        lines = ["Types: deb", f"URIs: {self.uri}", f"Suites: {suite}", "Components: main"]
        if self.signed_by:  # a path stands on the field's line, a whole key on the lines below it
            lines.append("Signed-By:" + (self.signed_by if self.signed_by[0] == "\n" else f" {self.signed_by}"))
        return "\n".join(lines) + "\n"


def debian_source(places: tuple[Path, ...] = APT_SOURCES) -> DebianSource | None:
    """The first enabled source of Debian's main archive in *places* (files or folders); None when there is none."""
    files = [f for place in places for f in (sorted(place.glob("*")) if place.is_dir() else [place])]
    for file in files:
        if file.suffix in (".list", ".sources") and file.is_file():
            text = file.read_text(errors="replace")
            found = next(_deb822(text) if file.suffix == ".sources" else _one_line(text), None)
            if found is not None:
                return found
    return None


def _one_line(text: str) -> Iterator[DebianSource]:
    line = re.compile(r"^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(.*)$", re.MULTILINE)
    for options, uri, suite, components in line.findall(text):
        if _is_main(uri, suite, components):
            key = re.search(r"signed-by=(\S+)", options or "", re.IGNORECASE)
            yield DebianSource(uri, key.group(1) if key else "")


def _deb822(text: str) -> Iterator[DebianSource]:
    text = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for stanza in re.split(r"\n\s*\n", text):
        fields = {
            name.lower(): value.rstrip()
            for name, value in re.findall(r"^([A-Za-z-]+):[ \t]*(.*(?:\n[ \t].*)*)", stanza, re.MULTILINE)
        }
        if _enabled(fields):
            uri = fields.get("uris", "").split()[0:1]
            suites = fields.get("suites", "").split()
            if uri and any(_is_main(uri[0], suite, fields.get("components", "")) for suite in suites):
                yield DebianSource(uri[0], fields.get("signed-by", ""))


def _enabled(fields: Mapping[str, str]) -> bool:
    return fields.get("enabled", "yes").lower() not in ("no", "false") and "deb" in fields.get("types", "").split()


def _is_main(uri: str, suite: str, components: str) -> bool:
    """Debian's own archive, not its security updates and nobody else's packages."""
    return "main" in components.split() and "security" not in f"{uri} {suite}" and "debian" in uri.lower()

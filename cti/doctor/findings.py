"""One line of the doctor's report, and the report itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from rich.console import Console


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    UNKNOWN = "unknown"  # could not be looked at; says how
    WARN = "warn"  # the service runs, something is missing or riskier than need be
    FAIL = "fail"  # the service cannot do its work


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found. ``check`` is stable; the cure is one line, empty when nothing is wrong."""

    check: str
    level: Level
    zh: str
    en: str
    cure_zh: str = ""
    cure_en: str = ""


def good(check: str, zh: str, en: str) -> Finding:
    """Nothing to mend."""
    return Finding(check, Level.OK, zh, en)


_COLOURS = {Level.OK: "green", Level.UNKNOWN: "cyan", Level.WARN: "yellow", Level.FAIL: "red"}


def report(findings: Sequence[Finding], as_json: bool, out: Console) -> int:
    """Print *findings*; the exit status: 1 when one of them is a failure, else 0."""
    failed = any(finding.level is Level.FAIL for finding in findings)
    if as_json:
        view = {"ok": not failed, "findings": [asdict(finding) for finding in findings]}
        out.print(json.dumps(view, ensure_ascii=False), markup=False, highlight=False, soft_wrap=True)
        return int(failed)
    for finding in findings:
        out.print(f"{finding.level:<8}", style=_COLOURS[finding.level], end="")
        out.print(f"{finding.zh}  {finding.en}", markup=False, highlight=False, soft_wrap=True)
        if finding.cure_zh:
            out.print(f"        → {finding.cure_zh}\n        → {finding.cure_en}", markup=False, highlight=False,
                      soft_wrap=True)  # fmt: skip
    return int(failed)

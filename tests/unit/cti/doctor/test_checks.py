"""Each check at its edges, on made-up facts; and the report's form."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cti.doctor.ami_checks import NEEDED
from cti.doctor.asking import CONTEXTS
from cti.doctor.checks import judge
from cti.doctor.facts import AmiFacts, ConfigFacts, Facts, FileFacts, FolderFacts, HostFacts
from cti.doctor.findings import Finding, Level, report
from cti.doctor.gather import _profile, _workdays, read_config
from cti.doctor.layout import OURS, judge_layout
from cti.settings import make_settings

HEALTHY = Facts(
    ami=AmiFacts(
        version="22.10.1", commands=frozenset(NEEDED), offset_s=0.001, queue=True, contexts=frozenset(CONTEXTS),
        member_event=True, member_stamped=True, member_log="1795280313|MANAGER|hotline|cti-doctor|ADDMEMBER|",
    ),
    config=ConfigFacts({"cti": 100}, False, True, 15, 5),
    queue_log=FileFacts(Path("queue_log")),
    cdr=FileFacts(Path("cdr"), has_last_call=True),
    cel=FileFacts(Path("cel"), has_last_call=True),
    recordings=FolderFacts(Path("monitor"), free=10**10),
    database=FolderFacts(Path("lib"), free=10**10),
    host=HostFacts(24, False, True, False, "free", "", 15.0, 5.0),
    queue="hotline",
    account="cti",
    agi_address="127.0.0.1:4573",
)  # fmt: skip


def changed(part: str, **values: Any) -> dict[str, Level]:
    facts = replace(HEALTHY, **{part: replace(getattr(HEALTHY, part), **values)})
    return {f.check: f.level for f in judge(facts) if f.level is not Level.OK}


def test_a_healthy_site_has_nothing_to_mend() -> None:
    """Every check is silent but for its OK."""
    assert {f.level for f in judge(HEALTHY)} == {Level.OK}


@pytest.mark.parametrize(
    ("part", "values", "expected"),
    [
        ("ami", {"offset_s": 0.999}, {}),
        ("ami", {"offset_s": 1.0}, {"clock": Level.FAIL}),
        ("ami", {"offset_s": -1.0}, {"clock": Level.FAIL}),
        ("ami", {"contexts": None}, {"dialplan": Level.UNKNOWN}),
        ("ami", {"contexts": frozenset(CONTEXTS[1:])}, {"dialplan": Level.FAIL}),
        ("ami", {"member_event": False, "member_log": ""}, {"events": Level.FAIL}),
        ("ami", {"member_log": ""}, {"queue_log": Level.FAIL}),
        ("ami", {"commands": frozenset([*NEEDED, "Command"])}, {"rights_wide": Level.WARN}),
        ("config", {"write_timeouts": {"other": 101}}, {"writetimeout": Level.FAIL}),
        ("config", {"write_timeouts": None}, {"manager_conf": Level.UNKNOWN}),
        ("config", {"persistent_members": None}, {"queues_conf": Level.UNKNOWN}),
        ("config", {"ring_s": 9}, {"ring_next": Level.WARN}),
        ("config", {"ring_s": None}, {}),
        ("host", {"ring_next_s": 10.0}, {"ring_next": Level.WARN}),
        ("host", {"ring_next_s": None}, {}),
        ("config", {"wrap_up_s": 6}, {"wrap_up": Level.WARN}),
        ("config", {"wrap_up_s": None}, {}),
        ("host", {"wrap_up_s": 5.5}, {"wrap_up": Level.WARN}),
        ("queue_log", {"trouble": "Permission denied"}, {"queue_log": Level.FAIL}),
        ("cdr", {"has_last_call": False}, {"cdr": Level.FAIL}),
        ("cdr", {"has_last_call": None}, {}),
        ("cel", {"trouble": "No such file or directory", "has_last_call": None}, {"cel": Level.UNKNOWN}),
        ("recordings", {"free": 999_999_999}, {"recordings": Level.WARN}),
        ("recordings", {"free": 99_999_999}, {"recordings": Level.FAIL}),
        ("database", {"trouble": "does not exist"}, {"database": Level.FAIL}),
        ("host", {"secret_length": 16}, {}),
        ("host", {"secret_length": 15}, {"secret": Level.WARN}),
        ("host", {"secret_shipped": True}, {"secret": Level.FAIL}),
        ("host", {"agi": "Address already in use"}, {"agi": Level.FAIL}),
        ("host", {"web_loopback": False}, {"https": Level.WARN}),
        ("host", {"web_loopback": False, "web_tls": True}, {}),
        ("host", {"profile": "zone: unknown"}, {"profile": Level.FAIL}),
        ("host", {"workdays": "x.toml: off"}, {"workdays": Level.FAIL}),
        ("host", {"without_makeup": (2027,)}, {"workdays": Level.WARN}),
        ("host", {"layout": ("agents: elsewhere",)}, {"layout": Level.FAIL}),
    ],
)
def test_each_check_at_its_edge(part: str, values: dict[str, Any], expected: dict[str, Level]) -> None:
    """One fact changes: that check alone says so."""
    assert changed(part, **values) == expected


def test_without_a_session_only_the_link_is_blamed() -> None:
    """Nothing that Asterisk did not answer is called wrong."""
    facts = replace(HEALTHY, ami=AmiFacts(unreachable="no AMI"))
    assert [f.check for f in judge(facts) if f.level is not Level.OK] == ["ami"]


def test_every_finding_that_is_not_ok_has_its_cure_in_both_languages() -> None:
    """The worst of all sites, and the sites above: no line without a way out."""
    worst = replace(
        HEALTHY, ami=AmiFacts(commands=frozenset(["Command"]), contexts=frozenset(), offset_s=9.0),
        config=ConfigFacts({"x": 30_000}, True, False),
        host=HostFacts(3, False, False, False, "no", "no", layout=("x",), workdays="no", without_makeup=(2027,)),
        queue_log=FileFacts(Path("q"), "no"), cdr=FileFacts(Path("c"), "no"), cel=FileFacts(Path("e"), "no"),
        recordings=FolderFacts(Path("r"), "no"), database=FolderFacts(Path("d"), free=1),
    )  # fmt: skip
    findings = [*judge(worst), *judge(replace(HEALTHY, ami=AmiFacts(refused=True, unreachable="x")))]
    bad = [f for f in findings if f.level is not Level.OK]
    assert len(bad) > 12
    assert [f for f in bad if not (f.cure_zh and f.cure_en) or "\n" in f.cure_zh + f.cure_en + f.zh + f.en] == []


@pytest.mark.parametrize(("level", "status"), [(Level.OK, 0), (Level.UNKNOWN, 0), (Level.WARN, 0), (Level.FAIL, 1)])
def test_only_a_failure_sets_the_exit_status(level: Level, status: int) -> None:
    """In both forms; JSON stays one line in a narrow terminal."""
    findings = [Finding("x", level, "坏" * 80, "bad", "修", "mend")]
    for as_json in (True, False):
        out = StringIO()
        assert report(findings, as_json, Console(file=out, width=40)) == status
        if as_json:
            assert json.loads(out.getvalue().strip()) == {
                "ok": status == 0,
                "findings": [
                    {"check": "x", "level": level, "zh": "坏" * 80, "en": "bad", "cure_zh": "修", "cure_en": "mend"}
                ],
            }


def test_a_package_in_front_of_ours_and_one_mixed_into_ours_are_both_seen() -> None:
    """Paths see the one, metadata the other."""
    places = dict.fromkeys(OURS, "/srv/cti")
    owners = {name: ["hotline-cti"] for name in OURS}
    assert judge_layout(places, owners) == ()
    assert judge_layout({**places, "agents": "/venv"}, owners) == ("agents: /venv instead of /srv/cti",)
    assert judge_layout(places, {**owners, "agents": ["hotline-cti", "decoy"]}) == ("agents: decoy installs it too",)


def test_asterisk_s_configuration_is_read_as_asterisk_includes_it(tmp_path: Path) -> None:
    """Debian's manager.d and FreePBX's *_custom files count, comments do not."""
    (tmp_path / "manager.d").mkdir()
    (tmp_path / "manager.conf").write_text("[general]\nwebenabled = yes ; a comment\n;writetimeout = 9\n")
    (tmp_path / "manager.d/a.conf").write_text("[a]\nwritetimeout=100\n")
    (tmp_path / "manager_custom.conf").write_text("[b]\nWriteTimeout = 5000\n")
    (tmp_path / "queues.conf").write_text("[general]\n")
    (tmp_path / "queues_general_additional.conf").write_text("persistentmembers=yes\n[other]\ntimeout=30\n")
    (tmp_path / "cti_queues.conf").write_text(
        "[hotline]\ntimeout = 9 ; seconds\nwrapuptime=4\n[cti-prove]\ntimeout = 10\n"
    )
    assert read_config(tmp_path, "hotline") == ConfigFacts({"a": 100, "b": 5000}, True, True, 9, 4)
    assert read_config(tmp_path / "none", "hotline") == ConfigFacts()


def test_a_house_file_that_does_not_load_is_the_doctors_business_too(tmp_path: Path) -> None:
    """``hotline.house`` is read as the service reads it: the file and the dotted path are named before the start."""
    house = tmp_path / "house.toml"
    house.write_text("[busy.first]\nvalue = 60\n")
    settings = make_settings({"ami": {"secret": "not-used"}, "hotline": {"house": str(house)}})
    said = _profile(settings.hotline)
    assert str(house) in said
    assert "busy.first.basis" in said


def test_next_years_make_up_days_are_asked_for_when_they_are_out(tmp_path: Path) -> None:
    """They are proclaimed in October or November of the year before; the site's file mends it; a bad one is said."""
    own = tmp_path / "workdays.toml"
    own.write_text("on = [2035-02-10]")
    far = datetime(2034, 11, 1, tzinfo=UTC)
    assert _workdays(None, datetime(2026, 6, 1, tzinfo=UTC)) == ("", ())
    assert _workdays(None, far) == ("", (2034, 2035))
    assert _workdays(own, far) == ("", (2034,))
    own.write_text("on = [1]")
    assert "no date" in _workdays(own, far)[0]

"""``cti rules`` says what is in force and why, and what is off; docs/regulations.md is made of the same data."""

from __future__ import annotations

import json
from datetime import time, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from cti.app import load_profile
from cti.cli import app
from cti.errors import BadInput
from cti.rules import DOCUMENT, PROFILES, as_data, in_words, load_catalogue, render, show
from regulations import Article, Basis, Limit, Strength
from regulations.profile import KINDS

HOUSE = (
    '[busy.first]\noff = true\nwording = "试运行期间不执行"\n'
    '[answer.within]\nvalue = 10\nbasis = "house"\n'
    'document = "HOUSE"\narticle = "接听"\nwording = "10秒内接听[bold]。"\n'
)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A site with figures of its own."""
    (tmp_path / "house.toml").write_text(HOUSE, encoding="utf-8")
    path = tmp_path / "config.toml"
    path.write_text(f'[ami]\nsecret = "not-used"\n[hotline]\nhouse = "{tmp_path / "house.toml"}"\n')
    return path


def told(*arguments: str) -> dict[str, Any]:
    """What the command says to a program."""
    result = CliRunner().invoke(app, ["rules", "--json", *arguments])
    assert result.exit_code == 0, result.output
    data: dict[str, Any] = json.loads(result.stdout)
    return data


def test_the_committed_document_is_the_generated_one() -> None:
    """docs/regulations.md says what data and code say; made by: python -m cti rules --doc > docs/regulations.md."""
    assert DOCUMENT.read_text(encoding="utf-8") == render()


def test_every_row_and_every_shipped_figure_is_in_the_document() -> None:
    """Article, wording and setting of each figure of all five hotlines."""
    text, catalogue = render(), load_catalogue()
    assert all(f"### {row.id} {row.title.zh}\n" in text for row in catalogue.rows)
    for name in PROFILES:
        for limit in load_profile(name).limits.values():
            assert f"`{limit.path}`" in text
            assert f"| {limit.article.cite()} | {limit.article.wording} |" in text


@pytest.mark.parametrize("name", PROFILES)
def test_every_setting_is_in_force_or_off_and_never_both(name: str) -> None:
    """Nothing is passed over: a rule that the text is silent on is told as such."""
    data = told("--profile", name)
    on, off = [entry["path"] for entry in data["in_force"]], [entry["path"] for entry in data["off"]]
    assert sorted(on + off) == sorted(KINDS)
    assert all(entry["by"] == "silence" for entry in data["off"])
    assert data["zone"] == "Asia/Shanghai"


def test_a_figure_is_told_with_value_article_wording_strength_and_basis() -> None:
    """HZ 第二十八条: 30 s, in both languages and as a number."""
    gap = next(entry for entry in told("--profile", "hz-12319")["in_force"] if entry["path"] == "handover.gap")
    assert gap == {
        "path": "handover.gap", "title_zh": "交接空档期", "title_en": "Gap at the handover", "value": 30.0,
        "zh": "30秒", "en": "30 s", "document": "HZ", "article": "第二十八条",
        "wording": "值班长负责安排坐席,交班人员签出后,接班人员需马上签入,空档期不超过30秒。",
        "strength": "must", "basis": "text",
    }  # fmt: skip


def test_a_houses_own_figure_and_what_it_turned_off_are_told_as_such(config: Path) -> None:
    """Openly: basis house, and the reason."""
    data = told("--config", str(config))
    answer = next(entry for entry in data["in_force"] if entry["path"] == "answer.within")
    assert (answer["value"], answer["basis"], answer["document"]) == (10.0, "house", "HOUSE")
    assert [(e["path"], e["reason_zh"]) for e in data["off"] if e["by"] == "house"] == [
        ("busy.first", "试运行期间不执行")
    ]


@pytest.mark.parametrize("width", [60, 100, 200])
def test_the_table_cuts_no_wording_and_reads_no_markup(config: Path, width: int) -> None:
    """However narrow the screen; a wording in brackets is shown as it is written."""
    written = StringIO()
    profile = load_profile("hz-12319", config.parent / "house.toml")
    show(profile, load_catalogue(), Console(file=written, width=width))
    columns = [[part.strip() for part in line.split("│")] for line in written.getvalue().splitlines() if "│" in line]
    shown = "".join(cells[3] for cells in columns if len(cells) == 5).replace(" ", "")
    for limit in profile.limits.values():
        assert limit.article.wording.replace(" ", "") in shown
    assert "[bold]" in shown
    assert "试运行期间不执行" in written.getvalue()
    assert "* 自定或借用" in written.getvalue()


def test_config_or_profile_and_no_other(config: Path) -> None:
    """Both at once is refused; a profile that is not there is named; without either the site's settings are read."""
    for arguments in (["--config", str(config), "--profile", "gj-bus"], ["--profile", "nowhere"], []):
        result = CliRunner().invoke(app, ["rules", *arguments])
        assert isinstance(result.exception, BadInput), arguments


def test_doc_prints_the_document() -> None:
    """``cti rules --doc`` is how docs/regulations.md is made."""
    assert CliRunner().invoke(app, ["rules", "--doc"]).stdout == render()


@pytest.mark.parametrize(
    ("path", "value", "zh", "en"),
    [
        ("handover.gap", timedelta(seconds=30), "30秒", "30 s"),
        ("handover.gap", timedelta(seconds=1.5), "1.5秒", "1.5 s"),
        ("signin.early", timedelta(minutes=10), "10分钟", "10 min"),
        ("signin.early", timedelta(seconds=90), "90秒", "90 s"),
        ("outage.ahead", timedelta(hours=48), "48小时", "48 h"),
        ("leave.cap_percent", 80, "80%", "80%"),
        ("training.off_post_months", 2, "2个月", "2 months"),
        ("callback.within_working_days", 7, "7个工作日", "7 working days"),
        ("service.hours_a_day", 24, "24小时", "24 h"),
        ("callback.attempts", 3, "3", "3"),
        ("callback.quiet_from", time(21), "21:00", "21:00"),
        ("signin.personal", True, "执行", "in force"),
        ("busy.past_console", "revert", "恢复", "reverted"),
    ],
)
def test_figures_in_words(path: str, value: Any, zh: str, en: str) -> None:
    """With their units, in both languages."""
    words = in_words(Limit(path, value, Article("HZ", "第一条", "测试"), Strength.MUST, Basis.TEXT))
    assert (words.zh, words.en) == (zh, en)


def test_as_data_is_json() -> None:
    """Durations, times and switches are plain values."""
    for name in PROFILES:
        json.dumps(as_data(load_profile(name), load_catalogue()))

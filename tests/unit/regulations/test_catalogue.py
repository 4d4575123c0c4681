"""The catalogue says what is built and what carries it; what it names exists, and cited articles have tests."""

from __future__ import annotations

import importlib
import re
from functools import reduce
from itertools import groupby
from pathlib import Path

import pytest

from regulations import Basis, ProfileError, parse_profile
from regulations.catalogue import BUILT, Catalogue, Row, parse_catalogue
from regulations.profile import KINDS

TEXT = Path("regulations/catalogue.toml").read_text(encoding="utf-8")
CATALOGUE = parse_catalogue(TEXT)
PROFILES = {
    path.stem: parse_profile(path.read_text(encoding="utf-8"))
    for path in sorted(Path("regulations").glob("*.toml"))
    if path.stem != "catalogue"
}
CODE = ("regulations", "agents", "queues", "recordings", "cti")
WANTED = {
    "A": ["HZ-18", "HZ-19", "HZ-20", "HZ-21", "HZ-21", "HZ-32", "QD-13", "QD-13(2), QD-19", "QD-23", "HZ-44, KL-14",
          "HZ-25"],
    "B": ["HZ-27, QD-14", "HZ-28", "HZ-29, QD-14(2)", "HZ-30, HZ-33", "HZ-31", "QD-12(5)"],
    "C": ["HZ-6, QD-13, WD, KL-3", "GB", "HZ-7, Annex 2 二.1", "Annex 2 三.13", "Annex 2 三.9, 三.11", "Annex 2 二.2",
          "Annex 2 八", "Annex 2 九, GJ-6", "Annex 2 十", "Annex 2 五.11, 九.4", "KL-14 报警, HZ-48, WD-4, WD-6",
          "HZ-49..52, QD-11(3)", "KL-14 投诉", "KL-15(4)", "WD second 第四条, Annex 2 十.2", "GJ-5"],
    "D": ["card", "KL-15(1).3", "KL-14", "WD-3(3), WD-7, WD-8", "HZ-20, GJ-15"],
    "E": ["KL-14(9)", "KL-14(9)", "KL-14(9)", "KL-14(9)", "KL-14, WD-3(7)", "QD-12(2)", "QD-12(3)", "QD-12(4)",
          "QD-12(5)", "KL-14(9)", "HZ-34..37"],
    "F": ["card", "HZ-22", "HZ-10, 54-56, 60, QD-9, KL-13(4), GJ-19", "QD-22, GJ-16", "HZ-57..60",
          "HZ-41, 42, QD-7(3), KL-20", "HZ-38..40"],
}  # fmt: skip
SAID_ONLY = {"service.hours_a_day"}  # the whole service is what carries it
SHIFTS = {
    f"roster.{shift}_{edge}" for shift in ("day", "night") for edge in ("from", "to")
}  # read by their shift's name
HEAD = '[sections]\nA = { zh = "甲", en = "a" }\n[settings]\n' + "".join(
    f'"{path}" = {{ zh = "甲", en = "a" }}\n' for path in KINDS
)
ROW = (
    '[[rows]]\nsection = "A"\nid = "HZ-18"\nzh = "甲"\nen = "a"\nstate = "not yet"\nlater = "B"\n'
    f"settings = {sorted(KINDS)}\n"
)


def article_of(cited: str) -> str:
    """The article without its paragraph: ``KL 第十四条(九)`` is of ``KL 第十四条``; WD's second 第四条 is another."""
    found = re.match(r"(\w+ 第[一二三四五六七八九十百]+条(?:（第二个）)?)", cited)
    return found[1] if found else cited


def numeral_of(number: int) -> str:
    """A number below a hundred as the texts write it."""
    tens, ones = divmod(number, 10)
    digits = "零一二三四五六七八九"
    return ("" if not tens else "十" if tens == 1 else f"{digits[tens]}十") + (digits[ones] if ones else "")


def cited_in_code() -> dict[str, str]:
    """Article -> a file that cites it, written out or as ``HZ-32``."""
    found: dict[str, str] = {}
    for folder in CODE:
        for path in sorted(Path(folder).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            for document, numeral in re.findall(r"\b(HZ|QD|KL|WD|GJ)[ \"',]{1,4}第([一二三四五六七八九十]+)条", text):
                found[f"{document} 第{numeral}条"] = str(path)
            for document, number in re.findall(r"\b(HZ|QD|KL|WD|GJ)-([0-9]{1,2})\b", text):
                found[f"{document} 第{numeral_of(int(number))}条"] = str(path)
    return found


def test_every_row_of_the_catalogue_is_there_in_its_order() -> None:
    """Sections A to F, built or not yet: no rule is left out in silence."""
    rows = {letter: [row.id for row in rows] for letter, rows in groupby(CATALOGUE.rows, lambda row: row.section)}
    assert rows == WANTED


@pytest.mark.parametrize("name", sorted({name for row in CATALOGUE.rows for name in row.functions}))
def test_every_function_named_exists(name: str) -> None:
    """A dotted name of the catalogue is importable."""
    parts = name.split(".")
    for split in range(len(parts) - 1, 0, -1):
        try:
            module = importlib.import_module(".".join(parts[:split]))
        except ModuleNotFoundError:
            continue
        assert reduce(getattr, parts[split:], module) is not None
        return
    raise AssertionError(f"{name}: no such module")


@pytest.mark.parametrize("node", sorted({test for row in CATALOGUE.rows for test in row.tests}))
def test_every_test_named_exists(node: str) -> None:
    """A node id of the catalogue is a file, and a test function in it."""
    path, _, function = node.partition("::")
    assert Path(path).is_file(), path
    text = Path(path).read_text(encoding="utf-8")
    assert re.search(rf"^(async )?def {function or 'test_.*'}\(", text, re.MULTILINE), node


@pytest.mark.parametrize("name", PROFILES)
def test_every_figures_article_is_named_by_the_row_of_its_setting(name: str) -> None:
    """Whoever looks a figure up in the catalogue finds its article there, the borrowed ones too."""
    rows: dict[str, list[Row]] = {}
    for row in CATALOGUE.rows:
        for path in row.settings:
            rows.setdefault(path, []).append(row)
    for limit in PROFILES[name].limits.values():
        if limit.article.document != "HOUSE":
            named = {article for row in rows[limit.path] for article in row.articles}
            assert article_of(limit.article.cite()) in named, f"{limit.path}: {limit.article.cite()}"


def test_an_article_in_force_or_cited_by_code_has_a_test() -> None:
    """A built row's figures, and every article that the code names: each is shown by a test, or is named here."""
    tested = {article for row in CATALOGUE.rows if row.tests for article in row.articles}
    cited = cited_in_code()
    for row in CATALOGUE.rows:
        for path in row.settings if row.state == BUILT else ():
            for profile in PROFILES.values():
                limit = profile.get(path)
                if limit is not None and limit.article.document != "HOUSE":
                    cited[article_of(limit.article.cite())] = f"regulations/{path}"
    missing = {article: where for article, where in cited.items() if article not in tested}
    assert not missing, f"cited without a test: {missing}"


def test_what_is_built_reads_its_settings() -> None:
    """A setting that no code reads would be a rule that only looks as if it were in force."""
    text = "".join(path.read_text(encoding="utf-8") for folder in CODE[1:] for path in Path(folder).rglob("*.py"))
    built = {path for row in CATALOGUE.rows if row.state == BUILT for path in row.settings}
    unread = {path for path in built - SAID_ONLY if f'"{path}"' not in text and path not in SHIFTS}
    assert not unread, f"no code reads {unread}"
    assert all(part in text for part in ('f"roster.{', '_from"', '_to"'))


def test_every_setting_has_a_row_and_every_basis_is_told() -> None:
    """No path of KINDS outside the catalogue; in every profile a figure is the text's or the house's."""
    assert {path for row in CATALOGUE.rows for path in row.settings} == set(KINDS)
    assert {limit.basis for profile in PROFILES.values() for limit in profile.limits.values()} == set(Basis)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (HEAD + ROW.replace('zh = "甲"\n', ""), "rows.0.zh"),
        (HEAD + ROW.replace('section = "A"', 'section = "Z"'), "rows.0.section"),
        (HEAD + ROW.replace('"not yet"', '"perhaps"'), "rows.0.state"),
        (HEAD + ROW.replace('later = "B"\n', ""), "rows.0.later"),
        (HEAD + ROW.replace('"not yet"', '"built"'), "rows.0.state"),
        (HEAD + ROW + 'note = "x"\n', "rows.0.note"),
        (HEAD + ROW.replace("'answer.within', ", ""), "settings.answer.within"),
        (HEAD + ROW.replace("'answer.within'", "'answer.soon'"), "answer.soon"),
        (HEAD.replace('"answer.within"', '"answer.soon"') + ROW, "answer.soon"),
        (HEAD.replace('"answer.within" = { zh = "甲", en = "a" }\n', "") + ROW, "settings.answer.within"),
        ("rows = 1 2", "(file)"),
    ],
)
def test_a_row_that_says_too_little_does_not_load(text: str, path: str) -> None:
    """What is built names what carries it, what is not says when; every setting has a name and a row."""
    with pytest.raises(ProfileError) as error:
        parse_catalogue(text)
    assert str(error.value).startswith(f"{path}:")


def test_a_whole_catalogue_loads() -> None:
    """The counter-test: the pieces above load when nothing is wrong with them."""
    loaded = parse_catalogue(HEAD + ROW)
    assert isinstance(loaded, Catalogue)
    assert loaded.rows[0].later == "B"

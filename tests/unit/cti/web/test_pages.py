"""The files of the pages: vendored as listed, worded in both languages, nothing loaded from elsewhere."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from cti.web import pages

MODULES = [p for p in pages.STATIC.rglob("*.js") if "vendor" not in p.parts]


def words(language: str) -> dict[str, str]:
    """Every catalogue of the language as one; no key stands in two."""
    found: dict[str, str] = {}
    for path in sorted((pages.STATIC / "i18n" / language).glob("*.json")):
        part: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        assert not found.keys() & part.keys(), path.name
        found |= part
    return found


def test_vendored_files_are_the_listed_ones() -> None:
    """Each file's sha256 stands in VENDORED.md, and every vendored module is listed."""
    vendor = pages.STATIC / "vendor"
    rows = re.findall(r"\| ([^ |]+) \| ([0-9a-f]{64}) \|", (vendor / "VENDORED.md").read_text())
    assert {name for name, _ in rows} == {p.relative_to(vendor).as_posix() for p in vendor.rglob("*.mjs")}
    for name, digest in rows:
        assert hashlib.sha256((vendor / name).read_bytes()).hexdigest() == digest
        assert (vendor / name).with_name("LICENSE").is_file()


def test_both_languages_have_the_same_words_and_blanks() -> None:
    """A key of one is a key of the other, with the same {names}."""
    zh, en = words("zh"), words("en")
    assert zh.keys() == en.keys()
    for key in zh:
        assert set(re.findall(r"\{\w+\}", zh[key])) == set(re.findall(r"\{\w+\}", en[key])), key


def test_every_word_that_a_module_uses_exists() -> None:
    """Plain t("key") calls, and the beginnings of t(`group.${...}`)."""
    keys = words("zh").keys()
    for module in MODULES:
        text = module.read_text(encoding="utf-8")
        assert set(re.findall(r'\bt\("([^"]+)"', text)) <= keys, module.name
        for start in re.findall(r"\bt\(`([a-z_]+\.)\$", text):
            assert any(k.startswith(start) for k in keys), (module.name, start)


def test_nothing_is_loaded_from_elsewhere_and_nothing_is_set_as_html() -> None:
    """No other host in the pages' own files; text of callers is never parsed as markup."""
    for path in (*MODULES, pages.STATIC / "index.html", pages.STATIC / "style.css"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"https?://(?!www\.w3\.org)", text), path.name
        assert not re.search(r"innerHTML|dangerouslySetInnerHTML|outerHTML|insertAdjacentHTML|\beval\(", text), (
            path.name
        )


def test_modules_stay_small_enough_to_read() -> None:
    """400 lines at most, as everywhere in the project."""
    assert max(len(Path(p).read_text().splitlines()) for p in MODULES) <= 400

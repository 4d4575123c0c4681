"""One rule for the place of a recording, the dialplan's; and nothing of a path from outside."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings import call_of, path_of

IDS = st.from_regex(r"\A(?:[A-Za-z0-9_][A-Za-z0-9_-]{0,20}-)?[0-9]{10}\.[0-9]{1,6}\Z")


@pytest.mark.parametrize(
    ("call_id", "path"),
    [
        ("1795284828.1", "2026/11/21/1795284828.1.wav"),
        ("name-1795284828.1", "2026/11/21/name-1795284828.1.wav"),
        ("cticb-1795284828.17", "2026/11/21/cticb-1795284828.17.wav"),
        ("Pbx_2-x-1795305599.3", "2026/11/21/Pbx_2-x-1795305599.3.wav"),
        ("1795305600.3", "2026/11/22/1795305600.3.wav"),
    ],
)
def test_the_path_is_the_one_the_dialplan_makes(call_id: str, path: str) -> None:
    """<UTC day of the epoch in the id>/<id>.wav, to the second at which the day changes."""
    assert path_of(call_id) == path


@given(IDS)
def test_a_path_leads_back_to_its_call(call_id: str) -> None:
    """Every recording in the folder names its call: none is an orphan by name."""
    assert call_of(path_of(call_id)) == call_id


@pytest.mark.parametrize(
    "call_id",
    [
        "",
        "..",
        "1795284828",
        "1795284828.",
        ".1",
        "179528482.1",
        "17952848281.1",
        "1795284828.1;2",
        "1795284828.1\n",
        "1795284828.1\0",
        "../1795284828.1",
        "a/b-1795284828.1",
        "a.b-1795284828.1",
        "-1795284828.1",
        "名-1795284828.1",
        "１795284828.1",
        "x" * 70 + "-1795284828.1",
    ],
)
def test_an_id_that_could_lead_elsewhere_is_refused(call_id: str) -> None:
    """No byte outside A-Za-z0-9._-, always an epoch, bounded: the error says so without repeating the id."""
    with pytest.raises(ValueError, match="call id: "):
        path_of(call_id)


@given(st.text(max_size=60))
def test_no_text_leaves_the_folder(text: str) -> None:
    """Whatever is asked for: refused, or a path of four parts inside the recordings folder."""
    try:
        path = path_of(text)
    except ValueError:
        return
    assert len(path.split("/")) == 4
    assert ".." not in path


@pytest.mark.parametrize(
    "path",
    ["2026/11/22/1795284828.1.wav", "/2026/11/21/1795284828.1.wav", "2026/11/21/1795284828.1", "1795284828.1.wav",
     "2026/11/21/../21/1795284828.1.wav", "2026/11/21/1795284828.1.wav.wav", ""],
)  # fmt: skip
def test_a_path_that_is_not_ours_belongs_to_no_call(path: str) -> None:
    """Another day, name or folder is an orphan, not a recording."""
    with pytest.raises(ValueError, match=r"path|call id"):
        call_of(path)

"""Who kept the first message checks a draw with the lines of docs/callbacks.md, and nothing of ours (QD 第十二条)."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.commands import SignIn
from cti.commands.owed import OweCallback
from cti.engine.inputs import Due
from cti.engine.owing import Owing
from cti.store.owed_reads import DrawView
from queues.sampling import Draw, added, closed, commitment, list_hash
from tests.unit.cti.web.test_missed_api import as_
from tests.web.duty import duty_site

IDS = st.lists(st.from_regex(r"t-[0-9a-z]{1,6}", fullmatch=True), min_size=1, max_size=40, unique=True)


def _documented() -> Callable[[str, dict[str, Any]], bool]:
    text = Path("docs/callbacks.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(import hashlib, hmac\n.*?)```", text, re.DOTALL)
    assert len(code.splitlines()) <= 16
    scope: dict[str, Any] = {}
    exec(code, scope)  # noqa: S102 - the documentation's own lines are what is tested
    check: Callable[[str, dict[str, Any]], bool] = scope["check"]
    return check


CHECK = _documented()


def published(secret: str, percent: int, at_once: bool, listed: list[str]) -> dict[str, Any]:
    """What the API shows of a closed list."""
    draw = Draw(secret, percent, at_once)
    for one in listed:
        draw = added(draw, one)
    shown = {
        "secret": secret, "percent": percent, "at_once": at_once, "listed": listed, "list_hash": list_hash(listed),
        "drawn": list(closed(draw).drawn),
    }  # fmt: skip
    assert set(shown) <= set(DrawView.model_fields)
    return shown


@given(st.text(min_size=1, max_size=40), st.integers(1, 100), st.booleans(), IDS)
def test_an_honest_draw_passes_and_no_other(secret: str, percent: int, at_once: bool, listed: list[str]) -> None:
    """Another secret, a ticket left off or put on afterwards, one drawn more or fewer: each is found."""
    draw, kept = published(secret, percent, at_once, listed), commitment(secret)
    assert CHECK(kept, draw)
    assert not CHECK(commitment(secret + "x"), draw)
    assert not CHECK(kept, {**draw, "secret": secret + "x"})
    assert not CHECK(kept, {**draw, "listed": listed[:-1]})
    assert not CHECK(kept, {**draw, "listed": [*listed, "t-late"]})
    assert not CHECK(kept, {**draw, "drawn": draw["drawn"][:-1]})
    assert not CHECK(kept, {**draw, "drawn": [*draw["drawn"], "t-late"]})


async def test_the_services_own_answer_passes(tmp_path: Path) -> None:
    """The commitment is read while the list is open, the rest when its shift has ended."""
    async with duty_site(tmp_path) as duty:
        await duty.ask(SignIn("1001", "3001"))
        client = await as_(duty, "1001")
        (before,) = (await client.get("/api/v1/owed/draws")).json()
        assert before["secret"] is None
        part = next(part for part in duty.engine.world.parts if isinstance(part, Owing))
        found = part.drawing.open["callback.sample_percent"]
        for n in range(25):
            found.draw = added(found.draw, f"t-{n}")
        duty.leap(12 * 3600)
        duty.engine.put(Due("draw:callback.sample_percent"))
        await duty.ask(OweCallback("9001", "9001:k", "13800000063", None, None))
        after = (await client.get(f"/api/v1/owed/draws/{before['draw_id']}")).json()
        assert after["checked"] is True
        assert CHECK(before["commitment"], after)
        await client.aclose()


@pytest.mark.parametrize("percent", [10, 100])
def test_at_least_the_percentage_of_what_was_published(percent: int) -> None:
    """A tenth of 25 is three."""
    drawn = published("s", percent, False, [f"t-{n}" for n in range(25)])["drawn"]
    assert len(drawn) == {10: 3, 100: 25}[percent]

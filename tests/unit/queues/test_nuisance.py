"""Who may be blocked, who decides, and how a block ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queues import nuisance as core
from queues.nuisance import Block, State

NOW = datetime(2026, 11, 21, 1, tzinfo=UTC)
BLOCK = Block("b1", "13800000071", "t1", "1001", NOW, "反复骚扰")


@pytest.mark.parametrize(
    ("number", "marked", "known", "protected", "code"),
    [
        ("13800000071", False, None, False, "not_marked"),
        ("", True, None, False, "no_number"),
        ("110", True, None, False, "no_number"),
        ("05305550001", True, None, True, "number_of_a_unit"),
        ("13800000071", True, BLOCK, False, "block_known"),
        ("13800000071", True, None, False, "ok"),
    ],
)
def test_what_may_be_asked_for(number: str, marked: bool, known: Block | None, protected: bool, code: str) -> None:
    """Only a marked caller with a whole number, not a unit's, and once."""
    assert core.may_ask(number, marked, known, protected).code == code


def test_nobody_decides_on_his_own_request_nor_twice() -> None:
    """The lead's approval is another person's."""
    assert core.may_decide(BLOCK, "9001").allowed
    assert core.may_decide(BLOCK, "1001").code == "own_request"
    assert core.may_decide(core.declined(BLOCK, "9001", "无据", NOW), "9002").code == "no_such_block"
    assert core.may_end(BLOCK).code == core.may_end(None).code == "no_such_block"


@given(st.integers(1, 365), st.integers(0, 5))
def test_a_block_always_has_an_end(days: int, tries: int) -> None:
    """Agreed for so many days; tries are counted; ended early by a lead, or expired by itself."""
    block = core.agreed(BLOCK, "9001", days, "同意", NOW)
    for _ in range(tries):
        block = core.tried(block, NOW)
    assert (block.until, block.tries) == (NOW + timedelta(days=days), tries)
    assert core.may_end(block).allowed
    assert core.ended(block, "9001", NOW).state is State.ENDED
    assert core.ended(block, None, NOW).state is State.EXPIRED

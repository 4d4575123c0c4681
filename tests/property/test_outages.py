"""Whatever a lead puts, the dialplan gets a value that it can read and that ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cti.engine.world import SWITCH_VALUE
from queues.outages import Kind, Outage, dialplan_value, may_put, said_from

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
SPAN = st.timedeltas(min_value=timedelta(days=-60), max_value=timedelta(days=60))
PREFIXES = st.lists(st.text("0123456789", min_size=1, max_size=8), max_size=8)


@given(st.sampled_from(Kind), SPAN, SPAN, st.none() | SPAN.filter(lambda d: d >= timedelta(0)), PREFIXES)
def test_what_is_allowed_ends_and_can_be_set(
    kind: Kind, start: timedelta, length: timedelta, ahead: timedelta | None, prefixes: list[str]
) -> None:
    """Said before its end, over in the future, and short enough for one global variable with eight prefixes."""
    from_at, until = NOW + start, NOW + start + length
    if not may_put(from_at, until, NOW, ()).allowed:
        return
    said = said_from(kind, from_at, ahead)
    assert said <= from_at < until
    assert until > NOW
    value = dialplan_value(Outage("o", "", kind, "x", from_at, until, said, "9001", NOW), prefixes)
    assert SWITCH_VALUE.fullmatch(value)
    assert value.split(",")[3:] == prefixes

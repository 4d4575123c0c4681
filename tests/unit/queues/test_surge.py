"""A surge: begins at the figure, counts to the millisecond, wavers without a second alarm."""

from __future__ import annotations

from datetime import UTC, datetime

from queues import surge as core
from queues.surge import By, Key, Limits, Surge, Window

KEY = Key(By.KIND, "repair")
LIMITS = Limits(calls=3, calm=1, within=600.0)
AT = datetime(2026, 11, 23, tzinfo=UTC)


def test_a_ticket_of_exactly_the_windows_age_counts_no_more() -> None:
    """599.999 s is in, 600.000 s is out."""
    window = Window(600.0)
    window.put(KEY, "t1", 0.0)
    assert window.tickets(KEY, 599.999) == ["t1"]
    assert window.tickets(KEY, 600.0) == []


def test_it_begins_at_the_figure_and_ends_at_the_other() -> None:
    """Between the two figures it stays what it is."""
    assert [core.begins(count, LIMITS) for count in (2, 3)] == [False, True]
    assert [core.ends(count, LIMITS) for count in (2, 1)] == [False, True]


def test_a_ticket_that_changes_its_area_counts_there_alone() -> None:
    """Dropped from where it was; another ticket of the same moment stays."""
    window = Window(600.0)
    for ticket in ("t1", "t2"):
        window.put(KEY, ticket, 5.0)
    window.drop(KEY, "t1")
    assert window.tickets(KEY, 6.0) == ["t2"]


def test_only_a_lead_takes_a_ticket_out() -> None:
    """And only one that is in the group."""
    surge = core.joined(Surge("s", KEY, AT), ["t1"], AT)
    assert core.may_take_out(surge, "t1", False).code == "surge_lead_only"
    assert core.may_take_out(surge, "t2", True).code == "not_in_surge"
    assert core.may_take_out(surge, "t1", True).allowed

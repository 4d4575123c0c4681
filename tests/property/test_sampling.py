"""The draw of the sample: always enough, checked by anyone, steered by nobody (QD 第十二条（二）)."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queues.sampling import Draw, added, closed, commitment, least, list_hash, next_end, replayed

SECRETS = st.text("0123456789abcdefghjkmnpqrstvwxyz", min_size=32, max_size=32)
LISTS = st.lists(st.integers(0, 10**9).map("t-{}".format), unique=True, max_size=120)
PERCENT = st.integers(1, 100)
ZONE = ZoneInfo("Asia/Shanghai")


def made(secret: str, percent: int, at_once: bool, tickets: list[str]) -> list[Draw]:
    """Every state of the list, the closed one last."""
    states = [Draw(secret, percent, at_once)]
    for ticket_id in tickets:
        states.append(added(states[-1], ticket_id))
    return [*states, closed(states[-1])]


@given(SECRETS, PERCENT, st.booleans(), LISTS)
def test_at_least_the_percentage_is_drawn_and_only_from_the_list(
    secret: str, percent: int, at_once: bool, tickets: list[str]
) -> None:
    """In the end rounded up; during the shift rounded down; nobody twice, and nobody is ever let off again."""
    states = made(secret, percent, at_once, tickets)
    end = states[-1]
    assert len(end.drawn) >= least(len(tickets), percent)
    assert len(end.drawn) * 100 >= len(tickets) * percent
    assert len(set(end.drawn)) == len(end.drawn)
    assert set(end.drawn) <= set(tickets)
    for before, after in itertools.pairwise(states):
        assert after.drawn[: len(before.drawn)] == before.drawn
        if at_once:
            assert len(after.drawn) >= len(after.listed) * percent // 100
        elif not after.closed:
            assert after.drawn == ()


@given(SECRETS, PERCENT, st.booleans(), LISTS)
def test_the_draw_made_anew_is_the_same(secret: str, percent: int, at_once: bool, tickets: list[str]) -> None:
    """From what is published alone; and a ticket told twice is on the list once."""
    end = made(secret, percent, at_once, tickets)[-1]
    assert replayed(secret, percent, at_once, end.listed) == end.drawn
    assert made(secret, percent, at_once, tickets + tickets)[-1] == end
    with pytest.raises(ValueError, match="closed"):
        added(end, "t-late")


@given(SECRETS, LISTS.filter(lambda tickets: len(tickets) > 1))
def test_another_list_or_secret_is_seen(secret: str, tickets: list[str]) -> None:
    """A list that was changed, or put in another order, has another hash; a secret that was changed, another one."""
    assert list_hash(tickets) != list_hash(tickets[1:])
    assert list_hash(tickets) != list_hash(tickets[::-1])
    assert commitment(secret) != commitment(secret[::-1] + "0")


def test_the_first_ticket_is_drawn_no_oftener_than_any_other() -> None:
    """What is known before the end (the list, the percentage, the commitment) says nothing of who is drawn.

    Over 4000 secrets each of 20 places is drawn equally often; a rule by place or by arrival would stand out.
    """
    tickets = [f"t-{n}" for n in range(20)]
    for at_once in (False, True):
        times = dict.fromkeys(tickets, 0)
        for n in range(4000):
            for ticket_id in replayed(f"secret-{n}", 10, at_once, tickets):
                times[ticket_id] += 1
        mean = sum(times.values()) / len(times)
        assert all(abs(count - mean) < 6 * mean**0.5 for count in times.values()), times


def test_who_adds_tickets_late_cannot_choose_who_is_drawn_at_once() -> None:
    """当班抽查: the tickets that are drawn already stay drawn, whatever is added."""
    early = [f"t-{n}" for n in range(50)]
    drawn = made("secret", 10, True, early)[-2].drawn
    for more in range(1, 40):
        later = made("secret", 10, True, [*early, *(f"x-{n}" for n in range(more))])[-1]
        assert later.drawn[: len(drawn)] == drawn


@given(st.integers(0, 2 * 366 * 86400).map(lambda s: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=s)))
def test_a_list_ends_with_the_shift(now: datetime) -> None:
    """The next of the shift's times, after now, at most a day ahead; midnight where there are none."""
    end = next_end(now, [time(8), time(20)], ZONE)
    assert now < end <= now + timedelta(hours=12)
    assert end.astimezone(ZONE).time() in (time(8), time(20))
    assert next_end(now, [], ZONE).astimezone(ZONE).time() == time()

"""Ids sort by time, differ, and have the forms that the rest relies on."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime, timedelta

from cti.ids import Ids
from recordings.naming import path_of

NOW = datetime(2026, 11, 21, 1, 0, 0, 1000, UTC)


def test_ids_sort_by_the_millisecond() -> None:
    """A list of tickets by id is a list by time."""
    ids = Ids(random.Random(1))
    made = [ids.make("t", NOW + timedelta(milliseconds=n)) for n in range(2000)]
    assert made == sorted(made)
    assert all(re.fullmatch(r"t-[0-9a-hjkmnp-tv-z]{26}", one) for one in made)


def test_none_comes_twice() -> None:
    """In one millisecond too: 80 random bits."""
    ids = Ids(random.Random(1))
    assert len({ids.make("c", NOW) for _ in range(10_000)}) == 10_000
    assert len({ids.token() for _ in range(1000)}) == 1000


def test_a_channel_id_has_the_form_of_asterisks_own() -> None:
    """It becomes the Uniqueid, and a recording's path is made from it."""
    channel = Ids(random.Random(1)).channel(NOW)
    assert re.fullmatch(r"cticb-\d{10}\.\d{1,10}", channel)
    assert path_of(channel) == f"2026/11/21/{channel}.wav"

"""The outbox is dense, ordered and only pruned of what everybody has read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cti.bus.outbox import Message
from cti.store import outbox
from cti.store.db import Store
from tests.stores import open_store

T = datetime(2026, 11, 21, 9, 0, 0, 123456, UTC)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await open_store(tmp_path / "cti.db")
    yield store
    await store.close()


def message(subject: str, kind: str = "call.queued", at: datetime = T) -> Message:
    return Message(0, at, kind, subject, "all", {"queue": "hotline"})


async def add(store: Store, *messages: Message) -> list[int]:
    return [m.seq for m in await store.write(lambda c: outbox.append(c, messages))]


async def seqs(store: Store, seq: int = 0) -> list[int]:
    async with store.read() as connection:
        return [m.seq for m in await outbox.after(connection, seq, 1000)]


async def test_numbers_are_dense_over_batches_and_rollbacks(store: Store) -> None:
    """A batch that is undone takes its numbers back; a consumer that sees a gap has lost something."""
    assert await add(store, message("1.1"), message("1.2")) == [1, 2]
    with pytest.raises(RuntimeError):
        await store.write(_append_and_fail)
    assert await add(store) == []
    assert await add(store, message("1.4")) == [3]


async def _append_and_fail(connection: object) -> None:
    await outbox.append(connection, [message("1.3")] * 5)  # type: ignore[arg-type]
    raise RuntimeError("undone")


async def test_what_was_written_is_read_in_order(store: Store) -> None:
    """Behind a number, at most so many, with every field as it was."""
    first = [message(f"1.{n}") for n in range(5)]
    await add(store, *first)
    async with store.read() as connection:
        found = await outbox.after(connection, 2, 2)
    assert found == [first[2]._replace(seq=3), first[3]._replace(seq=4)]


async def test_a_position_only_goes_forward(store: Store) -> None:
    """A late, older acknowledgement does not send everything again."""
    async with store.read() as connection:
        assert await outbox.position(connection, "mqtt") == 0
    for told, known in ((5, 5), (3, 5), (12, 12), (100, 100), (99, 100)):
        await store.write(lambda c, told=told: outbox.advance(c, "mqtt", told))  # type: ignore[misc]
        async with store.read() as connection:
            assert await outbox.position(connection, "mqtt") == known
            assert await outbox.position(connection, "webhooks") == 0


async def test_unread_rows_are_kept_however_old(store: Store) -> None:
    """A broker that was away for weeks still gets all of it."""
    await add(store, *(message(f"1.{n}") for n in range(6)))
    await store.write(lambda c: outbox.advance(c, "mqtt", 4))
    later = T + timedelta(days=30)
    assert await store.write(lambda c: outbox.prune(c, later, ["mqtt", "webhooks"])) == 0
    assert await store.write(lambda c: outbox.prune(c, T, ["mqtt"])) == 0
    assert await store.write(lambda c: outbox.prune(c, later, ["mqtt"])) == 4
    assert await seqs(store) == [5, 6]


async def test_a_pruned_number_is_never_given_again(store: Store) -> None:
    """Ids are for deduplication: an old one must not come back for another event."""
    await add(store, message("1.1"), message("1.2"))
    assert await store.write(lambda c: outbox.prune(c, T + timedelta(days=1), [])) == 2
    assert await add(store, message("1.3")) == [3]


async def test_the_last_state_of_each_subject_outlives_pruning(store: Store) -> None:
    """A broker that forgot everything is told again what is true now, also of an agent who has not moved for a week."""
    await add(
        store,
        message("1001", "agent.state"), message("1002", "agent.state"), message("1001", "agent.state"),
        message("hotline", "queue.state"), message("1.1", "call.queued"), message("hotline", "queue.state"),
    )  # fmt: skip
    assert await store.write(lambda c: outbox.prune(c, T + timedelta(days=7), [])) == 3
    async with store.read() as connection:
        assert [(m.seq, m.subject) for m in await outbox.states(connection, 6)] == [
            (2, "1002"),
            (3, "1001"),
            (6, "hotline"),
        ]
        assert [m.seq for m in await outbox.states(connection, 2)] == [2]


async def test_pruning_never_takes_long(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes in steps, oldest first, so that a pop never waits for the broom."""
    monkeypatch.setattr(outbox, "PRUNED_AT_ONCE", 2)
    await add(store, *(message(f"1.{n}") for n in range(5)))
    later = T + timedelta(days=1)
    assert [await store.write(lambda c: outbox.prune(c, later, [])) for _ in range(4)] == [2, 2, 1, 0]

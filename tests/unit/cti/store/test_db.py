"""One writer, whole transactions, and no start on a database that a newer version has changed."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError

from cti.store import tables as t
from cti.store.db import Statements, Store, StoreError

CURSORS = select(t.cursors.c.name, t.cursors.c.position).order_by(t.cursors.c.name)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(tmp_path / "cti.db")
    yield store
    await store.close()


async def cursors(store: Store) -> list[tuple[str, str]]:
    async with store.read() as connection:
        return [(name, position) for name, position in (await connection.execute(CURSORS)).all()]


async def put(connection: Statements, *names: str) -> int:
    for name in names:
        await connection.execute(insert(t.cursors).values(name=name, position="1"))
    return len(names)


async def test_a_write_is_whole_or_not_at_all(store: Store) -> None:
    """What fails in the middle leaves nothing; what returns is durable, and its value comes back."""
    assert await store.write(lambda c: put(c, "a", "b")) == 2
    with pytest.raises(IntegrityError):
        await store.write(lambda c: put(c, "c", "a"))
    assert await cursors(store) == [("a", "1"), ("b", "1")]


async def test_writes_come_one_after_the_other(store: Store) -> None:
    """Each sees what the one before it wrote; none is lost."""

    async def count_up(connection: Statements) -> None:
        row = (await connection.execute(select(t.cursors.c.position).where(t.cursors.c.name == "n"))).one()
        await connection.execute(t.cursors.update().values(position=str(int(row.position) + 1)))

    await store.write(lambda c: put(c, "n"))
    await asyncio.gather(*(store.write(count_up) for _ in range(50)))
    assert await cursors(store) == [("n", "51")]


async def test_a_write_may_wait_for_nothing_else(store: Store) -> None:
    """Whoever awaits the network inside a transaction would hold up every ticket: refused, and undone."""

    async def dawdle(connection: Statements) -> None:
        await put(connection, "a")
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="something else"):
        await store.write(dawdle)
    assert await cursors(store) == []
    await store.write(lambda c: put(c, "b"))
    assert await cursors(store) == [("b", "1")]


async def test_a_reader_sees_only_what_is_committed(store: Store, tmp_path: Path) -> None:
    """Another process that is in the middle of a write shows nothing of it, and does not stop readers."""
    assert await cursors(store) == []
    with closing(sqlite3.connect(tmp_path / "cti.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("insert into cursors values ('x', '1')")
        assert await cursors(store) == []
        other.execute("COMMIT")
    assert await cursors(store) == [("x", "1")]


async def test_the_pragmas_that_make_a_commit_durable(store: Store) -> None:
    """WAL and FULL: a commit that returned survives the machine's power being cut."""

    async def pragmas(connection: Statements) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys")
        return [(await connection.execute(text(f"PRAGMA {name}"))).scalar() for name in names]

    assert await store.write(pragmas) == ["wal", 2, 1]


async def test_a_reader_of_a_new_file_does_not_hinder_its_first_write(tmp_path: Path) -> None:
    """A page may ask before the engine has written anything: the file is in WAL before either."""
    path = tmp_path / "cti.db"
    store = await Store.open(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        assert reader.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM cursors").fetchone() == (0,)
        await store.write(lambda c: put(c, "x"))
        assert reader.execute("SELECT count(*) FROM cursors").fetchone() == (0,)
    assert [name for name, _ in await cursors(store)] == ["x"]
    await store.close()


async def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    """An older version would misread rows it does not know; the message names the way out, and nothing is changed."""
    path = tmp_path / "cti.db"
    await (await Store.open(path)).close()
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("update alembic_version set version_num = '9999'")
    with pytest.raises(StoreError, match="newer version"):
        await Store.open(path)
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("select version_num from alembic_version").fetchall() == [("9999",)]


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="database"):
        await Store.open(tmp_path / "file" / "cti.db")


@pytest.mark.parametrize(("made", "named"), [(None, "unable to open"), (b"never a database " * 40, "not a database")])
async def test_a_file_that_is_no_database_is_named(tmp_path: Path, made: bytes | None, named: str) -> None:
    """A folder, or something else of that name: the line says which file, and it is left as it is."""
    path = tmp_path / "cti.db"
    path.mkdir() if made is None else path.write_bytes(made)
    with pytest.raises(StoreError, match=f"database .*cti.db: .*{named}"):
        await Store.open(path)
    assert path.is_dir() if made is None else path.read_bytes() == made


async def test_opening_twice_changes_nothing(tmp_path: Path) -> None:
    """The schema is made once; a second start finds it, and its rows."""
    for name in ("a", "b"):
        store = await Store.open(tmp_path / "cti.db")
        await store.write(lambda c, name=name: put(c, name))  # type: ignore[misc]
        found = await cursors(store)
        await store.close()
    assert [name for name, _ in found] == ["a", "b"]


async def test_the_schema_is_the_tables(tmp_path: Path) -> None:
    """What the migrations make is what the code expects: each table with each column."""
    await (await Store.open(tmp_path / "cti.db")).close()
    with closing(sqlite3.connect(tmp_path / "cti.db")) as database:
        for table in t.metadata.sorted_tables:
            made = {row[1] for row in database.execute(f"pragma table_info({table.name})")}
            assert made == set(table.columns.keys())

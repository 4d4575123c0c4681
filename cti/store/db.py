"""One writer, many readers. A write is one BEGIN IMMEDIATE .. COMMIT; follow-ups are for after it returned.

A whole write runs in the writer's own thread and comes back once. Statement by statement, each with its cursor opened
and closed there and back, the ways cost more than the rows: 4 ms of CPU for a batch of the engine instead of 1.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, CursorResult, Engine, Executable, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from cti.errors import CtiError

T = TypeVar("T")
READERS = 4
BUSY_MS = 30_000  # a backup or a second process may hold the file this long before a write fails


class StoreError(CtiError):
    """The store cannot be opened or used; the message says what to do."""

    code = "store"


class Statements(Protocol):
    """What a function that reads or writes rows needs: a reader's connection has it, and a transaction."""

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        """Run one statement, or one for each of a list of parameters."""


class _Transaction:
    """The statements of one write, run at once in the thread that asks."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        return self._connection.execute(statement, parameters)


class Store:
    """The database. Open with ``Store.open``; ``close`` before the loop ends."""

    def __init__(self, writer: Engine, readers: AsyncEngine) -> None:
        self._writer = writer
        self._readers = readers
        self._connection: Connection | None = None
        self._thread = ThreadPoolExecutor(1, "store-writer")

    @classmethod
    async def open(cls, path: Path) -> Store:
        """Bring the schema up to date and open.

        Raises:
            StoreError: the file is no database, cannot be opened or is held by another program, the folder cannot be
                written, or a newer version of the service has used the file.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            await asyncio.to_thread(migrate, path)
        except OSError as error:
            raise StoreError(f"database {path}: {error.strerror}") from error
        except DatabaseError as error:
            raise StoreError(f"database {path}: {error.orig}") from error
        writer = create_engine(f"sqlite:///{path}", poolclass=NullPool)
        readers = create_async_engine(f"sqlite+aiosqlite:///{path}", pool_size=READERS, max_overflow=0)
        _prepare(writer, "IMMEDIATE")
        _prepare(readers.sync_engine, "DEFERRED")
        return cls(writer, readers)

    async def write(self, work: Callable[[Statements], Coroutine[Any, Any, T]]) -> T:
        """Run *work* in one transaction; what it did is durable when this returns, or undone when it raises.

        *work* runs in the writer's thread and may await nothing but its statements: nobody holds the one writer up.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._write, work)

    def _write(self, work: Callable[[Statements], Coroutine[Any, Any, T]]) -> T:
        if self._connection is None:
            self._connection = self._writer.connect()
        with self._connection.begin():
            running = work(_Transaction(self._connection))
            try:
                running.send(None)
            except StopIteration as end:
                result: T = end.value
                return result
            running.close()
            raise RuntimeError("a write waited for something else than its statements")

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for queries; it sees what was committed when its first query began."""
        async with self._readers.connect() as connection:
            yield connection

    async def close(self) -> None:
        """Give every connection back and end their threads."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._leave)
        self._thread.shutdown()
        await self._readers.dispose()

    def _leave(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._writer.dispose()


def _prepare(engine: Engine, begin: str) -> None:
    @event.listens_for(engine, "connect")
    def _connect(raw: Any, _record: Any) -> None:
        raw.isolation_level = None  # the driver would begin late and by itself; we begin below
        cursor = raw.cursor()
        for pragma in (f"busy_timeout={BUSY_MS}", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql(f"BEGIN {begin}")


def migrate(path: Path) -> None:
    """Bring *path* to the newest schema, and to write-ahead logging (sqlite.org/wal.html), which the file itself keeps.

    It is set here, before anybody reads: beside an open reader the first writer of a new file could not.

    Raises:
        StoreError: when a newer version of the service has already changed it.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("sqlalchemy.url", f"sqlite:///{path}".replace("%", "%%"))
    script = ScriptDirectory.from_config(config)
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    with engine.connect() as connection:
        here = MigrationContext.configure(connection).get_current_revision()
    if here is not None and here not in {r.revision for r in script.walk_revisions()}:
        raise StoreError(f"database {path}: written by a newer version ({here}); install that version again")
    if here != script.get_current_head():
        command.upgrade(config, "head")
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    engine.dispose()
